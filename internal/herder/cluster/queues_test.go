package cluster

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestQueues(t *testing.T) {
	t.Parallel()
	q := newQueues[string]()
	var alone sync.Mutex // held by work of a
	var order []int
	var overlaps atomic.Int64
	work := func(n int, during func()) func() {
		return func() {
			if !alone.TryLock() {
				overlaps.Add(1)
				return
			}
			defer alone.Unlock()
			order = append(order, n)
			during()
		}
	}
	release := make(chan struct{})
	q.add("a", work(0, func() { <-release }))
	for n := range 100 {
		q.add("a", work(n+1, runtime.Gosched))
	}
	other := make(chan struct{})
	q.add("b", func() { close(other) })
	<-other // although a is busy
	close(release)
	q.wait()
	if n := overlaps.Load(); n > 0 || len(order) != 101 || !slices.IsSorted(order) {
		t.Errorf("order %v, %d at the same time as others", order, n)
	}
	if len(q.work) != 0 {
		t.Errorf("%d keys are left", len(q.work))
	}
	q.add("a", work(101, runtime.Gosched))
	q.wait()
	if len(order) != 102 {
		t.Error("a key that had work before gets no more")
	}
}

// TestQueuesTakeWorkOfTheirOwn holds that work may add to the queue that it is in.
func TestQueuesTakeWorkOfTheirOwn(t *testing.T) {
	t.Parallel()
	q := newQueues[int]()
	done := 0
	var again func()
	again = func() {
		if done++; done < 50 {
			q.add(1, again)
		}
	}
	q.add(1, again)
	q.wait()
	if done != 50 {
		t.Errorf("done %d times, want 50", done)
	}
}

func TestInbox(t *testing.T) {
	t.Parallel()
	b := newInbox()
	const writers, each = 8, 200
	var posting sync.WaitGroup
	for w := range writers {
		posting.Go(func() {
			for n := range each {
				b.post(Halted{w*each + n}) // nobody has taken anything yet
			}
		})
	}
	got := make([][]int, writers)
	for n := 0; n < writers*each; {
		<-b.filled
		for _, e := range b.take() {
			token := e.(Halted).Token
			got[token/each] = append(got[token/each], token)
			n++
		}
	}
	posting.Wait()
	for w, tokens := range got {
		if len(tokens) != each || !slices.IsSorted(tokens) {
			t.Errorf("events of %d: %v", w, tokens)
		}
	}
	if more := b.take(); more != nil {
		t.Errorf("%v came twice", more)
	}
}
