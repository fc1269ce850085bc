package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/millrace-io/millrace/connect/data"
)

// Offsets stores the offsets of source connectors. Implementations are safe for use by any number of goroutines.
type Offsets interface {
	// Get returns the offset of each partition, a MAP, or null where none is stored.
	Get(ctx context.Context, connector string, partitions []map[string]any) ([]data.Value, error)
	// Set stores offsets; a null offset removes the partition's. They are durable when it returns nil; when it returns
	// an error, none, some or all of them may be.
	Set(ctx context.Context, connector string, changes []OffsetChange) error
	// Partitions returns all partitions of a connector that have an offset, in no particular order.
	Partitions(ctx context.Context, connector string) ([]PartitionOffset, error)
}

// OffsetChange is a new offset of a partition, a STRUCT or MAP of scalars, or null.
type OffsetChange struct {
	Partition map[string]any
	Offset    data.Value
}

// PartitionOffset is a stored partition and its offset, both MAPs.
type PartitionOffset struct {
	Partition, Offset data.Value
}

// index is the content of an offset store in memory. Partitions are found by their canonical form, so that
// a key is recognised whatever the order of its fields, and are written under the bytes they were read with.
type index struct {
	mu      sync.RWMutex // guards entries
	entries map[string]indexEntry
}

type indexEntry struct {
	key   []byte // as stored
	value []byte // nil after a removal
}

func newIndex() *index { return &index{entries: make(map[string]indexEntry)} }

// load takes over one stored entry. Keys that are no offset keys are kept as they are, under their own bytes.
func (x *index) load(key, value []byte) {
	id := string(key)
	if k, err := parseKey(key); err == nil {
		id = k.id()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.entries[id] = indexEntry{key, value}
}

// Get implements [Offsets].
func (x *index) Get(_ context.Context, connector string, partitions []map[string]any) ([]data.Value, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make([]data.Value, len(partitions))
	for i, p := range partitions {
		key, err := encodeKey(connector, p)
		if err != nil {
			return nil, err
		}
		k, err := parseKey(key)
		if err != nil {
			return nil, err
		}
		if e := x.entries[k.id()]; e.value != nil {
			out[i], err = parseOffset(e.value)
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Partitions implements [Offsets].
func (x *index) Partitions(_ context.Context, connector string) ([]PartitionOffset, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []PartitionOffset
	prefix := idPrefix(connector)
	for id, e := range x.entries {
		if !strings.HasPrefix(id, prefix) {
			continue
		}
		k, err := parseKey(e.key)
		if err != nil || k.connector != connector || e.value == nil || k.partition.IsNull() {
			continue
		}
		offset, err := parseOffset(e.value)
		if err != nil {
			return nil, err
		}
		out = append(out, PartitionOffset{k.partition, offset})
	}
	return out, nil
}

// encode returns the entries that a change makes, under the key bytes known already or under new ones.
func (x *index) encode(connector string, changes []OffsetChange) (map[string]indexEntry, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make(map[string]indexEntry, len(changes))
	for _, c := range changes {
		key, err := encodeKey(connector, c.Partition)
		if err != nil {
			return nil, err
		}
		value, err := encodeOffset(c.Offset)
		if err != nil {
			return nil, err
		}
		k, err := parseKey(key)
		if err != nil {
			return nil, err
		}
		if known, ok := x.entries[k.id()]; ok {
			key = known.key
		}
		out[k.id()] = indexEntry{key, value}
	}
	return out, nil
}

// merged returns all entries with the changes applied, without applying them, sorted by key.
func (x *index) merged(changes map[string]indexEntry) []indexEntry {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := maps.Clone(x.entries)
	maps.Copy(all, changes)
	out := make([]indexEntry, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[id])
	}
	return out
}

func (x *index) apply(changes map[string]indexEntry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	maps.Copy(x.entries, changes)
}
