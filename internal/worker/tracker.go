package worker

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// flight is one record between Produce and its acknowledgement. It travels as the record's context, which is how the
// one promise that all records share finds it back without an allocation.
type flight struct {
	context.Context //nolint:containedctx // it is one, for the record

	batch     *batch
	partition *connect.SourcePartition
	offset    data.Value // with memory of the batch
	record    int32      // position in the poll
	folded    bool       // counted as committable; guarded by the tracker
	acked     atomic.Bool
}

// batch is what is kept of one poll while its records are on their way, with all the memory they need. It is reused
// once every one is acknowledged.
type batch struct {
	polled   *connect.Batch // the records themselves, if the task wants to hear of their fate
	produced []kgo.Record   // one a record that is sent
	flights  []flight       // parallel to produced
	bytes    []byte         // what the converters wrote
	headers  []kgo.RecordHeader
	slab     data.Slab    // of the offsets
	pending  atomic.Int32 // flights without acknowledgement, plus one while sending
	folded   int          // length of the prefix of flights that is folded; guarded by the tracker
	held     int          // bytes that the tracker counts for it while it is queued
}

// prepare makes room for n records, and for about as many bytes as they come to.
func (b *batch) prepare(n, bytes int) {
	if cap(b.bytes) < bytes {
		b.bytes = make([]byte, 0, bytes)
	}
	if cap(b.produced) < n {
		b.produced = make([]kgo.Record, 0, n)
		b.flights = make([]flight, 0, n)
	}
	b.produced, b.flights, b.bytes, b.folded = b.produced[:0], b.flights[:0], b.bytes[:0], 0
	clear(b.headers) // their bytes may be old, larger buffers
	b.headers = b.headers[:0]
	b.slab.Reset()
	b.pending.Store(1)
}

// next returns the record to produce for the record r at a position of the poll, with its flight as its context. ctx is the
// same at every call.
func (b *batch) next(ctx context.Context, r *connect.SourceRecord, position int) *kgo.Record {
	i := len(b.produced)
	b.produced, b.flights = b.produced[:i+1], b.flights[:i+1]
	f := &b.flights[i]
	if f.Context == nil {
		f.Context = ctx // once: franz-go may still look at it for a moment after a record of a new topic was acknowledged
	}
	f.batch, f.record, f.folded = b, int32(position), false
	f.partition, f.offset = r.SourcePartition, r.SourceOffset.CloneTo(&b.slab)
	f.acked.Store(false)
	out := &b.produced[i]
	*out = kgo.Record{Context: f}
	return out
}

// copyHeaders returns the headers of a record in memory of the batch.
func (b *batch) copyHeaders(hs []connect.RawHeader) []kgo.RecordHeader {
	if len(hs) == 0 {
		return nil
	}
	first := len(b.headers)
	for _, h := range hs {
		b.headers = append(b.headers, kgo.RecordHeader(h)) // a record keeps the memory that it was given before this grew
	}
	return b.headers[first:len(b.headers):len(b.headers)]
}

// tracker knows which offsets may be committed: per source partition, the offset of the last record that is
// acknowledged together with all before it, as Connect's submitted records do.
type tracker struct {
	mu          sync.Mutex // guards the rest
	queue       []*batch   // sent, in order
	committable map[*connect.SourcePartition]data.Value
	free        []*batch
	crowd       int          // length of the queue from which all of it is looked through
	held        int          // bytes of the queued batches
	retired     func(*batch) // called under mu for each batch that is done, in order
}

const (
	// minCrowd is more batches than the producer's buffer holds.
	minCrowd = 1024
	// maxHeld is how many bytes are queued at most.
	maxHeld = 48 << 20
)

func newTracker() *tracker {
	return &tracker{committable: make(map[*connect.SourcePartition]data.Value), crowd: minCrowd}
}

// take returns an empty batch.
func (t *tracker) take() *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.free); n > 0 {
		b := t.free[n-1]
		t.free = t.free[:n-1]
		return b
	}
	return &batch{}
}

func (t *tracker) recycle(b *batch) {
	b.polled = nil
	t.free = append(t.free, b)
}

// trim forgets the memory that is kept for reuse: as much as was ever on its way at once.
func (t *tracker) trim() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = nil
}

// submit appends a batch whose records have been handed to the producer.
func (t *tracker) submit(b *batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b.held = cap(b.bytes)
	t.held += b.held
	t.queue = append(t.queue, b)
}

// full tells whether so much is queued that nothing more should be polled. It is more than the producer's buffer
// holds, because one record that waits for its turn keeps all of its batch, and the batches behind it.
func (t *tracker) full() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held > maxHeld
}

// fold moves everything that has been acknowledged into the committable offsets.
func (t *tracker) fold() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.foldAll()
}

// foldDone is [tracker.fold] for the batches at the head of the queue of which every record is acknowledged, which is
// cheap enough to be done at every poll. When that leaves a long queue behind, the rest is looked through as well:
// one record that is stuck must not keep the memory of all that were sent after it.
func (t *tracker) foldDone() {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for n < len(t.queue) && t.queue[n].pending.Load() == 0 {
		t.foldBatch(t.queue[n], nil)
		n++
	}
	t.retire(n)
	if len(t.queue) >= t.crowd {
		t.foldAll()
		t.crowd = max(2*len(t.queue), minCrowd)
	}
}

func (t *tracker) foldAll() {
	var blocked map[*connect.SourcePartition]bool
	for _, b := range t.queue {
		blocked = t.foldBatch(b, blocked)
	}
	t.retire(len(t.queue))
}

// foldBatch folds one batch. Partitions with a record that is not acknowledged are blocked for all that follows.
func (t *tracker) foldBatch(b *batch, blocked map[*connect.SourcePartition]bool) map[*connect.SourcePartition]bool {
	var last *flight // of the run of records in hand
	for i := b.folded; i < len(b.flights); i++ {
		f := &b.flights[i]
		if f.folded || blocked[f.partition] {
			continue
		}
		if !f.acked.Load() {
			if blocked == nil {
				blocked = make(map[*connect.SourcePartition]bool)
			}
			blocked[f.partition] = true
			continue
		}
		if last != nil && f.partition != last.partition {
			t.committable[last.partition] = last.offset.Clone()
		}
		f.folded, last = true, f
		if i == b.folded {
			b.folded++
		}
	}
	if last != nil {
		t.committable[last.partition] = last.offset.Clone()
	}
	return blocked
}

// retire takes those of the first n batches off the queue of which everything is folded.
func (t *tracker) retire(n int) {
	kept := t.queue[:0]
	for i, b := range t.queue {
		if i >= n || b.pending.Load() != 0 || !allFolded(b) {
			kept = append(kept, b)
			continue
		}
		if t.retired != nil {
			t.retired(b)
		}
		t.held -= b.held
		t.recycle(b)
	}
	clear(t.queue[len(kept):])
	t.queue = kept
}

func allFolded(b *batch) bool {
	for b.folded < len(b.flights) && b.flights[b.folded].folded {
		b.folded++
	}
	return b.folded == len(b.flights)
}

// drain returns the committable offsets and forgets them.
func (t *tracker) drain() map[*connect.SourcePartition]data.Value {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.committable
	t.committable = make(map[*connect.SourcePartition]data.Value)
	return out
}

// restore takes offsets back that could not be committed; newer ones win.
func (t *tracker) restore(offsets map[*connect.SourcePartition]data.Value) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p, v := range offsets {
		if _, newer := t.committable[p]; !newer {
			t.committable[p] = v
		}
	}
}

// outstanding returns the number of records without acknowledgement.
func (t *tracker) outstanding() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, b := range t.queue {
		n += int(b.pending.Load())
	}
	return n
}
