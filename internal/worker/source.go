package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/store"
)

const (
	// batchLimit is how many records one poll is asked for at most, and batchBytes about how many bytes: what is on its
	// way is kept in pieces of that size.
	batchLimit = 2048
	batchBytes = 256 << 10
	// Pauses between polls that found nothing grow from the first to the second.
	minIdle = time.Millisecond
	maxIdle = 250 * time.Millisecond
	// ownPause is the duration from which a poll that found nothing has paused by itself.
	ownPause = 10 * time.Millisecond
	// restful is the number of polls without records after which a task is taken to be quiet.
	restful = 8
)

// Producer is what a source task needs of a Kafka producer. It is made with the promise of all its records, which it
// calls for one after the other.
type Producer interface {
	Produce(ctx context.Context, r *kgo.Record)
	// Flush waits until the promise has been called for all records or ctx ends.
	Flush(ctx context.Context) error
	Close()
}

// sourceOptions is what makes a source task.
type sourceOptions struct {
	Task          connect.SourceTask
	Props         connect.Props
	Pipe          *pipeline.Source
	Tolerance     *pipeline.Tolerance
	NewProducer   func(promise func(*kgo.Record, error)) (Producer, error)
	OpenOffsets   func(context.Context) (store.Offsets, func(), error)
	FlushInterval time.Duration
	FlushTimeout  time.Duration
}

// sourceTask polls a connector's task and produces what it returns, at least once.
type sourceTask struct {
	*task
	sourceOptions
	producer Producer
	track    *tracker
	polled   *connect.Batch // of the poll in hand
	perBatch int            // bytes that the records of the last batch came to
	sendErr  atomic.Pointer[error]
	room     chan struct{} // holds a token when a batch has been acknowledged
	started  bool
	idle     time.Duration // the last pause
	empty    int           // polls without records since the last record

	committer connect.Committer // nil if the task is none
	acker     *acker            // nil if the task is no connect.Acker

	offsets      store.Offsets // from the start on
	closeOffsets func()        // nil before

	committing sync.Mutex  // held while offsets are committed
	timer      *time.Timer // of the next commit
}

func newSourceTask(t *task, o sourceOptions) *sourceTask {
	s := &sourceTask{task: t, sourceOptions: o, track: newTracker(), polled: connect.NewBatch(batchLimit), room: make(chan struct{}, 1)}
	s.committer, _ = o.Task.(connect.Committer)
	if a, ok := o.Task.(connect.Acker); ok {
		s.acker = newAcker(s, a)
	}
	return s
}

func (s *sourceTask) start() (err error) {
	if s.offsets, s.closeOffsets, err = s.OpenOffsets(s.soft); err != nil {
		return err
	}
	tc := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
		Log:   s.log,
		Props: func() connect.Props { return s.Props },
		Offsets: func(ctx context.Context, ps []*connect.SourcePartition) ([]valueOffset, error) {
			return readOffsets(ctx, s.offsets, s.id.Connector, ps)
		},
	})
	s.started = true
	if err := s.Task.Start(s.soft, tc, s.Props); err != nil {
		return err
	}
	s.timer = time.AfterFunc(s.FlushInterval, s.commitAndRearm)
	if s.acker != nil {
		s.acker.start()
	}
	return nil
}

func (s *sourceTask) loop() error {
	for !s.stopping() {
		if paused, _ := s.gate.state(); paused {
			s.status(event.Paused)
			s.waitWhilePaused()
			if !s.stopping() {
				s.status(event.Running)
			}
			continue
		}
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// step is one poll and the sending of what it returned.
func (s *sourceTask) step() error {
	_, turn := s.gate.state()
	s.awaitRoom(turn)
	if err := s.sendErr.Load(); err != nil {
		return connect.NewError("Unrecoverable exception from producer send callback", *err)
	}
	if s.acker == nil {
		s.track.foldDone()
	}
	s.polled.Reset()
	begin := time.Now()
	if err := s.poll(turn); err != nil {
		return err
	}
	if s.polled.Len() == 0 {
		s.rest(turn, time.Since(begin))
		return nil
	}
	s.idle, s.empty = 0, 0
	s.records.Add(int64(s.polled.Len()))
	return s.send(s.track.take())
}

// poll asks the task for records. Records that are in the batch when the runtime itself ends the call are good.
func (s *sourceTask) poll(ctx context.Context) error {
	err := s.Task.Poll(ctx, s.polled)
	if err == nil || interrupted(ctx, err) {
		return nil
	}
	after, retriable := connect.IsRetriable(err)
	if !retriable {
		return err
	}
	s.log.Warn("polling did not work and is tried again", "error", err)
	s.polled.Reset()
	s.wait(after)
	return nil
}

// rest follows a poll without records that took so long. A task that stays without gives its memory back.
func (s *sourceTask) rest(turn context.Context, took time.Duration) {
	if s.empty++; s.empty == restful {
		s.polled = connect.NewBatch(batchLimit)
		s.track.trim()
	}
	if took < ownPause {
		s.backOff(turn)
	}
}

// backOff pauses after a poll without records, longer each time, until the turn ends.
func (s *sourceTask) backOff(turn context.Context) {
	s.idle = min(max(2*s.idle, minIdle), maxIdle)
	connect.Pause(turn, s.idle)
}

// send converts the polled records and hands them to the producer, one by one. The batch keeps what their fate needs;
// the memory of the poll is free again at the end, unless the task wants to see its records once more.
func (s *sourceTask) send(b *batch) error {
	if s.producer == nil {
		p, err := s.NewProducer(s.acked)
		if err != nil {
			return err
		}
		s.producer = p
	}
	records := s.polled.Records()
	b.prepare(len(records), s.perBatch)
	if s.acker != nil {
		b.polled, s.polled = s.polled, connect.NewBatch(batchLimit)
	}
	// The tracker sees a batch when all of it that can be sent is sent, whether or not that is everything.
	defer func() {
		s.track.submit(b)
		s.landed(b)
	}()
	var enc pipeline.Encoded
	now := time.Now() // one for the whole batch; asking the clock for each record shows in profiles
	for i := range records {
		r := &records[i]
		var keep bool
		var err error
		b.bytes, keep, err = s.Pipe.Encode(s.hard, b.bytes, r, &enc)
		if err != nil {
			return err
		}
		if !keep {
			s.dropped(r)
			continue
		}
		out := b.next(s.hard, r, i)
		fill(out, r, &enc, now)
		out.Headers = b.copyHeaders(enc.Headers)
		b.pending.Add(1)
		s.producer.Produce(s.hard, out)
	}
	s.adapt(len(records), len(b.bytes))
	return nil
}

// adapt makes the next poll ask for as many records as come to about batchBytes.
func (s *sourceTask) adapt(records, bytes int) {
	s.perBatch = bytes + bytes/32
	s.polled.SetLimit(max(min(batchBytes*records/max(bytes, 1), batchLimit), 1))
}

// fill sets what Kafka gets. Records without a time of their own have the time at which they are sent, as from Java's producer.
func fill(out *kgo.Record, r *connect.SourceRecord, enc *pipeline.Encoded, now time.Time) {
	out.Topic, out.Partition, out.Key, out.Value, out.Timestamp = r.Topic, r.Partition, enc.Key, enc.Value, now
	if r.Timestamp != connect.NoTimestamp {
		out.Timestamp = time.UnixMilli(r.Timestamp)
	}
}

// acked is the promise of all records. It runs on the producer's goroutine.
func (s *sourceTask) acked(r *kgo.Record, err error) {
	f, ok := r.Context.(*flight)
	if !ok {
		return // impossible: every record is made by batch.next
	}
	if err != nil && !s.tolerates(r, err) {
		s.failSend(r, err)
		return
	}
	f.acked.Store(true)
	s.landed(f.batch)
}

func (s *sourceTask) landed(b *batch) {
	if b.pending.Add(-1) != 0 {
		return
	}
	if s.acker != nil {
		s.acker.wake()
	}
	s.signal()
}

// signal wakes a task that waits for room.
func (s *sourceTask) signal() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// awaitRoom waits until enough of what is on its way has been acknowledged, the turn ends or sending has failed.
func (s *sourceTask) awaitRoom(turn context.Context) {
	for s.track.full() && s.sendErr.Load() == nil && turn.Err() == nil {
		select {
		case <-s.room:
			s.track.foldDone()
		case <-turn.Done():
		}
	}
}

func (s *sourceTask) tolerates(r *kgo.Record, err error) bool {
	if s.hard.Err() != nil {
		return false
	}
	return s.Tolerance.Report(pipeline.ProduceStage, "org.apache.kafka.connect.source.SourceTask", err, func() string {
		return "for topic " + r.Topic
	})
}

// failSend remembers the first failure. The record stays without acknowledgement, so its offset is never committed.
func (s *sourceTask) failSend(r *kgo.Record, err error) {
	if s.hard.Err() != nil || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	err = fmt.Errorf("record for topic %s: %w", r.Topic, err)
	if s.sendErr.CompareAndSwap(nil, &err) {
		s.signal()
		s.log.Error("a record could not be sent", "error", err)
	}
}

// dropped tells the task that a record will not be sent. Its offset is not tracked: Connect commits offsets of
// sent records only.
func (s *sourceTask) dropped(r *connect.SourceRecord) {
	if s.acker != nil {
		s.acker.drop(r)
	}
}

func (s *sourceTask) close() {
	if s.timer != nil {
		s.timer.Stop()
		s.awaitAcks()
		s.commit()
	}
	if s.acker != nil {
		s.acker.stop()
	}
	if s.started {
		if err := event.Guard(func() error { return s.Task.Stop(s.hard) }); err != nil {
			s.log.Warn("the task did not stop cleanly", "error", err)
		}
	}
	if s.producer != nil {
		s.producer.Close()
	}
	if s.closeOffsets != nil {
		s.closeOffsets()
	}
}

// awaitAcks waits for what is on its way, within the flush timeout.
func (s *sourceTask) awaitAcks() {
	if s.producer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.hard, s.FlushTimeout)
	defer cancel()
	if err := s.producer.Flush(ctx); err != nil {
		s.log.Warn("some records were not acknowledged in time and will be sent again after the restart", "records", s.track.outstanding(), "error", err)
	}
}
