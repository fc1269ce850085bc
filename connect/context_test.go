package connect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

func TestPartitionsAreInterned(t *testing.T) {
	t.Parallel()
	source := connect.NewSourceTaskContext(connect.SourceTaskRuntime{})
	other := connect.NewSourceTaskContext(connect.SourceTaskRuntime{})
	conn := connect.NewConnectorContext(connect.ConnectorRuntime{})
	for name, intern := range map[string]func(map[string]any) *connect.SourcePartition{"task": source.Partition, "connector": conn.Partition} {
		a := intern(map[string]any{"a": "1", "b": int64(2), "c": nil})
		if again := intern(map[string]any{"c": nil, "b": int64(2), "a": "1"}); again != a {
			t.Errorf("%s: equal contents have different handles", name)
		}
	}
	if source.Partition(nil) != source.Partition(map[string]any{}) {
		t.Error("no fields and nil have different handles")
	}
	if source.Partition(map[string]any{"a": 1}) == other.Partition(map[string]any{"a": 1}) {
		t.Error("two contexts share a handle")
	}
}

func TestPartitionsDiffer(t *testing.T) {
	t.Parallel()
	c := connect.NewSourceTaskContext(connect.SourceTaskRuntime{})
	seen := map[*connect.SourcePartition]map[string]any{}
	for _, fields := range []map[string]any{
		{},
		{"a": nil},
		{"a": ""},
		{"a": "1"},
		{"a": int32(1)},
		{"a": int64(1)},
		{"a": 1.0},
		{"a": true},
		{"a": "true"},
		{"a": []byte("1")},
		{"b": "1"},
		{"a": "1", "b": "1"},
		{`a":"1","b`: "1"},
		{"a": `1","b":"1`},
	} {
		p := c.Partition(fields)
		if before, ok := seen[p]; ok {
			t.Errorf("%v and %v have the same handle", before, fields)
		}
		seen[p] = fields
		if diff := cmp.Diff(fields, p.Fields()); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
	}
}

func TestPartitionKeepsItsFields(t *testing.T) {
	t.Parallel()
	c := connect.NewSourceTaskContext(connect.SourceTaskRuntime{})
	fields := map[string]any{"table": "t", "id": 7}
	p := c.Partition(fields)
	fields["table"] = "changed"
	if got := p.Fields()["table"]; got != "t" {
		t.Errorf("table is %v after the caller changed its map, want t", got)
	}
	if got, want := p.String(), `{"id":7,"table":"t"}`; got != want {
		t.Errorf("String is %s, want %s", got, want)
	}
}

func TestPartitionIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := connect.NewSourceTaskContext(connect.SourceTaskRuntime{})
	handles := make(chan *connect.SourcePartition)
	const n = 8
	for range n {
		go func() { handles <- c.Partition(map[string]any{"a": 1}) }()
	}
	first := <-handles
	for range n - 1 {
		if p := <-handles; p != first {
			t.Error("equal contents have different handles")
		}
	}
}

func TestOffset(t *testing.T) {
	t.Parallel()
	stored := data.NewMap(1)
	stored.Put(data.String("position"), data.Int64(5))
	broken := errors.New("the store is closed")
	for _, tc := range []struct {
		name   string
		offset data.Value
		err    error
		field  string
		want   data.Value
	}{
		{"stored", stored.Value(), nil, "position", data.Int64(5)},
		{"no such field", stored.Value(), nil, "other", data.Null},
		{"nothing stored", data.Null, nil, "position", data.Null},
		{"error", data.Null, broken, "position", data.Null},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
				Offsets: func(context.Context, []*connect.SourcePartition) ([]data.Value, error) {
					return []data.Value{tc.offset}, tc.err
				},
			})
			got, err := c.Offset(context.Background(), c.Partition(nil), tc.field)
			if !errors.Is(err, tc.err) || !got.Equal(tc.want) {
				t.Errorf("Offset: %s, %v; want %s, %v", got, err, tc.want, tc.err)
			}
		})
	}
}

func TestReportWithoutReporter(t *testing.T) {
	t.Parallel()
	c := connect.NewSinkTaskContext(connect.SinkTaskRuntime{})
	if err := c.Report(context.Background(), &connect.SinkRecord{}, errors.New("bad")); !errors.Is(err, connect.ErrNoReporter) {
		t.Errorf("Report: %v, want %v", err, connect.ErrNoReporter)
	}
}

func TestSinkContextForwards(t *testing.T) {
	t.Parallel()
	var calls []any
	tp := connect.TopicPartition{Topic: "t", Partition: 1}
	bad := errors.New("bad")
	c := connect.NewSinkTaskContext(connect.SinkTaskRuntime{
		Props:         func() connect.Props { return connect.Props{"k": "v"} },
		Assignment:    func() []connect.TopicPartition { return []connect.TopicPartition{tp} },
		Seek:          func(o connect.Offsets) { calls = append(calls, "seek", o[tp]) },
		RetryIn:       func(d time.Duration) { calls = append(calls, "retry in", d) },
		RequestCommit: func() { calls = append(calls, "commit") },
		Pause:         func(tps []connect.TopicPartition) error { calls = append(calls, "pause", len(tps)); return nil },
		Resume:        func(tps []connect.TopicPartition) error { calls = append(calls, "resume", len(tps)); return bad },
		Report: func(_ context.Context, r *connect.SinkRecord, err error) error {
			calls = append(calls, "report", r.Offset, err)
			return nil
		},
	})
	c.Seek(connect.Offsets{tp: 7})
	c.RetryIn(time.Second)
	c.RequestCommit()
	pauseErr, resumeErr := c.Pause(tp, tp), c.Resume(tp)
	reportErr := c.Report(context.Background(), &connect.SinkRecord{Offset: 9}, bad)
	if pauseErr != nil || !errors.Is(resumeErr, bad) || reportErr != nil {
		t.Errorf("errors %v, %v, %v; want nil, %v, nil", pauseErr, resumeErr, reportErr, bad)
	}
	want := []any{"seek", int64(7), "retry in", time.Second, "commit", "pause", 2, "resume", 1, "report", int64(9), bad}
	if diff := cmp.Diff(want, calls, cmp.Comparer(errors.Is)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if c.Props()["k"] != "v" || len(c.Assignment()) != 1 {
		t.Errorf("Props %v, Assignment %v", c.Props(), c.Assignment())
	}
}
