package bed

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports below the range from which Linux and macOS choose the local ends of outgoing connections, so that nobody takes
// a server's port while the server is down.
const lowPort, highPort = 15000, 32000

// freePorts returns n different ports of 127.0.0.1 nobody listens on. It holds each until all are found, so that they differ.
func freePorts(n int) ([]int, error) {
	var held []io.Closer
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	var ports []int
	for try := 0; len(ports) < n; try++ {
		if try == 1000 {
			return nil, errors.New("found no free port on 127.0.0.1")
		}
		port := lowPort + rand.IntN(highPort-lowPort)
		if l, err := net.Listen("tcp", Address(port)); err == nil {
			held = append(held, l)
			ports = append(ports, port)
		}
	}
	return ports, nil
}

// Address is host and port of a server of the test bed.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Port returns a port of 127.0.0.1 nobody listens on, for a server whose port a test must know in advance.
func Port(t testing.TB) int {
	t.Helper()
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(fmt.Errorf("choose a port: %w", err))
	}
	return ports[0]
}
