package connect

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// SourceFunc makes a source task constructor of one function that returns a sequence of records. The sequence runs on
// a goroutine of its own, ahead of Poll by at most one batch, so that what it has yielded is never held back by what it
// waits for. An error of the sequence is an error of Poll, and so is a panic; the sequence goes on after a [Retriable]
// one and is over after any other. It must end when ctx does; one that ends by itself leaves the task running without
// records.
func SourceFunc(open func(ctx context.Context, tc *SourceTaskContext, p Props) (iter.Seq2[SourceRecord, error], error)) func() SourceTask {
	return func() SourceTask { return &sourceFunc{open: open} }
}

// aheadLimit is how many records a sequence may be ahead of Poll.
const aheadLimit = 1000

type sourceFunc struct {
	open   func(context.Context, *SourceTaskContext, Props) (iter.Seq2[SourceRecord, error], error)
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards the rest
	ready   []SourceRecord
	spare   []SourceRecord
	err     error
	arrived chan struct{} // holds a token when ready or err is set
	taken   chan struct{} // holds a token when ready was emptied
}

func (f *sourceFunc) Start(ctx context.Context, tc *SourceTaskContext, p Props) error {
	// The sequence outlives the call of Start, so its context ends with Stop and not with Start's.
	seqCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	seq, err := f.open(seqCtx, tc, p)
	if err != nil {
		cancel()
		return err
	}
	f.cancel = cancel
	f.arrived, f.taken = make(chan struct{}, 1), make(chan struct{}, 1)
	f.wg.Go(func() { f.pull(seqCtx, seq) })
	return nil
}

func (f *sourceFunc) pull(ctx context.Context, seq iter.Seq2[SourceRecord, error]) {
	// The runtime contains panics of the calls that it makes; this goroutine is not one of them.
	defer func() {
		if v := recover(); v != nil {
			f.add(ctx, SourceRecord{}, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	for rec, err := range seq {
		if !f.add(ctx, rec, err) {
			return
		}
	}
}

func (f *sourceFunc) add(ctx context.Context, rec SourceRecord, err error) bool {
	f.mu.Lock()
	if err != nil {
		f.err = err
	} else {
		f.ready = append(f.ready, rec)
	}
	full := len(f.ready) >= aheadLimit
	f.mu.Unlock()
	signal(f.arrived)
	if full {
		select {
		case <-f.taken:
		case <-ctx.Done():
		}
	}
	_, retriable := IsRetriable(err)
	return (err == nil || retriable) && ctx.Err() == nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (f *sourceFunc) Poll(ctx context.Context, out *Batch) error {
	select {
	case <-f.arrived:
	case <-ctx.Done():
		return nil
	}
	recs, err := f.take()
	signal(f.taken)
	for i := range recs {
		*out.Add() = recs[i]
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spare = recs
	return err
}

// take returns the records at hand, or else the error. The error of a sequence that is over stays.
func (f *sourceFunc) take() ([]SourceRecord, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	recs, err := f.ready, f.err
	f.ready, f.spare = f.spare[:0], nil
	_, retriable := IsRetriable(err)
	switch {
	case err == nil:
		return recs, nil
	case len(recs) > 0:
		err = nil
	case retriable:
		f.err = nil
		return recs, err
	}
	signal(f.arrived)
	return recs, err
}

func (f *sourceFunc) Stop(context.Context) error {
	if f.cancel != nil {
		f.cancel()
		f.wg.Wait()
	}
	return nil
}

// SinkFunc makes a sink task constructor of one function that writes records and returns when they are durable.
func SinkFunc(write func(ctx context.Context, recs []SinkRecord) error) func() SinkTask {
	return func() SinkTask { return sinkFunc(write) }
}

type sinkFunc func(context.Context, []SinkRecord) error

func (f sinkFunc) Start(context.Context, *SinkTaskContext, Props) error { return nil }

func (f sinkFunc) Put(ctx context.Context, recs []SinkRecord) error {
	if len(recs) == 0 {
		return nil
	}
	return f(ctx, recs)
}

func (f sinkFunc) Stop(context.Context) error { return nil }
