package conntest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Sink is a running sink connector with one task that consumes [Topics], driven by the test. Its methods are called from
// one goroutine.
type Sink struct {
	*running
	opts    Options
	task    connect.SinkTask
	reports []Report

	assigned []connect.TopicPartition
	paused   []connect.TopicPartition
	position connect.Offsets // what is fetched next
	current  connect.Offsets // what has been put
	seeks    connect.Offsets
	wish     bool // RequestCommit was called

	batch []connect.SinkRecord // fetched, and not put successfully
	put   []connect.SinkRecord // the slice that Put is given, each time the same
	spoil bool                 // overwrite it after each Put
}

// Report is a record that the task has reported as undeliverable.
type Report struct {
	Record connect.SinkRecord
	Err    error
}

// StartSink starts a sink connector with the given configuration, and the first of its tasks, which has no partitions
// yet. As on a worker, the task is not made by the connector instance that planned it.
func StartSink(p connect.Plugin, props connect.Props, o Options) (*Sink, error) {
	return startSink(newCaller(o.Limit), p, props, o)
}

func startSink(c *caller, p connect.Plugin, props connect.Props, o Options) (*Sink, error) {
	o = o.withDefaults()
	r, err := startConnector(c, p, connectorProps(p, props, 1), o)
	if err != nil {
		return nil, err
	}
	s := &Sink{running: r, opts: o, position: connect.Offsets{}, current: connect.Offsets{}, seeks: connect.Offsets{}}
	configs, err := r.taskConfigs(1)
	switch {
	case err == nil && len(configs) == 0:
		err = errors.New("TaskConfigs returned no task configuration")
	case err == nil:
		err = s.startTask(taskProps(p, configs[0]))
	}
	if err != nil {
		return nil, errors.Join(err, s.Crash())
	}
	return s, nil
}

func (s *Sink) startTask(props connect.Props) error {
	task, err := makeTask[connect.SinkTask](s.caller, s.plugin)
	if err != nil {
		return err
	}
	s.task = task
	tc := s.newContext(props)
	return s.call("Start of the task", func(ctx context.Context) error { return task.Start(ctx, tc, props) })
}

func (s *Sink) newContext(props connect.Props) *connect.SinkTaskContext {
	return connect.NewSinkTaskContext(connect.SinkTaskRuntime{
		Log:           s.opts.Log,
		Props:         func() connect.Props { return props },
		Assignment:    func() []connect.TopicPartition { return slices.Clone(s.assigned) },
		Seek:          func(o connect.Offsets) { maps.Copy(s.seeks, o) },
		RetryIn:       func(time.Duration) {},
		RequestCommit: func() { s.wish = true },
		Pause:         func(tps []connect.TopicPartition) error { return s.pause("pause", tps) },
		Resume:        func(tps []connect.TopicPartition) error { return s.pause("resume", tps) },
		Report: func(_ context.Context, r *connect.SinkRecord, err error) error {
			s.reports = append(s.reports, Report{Record: *r, Err: err})
			return nil
		},
	})
}

func (s *Sink) pause(what string, tps []connect.TopicPartition) error {
	if len(without(tps, s.assigned)) > 0 {
		return connect.NewError(fmt.Sprintf("SinkTasks may not %s partitions that are not currently assigned to them.", what), nil)
	}
	s.paused = without(s.paused, tps)
	if what == "pause" {
		s.paused = append(s.paused, tps...)
	}
	return nil
}

// Assign gives the task further partitions, to be consumed from their committed offsets.
func (s *Sink) Assign(tps ...connect.TopicPartition) error {
	committed := s.opts.Topics.Committed()
	for _, tp := range tps {
		s.position[tp] = committed[tp]
	}
	s.assigned = append(s.assigned, tps...)
	p, ok := s.task.(connect.Partitioned)
	if !ok {
		return nil
	}
	return s.call("Open", func(ctx context.Context) error { return p.Open(ctx, slices.Clone(tps)) })
}

// Revoke takes partitions away after a last commit of theirs.
func (s *Sink) Revoke(tps ...connect.TopicPartition) error {
	_, err := s.commit(tps)
	return errors.Join(err, s.Lose(tps...))
}

// Lose takes partitions away without a commit, as after a session timeout, when another task may own them already.
func (s *Sink) Lose(tps ...connect.TopicPartition) error {
	s.assigned, s.paused = without(s.assigned, tps), without(s.paused, tps)
	gone := func(tp connect.TopicPartition) bool { return slices.Contains(tps, tp) }
	s.batch = slices.DeleteFunc(s.batch, func(r connect.SinkRecord) bool { return gone(r.Original.TopicPartition) })
	for _, tp := range tps {
		delete(s.position, tp)
		delete(s.current, tp)
		delete(s.seeks, tp)
	}
	p, ok := s.task.(connect.Partitioned)
	if !ok {
		return nil
	}
	return s.call("Close", func(ctx context.Context) error { return p.Close(ctx, slices.Clone(tps)) })
}

// Step fetches the next records and puts them; without any it puts none. After a retriable error, which it returns, the
// next step puts the same records again. A commit that the task asks for is made.
func (s *Sink) Step() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	return s.step(ctx)
}

func (s *Sink) step(ctx context.Context) error {
	s.applySeeks()
	if len(s.batch) == 0 {
		s.fetch()
	}
	if err := s.putBatch(ctx); err != nil {
		return err
	}
	for _, r := range s.batch {
		s.current[r.Original.TopicPartition] = r.Original.Offset + 1
	}
	s.batch = nil
	if !s.wish {
		return nil
	}
	s.wish = false
	_, err := s.Commit()
	return err
}

func (s *Sink) applySeeks() {
	for tp, offset := range s.seeks {
		if slices.Contains(s.assigned, tp) {
			s.position[tp], s.current[tp] = offset, offset
		}
	}
	clear(s.seeks)
}

func (s *Sink) fetch() {
	for _, tp := range without(s.assigned, s.paused) {
		recs := s.opts.Topics.fetch(tp, s.position[tp], s.opts.Batch-len(s.batch))
		s.position[tp] += int64(len(recs))
		s.batch = append(s.batch, recs...)
	}
}

func (s *Sink) putBatch(ctx context.Context) error {
	s.put = append(s.put[:0], s.batch...)
	for i := range s.put {
		s.put[i].Record = detachRecord(s.put[i].Record)
	}
	err := s.until(ctx, "Put", func(ctx context.Context) error { return s.task.Put(ctx, s.put) })
	if s.stuck == "" && s.spoil {
		for i := range s.put {
			s.put[i] = poisonedSinkRecord()
		}
	}
	return err
}

func poisonedSinkRecord() connect.SinkRecord {
	v := data.String(poison)
	return connect.SinkRecord{Record: connect.Record{Topic: poison, Key: v, Value: v}, Offset: -1}
}

// Drain makes steps until the task has consumed what is there of its partitions that are not paused. Retriable errors
// are an error only if the limit passes.
func (s *Sink) Drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	for {
		err := s.step(ctx)
		if _, retriable := connect.IsRetriable(err); err != nil && !retriable {
			return err
		}
		if err == nil && s.drained() {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("not all records were put within %v", s.limit), err)
		}
		if err != nil {
			pauseFor(ctx, lookEvery)
		}
	}
}

func (s *Sink) drained() bool {
	for _, tp := range without(s.assigned, s.paused) {
		if s.position[tp] < s.opts.Topics.end(tp) {
			return false
		}
	}
	return len(s.seeks) == 0
}

// Commit asks the task what may be committed, commits that, and returns it. After an error of the task the records since the
// last commit are consumed again.
func (s *Sink) Commit() (connect.Offsets, error) { return s.commit(s.assigned) }

func (s *Sink) commit(tps []connect.TopicPartition) (connect.Offsets, error) {
	offsets := make(connect.Offsets)
	for _, tp := range tps {
		if n, ok := s.current[tp]; ok {
			offsets[tp] = n
		}
	}
	if len(offsets) == 0 {
		return offsets, nil
	}
	safe, err := s.preCommit(maps.Clone(offsets))
	if err != nil {
		s.Rewind()
		return nil, err
	}
	// What the task was not asked about, or goes beyond it, is ignored, as on a worker.
	maps.DeleteFunc(safe, func(tp connect.TopicPartition, n int64) bool {
		most, ok := offsets[tp]
		return !ok || n > most
	})
	s.opts.Topics.commit(safe)
	return safe, nil
}

func (s *Sink) preCommit(offsets connect.Offsets) (connect.Offsets, error) {
	given := maps.Clone(offsets)
	switch task := s.task.(type) {
	case connect.PreCommitter:
		err := s.call("PreCommit", func(ctx context.Context) (err error) {
			offsets, err = task.PreCommit(ctx, offsets)
			return err
		})
		return offsets, err
	case connect.Flusher:
		return given, s.call("Flush", func(ctx context.Context) error { return task.Flush(ctx, offsets) })
	default:
		return given, nil
	}
}

// Rewind makes consumption go on at the committed offsets, as after a failed commit.
func (s *Sink) Rewind() {
	committed := s.opts.Topics.Committed()
	for _, tp := range s.assigned {
		s.position[tp] = committed[tp]
		delete(s.current, tp)
	}
	s.batch = nil
}

// Paused returns the partitions that the task has paused.
func (s *Sink) Paused() []connect.TopicPartition { return slices.Clone(s.paused) }

// Reports returns the records reported so far.
func (s *Sink) Reports() []Report { return slices.Clone(s.reports) }

// Stop takes all partitions away as Revoke does, stops the task and the connector, and returns an error if goroutines
// of theirs are left.
func (s *Sink) Stop() error {
	var err error
	if len(s.assigned) > 0 {
		err = s.Revoke(s.assigned...)
	}
	return errors.Join(err, s.Crash())
}

// Crash is Stop without the last commit, and without closing partitions.
func (s *Sink) Crash() error {
	var errs []error
	if s.task != nil {
		errs = append(errs, s.call("Stop of the task", s.task.Stop))
	}
	errs = append(errs, s.running.stop(), s.leaked())
	return errors.Join(errs...)
}
