package conntest

import (
	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Amounts of memory that a recycled batch can overwrite. What a task takes beyond them is not overwritten.
const (
	poisonBytes  = 1 << 18
	poisonValues = 1 << 13
	poisonPieces = 1 << 9 // structs, and maps; a power of two fills the chunk that it makes a slab have
)

// poison is the content of overwritten memory.
const poison = "(memory of an earlier batch)"

var poisonSchema = data.NewStructBuilder().Field(poison, data.OptionalStringSchema).MustBuild()

// recycled is a batch whose memory can be overwritten, to find tasks that keep what they may not.
type recycled struct {
	batch  *connect.Batch
	bytes  []byte
	values []data.Value
}

// newRecycled returns a batch whose slab already has its largest chunks, so that the memory of what is allocated next
// is known.
func newRecycled(limit int) *recycled {
	r := &recycled{batch: connect.NewBatch(limit)}
	r.takePieces()
	r.bytes, r.values = r.batch.Slab().Bytes(poisonBytes), r.batch.Slab().Values(poisonValues)
	r.batch.Reset()
	return r
}

// takePieces allocates structs and maps that say they are poison.
func (r *recycled) takePieces() {
	slab := r.batch.Slab()
	for range poisonPieces {
		slab.Struct(poisonSchema).Set(0, data.String(poison))
		slab.Map(1).Put(data.String(poison), data.String(poison))
	}
}

// overwrite empties the batch and spoils what was allocated from it. The batch cannot be used until it is cleaned.
func (r *recycled) overwrite() {
	recs := r.batch.Records()
	recs = recs[:cap(recs)]
	for i := range recs {
		recs[i] = poisonedRecord()
	}
	r.batch.Reset()
	r.takePieces()
	for i := range r.bytes {
		r.bytes[i] = poison[i%len(poison)]
	}
	for i := range r.values {
		r.values[i] = data.String(poison)
	}
}

// clean returns the batch empty. A slab counts on its memory to be zero.
func (r *recycled) clean() *connect.Batch {
	clear(r.bytes)
	clear(r.values)
	r.batch.Reset()
	return r.batch
}

func poisonedRecord() connect.SourceRecord {
	v := data.String(poison)
	return connect.SourceRecord{
		Record:       connect.Record{Topic: poison, Key: v, Value: v},
		SourceOffset: v,
	}
}

// detach returns a copy of a record that shares no memory with its batch.
func detach(r connect.SourceRecord) connect.SourceRecord {
	r.Record = detachRecord(r.Record)
	r.SourceOffset = r.SourceOffset.Clone()
	return r
}

func detachRecord(r connect.Record) connect.Record {
	r.Key, r.Value = r.Key.Clone(), r.Value.Clone()
	headers := make([]connect.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = connect.Header{Key: h.Key, Schema: h.Schema, Value: h.Value.Clone()}
	}
	r.Headers = headers
	return r
}
