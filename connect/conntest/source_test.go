package conntest_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

// shortLimit passes at once, as time in a synctest bubble does when everybody waits.
const shortLimit = 200 * time.Millisecond

// recordSource runs the suite for sources in a bubble and returns what it said.
func recordSource(t *testing.T, o sourceOptions, change func(*conntest.SourceCase)) *recorder {
	t.Helper()
	r := newRecorder(t)
	synctest.Test(t, func(*testing.T) {
		m := newMemory()
		c := o.sourceCase(m)
		if change != nil {
			change(&c)
		}
		conntest.RunSource(r, c)
		close(m.release)
	})
	return r
}

var goodSources = []struct {
	name    string
	options sourceOptions
	logs    string
	skips   string
}{
	{"plain", sourceOptions{}, "org.example.MemoryConnector has these optional interfaces: none", "AcksWhilePolling AlterOffsets"},
	{
		"acking",
		sourceOptions{task: func(t *memTask) connect.SourceTask { return &ackingTask{memTask: t} }},
		"org.example.MemoryConnector has these optional interfaces: Acker, Committer", "AlterOffsets",
	},
	{
		"able",
		sourceOptions{connector: func(c *memConnector) connect.SourceConnector { return ableConnector{c} }},
		"org.example.MemoryConnector has these optional interfaces: Monitor, Validator, SourceOffsetAlterer", "AcksWhilePolling",
	},
	{
		"flaky",
		sourceOptions{task: func(t *memTask) connect.SourceTask { return &flakyTask{memTask: t} }},
		"org.example.MemoryConnector has these optional interfaces: none", "AcksWhilePolling AlterOffsets",
	},
	{
		"SourceFunc",
		sourceOptions{task: func(t *memTask) connect.SourceTask { return connect.SourceFunc(sequence(t.m))() }},
		"org.example.MemoryConnector has these optional interfaces: none", "AcksWhilePolling AlterOffsets",
	},
}

func TestGoodSources(t *testing.T) {
	t.Parallel()
	for _, tc := range goodSources {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := recordSource(t, tc.options, nil)
			for name, text := range r.notes.failures {
				t.Errorf("%s failed: %s", name, text)
			}
			if diff := cmp.Diff(tc.logs, strings.Join(r.notes.logs, "\n")); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(strings.Fields(tc.skips), r.skipped(), sortedStrings); diff != "" {
				t.Errorf("skipped scenarios (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSourceWithTestingT runs the suite as authors do: on a *testing.T and in real time.
func TestSourceWithTestingT(t *testing.T) {
	t.Parallel()
	m := newMemory()
	c := sourceOptions{}.sourceCase(m)
	c.Limit = 0
	conntest.RunSource(t, c)
}

func task[T connect.SourceTask](wrap func(*memTask) T) sourceOptions {
	return sourceOptions{task: func(t *memTask) connect.SourceTask { return wrap(t) }}
}

func connector[C connect.SourceConnector](wrap func(*memConnector) C) sourceOptions {
	return sourceOptions{connector: func(c *memConnector) connect.SourceConnector { return wrap(c) }}
}

func TestBrokenSources(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		options  sourceOptions
		scenario string
		want     string
	}{
		{"loses a record", task(func(t *memTask) losingTask { return losingTask{t} }), "Records", "these records did not come: 3 10 17"},
		{"reorders", task(func(t *memTask) reorderingTask { return reorderingTask{t} }), "Records", "of the same source partition"},
		{
			"repeats after resume", task(func(t *memTask) shiftedTask { return shiftedTask{t, -1} }), "Resume",
			"after a restart from committed offsets: these records came again",
		},
		{
			"skips after resume", task(func(t *memTask) shiftedTask { return shiftedTask{t, +1} }), "Resume",
			"after a restart from committed offsets: these records did not come",
		},
		{
			"takes from the source what it polls", task(func(t *memTask) poppingTask { return poppingTask{t} }), "CrashBeforeCommit",
			"after a crash without a commit: these records did not come",
		},
		{"polls on", task(func(t *memTask) deafTask { return deafTask{t} }), "StopWhilePolling", "Poll did not return within 200ms of the end of its context"},
		{"does not stop", task(func(t *memTask) stuckTask { return stuckTask{t} }), "StartStop", "Stop of the task did not return within 200ms"},
		{"stops late", task(func(t *memTask) slowTask { return slowTask{t} }), "StartStop", "Stop of the task took longer than 200ms"},
		{"keeps the slab", task(func(t *memTask) *slabTask { return &slabTask{memTask: t} }), "BatchNotKept", "with the memory of acknowledged batches overwritten"},
		{"keeps a value", task(func(t *memTask) *valueTask { return &valueTask{memTask: t} }), "BatchNotKept", "with the memory of acknowledged batches overwritten"},
		{
			"keeps the slab for offsets", task(func(t *memTask) *offsetTask { return &offsetTask{memTask: t} }), "BatchNotKept",
			"after a restart from offsets committed while the memory of acknowledged batches was overwritten",
		},
		{"keeps the batch", task(func(t *memTask) *batchTask { return &batchTask{memTask: t} }), "BatchNotKept", "these records did not come"},
		{"leaks a goroutine", task(func(t *memTask) leakingTask { return leakingTask{t} }), "StartStop", "goroutines are left after Stop"},
		{"panics", task(func(t *memTask) panickingTask { return panickingTask{t} }), "Records", "Poll: panic: cannot count to item 0"},
		{
			"panics in Stop", task(func(t *memTask) *panickingStopTask { return &panickingStopTask{memTask: t} }), "StopAfterFailedStart",
			"Stop of the task after it: panic",
		},
		{"blocks acknowledgements", task(func(t *memTask) *lockedTask { return &lockedTask{memTask: t, busy: make(chan struct{}, 1)} }), "AcksWhilePolling", "Acked did not return"},
		{
			"makes too many tasks", connector(func(c *memConnector) greedyConnector { return greedyConnector{c} }), "TaskConfigLimit",
			"with tasks.max=1: TaskConfigs returned 3 task configurations, at most 1 are allowed",
		},
		{"monitors on", connector(func(c *memConnector) deafMonitor { return deafMonitor{c} }), "StartStop", "Run of the connector did not return"},
		{"monitor fails", connector(func(c *memConnector) failingMonitor { return failingMonitor{c} }), "StartStop", "Run of the connector: the tables are gone"},
		{"raises an error", connector(func(c *memConnector) raisingConnector { return raisingConnector{c} }), "StartStop", "RaiseError: no tables"},
		{"refuses its configuration", connector(func(c *memConnector) refusingConnector { return refusingConnector{c} }), "Plugin", "Validate refuses k: nobody knows v"},
		{"plans nothing", connector(func(c *memConnector) unplannedConnector { return unplannedConnector{c} }), "StartStop", "TaskConfigs returned no task configuration"},
		{"refuses its own offsets", connector(func(c *memConnector) strictConnector { return strictConnector{c} }), "AlterOffsets", "next must be an INT32"},
		{"plans in NewTask", connector(func(c *memConnector) plannedConnector { return plannedConnector{c} }), "StartStop", "NewTask"},
		{
			"value of another type", editing(func(r *connect.SourceRecord) { r.ValueSchema = data.Int32Schema }), "ValuesFitSchemas",
			"the value of a record does not fit its schema",
		},
		{"no topic", editing(func(r *connect.SourceRecord) { r.Topic = "" }), "ValuesFitSchemas", "a record has no topic"},
		{
			"header of another type", editing(func(r *connect.SourceRecord) {
				r.Headers = []connect.Header{{Key: "h", Schema: data.BooleanSchema, Value: data.Int8(1)}}
			}), "ValuesFitSchemas", "a header of a record does not fit its schema",
		},
		{
			"nested offset", editing(func(r *connect.SourceRecord) {
				m := data.NewMap(1)
				m.Put(data.String("next"), data.Array(nil))
				r.SourceOffset = m.Value()
			}), "OffsetsRoundTrip", "Offsets may only contain primitive types as values, but field next contains ARRAY",
		},
		{"offset of a wrong type", editing(func(r *connect.SourceRecord) { r.SourceOffset = data.Int64(1) }), "OffsetsRoundTrip", "Offsets must be specified as a Map"},
		{"no source partition", editing(func(r *connect.SourceRecord) { r.SourcePartition = nil }), "OffsetsRoundTrip", "a record has an offset and no source partition"},
		{
			"partition of its own", editing(func(r *connect.SourceRecord) {
				r.SourcePartition = connect.NewSourcePartition(r.SourcePartition.Fields())
			}), "OffsetsRoundTrip", "was not made by SourceTaskContext.Partition",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			recordSource(t, tc.options, nil).wantFailure(t, tc.scenario, tc.want)
		})
	}
}

func TestWaivers(t *testing.T) {
	t.Parallel()
	r := recordSource(t, task(func(t *memTask) losingTask { return losingTask{t} }), func(c *conntest.SourceCase) {
		c.Waive = map[string]string{"Records": "known", "Nonsense": "unknown"}
	})
	r.wantFailure(t, "", "there is no scenario Nonsense")
	if got, want := r.notes.skips["Records"], "waived: known"; got != want {
		t.Errorf("skip of Records: %q, want %q", got, want)
	}
	if _, failed := r.notes.failures["Records"]; failed {
		t.Error("a waived scenario failed")
	}
}

func TestRepeatsAllowed(t *testing.T) {
	t.Parallel()
	r := recordSource(t, task(func(t *memTask) shiftedTask { return shiftedTask{t, -1} }), func(c *conntest.SourceCase) { c.Repeats = true })
	if text, failed := r.notes.failures["Resume"]; failed {
		t.Errorf("Resume failed: %s", text)
	}
}

func TestIncompletePlugin(t *testing.T) {
	t.Parallel()
	r := recordSource(t, sourceOptions{}, func(c *conntest.SourceCase) { c.Plugin.Version = "" })
	r.wantFailure(t, "Plugin", `Version "" must be set`)
}

// TestSourceByHand uses the runtime without the suite.
func TestSourceByHand(t *testing.T) {
	t.Parallel()
	m := newMemory()
	plugin, store := sourceOptions{}.plugin(m), conntest.NewStore()
	if err := store.Set(map[string]any{"lane": 0}, map[string]any{"next": 1}); err != nil {
		t.Fatal(err)
	}
	if err := m.produce(0, 5); err != nil {
		t.Fatal(err)
	}
	s, err := conntest.StartSource(plugin, connect.Props{"k": "v"}, conntest.Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	recs, err := s.Next(4)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range recs {
		got = append(got, r.Value.Str())
	}
	if diff := cmp.Diff([]string{"item 2", "item 4", "item 1", "item 3"}, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if err := s.Ack(3); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := s.Unacked(); got != 1 {
		t.Errorf("%d records are not acknowledged, want 1", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"{lane=0} {next=3}", "{lane=1} {next=1}"}, stored(t, store)); diff != "" {
		t.Errorf("stored offsets (-want +got):\n%s", diff)
	}
}

func stored(t *testing.T, s *conntest.Store) []string {
	t.Helper()
	offsets, err := s.Offsets()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, o := range offsets {
		texts = append(texts, o.Partition.String()+" "+o.Offset.String())
	}
	return texts
}

func TestNextTellsHowManyCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		if err := m.produce(0, 3); err != nil {
			t.Fatal(err)
		}
		s, err := conntest.StartSource(sourceOptions{}.plugin(m), nil, conntest.Options{Limit: shortLimit})
		if err != nil {
			t.Fatal(err)
		}
		recs, err := s.Next(5)
		if want := "3 of 5 records came within 200ms"; err == nil || err.Error() != want || len(recs) != 3 {
			t.Errorf("Next: %d records, error %v; want 3, %q", len(recs), err, want)
		}
		if more, err := s.Poll(canceledContext()); err != nil || len(more) != 0 {
			t.Errorf("Poll with an ended context: %d records, error %v", len(more), err)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func canceledContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
