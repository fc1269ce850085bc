package kafka

import (
	"context"
	"sync/atomic"
)

// gate lets records pass for two atomic additions each, and can be shut to have the client for oneself. Shutting is for one
// goroutine at a time.
type gate struct {
	_      [cacheLine]byte // inside changes twice a record: what is read by other goroutines must not be next to it
	inside atomic.Int64
	closed atomic.Pointer[closure]
	_      [cacheLine]byte
}

const cacheLine = 64

type closure struct {
	emptied chan struct{} // gets a signal when somebody leaves
	reopen  chan struct{} // closed by open
}

// enter waits while the gate is shut. Without an error, leave has to follow.
func (g *gate) enter(ctx context.Context) error {
	for {
		g.inside.Add(1)
		c := g.closed.Load()
		if c == nil {
			return nil
		}
		g.leave()
		select {
		case <-c.reopen:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (g *gate) leave() {
	if g.inside.Add(-1) > 0 {
		return
	}
	if c := g.closed.Load(); c != nil {
		select {
		case c.emptied <- struct{}{}:
		default:
		}
	}
}

// shut keeps everybody out and waits until those inside have left.
func (g *gate) shut() {
	c := &closure{emptied: make(chan struct{}, 1), reopen: make(chan struct{})}
	g.closed.Store(c)
	for g.inside.Load() > 0 {
		<-c.emptied
	}
}

// open undoes shut.
func (g *gate) open() {
	c := g.closed.Load()
	g.closed.Store(nil)
	close(c.reopen)
}
