package conntest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Source is a running source connector with one task, driven by the test. Its methods are called from one goroutine.
type Source struct {
	*running
	opts    Options
	task    connect.SourceTask
	context *connect.SourceTaskContext

	unacked     []connect.SourceRecord
	committable map[*connect.SourcePartition]data.Value
	recycle     *[2]*recycled // nil: every poll has a batch of its own
	polls       int
}

// StartSource starts a source connector with the given configuration, and the first of its tasks. As on a worker, the
// task is not made by the connector instance that planned it.
func StartSource(p connect.Plugin, props connect.Props, o Options) (*Source, error) {
	return startSource(newCaller(o.Limit), p, props, o)
}

func startSource(c *caller, p connect.Plugin, props connect.Props, o Options) (*Source, error) {
	o = o.withDefaults()
	r, err := startConnector(c, p, connectorProps(p, props, 1), o)
	if err != nil {
		return nil, err
	}
	s := &Source{running: r, opts: o, committable: make(map[*connect.SourcePartition]data.Value)}
	configs, err := r.taskConfigs(1)
	switch {
	case err == nil && len(configs) == 0:
		err = errors.New("TaskConfigs returned no task configuration")
	case err == nil:
		err = s.startTask(configs[0])
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Source) startTask(props connect.Props) error {
	props = taskProps(s.plugin, props)
	s.context = connect.NewSourceTaskContext(connect.SourceTaskRuntime{
		Log:   s.opts.Log,
		Props: func() connect.Props { return props },
		Offsets: func(_ context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
			return s.opts.Store.get(ps)
		},
	})
	task, err := makeTask[connect.SourceTask](s.caller, s.plugin)
	if err != nil {
		return err
	}
	s.task = task
	return s.call("Start of the task", func(ctx context.Context) error { return task.Start(ctx, s.context, props) })
}

// Poll calls the task's Poll once and returns copies of the records. They count as sent, and not as acknowledged. A
// retriable error gives no records and no error, as on a worker.
func (s *Source) Poll(ctx context.Context) ([]connect.SourceRecord, error) {
	batch := s.nextBatch()
	err := s.until(ctx, "Poll", func(ctx context.Context) error { return s.task.Poll(ctx, batch) })
	if _, retriable := connect.IsRetriable(err); retriable || (err != nil && errors.Is(err, ctx.Err())) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	s.spoil(1)
	first := len(s.unacked)
	for _, r := range batch.Records() {
		s.unacked = append(s.unacked, detach(r))
	}
	s.polls++
	return slices.Clone(s.unacked[first:]), nil
}

// nextBatch returns an empty batch. With recycling two batches alternate, the memory of one is overwritten before and
// after the poll into the other; all records must have been acknowledged.
func (s *Source) nextBatch() *connect.Batch {
	if s.recycle == nil {
		return connect.NewBatch(s.opts.Batch)
	}
	s.spoil(1)
	return s.recycle[s.polls%2].clean()
}

// spoil overwrites the batch that is ahead of the current one by that many polls.
func (s *Source) spoil(ahead int) {
	if s.recycle != nil {
		s.recycle[(s.polls+ahead)%2].overwrite()
	}
}

// Next polls until it has n records, and returns them all, which may be more. It is an error if the limit passes
// before; the records are returned all the same.
func (s *Source) Next(n int) ([]connect.SourceRecord, error) {
	recs, err := s.collect(func(recs []connect.SourceRecord) bool { return len(recs) >= n })
	if errors.Is(err, errLimit) {
		err = fmt.Errorf("%d of %d records came within %v", len(recs), n, s.limit)
	}
	return recs, err
}

// errLimit says that records did not come in time.
var errLimit = errors.New("not all records came in time")

// collect polls until enough is true of the records.
func (s *Source) collect(enough func([]connect.SourceRecord) bool) ([]connect.SourceRecord, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	var all []connect.SourceRecord
	for !enough(all) {
		if ctx.Err() != nil {
			return all, errLimit
		}
		recs, err := s.Poll(ctx)
		if err != nil {
			return all, err
		}
		if all = append(all, recs...); len(recs) == 0 {
			pauseFor(ctx, lookEvery)
		}
	}
	return all, nil
}

// Rest polls until a poll brings nothing for a moment, and returns what came.
func (s *Source) Rest() ([]connect.SourceRecord, error) {
	var all []connect.SourceRecord
	for {
		ctx, cancel := context.WithTimeout(context.Background(), moment)
		recs, err := s.Poll(ctx)
		cancel()
		all = append(all, recs...)
		if err != nil || len(recs) == 0 {
			return all, err
		}
	}
}

// moment is how long a task is watched that should do nothing.
const moment = 30 * time.Millisecond

// Ack acknowledges the oldest n records that are not yet.
func (s *Source) Ack(n int) error {
	acked := s.unacked[:n]
	s.unacked = slices.Clone(s.unacked[n:])
	acks := make([]connect.Ack, n)
	for i, r := range acked {
		if r.SourcePartition != nil {
			s.committable[r.SourcePartition] = r.SourceOffset
		}
		acks[i] = connect.Ack{Record: r, Meta: &connect.RecordMetadata{
			TopicPartition: connect.TopicPartition{Topic: r.Topic, Partition: max(r.Partition, 0)},
			Offset:         int64(i),
			Timestamp:      r.Timestamp,
		}}
	}
	a, ok := s.task.(connect.Acker)
	if !ok || n == 0 {
		return nil
	}
	return s.call("Acked", func(ctx context.Context) error { return a.Acked(ctx, acks) })
}

// Unacked returns the number of records not acknowledged yet.
func (s *Source) Unacked() int { return len(s.unacked) }

// Commit stores the offsets of acknowledged records.
func (s *Source) Commit() error {
	for p, v := range s.committable {
		offset, err := offsetFields(v)
		if err != nil {
			return err
		}
		if err := s.opts.Store.Set(p.Fields(), offset); err != nil {
			return fmt.Errorf("store offset of %s: %w", p, err)
		}
	}
	clear(s.committable)
	c, ok := s.task.(connect.Committer)
	if !ok {
		return nil
	}
	return s.call("Commit", c.Commit)
}

// Stop stops the task and the connector and returns an error if goroutines of theirs are left. It commits nothing:
// without a Commit before, it is what a crash is for the source.
func (s *Source) Stop() error {
	var errs []error
	if s.task != nil {
		errs = append(errs, s.call("Stop of the task", s.task.Stop))
	}
	errs = append(errs, s.running.stop(), s.leaked())
	return errors.Join(errs...)
}
