package conntest

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/connect"
)

// startStop stops a task that never had a partition.
func (t *sinkTest) startStop() error {
	return t.with(func(*Sink) error { return nil }, (*Sink).Stop)
}

// stopAfterFailedStart gives the task no configuration. Whether it starts or not, it must stop.
func (t *sinkTest) stopAfterFailedStart() error {
	task, err := makeTask[connect.SinkTask](t.c, t.Plugin)
	if err != nil {
		return err
	}
	tc := (&Sink{opts: Options{}.withDefaults()}).newContext(connect.Props{})
	return startWithNothing(t.c, task, func(ctx context.Context) error { return task.Start(ctx, tc, connect.Props{}) })
}

// stopInTime puts records with a context that has ended or ends soon, and stops without having committed. The
// destination refuses what is written, if it can be made to.
func (t *sinkTest) stopInTime() error {
	return t.with(func(s *Sink) error {
		if err := s.Assign(part0); err != nil {
			return err
		}
		if t.Break != nil {
			t.Break(true)
			defer t.Break(false)
		}
		t.produce(20, part0)
		for _, newContext := range []func() (context.Context, context.CancelFunc){cancelSoon, canceled} {
			ctx, cancel := newContext()
			err := s.step(ctx)
			cancel()
			if _, ok := errors.AsType[*panicError](err); ok || t.c.stuck != "" {
				return err
			}
		}
		return nil
	}, (*Sink).Crash)
}

func canceled() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}

// taskConfigLimit tries several values of tasks.max and starts a task with every configuration.
func (t *sinkTest) taskConfigLimit() error {
	return checkTaskConfigs(t.c, t.Plugin, t.Props, func(task connect.Props) error {
		s := &Sink{running: &running{caller: t.c, plugin: t.Plugin}, opts: Options{}.withDefaults()}
		if err := s.startTask(task); err != nil {
			return err
		}
		return t.c.call("Stop of the task", s.task.Stop)
	})
}

// putNone puts no records, before there are partitions and after.
func (t *sinkTest) putNone() error {
	err := t.with(func(s *Sink) error {
		if err := s.Step(); err != nil {
			return err
		}
		if err := s.Assign(part0); err != nil {
			return err
		}
		for range 3 {
			if err := s.Step(); err != nil {
				return err
			}
		}
		_, err := s.Commit()
		return err
	}, (*Sink).Stop)
	if err != nil {
		return err
	}
	numbers, err := t.Delivered()
	if err == nil && len(numbers) > 0 {
		err = fmt.Errorf("the destination holds %d records, none was put", len(numbers))
	}
	return err
}

// delivery puts records of several partitions in several batches.
func (t *sinkTest) delivery() error {
	err := t.with(func(s *Sink) error {
		if err := s.Assign(part0, part1); err != nil {
			return err
		}
		for range 3 {
			t.produce(10, part0, part1)
			if err := drainAndCommit(s); err != nil {
				return err
			}
		}
		t.produce(10, part0)
		return s.Drain()
	}, (*Sink).Stop)
	if err != nil {
		return err
	}
	return t.check(once)
}

// flushDurable looks at the destination right after a commit, before the task is stopped or has any other chance to
// write.
func (t *sinkTest) flushDurable() error {
	return t.with(func(s *Sink) error {
		if err := s.Assign(part0, part1); err != nil {
			return err
		}
		for range 2 {
			t.produce(10, part0, part1)
			if err := drainAndCommit(s); err != nil {
				return err
			}
			if err := t.check(once); err != nil {
				return fmt.Errorf("after a commit: %w", err)
			}
		}
		return nil
	}, (*Sink).Crash)
}

// putAfterRetriable breaks the destination for a while.
func (t *sinkTest) putAfterRetriable() error {
	if t.Break == nil {
		return skipped("the destination cannot be broken: Break is nil")
	}
	err := t.with(func(s *Sink) error {
		if err := s.Assign(part0); err != nil {
			return err
		}
		t.produce(10, part0)
		if err := drainAndCommit(s); err != nil {
			return err
		}
		t.produce(10, part0)
		if err := t.whileBroken(s); err != nil {
			return err
		}
		return drainAndCommit(s)
	}, (*Sink).Stop)
	if err != nil {
		return err
	}
	return t.check(atLeastOnce)
}

// whileBroken makes some steps with a broken destination. They may fail, but not for good, and nothing may be
// committed that is not in the destination.
func (t *sinkTest) whileBroken(s *Sink) error {
	t.Break(true)
	defer t.Break(false)
	for range 3 {
		err := s.Step()
		if _, retriable := connect.IsRetriable(err); err != nil && !retriable {
			return fmt.Errorf("with a broken destination: %w", err)
		}
	}
	_, err := s.Commit()
	if err == nil {
		err = t.check(atLeastOnce)
	} else {
		err = nil // a commit may fail, and everything comes again
	}
	return err
}

// putSliceReused overwrites the slice of each put afterwards. The values put stay as they are.
func (t *sinkTest) putSliceReused() error {
	err := t.with(func(s *Sink) error {
		s.spoil = true
		if err := s.Assign(part0, part1); err != nil {
			return err
		}
		t.produce(20, part0, part1)
		return drainAndCommit(s)
	}, (*Sink).Stop)
	if err == nil {
		err = t.check(once)
	}
	if err != nil {
		return fmt.Errorf("with the slice of each Put overwritten afterwards: %w", err)
	}
	return nil
}

// rebalance takes partitions away and gives others, with records not committed at the time.
func (t *sinkTest) rebalance() error {
	err := t.with(func(s *Sink) error {
		if err := s.Assign(part0, part1); err != nil {
			return err
		}
		t.produce(10, part0, part1)
		if err := s.Drain(); err != nil {
			return err
		}
		if err := s.Revoke(part0); err != nil {
			return err
		}
		t.produce(5, part0, part1, part2)
		if err := s.Assign(part2); err != nil {
			return err
		}
		if err := s.Drain(); err != nil {
			return err
		}
		if err := errors.Join(s.Revoke(part1, part2), s.Assign(part0, part1, part2)); err != nil {
			return err
		}
		t.produce(5, part0, part1, part2)
		return s.Drain()
	}, (*Sink).Stop)
	if err != nil {
		return err
	}
	return t.check(once)
}

// lostPartitions takes partitions away without a commit and gives them back: the records come again.
func (t *sinkTest) lostPartitions() error {
	err := t.with(func(s *Sink) error {
		if err := s.Assign(part0, part1); err != nil {
			return err
		}
		t.produce(10, part0, part1)
		if err := s.Drain(); err != nil {
			return err
		}
		if err := errors.Join(s.Lose(part0, part1), s.Assign(part1, part0)); err != nil {
			return err
		}
		return drainAndCommit(s)
	}, (*Sink).Crash)
	if err != nil {
		return err
	}
	return t.check(atLeastOnce)
}

// rewind makes consumption start over at the committed offsets, as after a failed commit.
func (t *sinkTest) rewind() error {
	err := t.with(func(s *Sink) error {
		if err := s.Assign(part0); err != nil {
			return err
		}
		t.produce(10, part0)
		if err := drainAndCommit(s); err != nil {
			return err
		}
		t.produce(10, part0)
		if err := s.Drain(); err != nil {
			return err
		}
		s.Rewind()
		return drainAndCommit(s)
	}, (*Sink).Stop)
	if err != nil {
		return err
	}
	return t.check(atLeastOnce)
}

// crashBeforeCommit stops the task with records put and not committed, and starts another one.
func (t *sinkTest) crashBeforeCommit() error {
	t.produce(20, part0)
	err := t.with(func(s *Sink) error {
		if err := s.Assign(part0); err != nil {
			return err
		}
		return s.Drain()
	}, (*Sink).Crash)
	if err != nil {
		return err
	}
	err = t.with(func(s *Sink) error {
		if err := s.Assign(part0); err != nil {
			return err
		}
		return drainAndCommit(s)
	}, (*Sink).Stop)
	if err != nil {
		return err
	}
	return t.check(atLeastOnce)
}

// alterOffsets asks for an offset to be set and another one to be deleted. What the connector answers is its own affair.
func (t *sinkTest) alterOffsets() error {
	alterer, err := makeConnector[connect.SinkOffsetAlterer](t.c, t.Plugin)
	if err != nil {
		return err
	}
	offset := int64(3)
	props := connectorProps(t.Plugin, t.Props, 1)
	err = t.c.call("AlterOffsets", func(ctx context.Context) error {
		_, err := alterer.AlterOffsets(ctx, props, map[connect.TopicPartition]*int64{part0: &offset, part1: nil})
		return err
	})
	if _, ok := errors.AsType[*panicError](err); ok || t.c.stuck != "" {
		return err
	}
	return nil
}
