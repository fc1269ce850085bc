package mock

import (
	"context"
	"time"

	"github.com/millrace-io/millrace/connect"
)

// sourceTask has no records.
type sourceTask struct{ failure }

func (t *sourceTask) Start(_ context.Context, _ *connect.SourceTaskContext, p connect.Props) (err error) {
	t.failure, err = failureOf(p, taskFailure)
	return err
}

// Poll waits a little, so that a worker does not ask all the time, and not longer than until the failure.
func (t *sourceTask) Poll(ctx context.Context, _ *connect.Batch) error {
	pause := lookEvery
	if left, ok := t.left(); ok {
		pause = min(left, pause)
	}
	connect.Pause(ctx, pause)
	return t.check()
}

func (t *sourceTask) Stop(context.Context) error { return nil }

// sinkTask drops its records.
type sinkTask struct {
	failure
	context *connect.SinkTaskContext
}

func (t *sinkTask) Start(_ context.Context, tc *connect.SinkTaskContext, p connect.Props) (err error) {
	t.context = tc
	t.failure, err = failureOf(p, taskFailure)
	t.askForPut()
	return err
}

func (t *sinkTask) Put(context.Context, []connect.SinkRecord) error {
	if err := t.check(); err != nil {
		return err
	}
	t.askForPut()
	return nil
}

// askForPut makes the worker call Put in time even if there are no records.
func (t *sinkTask) askForPut() {
	if _, ok := t.left(); ok {
		// No time at all would be no wish.
		t.context.RetryIn(max(min(t.delay, lookEvery), time.Millisecond))
	}
}

func (t *sinkTask) Stop(context.Context) error { return nil }
