package topic

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// Offsets is the offset store: the worker's topic or that of a connector. It knows only what it has read from the topic, so that
// all workers see the offsets of a partition in the topic's order; each answer begins with a read to the end, by which it
// has what was written before it by whomever. Methods are for any number of goroutines unless they say otherwise.
type Offsets struct {
	index *store.OffsetIndex
	log   Log
	warn  *slog.Logger
}

var _ store.Offsets = (*Offsets)(nil)

// NewOffsets returns a store of which nothing has been read.
func NewOffsets(log *slog.Logger) *Offsets {
	return &Offsets{index: store.NewOffsetIndex(), warn: log}
}

// SetLog gives the store its topic, before anything else is done with it.
func (o *Offsets) SetLog(l Log) { o.log = l }

// Apply takes over records of the topic. It is what reads the topic that calls it, from one goroutine at a time.
func (o *Offsets) Apply(records []kafka.LogRecord) {
	for _, r := range records {
		if err := o.index.Load(store.OffsetRecord{Key: r.Key, Value: r.Value}); err != nil {
			o.warn.Warn("a record of an offset topic is ignored", "key", string(r.Key), "partition", r.Partition, "offset", r.Offset, "error", err)
		}
	}
}

// Get implements [store.Offsets].
func (o *Offsets) Get(ctx context.Context, connector string, partitions []map[string]any) ([]data.Value, error) {
	if err := o.readToEnd(ctx); err != nil {
		return nil, err
	}
	return o.index.Get(ctx, connector, partitions)
}

// Partitions implements [store.Offsets].
func (o *Offsets) Partitions(ctx context.Context, connector string) ([]store.PartitionOffset, error) {
	if err := o.readToEnd(ctx); err != nil {
		return nil, err
	}
	return o.index.Partitions(ctx, connector)
}

func (o *Offsets) readToEnd(ctx context.Context) error {
	if err := o.log.ReadToEnd(ctx); err != nil {
		return fmt.Errorf("read the offset topic to its end: %w", err)
	}
	return nil
}

// Set implements [store.Offsets]. It waits until the records are durable, not until they are read back.
func (o *Offsets) Set(ctx context.Context, connector string, changes []store.OffsetChange) error {
	records, err := o.Records(connector, changes)
	if err != nil || len(records) == 0 {
		return err
	}
	if err := o.log.Write(ctx, records...); err != nil {
		return fmt.Errorf("write offsets of %q: %w", connector, err)
	}
	return nil
}

// Records returns the records by which Set stores changes, for those who write them in a transaction of their own.
func (o *Offsets) Records(connector string, changes []store.OffsetChange) ([]kafka.LogRecord, error) {
	encoded, err := o.index.Records(connector, changes)
	if err != nil {
		return nil, err
	}
	records := make([]kafka.LogRecord, 0, len(encoded))
	for _, r := range encoded {
		records = append(records, kafka.LogRecord{Key: r.Key, Value: r.Value})
	}
	return records, nil
}
