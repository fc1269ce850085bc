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
	batch           *batch
	record          int32 // position in the batch
	folded          bool  // counted as committable; guarded by the tracker
	acked           atomic.Bool
}

// batch is one poll's records on their way, with all the memory they need. It is reused once every one is acknowledged.
type batch struct {
	*connect.Batch
	produced []kgo.Record // one a record that is sent
	flights  []flight     // parallel to produced
	bytes    []byte       // what the converters wrote
	pending  atomic.Int32 // flights without acknowledgement, plus one while sending
	folded   int          // length of the prefix of flights that is folded; guarded by the tracker
}

// prepare makes room for n records.
func (b *batch) prepare(n int) {
	if cap(b.produced) < n {
		b.produced = make([]kgo.Record, 0, n)
		b.flights = make([]flight, 0, n)
	}
	b.produced, b.flights, b.bytes, b.folded = b.produced[:0], b.flights[:0], b.bytes[:0], 0
	b.pending.Store(1)
}

// next returns the record to produce for the record at a position of the batch, with its flight as its context.
func (b *batch) next(ctx context.Context, position int) *kgo.Record {
	i := len(b.produced)
	b.produced, b.flights = b.produced[:i+1], b.flights[:i+1]
	f := &b.flights[i]
	f.Context, f.batch, f.record, f.folded = ctx, b, int32(position), false
	f.acked.Store(false)
	r := &b.produced[i]
	*r = kgo.Record{Context: f}
	return r
}

// tracker knows which offsets may be committed: per source partition, the offset of the last record that is
// acknowledged together with all before it (runtime.md §2.5 of Connect's behaviour: records in submission order).
type tracker struct {
	mu          sync.Mutex // guards the rest
	queue       []*batch   // sent, in order
	committable map[*connect.SourcePartition]data.Value
	free        []*batch
	retired     func(*batch) // called under mu for each batch that is done, in order
	limit       int
}

// maxFree is how many batches are kept for reuse.
const maxFree = 32

func newTracker(limit int) *tracker {
	return &tracker{committable: make(map[*connect.SourcePartition]data.Value), limit: limit}
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
	return &batch{Batch: connect.NewBatch(t.limit)}
}

// put takes back a batch of which nothing was sent.
func (t *tracker) put(b *batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recycle(b)
}

func (t *tracker) recycle(b *batch) {
	b.Reset()
	if len(t.free) < maxFree {
		t.free = append(t.free, b)
	}
}

// submit appends a batch whose records have been handed to the producer.
func (t *tracker) submit(b *batch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = append(t.queue, b)
}

// fold moves what has been acknowledged into the committable offsets.
func (t *tracker) fold() {
	t.mu.Lock()
	defer t.mu.Unlock()
	var blocked map[*connect.SourcePartition]bool
	for _, b := range t.queue {
		blocked = t.foldBatch(b, blocked)
	}
	t.retire()
}

// foldBatch folds one batch. Partitions with a record that is not acknowledged are blocked for all that follows.
func (t *tracker) foldBatch(b *batch, blocked map[*connect.SourcePartition]bool) map[*connect.SourcePartition]bool {
	records := b.Records()
	var partition *connect.SourcePartition // of the run of records in hand
	last := int32(-1)
	for i := b.folded; i < len(b.flights); i++ {
		f := &b.flights[i]
		p := records[f.record].SourcePartition
		if f.folded || blocked[p] {
			continue
		}
		if !f.acked.Load() {
			if blocked == nil {
				blocked = make(map[*connect.SourcePartition]bool)
			}
			blocked[p] = true
			continue
		}
		if p != partition && last >= 0 {
			t.committable[partition] = records[last].SourceOffset.Clone()
		}
		f.folded, partition, last = true, p, f.record
		if i == b.folded {
			b.folded++
		}
	}
	if last >= 0 {
		t.committable[partition] = records[last].SourceOffset.Clone()
	}
	return blocked
}

// retire gives back the batches at the head of the queue of which everything is folded.
func (t *tracker) retire() {
	n := 0
	for n < len(t.queue) && t.queue[n].pending.Load() == 0 && allFolded(t.queue[n]) {
		if t.retired != nil {
			t.retired(t.queue[n])
		}
		t.recycle(t.queue[n])
		n++
	}
	if n > 0 {
		t.queue = append(t.queue[:0], t.queue[n:]...)
	}
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
