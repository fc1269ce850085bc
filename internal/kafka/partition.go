package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// AnyPartition in a record lets the partitioner choose. Every other value is where the record goes; a record that is sent again
// stays in the partition it was given first.
const AnyPartition int32 = -1

// partitioned puts records where they say, and leaves the rest to another partitioner.
type partitioned struct{ inner kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (p partitioned) ForTopic(topic string) kgo.TopicPartitioner {
	inner := p.inner.ForTopic(topic)
	t := topicPartitioned{inner: inner}
	t.backup, _ = inner.(kgo.TopicBackupPartitioner)
	if _, ok := inner.(kgo.TopicPartitionerOnNewBatch); ok {
		panic("kafka: a partitioner that changes its mind at a new batch has set the record's partition by then")
	}
	return &t
}

// topicPartitioned is used by one goroutine at a time.
type topicPartitioned struct {
	inner  kgo.TopicPartitioner
	backup kgo.TopicBackupPartitioner // inner, if it wants to know what is queued
}

// RequiresConsistency implements kgo.TopicPartitioner.
func (t *topicPartitioned) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || t.inner.RequiresConsistency(r)
}

// Partition implements kgo.TopicPartitioner.
func (t *topicPartitioned) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return t.inner.Partition(r, n)
}

// PartitionByBackup implements kgo.TopicBackupPartitioner.
func (t *topicPartitioned) PartitionByBackup(r *kgo.Record, n int, queued kgo.TopicBackupIter) int {
	switch {
	case r.Partition >= 0:
		return int(r.Partition)
	case t.backup != nil:
		return t.backup.PartitionByBackup(r, n, queued)
	default:
		return t.inner.Partition(r, n)
	}
}
