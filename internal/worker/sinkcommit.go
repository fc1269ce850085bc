package worker

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
)

// sinkCommitter is the state of a sink task's offset commits. All but the results is guarded by the task's mu.
type sinkCommitter struct {
	next      time.Time // of the periodic commit
	requested bool      // by the task, or by a change of the target state
	running   bool
	began     time.Time
	seq       int // of the newest commit; results of older ones come too late

	results sync.Mutex // guards done, which the consumer's goroutine appends to
	done    []commitResult
}

type commitResult struct {
	seq     int
	offsets connect.Offsets
	err     error
}

// commitIfDue takes in what has become of the running commit and begins the next one when it is time.
func (s *sinkTask) commitIfDue() {
	s.takeResults()
	c := &s.committer
	now := time.Now()
	if c.running && now.After(c.began.Add(s.FlushTimeout)) {
		s.log.Warn("an offset commit did not end in time", "timeout", s.FlushTimeout)
		c.running = false
	}
	if c.running || (!c.requested && now.Before(c.next)) {
		return
	}
	c.requested = false
	c.next = now.Add(s.FlushInterval)
	offsets, ok := s.preCommit(s.current(s.assignment()), false)
	if !ok || len(offsets) == 0 {
		return
	}
	c.seq++
	c.running, c.began = true, now
	seq := c.seq
	s.consumer.Commit(s.hard, offsets, func(err error) {
		c.results.Lock()
		defer c.results.Unlock()
		c.done = append(c.done, commitResult{seq, offsets, err})
	})
}

func (s *sinkTask) takeResults() {
	c := &s.committer
	c.results.Lock()
	done := c.done
	c.done = nil
	c.results.Unlock()
	for _, r := range done {
		if r.seq != c.seq {
			continue
		}
		c.running = false
		s.committed(r.offsets, r.err)
	}
}

func (s *sinkTask) committed(offsets connect.Offsets, err error) {
	if err != nil {
		s.log.Error("offsets could not be committed; they are tried again", "error", err)
		return
	}
	for tp, offset := range offsets {
		if p := s.parts[tp]; p != nil {
			p.committed = offset
		}
	}
	s.log.Debug("committed offsets", "partitions", len(offsets))
}

// current returns the offsets behind what has been delivered, as far as that is known.
func (s *sinkTask) current(tps []connect.TopicPartition) connect.Offsets {
	out := make(connect.Offsets, len(tps))
	for _, tp := range tps {
		if p := s.parts[tp]; p != nil && p.delivered >= 0 {
			out[tp] = p.delivered
		}
	}
	return out
}

// preCommit asks the task which offsets to commit and returns those that are allowed and new. It returns false if the
// task refused; what was delivered since the last commit is then consumed again, unless the partitions are closing.
func (s *sinkTask) preCommit(current connect.Offsets, closing bool) (connect.Offsets, bool) {
	if len(current) == 0 {
		return nil, true
	}
	wanted, err := s.askTask(maps.Clone(current))
	if err != nil {
		if closing {
			s.log.Warn("the task's flush before closing did not work; its records since the last commit come again", "error", err)
		} else {
			s.log.Error("the task's flush did not work; its records since the last commit come again", "error", err)
			s.rewind(current)
		}
		return nil, false
	}
	allowed := make(connect.Offsets, len(wanted))
	for tp, offset := range wanted {
		limit, ok := current[tp]
		switch {
		case !ok:
			s.log.Warn("the task wants to commit a partition that it was not asked about", "partition", tp, "offset", offset)
		case offset > limit:
			s.log.Warn("the task wants to commit more than was delivered to it", "partition", tp, "offset", offset, "delivered", limit)
		case offset != s.parts[tp].committed:
			allowed[tp] = offset
		}
	}
	return allowed, true
}

func (s *sinkTask) askTask(current connect.Offsets) (out connect.Offsets, err error) {
	err = event.Guard(func() (err error) {
		switch t := s.Task.(type) {
		case connect.PreCommitter:
			out, err = t.PreCommit(s.hard, current)
		case connect.Flusher:
			out, err = current, t.Flush(s.hard, current)
		default:
			out = current
		}
		return err
	})
	return out, err
}

// rewind makes consumption go back to the last commit.
func (s *sinkTask) rewind(current connect.Offsets) {
	back := make(connect.Offsets, len(current))
	for tp := range current {
		p := s.parts[tp]
		p.delivered, p.polled = p.committed, p.committed
		back[tp] = p.committed
	}
	s.dropPending(current)
	s.consumer.Seek(back)
}

// dropPending forgets the records in hand of some partitions.
func (s *sinkTask) dropPending(tps connect.Offsets) {
	kept := s.pending[:0]
	for _, r := range s.pending {
		if _, drop := tps[r.Original.TopicPartition]; !drop {
			kept = append(kept, r)
		}
	}
	clear(s.pending[len(kept):])
	s.pending = kept
	s.redeliver = s.redeliver && len(kept) > 0
}

// closePartitions commits and closes partitions that are going away: flush, close, commit, in this order.
func (s *sinkTask) closePartitions(tps []connect.TopicPartition) error {
	s.takeResults()
	current := s.current(tps)
	offsets, _ := s.preCommit(current, true)
	err := s.closeTask(tps)
	if len(offsets) > 0 {
		s.committer.seq++
		s.committer.running = false
		s.committed(offsets, s.commitSync(offsets))
	}
	return err
}

func (s *sinkTask) commitSync(offsets connect.Offsets) error {
	ctx, cancel := context.WithTimeout(s.hard, s.FlushTimeout)
	defer cancel()
	result := make(chan error, 1)
	s.consumer.Commit(ctx, offsets, func(err error) { result <- err })
	return <-result
}

func (s *sinkTask) closeTask(tps []connect.TopicPartition) error {
	if s.partitioned == nil || len(tps) == 0 {
		return nil
	}
	return event.Guard(func() error { return s.partitioned.Close(s.drain, tps) })
}

// assigned is a rebalance callback.
func (s *sinkTask) assigned(tps []connect.TopicPartition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	for _, tp := range tps {
		s.parts[tp] = &partition{committed: -1, delivered: -1, polled: -1}
	}
	if s.asleep {
		s.consumer.Pause(byTopic(tps))
	}
	if len(tps) == 0 || s.rebalance != nil || s.partitioned == nil {
		return
	}
	s.failRebalance(event.Guard(func() error { return s.partitioned.Open(s.drain, tps) }))
}

// failRebalance keeps the first error of a callback for the task's goroutine.
func (s *sinkTask) failRebalance(err error) {
	if err == nil || s.rebalance != nil {
		return
	}
	s.rebalance = err
	if s.wake != nil {
		s.wake()
	}
}

// fetched is a rebalance callback.
func (s *sinkTask) fetched(positions connect.Offsets) connect.Offsets {
	s.mu.Lock()
	defer s.mu.Unlock()
	for tp, at := range positions {
		if offset, ok := s.seeks[tp]; ok {
			delete(s.seeks, tp)
			positions[tp], at = offset, offset
		}
		if p := s.parts[tp]; p != nil && at >= 0 {
			p.committed, p.delivered, p.polled = at, at, at
		}
	}
	return positions
}

// revoked is a rebalance callback.
func (s *sinkTask) revoked(tps []connect.TopicPartition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(tps) == 0 {
		return
	}
	s.failRebalance(s.closePartitions(tps))
	s.forget(tps)
}

// lost is a rebalance callback: the partitions may have another owner already, so nothing is committed.
func (s *sinkTask) lost(tps []connect.TopicPartition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(tps) == 0 {
		return
	}
	s.log.Warn("partitions were lost: the task took too long or could not reach the group coordinator; their records since the last commit are delivered again", "partitions", len(tps))
	s.failRebalance(s.closeTask(tps))
	s.forget(tps)
}

func (s *sinkTask) forget(tps []connect.TopicPartition) {
	gone := make(connect.Offsets, len(tps))
	for _, tp := range tps {
		gone[tp] = 0
		delete(s.parts, tp)
		delete(s.seeks, tp)
	}
	s.dropPending(gone)
}
