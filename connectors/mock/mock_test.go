package mock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSourceConformance(t *testing.T) {
	t.Parallel()
	const reason = "the connector has no records"
	conntest.RunSource(t, conntest.SourceCase{
		Plugin: Source,
		Setup: func(conntest.TB) conntest.SourceEnv {
			return conntest.SourceEnv{Props: connect.Props{keyMode: taskFailure, keyDelay: "3600000"}}
		},
		Waive: map[string]string{
			"Records": reason, "ValuesFitSchemas": reason, "OffsetsRoundTrip": reason, "Resume": reason,
			"CrashBeforeCommit": reason, "BatchNotKept": reason, "AcksWhilePolling": reason,
		},
	})
}

func TestSinkConformance(t *testing.T) {
	t.Parallel()
	const reason = "the connector drops all records"
	conntest.RunSink(t, conntest.SinkCase{
		Plugin: Sink,
		Setup: func(conntest.TB) conntest.SinkEnv {
			return conntest.SinkEnv{
				Props:     connect.Props{keyMode: taskFailure, keyDelay: "3600000"},
				Delivered: func() ([]int, error) { return nil, nil },
			}
		},
		Waive: map[string]string{
			"Delivery": reason, "FlushDurable": reason, "PutAfterRetriable": reason, "PutSliceReused": reason,
			"Rebalance": reason, "LostPartitions": reason, "Rewind": reason, "CrashBeforeCommit": reason,
		},
	})
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	type plugin struct{ Class, TaskClass, Version string }
	var got []plugin
	for _, p := range []connect.Plugin{Source, Sink} {
		got = append(got, plugin{p.Class, p.TaskClass, p.Version})
		if n := len(p.Def.Keys()); n != 0 {
			t.Errorf("%s defines %d keys", p.Class, n)
		}
	}
	want := []plugin{
		{"org.apache.kafka.connect.tools.MockSourceConnector", "org.apache.kafka.connect.tools.MockSourceTask", "4.3.1"},
		{"org.apache.kafka.connect.tools.MockSinkConnector", "org.apache.kafka.connect.tools.MockSinkTask", "4.3.1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plugins (-want +got):\n%s", diff)
	}
}

// failures has when something fails with a configuration, by the mode in which it does.
func failures(mode string) []failureCase {
	return []failureCase{
		{connect.Props{keyMode: mode}, 15 * time.Second, "failing 15000 ms after the start, as mock_mode=" + mode + " asks for"},
		{connect.Props{keyMode: mode, keyDelay: "1001"}, 1001 * time.Millisecond, "failing 1001 ms after the start, as mock_mode=" + mode + " asks for"},
		{connect.Props{keyMode: mode, keyDelay: "0"}, 0, "failing 0 ms after the start, as mock_mode=" + mode + " asks for"},
		{connect.Props{keyMode: mode, keyDelay: "-5"}, 0, "failing 0 ms after the start, as mock_mode=" + mode + " asks for"},
	}
}

type failureCase struct {
	props connect.Props
	after time.Duration
	want  string
}

func checkFailure(t *testing.T, tc failureCase, after time.Duration, err error) {
	t.Helper()
	e, ok := errors.AsType[*connect.Error](err)
	if !ok || e.Class != "java.lang.RuntimeException" || e.Message != tc.want || after != tc.after {
		t.Errorf("%v: %v after %v, want %s after %v", tc.props, err, after, tc.want, tc.after)
	}
	if _, retriable := connect.IsRetriable(err); retriable {
		t.Errorf("%v: a retriable error", tc.props)
	}
}

// both are the connectors, as what they have in common.
func both() []connect.Connector { return []connect.Connector{Source.Source(), Sink.Sink()} }

func TestConnectorFailure(t *testing.T) {
	t.Parallel()
	for _, tc := range failures(connectorFailure) {
		synctest.Test(t, func(t *testing.T) {
			for _, c := range both() {
				start := time.Now()
				if err := c.Start(t.Context(), nil, tc.props); err != nil {
					t.Fatal(err)
				}
				err := c.(connect.Monitor).Run(t.Context())
				checkFailure(t, tc, time.Since(start), err)
			}
		})
	}
}

func TestConnectorEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range both() {
			start := time.Now()
			if err := c.Start(t.Context(), nil, connect.Props{keyMode: connectorFailure}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			err := c.(connect.Monitor).Run(ctx)
			cancel()
			if err != nil || time.Since(start) != time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		}
	})
}

func TestSourceTaskFailure(t *testing.T) {
	t.Parallel()
	for _, tc := range failures(taskFailure) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s, err := conntest.StartSource(Source, tc.props, conntest.Options{})
			for err == nil {
				var recs []connect.SourceRecord
				if recs, err = s.Poll(t.Context()); len(recs) > 0 {
					t.Errorf("%d records", len(recs))
				}
			}
			checkFailure(t, tc, time.Since(start), err)
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSinkTaskFailure waits between puts as long as the task asks for, as a worker without records does.
func TestSinkTaskFailure(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		failureCase
		waits []time.Duration // that the task asks for first
	}{
		{
			failureCase{connect.Props{keyMode: taskFailure, keyDelay: "600"}, 750 * time.Millisecond, "failing 600 ms after the start, as mock_mode=task-failure asks for"},
			[]time.Duration{250 * time.Millisecond, 250 * time.Millisecond, 250 * time.Millisecond},
		},
		{
			failureCase{connect.Props{keyMode: taskFailure, keyDelay: "70"}, 70 * time.Millisecond, "failing 70 ms after the start, as mock_mode=task-failure asks for"},
			[]time.Duration{70 * time.Millisecond},
		},
		{
			failureCase{connect.Props{keyMode: taskFailure, keyDelay: "0"}, time.Millisecond, "failing 0 ms after the start, as mock_mode=task-failure asks for"},
			[]time.Duration{time.Millisecond},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var waits []time.Duration
			sc := connect.NewSinkTaskContext(connect.SinkTaskRuntime{RetryIn: func(d time.Duration) { waits = append(waits, d) }})
			task := Sink.Sink().NewTask()
			start := time.Now()
			err := task.Start(t.Context(), sc, tc.props)
			for err == nil {
				connect.Pause(t.Context(), waits[len(waits)-1])
				err = task.Put(t.Context(), nil)
			}
			checkFailure(t, tc.failureCase, time.Since(start), err)
			if diff := cmp.Diff(tc.waits, waits); diff != "" {
				t.Errorf("waits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNoFailure has configurations with which nothing fails for ten minutes, a delay that nobody reads among them.
func TestNoFailure(t *testing.T) {
	t.Parallel()
	for _, props := range []connect.Props{
		{},
		{keyMode: "other", keyDelay: "soon"},
		{keyMode: connectorFailure, keyDelay: "3600000"},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			source, err := conntest.StartSource(Source, props, conntest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			topics := conntest.NewTopics()
			tp := connect.TopicPartition{Topic: "t"}
			topics.Append(tp, connect.Record{Value: data.String("x")})
			sink, err := conntest.StartSink(Sink, props, conntest.Options{Topics: topics})
			if err != nil {
				t.Fatal(err)
			}
			err = sink.Assign(tp)
			for err == nil && time.Since(start) < 10*time.Minute {
				_, pollErr := source.Poll(t.Context())
				err = errors.Join(pollErr, sink.Step())
			}
			if err := errors.Join(err, source.Stop(), sink.Stop()); err != nil {
				t.Errorf("%v: %v", props, err)
			}
			if want := (connect.Offsets{tp: 1}); !cmp.Equal(want, topics.Committed()) {
				t.Errorf("%v: committed %v, want %v", props, topics.Committed(), want)
			}
		})
	}
}

func TestBadDelay(t *testing.T) {
	t.Parallel()
	for _, delay := range []string{"soon", "", "1.5", "99999999999999"} {
		want := "delay_ms=" + delay + " is wrong, it must be a number of milliseconds"
		for mode, place := range map[string]string{connectorFailure: "connector", taskFailure: "task"} {
			props := connect.Props{keyMode: mode, keyDelay: delay}
			_, sourceErr := conntest.StartSource(Source, props, conntest.Options{})
			_, sinkErr := conntest.StartSink(Sink, props, conntest.Options{})
			for _, err := range []error{sourceErr, sinkErr} {
				e, ok := errors.AsType[*connect.Error](err)
				if !ok || e.Class != connect.ClassConnect || err.Error() != "Start of the "+place+": "+want {
					t.Errorf("%v: %v, want %s", props, err, want)
				}
			}
		}
	}
}
