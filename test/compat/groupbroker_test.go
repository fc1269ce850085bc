package compat

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/millrace-io/millrace/internal/devbroker"
)

// embeddedBroker is an embedded broker of this process that can be closed and opened again.
type embeddedBroker struct {
	*devbroker.Broker
	t    *testing.T
	opts devbroker.Options
	stop func() // returns when the broker is down, and fails the test if it did not end well
}

// newEmbedded starts nothing. A broker that is to be opened again needs a port in the options.
func newEmbedded(t *testing.T, o devbroker.Options) *embeddedBroker {
	t.Helper()
	log := &lockedBuffer{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the embedded broker:\n%s", log)
		}
	})
	return &embeddedBroker{t: t, opts: o}
}

// start opens the broker; the test's end closes it.
func (b *embeddedBroker) start() *embeddedBroker {
	b.t.Helper()
	var err error
	if b.Broker, err = devbroker.New(b.opts); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	select {
	case <-b.Ready():
	case err := <-done:
		cancel()
		b.t.Fatalf("open the embedded broker: %v", err)
	}
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("close the embedded broker: %v", err)
		}
	})
	b.t.Cleanup(b.stop)
	return b
}

// lockedBuffer is a bytes.Buffer for many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
