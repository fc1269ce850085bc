package conntest

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// startStop stops a task that was never polled.
func (t *sourceTest) startStop() error {
	return t.with(func(*Source) error { return nil })
}

// stopAfterFailedStart gives the task no configuration. Whether it starts or not, it must stop.
func (t *sourceTest) stopAfterFailedStart() error {
	task, err := makeTask[connect.SourceTask](t.c, t.Plugin)
	if err != nil {
		return err
	}
	tc := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
		Log:   Options{}.withDefaults().Log,
		Props: func() connect.Props { return connect.Props{} },
		Offsets: func(_ context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
			return t.store.get(ps)
		},
	})
	return startWithNothing(t.c, task, func(ctx context.Context) error { return task.Start(ctx, tc, connect.Props{}) })
}

// stopWhilePolling ends the contexts of polls that have nothing to read, and then stops.
func (t *sourceTest) stopWhilePolling() error {
	return t.with(func(s *Source) error {
		for range 3 {
			ctx, cancel := cancelSoon()
			_, err := s.Poll(ctx)
			cancel()
			if err != nil {
				return err
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := s.Poll(ctx)
		return err
	})
}

// taskConfigLimit tries several values of tasks.max and starts a task with every configuration.
func (t *sourceTest) taskConfigLimit() error {
	return checkTaskConfigs(t.c, t.Plugin, t.Props, func(task connect.Props) error {
		s := &Source{running: &running{caller: t.c, plugin: t.Plugin}, opts: Options{Store: t.store}.withDefaults()}
		if err := s.startTask(task); err != nil {
			return err
		}
		return t.c.call("Stop of the task", s.task.Stop)
	})
}

// records reads what is there before the start and what comes later.
func (t *sourceTest) records() error {
	if err := t.produce(20); err != nil {
		return err
	}
	return t.run(0, span(0, 20), func(s *Source) error {
		if err := errors.Join(s.Ack(s.Unacked()), s.Commit(), t.produce(30)); err != nil {
			return err
		}
		_, err := t.expect(s, span(20, 50))
		return err
	})
}

func (t *sourceTest) valuesFitSchemas() error {
	return t.eachRecord(func(_ *Source, r *connect.SourceRecord) error { return checkValues(r) })
}

// offsetsRoundTrip checks that partitions and offsets can be stored and come back as they were.
func (t *sourceTest) offsetsRoundTrip() error { return t.eachRecord(checkOffset) }

// resume restarts after the offsets of some of the records were committed: the others come, and those only.
func (t *sourceTest) resume() error {
	var committed []connect.SourceRecord
	err := t.with(func(s *Source) error {
		if err := t.produce(20); err != nil {
			return err
		}
		recs, err := t.expect(s, span(0, 20))
		if err != nil {
			return err
		}
		committed = recs[:12]
		return errors.Join(s.Ack(len(committed)), s.Commit())
	})
	if err != nil {
		return err
	}
	rest, err := t.without(span(0, 30), committed)
	if err != nil {
		return err
	}
	err = t.run(10, rest, func(s *Source) error { return errors.Join(s.Ack(s.Unacked()), s.Commit()) })
	if err != nil {
		return fmt.Errorf("after a restart from committed offsets: %w", err)
	}
	if err := t.run(5, span(30, 35), func(*Source) error { return nil }); err != nil {
		return fmt.Errorf("after a restart with everything committed: %w", err)
	}
	return nil
}

// without returns the numbers that are not those of recs.
func (t *sourceTest) without(numbers []int, recs []connect.SourceRecord) ([]int, error) {
	gone := make(map[int]bool)
	for _, r := range recs {
		n, err := t.Number(r)
		if err != nil {
			return nil, err
		}
		gone[n] = true
	}
	var rest []int
	for _, n := range numbers {
		if !gone[n] {
			rest = append(rest, n)
		}
	}
	return rest, nil
}

// crashBeforeCommit acknowledges some records and commits nothing: at least the others come again.
func (t *sourceTest) crashBeforeCommit() error {
	var acked []connect.SourceRecord
	err := t.with(func(s *Source) error {
		if err := t.produce(20); err != nil {
			return err
		}
		recs, err := t.expect(s, span(0, 20))
		if err != nil {
			return err
		}
		acked = recs[:8]
		return s.Ack(len(acked))
	})
	if err != nil {
		return err
	}
	rest, err := t.without(span(0, 20), acked)
	if err != nil {
		return err
	}
	t.Repeats = true
	if err := t.run(0, rest, func(*Source) error { return nil }); err != nil {
		return fmt.Errorf("after a crash without a commit: %w", err)
	}
	return nil
}

// batchNotKept overwrites the memory of each batch once its records are acknowledged. That offsets were right is seen
// from where a restart goes on.
func (t *sourceTest) batchNotKept() error {
	const rounds, each = 6, 10
	err := t.with(func(s *Source) error {
		s.recycle = &[2]*recycled{newRecycled(s.opts.Batch), newRecycled(s.opts.Batch)}
		for i := range rounds {
			if err := t.produce(each); err != nil {
				return err
			}
			if err := t.expectRecycled(s, span(i*each, (i+1)*each)); err != nil {
				return fmt.Errorf("with the memory of acknowledged batches overwritten: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = t.run(each, span(rounds*each, (rounds+1)*each), func(*Source) error { return nil })
	if err != nil {
		return fmt.Errorf("after a restart from offsets committed while the memory of acknowledged batches was overwritten: %w", err)
	}
	return nil
}

// expectRecycled is expect with an acknowledgement after each poll.
func (t *sourceTest) expectRecycled(s *Source, want []int) error {
	ctx, cancel := context.WithTimeout(context.Background(), t.c.limit)
	defer cancel()
	var all []connect.SourceRecord
	for !t.holds(all, want) && ctx.Err() == nil {
		recs, err := s.Poll(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(s.Ack(len(recs)), s.Commit()); err != nil {
			return err
		}
		if all = append(all, recs...); len(recs) == 0 {
			pauseFor(ctx, lookEvery)
		}
	}
	return t.check(all, want)
}

// acksWhilePolling calls Acked and Commit while a poll waits for records, as a worker may.
func (t *sourceTest) acksWhilePolling() error {
	const n = 5
	return t.with(func(s *Source) error {
		_, acker := s.task.(connect.Acker)
		_, committer := s.task.(connect.Committer)
		if !acker && !committer {
			return skipped("the task has neither Acked nor Commit")
		}
		if err := t.produce(n); err != nil {
			return err
		}
		if _, err := s.Next(n); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		batch := connect.NewBatch(s.opts.Batch)
		done := s.start(ctx, "Poll", func(ctx context.Context) error { return s.task.Poll(ctx, batch) })
		pauseFor(ctx, moment)
		err := errors.Join(s.Ack(s.Unacked()), s.Commit())
		cancel()
		if pollErr := s.await("Poll", done); pollErr != nil && !errors.Is(pollErr, context.Canceled) {
			err = errors.Join(err, pollErr)
		}
		return err
	})
}

// alterOffsets gives the connector its own offsets back, and then asks to forget them.
func (t *sourceTest) alterOffsets() error {
	const n = 5
	alterer, err := makeConnector[connect.SourceOffsetAlterer](t.c, t.Plugin)
	if err != nil {
		return err
	}
	err = t.run(n, span(0, n), func(s *Source) error { return errors.Join(s.Ack(n), s.Commit()) })
	if err != nil {
		return err
	}
	offsets, err := t.store.Offsets()
	if err != nil {
		return err
	}
	props := connectorProps(t.Plugin, t.Props, 1)
	alter := func(ctx context.Context) error {
		_, err := alterer.AlterOffsets(ctx, props, offsets)
		return err
	}
	if err := t.c.call("AlterOffsets with the connector's own offsets", alter); err != nil {
		return err
	}
	for i := range offsets {
		offsets[i].Offset = data.Null
	}
	return t.c.call("AlterOffsets with null offsets", alter)
}

// makeConnector returns a connector that is never started, as an optional interface; skipped if it is not one.
func makeConnector[I any](c *caller, p connect.Plugin) (I, error) {
	var out I
	err := c.call("making the connector", func(context.Context) error {
		i, ok := newConnector(p).(I)
		if !ok {
			return skipped("the connector does not have AlterOffsets")
		}
		out = i
		return nil
	})
	return out, err
}

// makeTask returns a task of a connector that is never started.
func makeTask[I any](c *caller, p connect.Plugin) (I, error) {
	var out I
	err := c.call("NewTask", func(context.Context) error {
		task, ok := newTask(newConnector(p)).(I)
		if !ok {
			return errors.New("it returned no task")
		}
		out = task
		return nil
	})
	return out, err
}

// startWithNothing starts a task without configuration and stops it. Errors are right, hanging and panics are not.
func startWithNothing(c *caller, task interface{ Stop(context.Context) error }, start func(context.Context) error) error {
	for _, step := range []struct {
		what string
		f    func(context.Context) error
	}{{"Start of the task without configuration", start}, {"Stop of the task after it", task.Stop}} {
		err := c.call(step.what, step.f)
		if _, ok := errors.AsType[*panicError](err); ok || c.stuck != "" {
			return err
		}
	}
	return nil
}
