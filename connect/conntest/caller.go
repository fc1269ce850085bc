package conntest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"time"
)

// defaultLimit is how long a call may take when the test says nothing else.
const defaultLimit = 10 * time.Second

// callerLabel is the profiler label that goroutines of a plugin inherit from the calls made to it. Unlike a comparison
// of all goroutines before and after, it tells them apart from those of tests that run at the same time.
const callerLabel = "conntest"

// caller calls a plugin: each call on a goroutine of its own that carries the label, bounded in time, with panics
// turned into errors.
type caller struct {
	limit time.Duration
	id    string // the value of the label, never used again: what has leaked elsewhere keeps its own
	stuck string // the call that has not returned
}

func newCaller(limit time.Duration) *caller {
	if limit <= 0 {
		limit = defaultLimit
	}
	return &caller{limit: limit, id: strconv.FormatUint(rand.Uint64(), 36)}
}

// panicError is a panic of a call.
type panicError struct {
	what  string
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("%s: panic: %v\n%s", e.what, e.value, e.stack)
}

// start calls f on its own goroutine and returns where its error will arrive.
func (c *caller) start(ctx context.Context, what string, f func(context.Context) error) <-chan error {
	done := make(chan error, 1)
	go func() {
		ctx := pprof.WithLabels(ctx, pprof.Labels(callerLabel, c.id))
		pprof.SetGoroutineLabels(ctx)
		err := fmt.Errorf("%s ended its goroutine", what)
		defer func() {
			if v := recover(); v != nil {
				err = &panicError{what, v, debug.Stack()}
			}
			done <- err
		}()
		if err = f(ctx); err != nil {
			err = fmt.Errorf("%s: %w", what, err)
		}
	}()
	return done
}

// until calls f, which must return within the limit after ctx has ended.
func (c *caller) until(ctx context.Context, what string, f func(context.Context) error) error {
	if c.stuck != "" {
		return fmt.Errorf("%s was not called, as %s has not returned", what, c.stuck)
	}
	done := c.start(ctx, what, f)
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return c.await(what, done)
	}
}

// await waits for a call whose context has ended.
func (c *caller) await(what string, done <-chan error) error {
	timer := time.NewTimer(c.limit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		c.stuck = what
		return fmt.Errorf("%s did not return within %v of the end of its context\n%s", what, c.limit, c.goroutines())
	}
}

// call calls f, which must return within the limit.
func (c *caller) call(what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.limit)
	defer cancel()
	err := c.until(ctx, what, f)
	if c.stuck == "" && ctx.Err() != nil {
		return errors.Join(fmt.Errorf("%s took longer than %v", what, c.limit), err)
	}
	return err
}

// pauseFor waits a moment between two looks at something.
func pauseFor(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
