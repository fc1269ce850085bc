package herder

import (
	"context"
	"time"
)

// turnTimeout is how long background work may keep a connector to itself: as long as requests may.
const turnTimeout = 90 * time.Second

// lane is the right to change one connector.
type lane struct {
	turn  chan struct{} // holds a token while the lane is free
	users int
}

// enter waits for the right to change a connector. The function returned gives it back.
func (h *Standalone) enter(ctx context.Context, name string) (leave func(), err error) {
	h.mu.Lock()
	l := h.lanes[name]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1)}
		l.turn <- struct{}{}
		h.lanes[name] = l
	}
	l.users++
	h.mu.Unlock()
	select {
	case <-l.turn:
		return func() { l.turn <- struct{}{}; h.abandon(name, l) }, nil
	case <-ctx.Done():
		h.abandon(name, l)
		return nil, &Error{Kind: Timeout, Message: "Request timed out", Cause: ctx.Err()}
	}
}

func (h *Standalone) abandon(name string, l *lane) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(h.lanes, name)
	}
}

// background does work that no request waits for.
func (h *Standalone) background(work func(ctx context.Context)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life.Err() == nil {
		h.bg.Go(func() { work(h.life) })
	}
}

// alone does work with the right to change a connector, for a limited time.
func (h *Standalone) alone(ctx context.Context, name string, work func(context.Context) error) error {
	leave, err := h.enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	return work(ctx)
}
