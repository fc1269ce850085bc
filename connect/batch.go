package connect

import "github.com/millrace-io/millrace/connect/data"

// Batch collects the records of one Poll. The runtime owns it: neither the batch nor records in it nor its slab may be
// kept after Poll has returned.
type Batch struct {
	records []SourceRecord
	limit   int
	slab    data.Slab
	headers []Header
	marks   []TxnMark
}

// firstHeaders is for how many headers room is made at first.
const firstHeaders = 16

// TxnMark is a transaction boundary behind the first N records of a batch.
type TxnMark struct {
	N     int
	Abort bool
}

// NewBatch returns an empty batch of at most limit records, for runtimes and test kits.
func NewBatch(limit int) *Batch { return &Batch{limit: limit} }

// Add appends a record and returns it for filling: no partition, no timestamp, all else zero. The pointer is valid
// until the next Add.
func (b *Batch) Add() *SourceRecord {
	if len(b.records) < cap(b.records) {
		b.records = b.records[:len(b.records)+1]
		b.records[len(b.records)-1] = SourceRecord{}
	} else {
		b.records = append(b.records, SourceRecord{})
	}
	r := &b.records[len(b.records)-1]
	r.Partition, r.Timestamp = NoPartition, NoTimestamp
	return r
}

// Full tells whether the batch has as many records as the runtime wants in one go. Adding more is allowed but costs memory.
func (b *Batch) Full() bool { return len(b.records) >= b.limit }

// SetLimit changes how many records the runtime wants in one go, for runtimes.
func (b *Batch) SetLimit(limit int) { b.limit = limit }

// Len returns the number of records.
func (b *Batch) Len() int { return len(b.records) }

// Slab returns the memory for values of this batch. It is reused after Poll has returned.
func (b *Batch) Slab() *data.Slab { return &b.slab }

// Headers returns n empty headers for a record of this batch. They are reused after Poll has returned.
func (b *Batch) Headers(n int) []Header {
	first := len(b.headers)
	if first+n > cap(b.headers) {
		first = 0 // those handed out before stay with their records
		b.headers = make([]Header, 0, max(n, 2*cap(b.headers), firstHeaders))
	}
	b.headers = b.headers[:first+n]
	return b.headers[first : first+n : first+n]
}

// CommitTxn asks for the transaction to be committed after the last added record. It has an effect with
// transaction.boundary=connector only.
func (b *Batch) CommitTxn() { b.marks = append(b.marks, TxnMark{N: len(b.records)}) }

// AbortTxn asks for the transaction to be aborted after the last added record.
func (b *Batch) AbortTxn() { b.marks = append(b.marks, TxnMark{N: len(b.records), Abort: true}) }

// Records returns the records, for runtimes and test kits.
func (b *Batch) Records() []SourceRecord { return b.records }

// Marks returns the transaction boundaries in order, for runtimes and test kits.
func (b *Batch) Marks() []TxnMark { return b.marks }

// Reset empties the batch and makes its memory available again, for runtimes and test kits.
func (b *Batch) Reset() {
	b.records, b.marks = b.records[:0], b.marks[:0]
	clear(b.headers)
	b.headers = b.headers[:0]
	b.slab.Reset()
}
