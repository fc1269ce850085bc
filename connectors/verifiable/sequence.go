package verifiable

import (
	"context"
	"fmt"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Names in source partitions and offsets, which stored offsets of the originals have, too.
const (
	partitionID = "id"
	offsetSeqno = "seqno"
)

// throughputMeaning is what messages say about throughput.
const throughputMeaning = "the number of records a second, -1 for no limit"

var offsetSchema = data.NewStructBuilder().Field(offsetSeqno, data.Int64Schema).MustBuild()

// sequence is what the source tasks have in common: they number their records, and go on counting after a restart.
type sequence struct {
	out     *printer
	newPace newPace

	id        int32
	topic     string
	partition *connect.SourcePartition
	pace      pace
	first     int64 // number of the first record since the start
	seqno     int64 // number of the next record
	lines     []byte
}

// start reads the offset. What it needs of the configuration was read by configure.
func (s *sequence) start(ctx context.Context, tc *connect.SourceTaskContext, throughput int64) error {
	s.partition = tc.Partition(map[string]any{partitionID: int64(s.id)})
	v, err := tc.Offset(ctx, s.partition, offsetSeqno)
	switch {
	case err != nil:
		return fmt.Errorf("read the stored offset: %w", err)
	case v.IsNull():
		s.first = 0
	case v.Kind() != data.KindInt64:
		return connect.NewError(fmt.Sprintf("the stored offset of %s has seqno=%s, which is no number of a record; "+
			"reset the connector's offsets", s.partition, v), nil)
	default:
		s.first = v.Int64() + 1
	}
	s.seqno, s.pace = s.first, s.newPace(throughput, s.first)
	tc.Log().Info("producing numbered records", "topic", s.topic, "seqno", s.first)
	return nil
}

// configure reads what all sources have; it returns the throughput.
func (s *sequence) configure(from *settings) (throughput int64) {
	s.id = from.taskID()
	s.topic = from.text(keyTopic, "the topic that the records are written to")
	return from.anyNumber(keyThroughput, throughputMeaning)
}

// done returns how many records were made since the start.
func (s *sequence) done() int64 { return s.seqno - s.first }

// add adds the next record to a batch, for filling.
func (s *sequence) add(out *connect.Batch) *connect.SourceRecord {
	r := out.Add()
	offset := out.Slab().Struct(offsetSchema)
	offset.Set(0, data.Int64(s.seqno))
	r.Topic, r.SourcePartition, r.SourceOffset = s.topic, s.partition, offset.Value()
	return r
}

func (s *sequence) Stop(context.Context) error { return nil }
