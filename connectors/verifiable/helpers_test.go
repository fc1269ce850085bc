package verifiable

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// paper is what a printer of a test writes to. It has no lock, so that the race detector sees writers that the printer
// does not keep apart.
type paper struct {
	text   bytes.Buffer
	writes int
	err    error // what Write returns
}

func (p *paper) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.writes++
	return p.text.Write(b)
}

// take returns the lines since the last call.
func (p *paper) take() []string {
	defer p.text.Reset()
	if p.text.Len() == 0 {
		return nil
	}
	return strings.SplitAfter(strings.TrimSuffix(p.text.String(), "\n"), "\n")
}

// startSource starts a source, which the test stops.
func startSource(t *testing.T, plugin connect.Plugin, props connect.Props, o conntest.Options) *conntest.Source {
	t.Helper()
	s, err := conntest.StartSource(plugin, props, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stop(t *testing.T, s interface{ Stop() error }) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// gate is a pace that lets records up to a number pass, whatever the time.
type gate struct {
	mu      sync.Mutex // guards the rest
	open    int64
	changed chan struct{} // closed when open changes
}

func (g *gate) set(open int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed != nil {
		close(g.changed)
	}
	g.open, g.changed = open, make(chan struct{})
}

func (g *gate) state() (int64, chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open, g.changed
}

func (g *gate) pace(_, first int64) pace {
	return func(ctx context.Context, done int64) int64 {
		for {
			open, changed := g.state()
			if open-first > done || ctx.Err() != nil {
				return open - first
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}
