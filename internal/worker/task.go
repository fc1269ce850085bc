package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/store"
)

// body is what differs between the kinds of tasks. All of it runs on the task's goroutine.
type body interface {
	// start makes the task ready to run.
	start() error
	// loop runs until the task is to stop and returns nil, or until it fails.
	loop() error
	// close ends what start began, in any state, after loop or a failed start.
	close()
}

// task is one running task, whatever its kind: its goroutine, its two-phase stop, its pause gate and its statuses.
type task struct {
	id      store.ConnectorTaskID
	log     *slog.Logger
	version string
	report  event.Listener
	gate    *gate
	records *atomic.Int64 // polled or delivered, by all tasks of the connector on this worker

	// soft ends when the task is to stop: finish what is in hand, commit, go. hard ends when it must give up: from
	// then on it writes neither offsets nor statuses.
	soft, hard       context.Context //nolint:containedctx // the two phases of a stop are the task's own
	softEnd, hardEnd context.CancelFunc
	// drain ends between the two: it is the context of work that should rather be finished than interrupted.
	drain    context.Context //nolint:containedctx // see soft
	drainEnd context.CancelFunc

	done  chan struct{} // closed when the goroutine has ended
	muted atomic.Bool   // set when somebody else reports for the task
}

func newTask(id store.ConnectorTaskID, log *slog.Logger, version string, report event.Listener, paused bool) *task {
	t := &task{id: id, log: log, version: version, report: report, records: new(atomic.Int64), done: make(chan struct{})}
	t.hard, t.hardEnd = context.WithCancel(context.Background())
	t.drain, t.drainEnd = context.WithCancel(t.hard)
	t.soft, t.softEnd = context.WithCancel(t.drain)
	t.gate = newGate(t.soft, paused)
	return t
}

// run is the task's goroutine.
func (t *task) run(b body) {
	defer close(t.done)
	defer t.hardEnd()
	err := event.Guard(func() error { return t.live(b) })
	// Closing is guarded by itself: a panic there must not take the status along.
	if closeErr := event.Guard(func() error { b.close(); return nil }); closeErr != nil {
		t.log.Error("the task did not close cleanly", "error", closeErr)
	}
	switch {
	case err == nil:
		t.status(event.Unassigned)
	case t.stopping():
		t.log.Warn("the task failed while it was stopping", "error", err)
		t.status(event.Unassigned)
	default:
		t.fail(err)
	}
}

func (t *task) live(b body) error {
	t.awaitResume()
	if t.stopping() {
		return nil
	}
	if err := b.start(); err != nil {
		return err
	}
	if t.stopping() {
		return nil
	}
	t.status(event.Running)
	return b.loop()
}

// awaitResume waits while the task is paused before its start, when nothing of it exists yet.
func (t *task) awaitResume() {
	if paused, _ := t.gate.state(); paused {
		t.status(event.Paused)
		t.waitWhilePaused()
	}
}

func (t *task) waitWhilePaused() {
	for !t.stopping() {
		paused, unchanged := t.gate.state()
		if !paused {
			return
		}
		<-unchanged.Done()
	}
}

func (t *task) stopping() bool { return t.soft.Err() != nil }

// mute makes the task silent, because it is given up.
func (t *task) mute() { t.muted.Store(true) }

func (t *task) status(s event.State) {
	if !t.muted.Load() {
		t.report(event.Status{Connector: t.id.Connector, Task: t.id.Task, State: s, Version: t.version})
	}
}

func (t *task) fail(err error) {
	if !t.muted.Load() {
		t.report(event.Status{Connector: t.id.Connector, Task: t.id.Task, State: event.Failed, Version: t.version, Trace: event.Trace(err), Err: err})
	}
}

// wait pauses; false means that the task is to stop.
func (t *task) wait(d time.Duration) bool {
	return connect.Pause(t.soft, d)
}

// interrupted tells whether err is a plugin's answer to the end of the context it was given.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, ctx.Err()))
}

// gate holds back a paused task.
type gate struct {
	parent context.Context //nolint:containedctx // of the task's life

	mu     sync.Mutex // guards the rest
	closed bool
	turn   context.Context //nolint:containedctx // ends at the next change, or with parent
	end    context.CancelFunc
}

func newGate(parent context.Context, paused bool) *gate {
	g := &gate{parent: parent, closed: paused}
	g.turn, g.end = context.WithCancel(parent)
	return g
}

// state tells whether the gate is closed, and returns a context that ends when that changes or the task is to stop.
func (g *gate) state() (paused bool, unchanged context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed, g.turn
}

func (g *gate) set(paused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != paused {
		g.closed = paused
		g.end()
		g.turn, g.end = context.WithCancel(g.parent)
	}
}
