package devbroker

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"syscall"
)

// listen opens the broker's port. The listener's Addr is what clients are told: Host and the real port.
func listen(o Options) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(o.Bind, strconv.Itoa(o.Port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d on %s is taken by another program; stop it or choose another port for the embedded broker",
			o.Port, o.Bind)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("port %d on %s may not be used without more rights; choose one above 1023 for the embedded broker",
			o.Port, o.Bind)
	case err != nil:
		return nil, fmt.Errorf("the embedded broker cannot listen: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the embedded broker's port: %w", err), l.Close())
	}
	return advertised{l, hostPort(net.JoinHostPort(o.Host, port))}, nil
}

// advertised is a listener with another address than the one it listens on.
type advertised struct {
	net.Listener
	addr hostPort
}

// Addr implements net.Listener.
func (a advertised) Addr() net.Addr { return a.addr }

type hostPort string

func (hostPort) Network() string  { return "tcp" }
func (h hostPort) String() string { return string(h) }

// deaf is a listener that accepts nobody.
type deaf struct{ net.Listener }

// Accept implements net.Listener.
func (deaf) Accept() (net.Conn, error) { return nil, net.ErrClosed }
