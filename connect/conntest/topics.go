package conntest

import (
	"maps"
	"slices"
	"sync"

	"github.com/millrace-io/millrace/connect"
)

// Topics are Kafka topics in memory, with the offsets that a sink's consumer group has committed. They outlive the sinks
// that read them. They are safe for concurrent use.
type Topics struct {
	mu        sync.Mutex // guards the rest
	records   map[connect.TopicPartition][]connect.Record
	committed connect.Offsets
}

// NewTopics returns topics without records.
func NewTopics() *Topics {
	return &Topics{records: make(map[connect.TopicPartition][]connect.Record), committed: make(connect.Offsets)}
}

// Append adds records to a partition. Their topic and partition are set, their offsets count from 0.
func (t *Topics) Append(tp connect.TopicPartition, recs ...connect.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range recs {
		r.Topic, r.Partition = tp.Topic, tp.Partition
		t.records[tp] = append(t.records[tp], r)
	}
}

// Committed returns the committed offsets.
func (t *Topics) Committed() connect.Offsets {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.committed)
}

func (t *Topics) commit(offsets connect.Offsets) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.Copy(t.committed, offsets)
}

// fetch returns at most limit records from an offset on.
func (t *Topics) fetch(tp connect.TopicPartition, from int64, limit int) []connect.SinkRecord {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.records[tp]
	all = all[min(from, int64(len(all))):]
	all = all[:min(limit, len(all))]
	out := make([]connect.SinkRecord, len(all))
	for i, r := range all {
		offset := from + int64(i)
		out[i] = connect.SinkRecord{
			Record:        detachRecord(r),
			Offset:        offset,
			TimestampType: connect.CreateTime,
			Original:      connect.Original{TopicPartition: tp, Offset: offset},
		}
	}
	return out
}

// end returns the offset of the next record.
func (t *Topics) end(tp connect.TopicPartition) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.records[tp]))
}

// without returns the elements of a that are not in b.
func without(a, b []connect.TopicPartition) []connect.TopicPartition {
	return slices.DeleteFunc(slices.Clone(a), func(tp connect.TopicPartition) bool { return slices.Contains(b, tp) })
}
