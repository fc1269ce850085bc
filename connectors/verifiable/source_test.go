package verifiable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

// describe returns a text of what a record has.
func describe(r connect.SourceRecord) string {
	return fmt.Sprintf("%s/%d key %s value %s from %s at %s", r.Topic, r.Partition,
		golden.DescribeValue(r.Key), golden.DescribeValue(r.Value), r.SourcePartition, r.SourceOffset)
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	type plugin struct{ Class, TaskClass, Version string }
	var got []plugin
	for _, p := range []connect.Plugin{Source, Sink, SchemaSource} {
		got = append(got, plugin{p.Class, p.TaskClass, p.Version})
		if n := len(p.Def.Keys()); n != 0 {
			t.Errorf("%s defines %d keys", p.Class, n)
		}
	}
	const tools = "org.apache.kafka.connect.tools."
	want := []plugin{
		{tools + "VerifiableSourceConnector", tools + "VerifiableSourceTask", "4.3.1"},
		{tools + "VerifiableSinkConnector", tools + "VerifiableSinkTask", "4.3.1"},
		{tools + "SchemaSourceConnector", tools + "SchemaSourceTask", "4.3.1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plugins (-want +got):\n%s", diff)
	}
	for _, out := range []*printer{
		Source.Source().NewTask().(*sourceTask).out,
		Sink.Sink().NewTask().(*sinkTask).out,
		SchemaSource.Source().NewTask().(*schemaTask).out,
	} {
		if out != stdout {
			t.Error("tasks of the connectors do not print through one printer")
		}
	}
}

func TestTaskConfigs(t *testing.T) {
	t.Parallel()
	c := Source.Source()
	if err := c.Start(t.Context(), nil, connect.Props{keyName: "v", keyTopic: "t"}); err != nil {
		t.Fatal(err)
	}
	got, err := c.TaskConfigs(t.Context(), 3)
	want := []connect.Props{
		{"name": "v", "topic": "t", "id": "0"}, {"name": "v", "topic": "t", "id": "1"}, {"name": "v", "topic": "t", "id": "2"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// In a bubble of synctest it is midnight of 1 January 2000 at first, which is 946684800000.

func TestSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p paper
		props := connect.Props{keyName: `v "1"`, keyTopic: "numbers", keyThroughput: "10"}
		s := startSource(t, newSource(&printer{w: &p}, atThroughput), props, conntest.Options{})
		recs, err := s.Next(3)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range recs {
			got = append(got, describe(r))
		}
		want := []string{
			`numbers/-1 key INT32(0) value INT64(0) from {"id":0} at Struct{seqno=0}`,
			`numbers/-1 key INT32(0) value INT64(1) from {"id":0} at Struct{seqno=1}`,
			`numbers/-1 key INT32(0) value INT64(2) from {"id":0} at Struct{seqno=2}`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		wantLines := []string{
			`{"name":"v \"1\"","task":0,"topic":"numbers","time_ms":946684800000,"seqno":0}` + "\n",
			`{"name":"v \"1\"","task":0,"topic":"numbers","time_ms":946684800100,"seqno":1}` + "\n",
			`{"name":"v \"1\"","task":0,"topic":"numbers","time_ms":946684800200,"seqno":2}`,
		}
		if diff := cmp.Diff(wantLines, p.take()); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		if err := s.Ack(2); err != nil {
			t.Error(err)
		}
		wantLines = []string{
			`{"name":"v \"1\"","task":0,"topic":"numbers","time_ms":946684800200,"seqno":0,"committed":true}` + "\n",
			`{"name":"v \"1\"","task":0,"topic":"numbers","time_ms":946684800200,"seqno":1,"committed":true}`,
		}
		if diff := cmp.Diff(wantLines, p.take()); diff != "" {
			t.Errorf("lines of acknowledgements (-want +got):\n%s", diff)
		}
		stop(t, s)
	})
}

func TestCompleteRecordData(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p paper
		props := connect.Props{keyName: "v", keyTopic: "t", keyThroughput: "1", keyCompleteRecordData: "TRUE"}
		s := startSource(t, newSource(&printer{w: &p}, atThroughput), props, conntest.Options{})
		recs, err := s.Next(1)
		if err != nil {
			t.Fatal(err)
		}
		want := "Struct{name=v,task=0,topic=t,time_ms=946684800000,seqno=0}"
		if got := recs[0].Value.String(); got != want || data.ValidateValue("", recs[0].ValueSchema, recs[0].Value) != nil {
			t.Errorf("value %s, want %s", got, want)
		}
		p.take()
		if err := s.Ack(1); err != nil {
			t.Error(err)
		}
		wantLines := []string{`{"name":"v","task":0,"topic":"t","time_ms":946684800000,"seqno":0,"committed":true}`}
		if diff := cmp.Diff(wantLines, p.take()); diff != "" {
			t.Errorf("lines of acknowledgements (-want +got):\n%s", diff)
		}
		stop(t, s)
	})
}

func TestRestart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		offset map[string]any
		want   int64
		err    string
	}{
		{"nothing stored", nil, 0, ""},
		{"stored", map[string]any{"seqno": 41}, 42, ""},
		{"without a number", map[string]any{"other": 1}, 0, ""},
		{
			"text",
			map[string]any{"seqno": "41"},
			0,
			`the stored offset of {"id":0} has seqno=41, which is no number of a record; reset the connector's offsets`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			props := connect.Props{keyTopic: "t", keyThroughput: "-1", keyNumMessages: "5"}
			out := &printer{w: new(paper)}
			for _, p := range []connect.Plugin{newSource(out, atThroughput), newSchemaSource(out, atThroughput)} {
				store := conntest.NewStore()
				if err := store.Set(map[string]any{"id": 0}, tc.offset); err != nil {
					t.Fatal(err)
				}
				s, err := conntest.StartSource(p, props, conntest.Options{Store: store})
				if tc.err != "" {
					checkFailure(t, err, tc.err)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				recs, err := s.Next(1)
				if err != nil || seqnoOf(recs[0]).Int64() != tc.want {
					t.Errorf("%s goes on with %v, %v, want %d", p.Class, recs[0].SourceOffset, err, tc.want)
				}
				stop(t, s)
			}
		})
	}
}

// checkFailure expects a ConnectException with that text from the start of a task.
func checkFailure(t *testing.T, err error, want string) {
	t.Helper()
	e, ok := errors.AsType[*connect.Error](err)
	if !ok || e.Class != connect.ClassConnect || e.Error() != want || !strings.HasPrefix(err.Error(), "Start of the task: ") {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	const (
		source = "Invalid VerifiableSourceTask configuration: "
		schema = "Invalid SchemaSourceTask configuration: "
		rate   = "it must be the number of records a second, -1 for no limit"
	)
	for _, tc := range []struct {
		plugin connect.Plugin
		props  connect.Props
		want   string
	}{
		{Source, connect.Props{keyTopic: "t"}, source + "throughput is not set, " + rate},
		{Source, connect.Props{keyTopic: "t", keyThroughput: "fast"}, source + "throughput=fast is wrong, " + rate},
		{Source, connect.Props{keyTopic: "t", keyThroughput: "1.5"}, source + "throughput=1.5 is wrong, " + rate},
		{Source, connect.Props{keyThroughput: "1"}, source + "topic is not set, it must be the topic that the records are written to"},
		{
			SchemaSource,
			connect.Props{keyTopic: "t", keyThroughput: "1"},
			schema + "num.messages is not set, it must be the number of records that each task makes after a start",
		},
		{
			SchemaSource,
			connect.Props{keyTopic: "t", keyThroughput: "1", keyNumMessages: "1", keyPartitionCount: "0"},
			schema + "partition.count=0 is wrong, it must be the number of values of the field partitioning, at least 1",
		},
	} {
		_, err := conntest.StartSource(tc.plugin, tc.props, conntest.Options{})
		checkFailure(t, err, tc.want)
	}
	task := newSink(new(printer)).Sink().NewTask()
	err := task.Start(t.Context(), nil, connect.Props{keyID: "x"})
	want := "Invalid VerifiableSinkTask configuration: id=x is wrong, it must be the number of the task, which the connector sets"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestSchemaSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p paper
		store := conntest.NewStore()
		if err := store.Set(map[string]any{"id": 0}, map[string]any{"seqno": 4}); err != nil {
			t.Fatal(err)
		}
		props := connect.Props{
			keyTopic: "t", keyThroughput: "-1", keyNumMessages: "3", keyMultipleSchema: "true", keyPartitionCount: "3",
		}
		s := startSource(t, newSchemaSource(&printer{w: &p}, atThroughput), props, conntest.Options{Store: store})
		recs, err := s.Rest()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range recs {
			got = append(got, describe(r), golden.DescribeSchema(r.KeySchema), golden.DescribeSchema(r.ValueSchema))
		}
		want := []string{
			`t/0 key "key" value ` + wantFixed + `partitioning=INT32(2) id=INT32(0) seqno=INT64(5)) from {"id":0} at Struct{seqno=5}`, "STRING<>", wantV1,
			`t/0 key "key" value ` + wantFixed + `partitioning=INT32(0) string="def" id=INT32(0) seqno=INT64(6)) from {"id":0} at Struct{seqno=6}`, "STRING<>", wantV2,
			`t/0 key "key" value ` + wantFixed + `partitioning=INT32(1) id=INT32(0) seqno=INT64(7)) from {"id":0} at Struct{seqno=7}`, "STRING<>", wantV1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		wantLines := []string{`{"task": 0, "seqno": 5}` + "\n", `{"task": 0, "seqno": 6}` + "\n", `{"task": 0, "seqno": 7}`}
		if diff := cmp.Diff(wantLines, p.take()); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		stop(t, s)
	})
}

const (
	wantV1 = `STRUCT<name="record" version=1 "boolean":BOOLEAN<> "int":INT32<> "long":INT64<> "float":FLOAT32<> ` +
		`"double":FLOAT64<> "partitioning":INT32<> "id":INT32<> "seqno":INT64<>>`
	wantV2 = `STRUCT<name="record" version=2 "boolean":BOOLEAN<> "int":INT32<> "long":INT64<> "float":FLOAT32<> ` +
		`"double":FLOAT64<> "partitioning":INT32<> "string":STRING<default="abc"> "id":INT32<> "seqno":INT64<>>`
	wantFixed = "(boolean=BOOLEAN(true) int=INT32(12) long=INT64(12) float=FLOAT32(12.2) double=FLOAT64(12.2) "
)

func TestSchemaSourceWithOneSchema(t *testing.T) {
	t.Parallel()
	props := connect.Props{keyTopic: "t", keyThroughput: "-1", keyNumMessages: "4"}
	s := startSource(t, newSchemaSource(&printer{w: new(paper)}, atThroughput), props, conntest.Options{})
	recs, err := s.Rest()
	if err != nil || len(recs) != 4 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	for i, r := range recs {
		v := r.Value.Struct()
		if r.ValueSchema != schemaV1 || v.At(5).Int64() != 0 || v.At(7).Int64() != int64(i) {
			t.Errorf("record %d: %s", i, describe(r))
		}
	}
	stop(t, s)
}

// TestOneWrite polls several tasks at the same time. Each batch must be one write of whole lines.
func TestOneWrite(t *testing.T) {
	t.Parallel()
	var p paper
	out := &printer{w: &p}
	const tasks, polls, size = 4, 25, 10
	var wg sync.WaitGroup
	for id := range tasks {
		task := newSource(out, atThroughput).Source().NewTask()
		props := connect.Props{keyTopic: "t", keyThroughput: "-1", keyID: fmt.Sprint(id)}
		if err := task.Start(t.Context(), sourceContext(), props); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			batch := connect.NewBatch(size)
			for range polls {
				batch.Reset()
				if err := task.Poll(t.Context(), batch); err != nil {
					t.Error(err)
				}
				acks := make([]connect.Ack, batch.Len())
				for i, r := range batch.Records() {
					acks[i].Record = r
				}
				if err := task.(connect.Acker).Acked(t.Context(), acks); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := make(map[string]int)
	for _, text := range p.take() {
		var l struct {
			Task, Seqno int
			Committed   bool
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("line %q: %v", text, err)
		}
		seen[fmt.Sprintf("%d-%d-%t", l.Task, l.Seqno, l.Committed)]++
	}
	if want := 2 * tasks * polls * size; len(seen) != want || p.writes != 2*tasks*polls {
		t.Errorf("%d different lines in %d writes, want %d in %d", len(seen), p.writes, want, 2*tasks*polls)
	}
}

// sourceContext is one without stored offsets.
func sourceContext() *connect.SourceTaskContext {
	return connect.NewSourceTaskContext(connect.SourceTaskRuntime{
		Log: discard,
		Offsets: func(_ context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
			return make([]data.Value, len(ps)), nil
		},
	})
}

func TestPrintFails(t *testing.T) {
	t.Parallel()
	p := &paper{err: errors.New("broken pipe")}
	s := startSource(t, newSource(&printer{w: p}, atThroughput), connect.Props{keyTopic: "t", keyThroughput: "-1"}, conntest.Options{})
	_, err := s.Poll(t.Context())
	if want := "Poll: print to standard output: broken pipe"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	stop(t, s)
}

func TestPace(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		throughput int64
		after      time.Duration // since the start
		done       int64
		want       int64
		wait       time.Duration
	}{
		{-1, 0, 1000, math.MaxInt64, 0},
		{0, 0, 0, 1, 0},
		{1, 0, 0, 1, 0},
		{1, 0, 1, 2, time.Second},
		{3, 0, 1, 2, time.Second/3 + 1},
		{10, 0, 1, 2, 100 * time.Millisecond},
		{10, 5 * time.Second, 1, 51, 0},
		{100, time.Second, 100, 101, 0},
		{100, time.Second, 101, 102, 10 * time.Millisecond},
		{1_000_000, 0, 1, 2001, minPause},
		{1_000_000, 100 * 24 * time.Hour, 8_640_000_000_001, 8_640_000_002_001, minPause},
		{1_000_000_000, 0, 1, math.MaxInt64, 0},
	} {
		t.Run(fmt.Sprintf("%d after %v", tc.throughput, tc.after), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pace := atThroughput(tc.throughput, 5)
				time.Sleep(tc.after) //nolint:forbidigo // the bubble's clock
				start := time.Now()
				if got := pace(t.Context(), tc.done); got != tc.want || time.Since(start) != tc.wait {
					t.Errorf("%d may be delivered after %v, want %d after %v", got, time.Since(start), tc.want, tc.wait)
				}
			})
		})
	}
}

// TestPaceEndsWithContext has contexts that end long before the next record is due.
func TestPaceEndsWithContext(t *testing.T) {
	t.Parallel()
	for _, throughput := range []int64{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			pace := atThroughput(throughput, 0)
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if got := pace(ctx, 1); got != 1 || time.Since(start) != time.Millisecond {
				t.Errorf("throughput %d: %d after %v", throughput, got, time.Since(start))
			}
		})
	}
}
