package herder

import (
	"context"
	"sync"
	"time"
)

// turnTimeout is how long background work may keep a connector to itself: as long as requests may.
const turnTimeout = 90 * time.Second

// Lanes lets operations on one connector come one after the other, without making those on different ones wait for each
// other. The zero Lanes is ready. Its methods may be called from any goroutine.
type Lanes struct {
	mu     sync.Mutex // guards byName and users
	byName map[string]*lane
}

// lane is the right to change one connector.
type lane struct {
	turn  chan struct{} // holds a token while the lane is free
	users int
}

// Enter waits for the right to change a connector. The function returned gives it back.
func (l *Lanes) Enter(ctx context.Context, name string) (leave func(), err error) {
	l.mu.Lock()
	own := l.byName[name]
	if own == nil {
		own = &lane{turn: make(chan struct{}, 1)}
		own.turn <- struct{}{}
		if l.byName == nil {
			l.byName = make(map[string]*lane)
		}
		l.byName[name] = own
	}
	own.users++
	l.mu.Unlock()
	select {
	case <-own.turn:
		return func() { own.turn <- struct{}{}; l.abandon(name, own) }, nil
	case <-ctx.Done():
		l.abandon(name, own)
		return nil, &Error{Kind: Timeout, Message: "Request timed out", Cause: ctx.Err()}
	}
}

func (l *Lanes) abandon(name string, own *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(l.byName, name)
	}
}

// Alone does work with the right to change a connector, for a limited time.
func (l *Lanes) Alone(ctx context.Context, name string, work func(context.Context) error) error {
	leave, err := l.Enter(ctx, name)
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
