package conntest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

// recordSink runs the suite for sinks in a bubble and returns what it said.
func recordSink(t *testing.T, o sinkOptions, change func(*conntest.SinkCase)) *recorder {
	t.Helper()
	r := newRecorder(t)
	synctest.Test(t, func(*testing.T) {
		s := newShelf()
		c := o.sinkCase(s)
		if change != nil {
			change(&c)
		}
		conntest.RunSink(r, c)
		close(s.release)
	})
	return r
}

func sinkTask[T connect.SinkTask](wrap func(plainTask) T) sinkOptions {
	return sinkOptions{task: func(s *shelf) connect.SinkTask { return wrap(plainTask{s}) }}
}

func bufferingSinkTask[T connect.SinkTask](wrap func(bufferingTask) T) sinkOptions {
	return sinkOptions{task: func(s *shelf) connect.SinkTask { return wrap(bufferingTask{shelf: s}) }}
}

func TestGoodSinks(t *testing.T) {
	t.Parallel()
	const says = "org.example.ShelfConnector has these optional interfaces: "
	for _, tc := range []struct {
		name    string
		options sinkOptions
		logs    string
	}{
		{"plain", sinkOptions{}, says + "none"},
		{"buffering", bufferingSinkTask(func(t bufferingTask) *bufferingTask { return &t }), says + "Partitioned, Flusher"},
		{"packing", sinkOptions{task: func(s *shelf) connect.SinkTask { return &packingTask{shelf: s} }}, says + "Partitioned, PreCommitter"},
		{"steering", sinkTask(func(t plainTask) *steeringTask { return &steeringTask{plainTask: t} }), says + "none"},
		{"SinkFunc", sinkOptions{task: func(s *shelf) connect.SinkTask {
			return connect.SinkFunc(func(ctx context.Context, recs []connect.SinkRecord) error {
				return (&plainTask{s}).Put(ctx, recs)
			})()
		}}, says + "none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := recordSink(t, tc.options, nil)
			for name, text := range r.notes.failures {
				t.Errorf("%s failed: %s", name, text)
			}
			if diff := cmp.Diff(tc.logs, strings.Join(r.notes.logs, "\n")); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"AlterOffsets"}, r.skipped()); diff != "" {
				t.Errorf("skipped scenarios (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSinkWithTestingT runs the suite as authors do: on a *testing.T and in real time.
func TestSinkWithTestingT(t *testing.T) {
	t.Parallel()
	c := sinkOptions{}.sinkCase(newShelf())
	c.Limit = 0
	conntest.RunSink(t, c)
}

func TestBrokenSinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		options  sinkOptions
		scenario string
		want     string
	}{
		{"keeps the slice", sinkTask(func(t plainTask) *keepingTask { return &keepingTask{plainTask: t} }), "PutSliceReused", `there is "(memory of an earlier batch)"`},
		{
			"acknowledges what it has not written", bufferingSinkTask(func(t bufferingTask) *lyingTask { return &lyingTask{t} }), "FlushDurable",
			"after a commit: the offsets of these records are committed, and the destination does not hold them",
		},
		{
			"forgets the other partitions", bufferingSinkTask(func(t bufferingTask) *closingTask { return &closingTask{t} }), "Rebalance",
			"the destination does not hold them: 1 3 5",
		},
		{"writes twice", sinkTask(func(t plainTask) *doublingTask { return &doublingTask{t} }), "Delivery", "the destination holds these records more than once"},
		{"writes backwards", sinkTask(func(t plainTask) *reversingTask { return &reversingTask{t} }), "Delivery", "came after one with a higher offset"},
		{
			"ignores refusals", sinkTask(func(t plainTask) *carelessTask { return &carelessTask{t} }), "PutAfterRetriable",
			"the offsets of these records are committed, and the destination does not hold them: 10 11",
		},
		{"gives up", sinkTask(func(t plainTask) *fragileTask { return &fragileTask{t} }), "PutAfterRetriable", "with a broken destination: Put: the shelf is broken"},
		{
			"mistakes seen for written", bufferingSinkTask(func(t bufferingTask) *countingTask { return &countingTask{bufferingTask: t} }), "LostPartitions",
			"the destination does not hold them",
		},
		{"needs a record", sinkTask(func(t plainTask) *firstTask { return &firstTask{t} }), "PutNone", "Put: panic: runtime error: index out of range"},
		{"writes unasked", sinkTask(func(t plainTask) *beginningTask { return &beginningTask{t} }), "PutNone", `there is "begin"`},
		{"puts on", sinkTask(func(t plainTask) *deafSinkTask { return &deafSinkTask{t} }), "StopInTime", "Put did not return within 200ms of the end of its context"},
		{"never commits", sinkTask(func(t plainTask) *idleTask { return &idleTask{t} }), "Delivery", "nothing was committed"},
		{"leaks a goroutine", sinkTask(func(t plainTask) *leakingSinkTask { return &leakingSinkTask{t} }), "StartStop", "goroutines are left after Stop"},
		{
			"makes too many tasks",
			sinkOptions{connector: func(c *shelfConnector) connect.SinkConnector { return greedySinkConnector{c} }},
			"TaskConfigLimit",
			"with tasks.max=1: TaskConfigs returned 2 task configurations, at most 1 are allowed",
		},
		{"panics on a null offset", sinkOptions{connector: func(c *shelfConnector) connect.SinkConnector { return panickingAlterer{c} }}, "AlterOffsets", "AlterOffsets: panic"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			recordSink(t, tc.options, nil).wantFailure(t, tc.scenario, tc.want)
		})
	}
}

func TestUnbreakableDestination(t *testing.T) {
	t.Parallel()
	r := recordSink(t, sinkOptions{}, func(c *conntest.SinkCase) {
		setup := c.Setup
		c.Setup = func(t conntest.TB) conntest.SinkEnv {
			env := setup(t)
			env.Break = nil
			return env
		}
	})
	if got, want := r.notes.skips["PutAfterRetriable"], "the destination cannot be broken: Break is nil"; got != want {
		t.Errorf("skip of PutAfterRetriable: %q, want %q", got, want)
	}
}

// scriptedTask calls a function for each put.
type scriptedTask struct {
	plainTask
	tc  *connect.SinkTaskContext
	put func(tc *connect.SinkTaskContext, recs []connect.SinkRecord) error
}

func (t *scriptedTask) Start(_ context.Context, tc *connect.SinkTaskContext, _ connect.Props) error {
	t.tc = tc
	return nil
}

func (t *scriptedTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	return t.put(t.tc, recs)
}

var (
	tp0 = connect.TopicPartition{Topic: "t", Partition: 0}
	tp1 = connect.TopicPartition{Topic: "t", Partition: 1}
)

// script runs a task by hand on two partitions of three records each.
func script(t *testing.T, put func(tc *connect.SinkTaskContext, recs []connect.SinkRecord) error) (*conntest.Sink, *conntest.Topics) {
	t.Helper()
	o := sinkOptions{task: func(*shelf) connect.SinkTask { return &scriptedTask{put: put} }}
	topics := conntest.NewTopics()
	for _, text := range []string{"a", "b", "c"} {
		topics.Append(tp0, connect.Record{Value: data.String(text)})
		topics.Append(tp1, connect.Record{Value: data.String(strings.ToUpper(text))})
	}
	s, err := conntest.StartSink(o.plugin(newShelf()), nil, conntest.Options{Topics: topics, Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Assign(tp0, tp1); err != nil {
		t.Fatal(err)
	}
	return s, topics
}

func TestSinkPauseAndSeek(t *testing.T) {
	t.Parallel()
	var got []string
	s, _ := script(t, func(tc *connect.SinkTaskContext, recs []connect.SinkRecord) error {
		got = append(got, strings.Join(texts(recs), ""))
		switch len(got) {
		case 1:
			return tc.Pause(tp0)
		case 3:
			tc.Seek(connect.Offsets{tp1: 1})
			return tc.Resume(tp0)
		}
		return nil
	})
	for i := range 6 {
		if err := s.Step(); err != nil {
			t.Fatal(err)
		}
		if got, want := len(s.Paused()), []int{1, 1, 0, 0, 0, 0}[i]; got != want {
			t.Errorf("%d partitions are paused after step %d, want %d", got, i, want)
		}
	}
	if diff := cmp.Diff([]string{"ab", "AB", "C", "cB", "C", ""}, got); diff != "" {
		t.Errorf("puts (-want +got):\n%s", diff)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestSinkPausesAssignedPartitionsOnly(t *testing.T) {
	t.Parallel()
	s, _ := script(t, func(tc *connect.SinkTaskContext, _ []connect.SinkRecord) error {
		return tc.Pause(connect.TopicPartition{Topic: "other"})
	})
	const want = "Put: SinkTasks may not pause partitions that are not currently assigned to them."
	if err := s.Step(); err == nil || err.Error() != want {
		t.Errorf("Step: %v, want %s", err, want)
	}
	if err := s.Crash(); err != nil {
		t.Error(err)
	}
}

func TestSinkRetriesTheSameRecords(t *testing.T) {
	t.Parallel()
	var got []string
	s, topics := script(t, func(_ *connect.SinkTaskContext, recs []connect.SinkRecord) error {
		got = append(got, strings.Join(texts(recs), ""))
		if len(got) < 3 {
			return connect.Retriable(errors.New("later"))
		}
		return nil
	})
	for i := range 3 {
		err := s.Step()
		if _, retriable := connect.IsRetriable(err); retriable != (i < 2) {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if diff := cmp.Diff([]string{"ab", "ab", "ab"}, got); diff != "" {
		t.Errorf("puts (-want +got):\n%s", diff)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(connect.Offsets{tp0: 2}, topics.Committed()); diff != "" {
		t.Errorf("committed (-want +got):\n%s", diff)
	}
}

func TestSinkReportsAndRequestedCommit(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	s, topics := script(t, func(tc *connect.SinkTaskContext, recs []connect.SinkRecord) error {
		tc.RequestCommit()
		for i := range recs {
			if recs[i].Value.Str() == "b" {
				return tc.Report(context.Background(), &recs[i], bad)
			}
		}
		return nil
	})
	if err := s.Step(); err != nil {
		t.Fatal(err)
	}
	reports := s.Reports()
	if len(reports) != 1 || reports[0].Record.Offset != 1 || !errors.Is(reports[0].Err, bad) {
		t.Errorf("reports: %v, want one for offset 1", reports)
	}
	if diff := cmp.Diff(connect.Offsets{tp0: 2}, topics.Committed()); diff != "" {
		t.Errorf("committed (-want +got):\n%s", diff)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
