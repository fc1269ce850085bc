package connect

import (
	"context"
	"log/slog"
	"time"
)

// SinkTask writes to a destination.
type SinkTask interface {
	// Start is called once, with the task's configuration. Stop is called even if it fails.
	Start(ctx context.Context, tc *SinkTaskContext, p Props) error
	// Put is given the next records, in order per partition. It is called with none, too, so that a task can do what
	// time demands. The slice belongs to the runtime; the values in it may be kept. After an error made by
	// [Retriable] the same records are put again.
	Put(ctx context.Context, recs []SinkRecord) error
	// Stop releases what Start acquired. It is called once, after the last other call.
	Stop(ctx context.Context) error
}

// Partitioned is a sink task that keeps something per partition. Open follows an assignment, Close precedes a
// revocation, or follows a loss, in which case another task may own the partitions already.
type Partitioned interface {
	Open(ctx context.Context, tps []TopicPartition) error
	Close(ctx context.Context, tps []TopicPartition) error
}

// Flusher is a sink task that buffers: Flush makes everything put so far durable; the offsets given are committed
// if it succeeds. An error makes the records since the last commit come again.
type Flusher interface {
	Flush(ctx context.Context, offsets Offsets) error
}

// PreCommitter is a sink task that decides which offsets may be committed, at most those given. Returning none commits
// nothing. It replaces Flush. The map given may be changed and returned.
type PreCommitter interface {
	PreCommit(ctx context.Context, offsets Offsets) (Offsets, error)
}

// SinkTaskRuntime is what a runtime provides behind a [SinkTaskContext].
type SinkTaskRuntime struct {
	Log           *slog.Logger
	Props         func() Props
	Assignment    func() []TopicPartition
	Seek          func(Offsets)
	RetryIn       func(time.Duration)
	RequestCommit func()
	Pause, Resume func([]TopicPartition) error
	Report        func(context.Context, *SinkRecord, error) error // nil when no reporter is configured
}

// SinkTaskContext is a sink task's view of the runtime. Its methods are to be called from the calls of the task; what
// they ask for takes effect before the next fetch.
type SinkTaskContext struct{ rt SinkTaskRuntime }

// NewSinkTaskContext is for runtimes and test kits.
func NewSinkTaskContext(rt SinkTaskRuntime) *SinkTaskContext { return &SinkTaskContext{rt: rt} }

// Log returns the task's logger.
func (c *SinkTaskContext) Log() *slog.Logger { return c.rt.Log }

// Props returns the task's configuration as it resolves now.
func (c *SinkTaskContext) Props() Props { return c.rt.Props() }

// Assignment returns the partitions assigned to the task now.
func (c *SinkTaskContext) Assignment() []TopicPartition { return c.rt.Assignment() }

// Seek makes consumption go on at these offsets.
func (c *SinkTaskContext) Seek(offsets Offsets) { c.rt.Seek(offsets) }

// RetryIn bounds the wait before the next Put, typically before returning a [Retriable] error.
func (c *SinkTaskContext) RetryIn(d time.Duration) { c.rt.RetryIn(d) }

// RequestCommit asks for an offset commit at the next occasion instead of the next interval.
func (c *SinkTaskContext) RequestCommit() { c.rt.RequestCommit() }

// Pause stops fetching from assigned partitions. A partition that is not assigned is an error.
func (c *SinkTaskContext) Pause(tps ...TopicPartition) error { return c.rt.Pause(tps) }

// Resume undoes Pause.
func (c *SinkTaskContext) Resume(tps ...TopicPartition) error { return c.rt.Resume(tps) }

// Report hands a record that cannot be delivered to the error reporters (KIP-610). It returns at once; the runtime waits
// for all reports before it commits the offsets concerned. It returns [ErrNoReporter] when nothing is configured.
func (c *SinkTaskContext) Report(ctx context.Context, r *SinkRecord, err error) error {
	if c.rt.Report == nil {
		return ErrNoReporter
	}
	return c.rt.Report(ctx, r, err)
}
