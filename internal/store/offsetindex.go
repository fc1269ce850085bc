package store

import (
	"maps"
	"slices"
)

// OffsetIndex is the content of an offset topic in memory, found by what its keys mean and not by their bytes. Get and Partitions
// answer from it as those of [Offsets] do. It is safe for use by any number of goroutines.
type OffsetIndex struct{ *index }

// OffsetRecord is a record of an offset topic. A nil value is a tombstone.
type OffsetRecord struct{ Key, Value []byte }

// NewOffsetIndex returns an empty index.
func NewOffsetIndex() *OffsetIndex { return &OffsetIndex{newIndex()} }

// Load takes over a record of the topic. An error is for the log only: the key is not that of an offset, and is ignored.
func (x *OffsetIndex) Load(r OffsetRecord) error {
	if _, err := parseKey(r.Key); err != nil {
		return err
	}
	if string(r.Value) == "null" {
		r.Value = nil // for the reference the two are the same
	}
	x.load(r.Key, r.Value)
	return nil
}

// Records returns the records that make a change: one for each partition, under the bytes of the key that the topic has for
// it. Other clients find offsets by these bytes. A key that is new has its fields in the order of Java's HashMap.
func (x *OffsetIndex) Records(connector string, changes []OffsetChange) ([]OffsetRecord, error) {
	encoded, err := x.encode(connector, changes)
	if err != nil {
		return nil, err
	}
	out := make([]OffsetRecord, 0, len(encoded))
	for _, id := range slices.Sorted(maps.Keys(encoded)) {
		out = append(out, OffsetRecord{Key: encoded[id].key, Value: encoded[id].value})
	}
	return out, nil
}
