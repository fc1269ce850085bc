package topic

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/store"
)

// secondaryWait bounds the write to the secondary store whose failure is no error, so that a commit does not hang on it.
const secondaryWait = 5 * time.Second

// Merged is the offset store of a connector that has a topic of its own, which is the primary, and offsets from before in the
// worker's topic, which is the secondary (KIP-618). It is safe for use by any number of goroutines.
type Merged struct {
	primary, secondary store.Offsets
	log                *slog.Logger
}

var _ store.Offsets = (*Merged)(nil)

// NewMerged makes one store of two.
func NewMerged(primary, secondary store.Offsets, log *slog.Logger) *Merged {
	return &Merged{primary: primary, secondary: secondary, log: log}
}

// Get implements [store.Offsets]: an offset of the primary store wins.
func (m *Merged) Get(ctx context.Context, connector string, partitions []map[string]any) ([]data.Value, error) {
	out, err := m.primary.Get(ctx, connector, partitions)
	if err != nil {
		return nil, err
	}
	older, err := m.secondary.Get(ctx, connector, partitions)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].IsNull() {
			out[i] = older[i]
		}
	}
	return out, nil
}

// Partitions implements [store.Offsets]: those of both stores, with the offset of the primary where both have one.
func (m *Merged) Partitions(ctx context.Context, connector string) ([]store.PartitionOffset, error) {
	out, err := m.primary.Partitions(ctx, connector)
	if err != nil {
		return nil, err
	}
	older, err := m.secondary.Partitions(ctx, connector)
	if err != nil {
		return nil, err
	}
	known := make(map[string]struct{}, len(out))
	for _, p := range out {
		known[p.ID()] = struct{}{}
	}
	for _, p := range older {
		if _, ok := known[p.ID()]; !ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// Set implements [store.Offsets]. Removals reach the secondary store first, or else an old offset would come to light
// where the primary has none. What is left for the secondary store, so that the connector finds its offsets when it gives its own
// topic up, comes last, and failing in it is only logged.
func (m *Merged) Set(ctx context.Context, connector string, changes []store.OffsetChange) error {
	removals, offsets := split(changes)
	if len(removals) > 0 {
		if err := m.secondary.Set(ctx, connector, removals); err != nil {
			return fmt.Errorf("remove offsets from the worker's topic: %w", err)
		}
	}
	if err := m.primary.Set(ctx, connector, changes); err != nil {
		return err
	}
	if len(offsets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, secondaryWait)
	defer cancel()
	if err := m.secondary.Set(ctx, connector, offsets); err != nil {
		m.log.Warn("the worker's offset topic does not have the connector's latest offsets, its own topic has", "connector", connector, "error", err)
	}
	return nil
}

func split(changes []store.OffsetChange) (removals, offsets []store.OffsetChange) {
	for _, c := range changes {
		if c.Offset.IsNull() {
			removals = append(removals, c)
		} else {
			offsets = append(offsets, c)
		}
	}
	return removals, offsets
}
