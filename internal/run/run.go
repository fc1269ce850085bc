// Package run starts the long-running parts of a process together and stops them in reverse order.
package run

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Group is a list of parts that live and die together. A part is a function that blocks until its context ends and
// then cleans up. The zero Group is not usable; see [NewGroup].
type Group struct {
	log   *slog.Logger
	parts []part
}

type part struct {
	name  string
	run   func(context.Context) error
	ready <-chan struct{}
}

// NewGroup returns an empty group that logs the course of starting and stopping at debug level.
func NewGroup(log *slog.Logger) *Group { return &Group{log: log} }

// Add appends a part. It is started after those added before it and stopped before them.
func (g *Group) Add(name string, run func(context.Context) error) { g.AddReady(name, run, nil) }

// AddReady is [Group.Add] for a part that the following ones have to wait for: they start when ready is closed.
func (g *Group) AddReady(name string, run func(context.Context) error, ready <-chan struct{}) {
	g.parts = append(g.parts, part{name, run, ready})
}

// running is a part that was started.
type running struct {
	part
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Run starts the parts in order, waits until ctx ends or the first of them returns, and stops them in reverse order,
// each completely before the next. It returns the first error of a part, or nil.
func (g *Group) Run(ctx context.Context) error {
	// A part's context must not end with ctx: parts end one after the other.
	base := context.WithoutCancel(ctx)
	ended := make(chan *running, len(g.parts))
	var started []*running
	var first error
	ending := false
	for _, p := range g.parts {
		r := &running{part: p, done: make(chan struct{})}
		partCtx, cancel := context.WithCancel(base)
		r.cancel = cancel
		started = append(started, r)
		g.log.Debug("starting", "part", p.name)
		go func() {
			defer func() { close(r.done); ended <- r }()
			r.err = p.run(partCtx)
		}()
		if ending, first = await(ctx, r.ready, ended); ending {
			break
		}
	}
	if !ending {
		_, first = await(ctx, make(chan struct{}), ended)
	}
	return g.stop(started, first)
}

// await waits until a part is ready; a nil channel is one that is ready at once. It returns ending if everything is to
// be stopped instead, because ctx or any part has ended, the latter with the part's error.
func await(ctx context.Context, ready <-chan struct{}, ended <-chan *running) (ending bool, err error) {
	if ready == nil {
		return ctx.Err() != nil, nil
	}
	select {
	case <-ready:
		return false, nil
	case r := <-ended:
		return true, r.err
	case <-ctx.Done():
		return true, nil
	}
}

func (g *Group) stop(started []*running, first error) error {
	for i := len(started) - 1; i >= 0; i-- {
		r := started[i]
		begin := time.Now()
		r.cancel()
		<-r.done
		g.log.Debug("stopped", "part", r.name, "took", time.Since(begin).Round(time.Millisecond))
		if first == nil && r.err != nil {
			first = fmt.Errorf("%s: %w", r.name, r.err)
		}
	}
	return first
}
