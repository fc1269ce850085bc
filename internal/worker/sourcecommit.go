package worker

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/store"
)

type valueOffset = data.Value

func readOffsets(ctx context.Context, offsets store.Offsets, connector string, ps []*connect.SourcePartition) ([]data.Value, error) {
	partitions := make([]map[string]any, len(ps))
	for i, p := range ps {
		partitions[i] = p.Fields()
	}
	return offsets.Get(ctx, connector, partitions)
}

// commitAndRearm is the periodic commit. The pause begins when the commit has ended, as in Connect.
func (s *sourceTask) commitAndRearm() {
	if s.hard.Err() != nil {
		return
	}
	s.commit()
	if !s.stopping() {
		s.timer.Reset(s.FlushInterval)
	}
}

// commit stores the committable offsets. A failure is logged and leaves them for the next time.
func (s *sourceTask) commit() {
	s.committing.Lock()
	defer s.committing.Unlock()
	if s.hard.Err() != nil {
		return
	}
	s.track.fold()
	offsets := s.track.drain()
	begin := time.Now()
	if len(offsets) > 0 {
		if err := s.store(offsets); err != nil {
			s.track.restore(offsets)
			s.log.Error("offsets could not be committed; they are kept and tried again", "error", err)
			return
		}
		s.log.Debug("committed offsets", "partitions", len(offsets), "took", time.Since(begin))
	}
	if s.committer == nil {
		return
	}
	if err := event.Guard(func() error { return s.committer.Commit(s.drain) }); err != nil {
		s.log.Error("the task's Commit did not work", "error", err)
	}
}

func (s *sourceTask) store(offsets map[*connect.SourcePartition]data.Value) error {
	ctx, cancel := context.WithTimeout(s.hard, s.FlushTimeout)
	defer cancel()
	changes := make([]store.OffsetChange, 0, len(offsets))
	for p, v := range offsets {
		c := store.OffsetChange{Offset: v}
		if p != nil {
			c.Partition = p.Fields()
		}
		changes = append(changes, c)
	}
	return s.offsets.Set(ctx, s.id.Connector, changes)
}

// acker tells a task the fate of its records, from a goroutine of its own, because the task may be blocked in Poll
// while acknowledgements arrive.
type acker struct {
	s      *sourceTask
	task   connect.Acker
	signal chan struct{}
	quit   chan struct{}
	wg     sync.WaitGroup

	mu    sync.Mutex // guards the rest
	ready []connect.Ack
}

func newAcker(s *sourceTask, task connect.Acker) *acker {
	a := &acker{s: s, task: task, signal: make(chan struct{}, 1), quit: make(chan struct{})}
	s.track.retired = a.collect
	return a
}

func (a *acker) start() {
	a.wg.Go(func() {
		for {
			select {
			case <-a.signal:
				a.deliver()
			case <-a.quit:
				return
			}
		}
	})
}

// stop delivers what is left.
func (a *acker) stop() {
	close(a.quit)
	a.wg.Wait()
	a.deliver()
}

func (a *acker) wake() {
	select {
	case a.signal <- struct{}{}:
	default:
	}
}

// deliver is serialized with commits, because Acked and Commit must not overlap.
func (a *acker) deliver() {
	a.s.committing.Lock()
	defer a.s.committing.Unlock()
	a.s.track.fold()
	a.mu.Lock()
	acks := a.ready
	a.ready = nil
	a.mu.Unlock()
	if len(acks) == 0 {
		return
	}
	if err := event.Guard(func() error { return a.task.Acked(a.s.drain, acks) }); err != nil {
		a.s.log.Error("the task's Acked did not work", "error", err)
	}
}

func (a *acker) add(acks ...connect.Ack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = append(a.ready, acks...)
}

// drop is for a record that is not sent. Its values are copied, since its batch may be reused before the delivery.
func (a *acker) drop(r *connect.SourceRecord) {
	a.add(connect.Ack{Record: detach(r)})
	a.wake()
}

// collect takes over the records of a batch of which all are acknowledged. It runs under the tracker's lock.
func (a *acker) collect(b *batch) {
	records := b.polled.Records()
	acks := make([]connect.Ack, len(b.flights))
	for i := range b.flights {
		p := &b.produced[i]
		acks[i] = connect.Ack{
			Record: records[b.flights[i].record],
			Meta: &connect.RecordMetadata{
				TopicPartition: connect.TopicPartition{Topic: p.Topic, Partition: p.Partition},
				Offset:         p.Offset,
				Timestamp:      p.Timestamp.UnixMilli(),
			},
		}
	}
	a.add(acks...)
}

func detach(r *connect.SourceRecord) connect.SourceRecord {
	c := *r
	c.Key, c.Value, c.SourceOffset = r.Key.Clone(), r.Value.Clone(), r.SourceOffset.Clone()
	c.Headers = nil
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, connect.Header{Key: h.Key, Schema: h.Schema, Value: h.Value.Clone()})
	}
	return c
}
