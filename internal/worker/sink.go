package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/pipeline"
)

// Consumer is what a sink task needs of a member of a consumer group. It joins with its first Poll. It calls the task's
// methods assigned, fetched, revoked and lost on a goroutine of its own, but never between the return of Poll and
// AllowRebalance.
type Consumer interface {
	// Poll returns the next records, at most as many as the group's settings allow, or none when ctx ends.
	Poll(ctx context.Context) kgo.Fetches
	AllowRebalance()
	Pause(map[string][]int32)
	Resume(map[string][]int32)
	Seek(connect.Offsets)
	// Commit commits offsets; done is called once, from any goroutine.
	Commit(ctx context.Context, offsets connect.Offsets, done func(error))
	Close()
}

// sinkOptions is what makes a sink task.
type sinkOptions struct {
	Task          connect.SinkTask
	Props         connect.Props
	Pipe          *pipeline.Sink
	FlushInterval time.Duration
	FlushTimeout  time.Duration
}

// sinkTask delivers the records of its partitions to a connector's task, at least once.
//
// Two goroutines touch it: the task's own, and the consumer's with the rebalance callbacks. Both hold mu while they
// do; the task's goroutine lets go of it only to wait for records.
type sinkTask struct {
	*task
	sinkOptions
	consumer Consumer

	mu          sync.Mutex
	parts       map[connect.TopicPartition]*partition // assigned
	pending     []connect.SinkRecord                  // converted and not delivered yet
	used        int                                   // slots of pending that hold values
	redeliver   bool                                  // the last Put asked for the same records again
	asleep      bool                                  // paused by the target state
	seeks       connect.Offsets
	timeout     time.Duration // of the next wait, 0 if the task has no wish
	rebalance   error         // of a callback; fails the task
	wake        func()        // ends the wait for records
	closed      bool
	slab        data.Slab
	committer   sinkCommitter
	partitioned connect.Partitioned // nil if the task is none
	started     bool
}

// partition is what a sink task knows of an assigned partition. Offsets are those of the next record; -1 if not known.
type partition struct {
	committed int64 // last committed, or where consumption began
	delivered int64 // behind the last record that a Put took
	polled    int64 // behind the last record of the batch in hand
	paused    bool  // by the task
}

func newSinkTask(t *task, o sinkOptions) *sinkTask {
	s := &sinkTask{task: t, sinkOptions: o, parts: make(map[connect.TopicPartition]*partition), seeks: make(connect.Offsets)}
	s.partitioned, _ = o.Task.(connect.Partitioned)
	s.committer.next = time.Now().Add(o.FlushInterval)
	return s
}

func (s *sinkTask) start() error {
	tc := connect.NewSinkTaskContext(connect.SinkTaskRuntime{
		Log:           s.log,
		Props:         func() connect.Props { return s.Props },
		Assignment:    s.assignment,
		Seek:          func(o connect.Offsets) { maps.Copy(s.seeks, o) },
		RetryIn:       func(d time.Duration) { s.timeout = d },
		RequestCommit: func() { s.committer.requested = true },
		Pause:         func(tps []connect.TopicPartition) error { return s.setPaused(tps, true) },
		Resume:        func(tps []connect.TopicPartition) error { return s.setPaused(tps, false) },
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	return s.Task.Start(s.soft, tc, s.Props)
}

func (s *sinkTask) loop() error {
	for !s.stopping() {
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// step is one round: commit if it is time, wait for records, deliver them.
func (s *sinkTask) step() error {
	paused, turn := s.gate.state()
	s.mu.Lock()
	s.applyTarget(paused)
	s.commitIfDue()
	s.applySeeks()
	redeliver := s.redeliver
	ctx, cancel := context.WithTimeout(turn, s.nextWait())
	s.wake = cancel
	s.mu.Unlock()

	var fetches kgo.Fetches
	if redeliver {
		<-ctx.Done()
	} else {
		fetches = s.consumer.Poll(ctx)
	}
	cancel()

	defer s.consumer.AllowRebalance()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rebalance != nil {
		return s.rebalance
	}
	if s.stopping() && len(s.pending) == 0 {
		return nil
	}
	if err := s.convert(fetches); err != nil {
		return err
	}
	return s.deliver()
}

// nextWait returns how long to wait for records: until the next commit, or shorter if the task wants so.
func (s *sinkTask) nextWait() time.Duration {
	wait := max(time.Until(s.committer.next), 0)
	if s.timeout > 0 {
		wait = min(wait, s.timeout)
		s.timeout = 0
	}
	return wait
}

// applyTarget follows a change between started and paused.
func (s *sinkTask) applyTarget(paused bool) {
	if paused == s.asleep {
		return
	}
	s.asleep = paused
	if paused {
		s.consumer.Pause(byTopic(s.assignment()))
		s.committer.requested = true
		s.status(event.Paused)
		return
	}
	s.consumer.Resume(byTopic(s.wanted()))
	s.status(event.Running)
}

// wanted returns the partitions that the task itself has not paused.
func (s *sinkTask) wanted() []connect.TopicPartition {
	var out []connect.TopicPartition
	for tp, p := range s.parts {
		if !p.paused {
			out = append(out, tp)
		}
	}
	return out
}

func (s *sinkTask) applySeeks() {
	if len(s.seeks) == 0 {
		return
	}
	for tp, offset := range s.seeks {
		p := s.parts[tp]
		if p == nil {
			s.log.Warn("the task asked for an offset of a partition that is not assigned to it", "partition", tp)
			delete(s.seeks, tp)
			continue
		}
		p.committed, p.delivered, p.polled = offset, offset, offset
	}
	s.consumer.Seek(s.seeks)
	clear(s.seeks)
}

// convert turns fetched records into sink records. A failure that is not tolerated ends the task before any record of
// this poll is delivered.
func (s *sinkTask) convert(fetches kgo.Fetches) error {
	var failed error
	fetches.EachError(func(topic string, partition int32, err error) {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) && failed == nil {
			failed = fmt.Errorf("consume %s-%d: %w", topic, partition, err)
		}
	})
	if failed != nil {
		return failed
	}
	var in pipeline.Consumed
	fetches.EachPartition(func(ftp kgo.FetchTopicPartition) {
		p := s.parts[connect.TopicPartition{Topic: ftp.Topic, Partition: ftp.Partition}]
		if p == nil || failed != nil {
			return
		}
		in.Topic, in.Partition = ftp.Topic, ftp.Partition
		s.pending = slices.Grow(s.pending, len(ftp.Records))
		for _, r := range ftp.Records {
			if failed = s.convertRecord(r, p, &in); failed != nil {
				return
			}
		}
	})
	return failed
}

func (s *sinkTask) convertRecord(r *kgo.Record, p *partition, in *pipeline.Consumed) error {
	if p.committed < 0 {
		p.committed, p.delivered = r.Offset, r.Offset
	}
	p.polled = r.Offset + 1
	in.Offset, in.Key, in.Value, in.Headers = r.Offset, r.Key, r.Value, nil
	in.TimestampType, in.Timestamp = timestamp(r)
	if len(r.Headers) > 0 {
		in.Headers = make([]connect.RawHeader, len(r.Headers))
		for i, h := range r.Headers {
			in.Headers[i] = connect.RawHeader(h)
		}
	}
	n := len(s.pending)
	s.pending = s.pending[:n+1]
	keep, err := s.Pipe.Decode(s.drain, &s.slab, in, &s.pending[n])
	if !keep {
		s.pending = s.pending[:n]
	}
	return err
}

func timestamp(r *kgo.Record) (connect.TimestampType, int64) {
	switch r.Attrs.TimestampType() {
	case 0:
		return connect.CreateTime, r.Timestamp.UnixMilli()
	case 1:
		return connect.LogAppendTime, r.Timestamp.UnixMilli()
	default:
		return connect.NoTimestampType, connect.NoTimestamp
	}
}

// deliver puts the batch in hand, even an empty one, which connectors use as a clock.
func (s *sinkTask) deliver() error {
	err := s.Task.Put(s.drain, s.pending)
	if err == nil {
		s.delivered()
		return nil
	}
	if interrupted(s.drain, err) {
		return nil // not delivered, so not committed: the records come again
	}
	after, retriable := connect.IsRetriable(err)
	if !retriable {
		return connect.NewError("Exiting WorkerSinkTask due to unrecoverable exception.", err)
	}
	s.log.Warn("delivering records did not work and is tried again", "records", len(s.pending), "error", err)
	if after > 0 {
		s.timeout = after
	}
	s.redeliver = true
	return nil
}

func (s *sinkTask) delivered() {
	s.redeliver = false
	s.records.Add(int64(len(s.pending)))
	s.release()
	for _, p := range s.parts {
		p.delivered = p.polled
	}
}

// release takes the records out of hand. Their slots keep the values until they are filled again or nothing comes for
// a while: clearing them each time would cost as much as filling them.
func (s *sinkTask) release() {
	s.used = max(s.used, len(s.pending))
	if len(s.pending) == 0 {
		clear(s.pending[:s.used])
		s.used = 0
	}
	s.pending = s.pending[:0]
}

func (s *sinkTask) assignment() []connect.TopicPartition { return sortedPartitions(s.parts) }

func sortedPartitions[V any](m map[connect.TopicPartition]V) []connect.TopicPartition {
	return slices.SortedFunc(maps.Keys(m), comparePartitions)
}

func comparePartitions(a, b connect.TopicPartition) int {
	if a.Topic != b.Topic {
		if a.Topic < b.Topic {
			return -1
		}
		return 1
	}
	return int(a.Partition - b.Partition)
}

func byTopic(tps []connect.TopicPartition) map[string][]int32 {
	out := make(map[string][]int32)
	for _, tp := range tps {
		out[tp.Topic] = append(out[tp.Topic], tp.Partition)
	}
	return out
}

// setPaused is called by the task, which runs under mu.
func (s *sinkTask) setPaused(tps []connect.TopicPartition, paused bool) error {
	for _, tp := range tps {
		if s.parts[tp] == nil {
			verb := "resume"
			if paused {
				verb = "pause"
			}
			return connect.NewError(fmt.Sprintf("SinkTasks may not %s partitions that are not currently assigned to them.", verb), nil)
		}
	}
	for _, tp := range tps {
		s.parts[tp].paused = paused
	}
	switch {
	case s.asleep:
	case paused:
		s.consumer.Pause(byTopic(tps))
	default:
		s.consumer.Resume(byTopic(tps))
	}
	return nil
}

func (s *sinkTask) close() {
	s.mu.Lock()
	if s.hard.Err() == nil {
		if err := s.closePartitions(s.assignment()); err != nil {
			s.log.Warn("the partitions could not be closed cleanly", "error", err)
		}
	}
	s.closed = true
	s.mu.Unlock()
	if s.started {
		if err := event.Guard(func() error { return s.Task.Stop(s.hard) }); err != nil {
			s.log.Warn("the task did not stop cleanly", "error", err)
		}
	}
	s.consumer.Close()
}
