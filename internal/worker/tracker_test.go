package worker

import (
	"context"
	"slices"
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

var positionSchema = data.NewStructBuilder().Field("position", data.Int64Schema).MustBuild()

func position(n int64) data.Value {
	s := data.MustStruct(positionSchema)
	s.Set(0, data.Int64(n))
	return s.Value()
}

// sent returns a submitted batch with one record a partition letter, at positions counted from 1 in each partition.
func sent(t *tracker, parts map[byte]*connect.SourcePartition, letters string) *batch {
	b := t.take()
	b.prepare(len(letters), 0)
	for i := range letters {
		r := connect.SourceRecord{SourcePartition: parts[letters[i]], SourceOffset: position(int64(i + 1))}
		b.next(context.Background(), &r, i)
		b.pending.Add(1)
	}
	b.pending.Add(-1)
	t.submit(b)
	return b
}

func ack(b *batch, positions ...int) {
	for _, i := range positions {
		b.flights[i].acked.Store(true)
		b.pending.Add(-1)
	}
}

func TestTrackerCommitsThePrefixOfEachPartition(t *testing.T) {
	t.Parallel()
	parts := map[byte]*connect.SourcePartition{}
	for _, c := range "abc" {
		parts[byte(c)] = connect.NewSourcePartition(map[string]any{"p": string(c)})
	}
	for _, tc := range []struct {
		name   string
		sent   []string
		acked  [][]int // positions by batch
		want   map[byte]int64
		queued int // batches that are not done
	}{
		{"nothing acknowledged", []string{"aaa"}, [][]int{{}}, map[byte]int64{}, 1},
		{"all acknowledged", []string{"aaa"}, [][]int{{0, 1, 2}}, map[byte]int64{'a': 3}, 0},
		{"a gap holds back what follows", []string{"aaa"}, [][]int{{0, 2}}, map[byte]int64{'a': 1}, 1},
		{"out of order", []string{"aaa"}, [][]int{{2, 1}}, map[byte]int64{}, 1},
		{"partitions do not hold back each other", []string{"abab"}, [][]int{{1, 3}}, map[byte]int64{'b': 4}, 1},
		{"a gap holds back later batches", []string{"aa", "ab"}, [][]int{{0}, {0, 1}}, map[byte]int64{'a': 1, 'b': 2}, 2},
		{"a later batch without the partition is done", []string{"aa", "bb"}, [][]int{{0}, {0, 1}}, map[byte]int64{'a': 1, 'b': 2}, 1},
		{"batch after batch", []string{"aa", "aab"}, [][]int{{0, 1}, {0}}, map[byte]int64{'a': 1}, 1},
		{"mixed runs keep the last of each", []string{"aabbaac"}, [][]int{{0, 1, 2, 3, 4, 5, 6}}, map[byte]int64{'a': 6, 'b': 4, 'c': 7}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tr := newTracker()
			for i, letters := range tc.sent {
				ack(sent(tr, parts, letters), tc.acked[i]...)
			}
			tr.fold()
			got := tr.drain()
			if len(got) != len(tc.want) {
				t.Errorf("offsets of %d partitions are committable, want %d", len(got), len(tc.want))
			}
			for c, want := range tc.want {
				if v := got[parts[c]]; v.IsNull() || v.Struct().At(0).Int64() != want {
					t.Errorf("partition %c: committable offset %v, want %d", c, v, want)
				}
			}
			if len(tr.queue) != tc.queued {
				t.Errorf("%d batches are waiting, want %d", len(tr.queue), tc.queued)
			}
		})
	}
}

func TestTrackerOffsetsGrowInOrder(t *testing.T) {
	t.Parallel()
	parts := map[byte]*connect.SourcePartition{'a': connect.NewSourcePartition(nil)}
	tr := newTracker()
	b := sent(tr, parts, "aaaa")
	var got []int64
	for _, i := range []int{3, 0, 2, 1} {
		ack(b, i)
		tr.fold()
		for _, v := range tr.drain() {
			got = append(got, v.Struct().At(0).Int64())
		}
	}
	if want := []int64{1, 4}; !slices.Equal(got, want) {
		t.Errorf("committable offsets after each acknowledgement: %v, want %v", got, want)
	}
}

func TestTrackerRestoreKeepsNewerOffsets(t *testing.T) {
	t.Parallel()
	p := connect.NewSourcePartition(nil)
	parts := map[byte]*connect.SourcePartition{'a': p}
	tr := newTracker()
	ack(sent(tr, parts, "a"), 0)
	tr.fold()
	failed := tr.drain()
	tr.restore(failed)
	if got := tr.drain()[p]; !got.Equal(position(1)) {
		t.Errorf("restored offset %v, want position 1", got)
	}
	ack(sent(tr, parts, "aa"), 0, 1)
	tr.fold()
	tr.restore(failed)
	if got := tr.drain()[p]; !got.Equal(position(2)) {
		t.Errorf("offset after restoring an older one: %v, want position 2", got)
	}
}

func TestTrackerFoldsWhatIsDoneAtEveryPoll(t *testing.T) {
	t.Parallel()
	parts := map[byte]*connect.SourcePartition{'a': connect.NewSourcePartition(nil), 'b': connect.NewSourcePartition(nil)}
	tr := newTracker()
	ack(sent(tr, parts, "aa"), 0, 1)
	stuck := sent(tr, parts, "a")
	for range 2 * minCrowd {
		ack(sent(tr, parts, "b"), 0)
		tr.foldDone()
	}
	if len(tr.queue) > minCrowd {
		t.Errorf("%d batches are kept behind one that is stuck", len(tr.queue))
	}
	if got := tr.drain()[parts['a']]; !got.Equal(position(2)) {
		t.Errorf("committable offset %v of the batch that is done, want position 2", got)
	}
	ack(stuck, 0)
	tr.foldDone()
	if len(tr.queue) != 0 {
		t.Errorf("%d batches are left", len(tr.queue))
	}
}

func TestTrackerReusesBatches(t *testing.T) {
	t.Parallel()
	parts := map[byte]*connect.SourcePartition{'a': connect.NewSourcePartition(nil)}
	tr := newTracker()
	first := sent(tr, parts, "a")
	if second := tr.take(); second == first {
		t.Fatal("a batch was handed out again before its records were acknowledged")
	}
	ack(first, 0)
	tr.fold()
	if again := tr.take(); again != first {
		t.Error("an acknowledged batch was not reused")
	}
}
