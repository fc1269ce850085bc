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

// SourceCase describes a source connector to [RunSource].
type SourceCase struct {
	Plugin connect.Plugin
	// Setup makes the environment of one scenario, with an empty source of its own.
	Setup func(t TB) SourceEnv
	// Limit is how long one call may take, and how long the kit waits for records; 10 s if 0.
	Limit time.Duration
	// Repeats says that the connector may deliver records again after a restart although their offsets were committed.
	Repeats bool
	// Waive names scenarios that are skipped, with the reason.
	Waive map[string]string
}

// SourceEnv is a source that the kit controls, and the configuration with which the connector reads it. Its functions
// are called from the goroutine of the test.
type SourceEnv struct {
	Props connect.Props
	// Produce adds n records to the source that the connector is to deliver, numbered from from on. Each scenario counts
	// from 0 without gaps.
	Produce func(from, n int) error
	// Number returns the number of a delivered record. It is an error if the record is not, in every respect that
	// matters, one that was produced.
	Number func(r connect.SourceRecord) (int, error)
}

// RunSource runs the scenarios for source connectors as subtests of t. It logs which optional interfaces the connector and its task have;
// scenarios for those that it has not are skipped.
func RunSource[T Test[T]](t T, c SourceCase) {
	t.Helper()
	s := suite{plugin: c.Plugin, limit: c.Limit, waive: c.Waive}
	for _, sc := range []struct {
		name string
		run  func(*sourceTest) error
	}{
		{"Plugin", (*sourceTest).plugin},
		{"StartStop", (*sourceTest).startStop},
		{"StopAfterFailedStart", (*sourceTest).stopAfterFailedStart},
		{"StopWhilePolling", (*sourceTest).stopWhilePolling},
		{"TaskConfigLimit", (*sourceTest).taskConfigLimit},
		{"Records", (*sourceTest).records},
		{"ValuesFitSchemas", (*sourceTest).valuesFitSchemas},
		{"OffsetsRoundTrip", (*sourceTest).offsetsRoundTrip},
		{"Resume", (*sourceTest).resume},
		{"CrashBeforeCommit", (*sourceTest).crashBeforeCommit},
		{"BatchNotKept", (*sourceTest).batchNotKept},
		{"AcksWhilePolling", (*sourceTest).acksWhilePolling},
		{"AlterOffsets", (*sourceTest).alterOffsets},
	} {
		s.scenarios = append(s.scenarios, scenario{sc.name, func(t TB, call *caller) error {
			return sc.run(&sourceTest{SourceCase: c, SourceEnv: c.Setup(t), c: call, store: NewStore()})
		}})
	}
	runSuite(t, s)
}

// sourceTest is one scenario with its environment.
type sourceTest struct {
	SourceCase
	SourceEnv
	c        *caller
	store    *Store
	produced int
}

func (t *sourceTest) plugin() error { return checkPlugin(t.c, t.Plugin, t.Props) }

// produce adds the next n records.
func (t *sourceTest) produce(n int) error {
	err := t.Produce(t.produced, n)
	t.produced += n
	if err != nil {
		return fmt.Errorf("Produce of the test: %w", err)
	}
	return nil
}

// with runs f against a freshly started task and stops it.
func (t *sourceTest) with(f func(s *Source) error) error {
	s, err := startSource(t.c, t.Plugin, t.Props, Options{Store: t.store})
	if err != nil {
		return err
	}
	err = f(s)
	if t.c.stuck != "" {
		return err
	}
	return errors.Join(err, s.Stop())
}

// run produces n records and expects from a fresh task all numbers of want, in order.
func (t *sourceTest) run(n int, want []int, then func(s *Source) error) error {
	return t.with(func(s *Source) error {
		if err := t.produce(n); err != nil {
			return err
		}
		if _, err := t.expect(s, want); err != nil {
			return err
		}
		return then(s)
	})
}

// expect polls until all numbers of want have come, checks them, and returns the records.
func (t *sourceTest) expect(s *Source, want []int) ([]connect.SourceRecord, error) {
	recs, err := s.collect(func(recs []connect.SourceRecord) bool { return t.holds(recs, want) })
	if err != nil && !errors.Is(err, errLimit) {
		return recs, err
	}
	more, err := s.Rest()
	if err != nil {
		return recs, err
	}
	recs = append(recs, more...)
	return recs, t.check(recs, want)
}

// holds tells whether all numbers of want are there, or something that must not be.
func (t *sourceTest) holds(recs []connect.SourceRecord, want []int) bool {
	seen := make(map[int]bool)
	for _, r := range recs {
		n, err := t.Number(r)
		if err != nil {
			return true
		}
		seen[n] = true
	}
	return !slices.ContainsFunc(want, func(n int) bool { return !seen[n] })
}

// check compares the records of one run with the numbers wanted of it.
func (t *sourceTest) check(recs []connect.SourceRecord, want []int) error {
	last := make(map[*connect.SourcePartition]int)
	seen := make(map[int]bool)
	var extra []int
	for _, r := range recs {
		n, err := t.Number(r)
		if err != nil {
			return fmt.Errorf("a record is not one that was produced: %w", err)
		}
		if before, ok := last[r.SourcePartition]; ok && n <= before {
			return fmt.Errorf("record %d came after record %d of the same source partition", n, before)
		}
		last[r.SourcePartition] = n
		if !slices.Contains(want, n) && (!t.Repeats || n < 0 || n >= t.produced) || seen[n] {
			extra = append(extra, n)
		}
		seen[n] = true
	}
	lost := slices.DeleteFunc(slices.Clone(want), func(n int) bool { return seen[n] })
	switch {
	case len(lost) > 0:
		return fmt.Errorf("these records did not come: %s", ints(lost))
	case len(extra) > 0:
		return fmt.Errorf("these records came again: %s", ints(extra))
	default:
		return nil
	}
}

// span returns the numbers from from to to-1.
func span(from, to int) []int {
	all := make([]int, 0, to-from)
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// eachRecord runs f on each of some records.
func (t *sourceTest) eachRecord(f func(s *Source, r *connect.SourceRecord) error) error {
	const n = 12
	return t.with(func(s *Source) error {
		if err := t.produce(n); err != nil {
			return err
		}
		recs, err := s.Next(n)
		for i := range recs {
			if err == nil {
				err = f(s, &recs[i])
			}
		}
		return err
	})
}

func checkValues(r *connect.SourceRecord) error {
	if r.Topic == "" {
		return errors.New("a record has no topic")
	}
	if r.Timestamp < connect.NoTimestamp || r.Partition < connect.NoPartition {
		return fmt.Errorf("a record has timestamp %d and partition %d", r.Timestamp, r.Partition)
	}
	if err := data.ValidateValue("key", r.KeySchema, r.Key); err != nil {
		return fmt.Errorf("the key of a record does not fit its schema: %w", err)
	}
	if err := data.ValidateValue("value", r.ValueSchema, r.Value); err != nil {
		return fmt.Errorf("the value of a record does not fit its schema: %w", err)
	}
	for _, h := range r.Headers {
		if err := data.ValidateValue(h.Key, h.Schema, h.Value); err != nil {
			return fmt.Errorf("a header of a record does not fit its schema: %w", err)
		}
	}
	return nil
}

func checkOffset(s *Source, r *connect.SourceRecord) error {
	offset, err := offsetFields(r.SourceOffset)
	switch {
	case err != nil:
		return err
	case r.SourcePartition == nil && offset == nil:
		return nil
	case r.SourcePartition == nil:
		return errors.New("a record has an offset and no source partition")
	case s.context.Partition(r.SourcePartition.Fields()) != r.SourcePartition:
		return fmt.Errorf("source partition %s was not made by SourceTaskContext.Partition", r.SourcePartition)
	}
	if err := roundTrip(r.SourcePartition.Fields()); err != nil {
		return fmt.Errorf("source partition %s: %w", r.SourcePartition, err)
	}
	if err := roundTrip(offset); err != nil {
		return fmt.Errorf("source offset %s: %w", r.SourceOffset, err)
	}
	return nil
}

// roundTrip checks that fields survive being stored.
func roundTrip(fields map[string]any) error {
	text, err := encode(fields)
	if err != nil {
		return err
	}
	v, err := decode(text)
	if err != nil {
		return err
	}
	back, err := offsetFields(v)
	if err != nil {
		return err
	}
	again, err := encode(back)
	if err == nil && again != text {
		err = fmt.Errorf("it is stored as %s and reads back as %s", text, again)
	}
	return err
}

// cancelSoon returns a context that ends after a moment.
func cancelSoon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), moment)
}
