package connect

import (
	"context"
	"log/slog"

	"github.com/millrace-io/millrace/connect/data"
)

// SourceTask reads from a source.
type SourceTask interface {
	// Start is called once, with the task's configuration. Stop is called even if it fails.
	Start(ctx context.Context, tc *SourceTaskContext, p Props) error
	// Poll adds records to out and returns. It may block until there are some or ctx is cancelled; an empty batch is
	// fine, and the runtime backs off before it asks again.
	Poll(ctx context.Context, out *Batch) error
	// Stop releases what Start acquired. It is called once, after the last Poll.
	Stop(ctx context.Context) error
}

// Ack is the fate of one record of an earlier batch.
type Ack struct {
	Record SourceRecord
	Meta   *RecordMetadata // nil if the record was filtered out or dropped as a tolerated error
}

// RecordMetadata says where an acknowledged record was written.
type RecordMetadata struct {
	TopicPartition
	Offset    int64
	Timestamp int64
}

// Acker is a source task that wants to know which records are safe in Kafka. Errors are logged, never fatal. The slice
// and the records' values are valid during the call only. It is Connect's commitRecord, batched.
type Acker interface {
	Acked(ctx context.Context, acks []Ack) error
}

// Committer is a source task that wants to know when offsets have been committed. Errors are logged, never fatal.
type Committer interface {
	Commit(ctx context.Context) error
}

// SourceTaskRuntime is what a runtime provides behind a [SourceTaskContext].
type SourceTaskRuntime struct {
	Log     *slog.Logger
	Props   func() Props
	Offsets func(ctx context.Context, partitions []*SourcePartition) ([]data.Value, error)
}

// SourceTaskContext is a source task's view of the runtime. Its methods may be called from any goroutine.
type SourceTaskContext struct {
	rt         SourceTaskRuntime
	partitions interner
}

// NewSourceTaskContext is for runtimes and test kits.
func NewSourceTaskContext(rt SourceTaskRuntime) *SourceTaskContext { return &SourceTaskContext{rt: rt} }

// Log returns the task's logger.
func (c *SourceTaskContext) Log() *slog.Logger { return c.rt.Log }

// Props returns the task's configuration as it resolves now, which differs from the one given to Start after
// secrets have been rotated.
func (c *SourceTaskContext) Props() Props { return c.rt.Props() }

// Partition returns the handle of a source partition: the same pointer for the same content, so that records carry
// eight bytes instead of a map. Values may be nil, booleans, integers, floats, strings and bytes.
func (c *SourceTaskContext) Partition(p map[string]any) *SourcePartition {
	return c.partitions.intern(p)
}

// Offsets returns the stored offset of each partition, a MAP whose integers are INT64, or null where none is stored.
func (c *SourceTaskContext) Offsets(ctx context.Context, partitions ...*SourcePartition) ([]data.Value, error) {
	return c.rt.Offsets(ctx, partitions)
}

// Offset returns one field of one partition's stored offset; null if there is none.
func (c *SourceTaskContext) Offset(ctx context.Context, p *SourcePartition, field string) (data.Value, error) {
	offsets, err := c.rt.Offsets(ctx, []*SourcePartition{p})
	if err != nil || offsets[0].IsNull() {
		return data.Null, err
	}
	return offsets[0].Map().GetString(field), nil
}
