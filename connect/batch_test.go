package connect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

func TestBatchAdd(t *testing.T) {
	t.Parallel()
	b := connect.NewBatch(2)
	for i, full := range []bool{false, true, true} {
		r := b.Add()
		if r.Partition != connect.NoPartition || r.Timestamp != connect.NoTimestamp || r.Topic != "" || !r.Value.IsNull() {
			t.Errorf("record %d is %+v, want nothing set", i, r)
		}
		r.Topic, r.Partition, r.Timestamp, r.Value = "t", 3, 4, data.Int64(5)
		if b.Len() != i+1 || b.Full() != full {
			t.Errorf("after record %d: %d records, full %v; want %d, %v", i, b.Len(), b.Full(), i+1, full)
		}
	}
	for i, r := range b.Records() {
		if r.Topic != "t" || r.Value.Int64() != 5 {
			t.Errorf("record %d lost what was set: %+v", i, r)
		}
	}
}

func TestBatchReset(t *testing.T) {
	t.Parallel()
	b := connect.NewBatch(10)
	b.Add().Topic = "old"
	b.Add().Headers = []connect.Header{{Key: "old"}}
	b.CommitTxn()
	b.Reset()
	if b.Len() != 0 || len(b.Records()) != 0 || len(b.Marks()) != 0 || b.Full() {
		t.Errorf("after Reset: %d records, %d marks", b.Len(), len(b.Marks()))
	}
	for range 2 {
		if r := b.Add(); r.Topic != "" || r.Headers != nil || r.Partition != connect.NoPartition || r.Timestamp != connect.NoTimestamp {
			t.Errorf("a record has old content: %+v", r)
		}
	}
}

func TestBatchMarks(t *testing.T) {
	t.Parallel()
	b := connect.NewBatch(10)
	b.CommitTxn()
	b.Add()
	b.Add()
	b.CommitTxn()
	b.Add()
	b.AbortTxn()
	want := []connect.TxnMark{{N: 0}, {N: 2}, {N: 3, Abort: true}}
	if diff := cmp.Diff(want, b.Marks()); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
}

// TestBatchDoesNotAllocate fills and resets a batch that has its size already.
func TestBatchDoesNotAllocate(t *testing.T) {
	const n = 1000
	b := connect.NewBatch(n)
	text := []byte("some text")
	round := func() {
		b.Reset()
		for !b.Full() {
			b.Add().Value = b.Slab().String(text)
		}
	}
	round()
	if allocs := testing.AllocsPerRun(20, round); allocs != 0 {
		t.Errorf("%v allocations a round, want none", allocs)
	}
	if got := b.Records()[n-1].Value.Str(); got != "some text" {
		t.Errorf("last record has %q", got)
	}
}

func TestBatchHeaders(t *testing.T) {
	t.Parallel()
	b := connect.NewBatch(100)
	for round := range 2 {
		var given [][]connect.Header
		for i := range 40 {
			hs := b.Headers(i % 4)
			for j := range hs {
				if hs[j].Key != "" || !hs[j].Value.IsNull() {
					t.Fatalf("round %d: a header has old content: %+v", round, hs[j])
				}
				hs[j] = connect.Header{Key: "k", Value: data.Int64(int64(10*i + j))}
			}
			given = append(given, hs)
		}
		for i, hs := range given {
			if len(hs) != i%4 || cap(hs) != len(hs) {
				t.Errorf("headers %d: length %d, room for %d, want %d and no more", i, len(hs), cap(hs), i%4)
			}
			for j := range hs {
				if got, want := hs[j].Value.Int64(), int64(10*i+j); got != want {
					t.Errorf("header %d of %d is %d, want %d: it was given away twice", j, i, got, want)
				}
			}
		}
		b.Reset()
	}
}
