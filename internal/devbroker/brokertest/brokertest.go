// Package brokertest gives tests the embedded broker in memory, with the control over requests that kfake has.
package brokertest

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-io/millrace/internal/devbroker/internal/guarded"
)

// Broker is a broker that ends with its test.
type Broker struct {
	*kfake.Cluster        // ControlKey, Fault, TopicInfo, ...
	Bootstrap      string // for bootstrap.servers
}

// Start starts a broker in memory on a free loopback port.
func Start(tb testing.TB, opts ...kfake.Opt) *Broker {
	tb.Helper()
	return start(tb, net.Listen, opts)
}

// Virtual starts a broker on an in-memory network, for tests inside a testing/synctest bubble, and gives the function by which
// clients reach it.
func Virtual(tb testing.TB, opts ...kfake.Opt) (b *Broker, dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	tb.Helper()
	vn := new(kfake.VirtualNetwork)
	return start(tb, vn.Listen, append([]kfake.Opt{kfake.Ports(9092)}, opts...)), vn.DialContext
}

func start(tb testing.TB, listen func(network, addr string) (net.Listener, error), opts []kfake.Opt) *Broker {
	tb.Helper()
	c, err := guarded.Open(guarded.Options{
		ClusterID: "brokertest",
		Log:       slog.New(slog.DiscardHandler),
		Listen:    listen,
	}, opts...)
	if err != nil {
		tb.Fatalf("start a broker: %v", err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Errorf("stop the broker: %v", err)
		}
	})
	return &Broker{Cluster: c.Cluster, Bootstrap: c.ListenAddrs()[0]}
}
