package connect

import (
	"github.com/millrace-io/millrace/connect/data"
)

// Values of record fields that say "not set".
const (
	NoTimestamp = int64(-1) // the producer or the broker sets the time
	NoPartition = int32(-1) // the producer's partitioner decides
)

// Props is a configuration as connectors, tasks and converters get it: resolved, all text.
type Props map[string]string

// TopicPartition names one partition of a Kafka topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Offsets maps partitions to the offset of the next record to consume.
type Offsets map[TopicPartition]int64

// Header is one record header; several may have the same key. Order matters.
type Header struct {
	Key    string
	Schema *data.Schema
	Value  data.Value
}

// RawHeader is a header as bytes; a nil Value is a null header.
type RawHeader struct {
	Key   string
	Value []byte
}

// Record is what source and sink records share and what transforms work on. The values it refers to are immutable; a
// transform replaces them.
type Record struct {
	Topic       string
	Partition   int32 // [NoPartition] when not set
	Timestamp   int64 // milliseconds since the epoch, [NoTimestamp] when not set
	KeySchema   *data.Schema
	Key         data.Value
	ValueSchema *data.Schema
	Value       data.Value
	Headers     []Header
}

// SourceRecord is a record on its way to Kafka.
type SourceRecord struct {
	Record
	// SourcePartition says which part of the source the record is from; see [SourceTaskContext.Partition].
	SourcePartition *SourcePartition
	// SourceOffset is where reading goes on after this record: a STRUCT or MAP of scalars with string keys, or null
	// to forget the partition's offset. It may come from the batch's slab.
	SourceOffset data.Value
}

// TimestampType says who set a consumed record's timestamp.
type TimestampType uint8

// The timestamp types of Kafka.
const (
	NoTimestampType TimestampType = iota
	CreateTime
	LogAppendTime
)

// String returns Kafka's name of the timestamp type.
func (t TimestampType) String() string {
	return [...]string{"NoTimestampType", "CreateTime", "LogAppendTime"}[t]
}

// Original says where a sink record was consumed, whatever transforms have done to it since.
type Original struct {
	TopicPartition
	Offset int64
}

// SinkRecord is a record consumed from Kafka.
type SinkRecord struct {
	Record
	Offset        int64
	TimestampType TimestampType
	Original      Original
}
