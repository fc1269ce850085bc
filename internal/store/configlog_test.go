package store

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSnapshotsShareWhatStays(t *testing.T) {
	t.Parallel()
	l, offset := NewConfigLog(), int64(0)
	apply := func(key string, value []byte) *ConfigSnapshot {
		if _, err := l.Apply(offset, []byte(key), value); err != nil {
			t.Fatal(err)
		}
		offset++
		return l.Snapshot()
	}
	if s := l.Snapshot(); s.Offset() != -1 || s.Names() == nil || len(s.Names()) > 0 {
		t.Errorf("an empty topic: offset %d, names %#v", s.Offset(), s.Names())
	}
	apply(ConnectorKey("b"), EncodeProperties(NewConfig(map[string]string{"k": "v"})))
	old := apply(ConnectorKey("a"), EncodeProperties(Config{}))
	if l.Snapshot() != old {
		t.Error("another snapshot though nothing has changed")
	}
	s := apply(TargetStateKey("a"), EncodeTargetState(Paused))
	for name, want := range map[string]bool{"a": false, "b": true} {
		before, _ := old.Logged(name)
		after, _ := s.Logged(name)
		if (before == after) != want {
			t.Errorf("%s is shared: %t, want %t", name, !want, want)
		}
	}
	if c, _ := old.Connector("a"); c.Target != Started {
		t.Errorf("the old snapshot now has the target state %s", c.Target)
	}
	apply(ConnectorKey("b"), nil)
	if diff := cmp.Diff([]string{"a", "b"}, s.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a"}, l.Snapshot().Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if _, ok := l.Snapshot().Connector("b"); ok {
		t.Error("a deleted connector is still there")
	}
}

// BenchmarkConfigLogChange changes one of many connectors and takes a snapshot.
func BenchmarkConfigLogChange(b *testing.B) {
	l, offset := NewConfigLog(), int64(0)
	apply := func(key string, value []byte) {
		if _, err := l.Apply(offset, []byte(key), value); err != nil {
			b.Fatal(err)
		}
		offset++
	}
	config := EncodeProperties(NewConfig(map[string]string{"connector.class": "FileStreamSink", "file": "/tmp/x", "topics": "t"}))
	for i := range 5000 {
		apply(ConnectorKey(fmt.Sprint("c", i)), config)
	}
	l.Snapshot()
	b.ReportAllocs()
	for b.Loop() {
		apply(ConnectorKey("c7"), config)
		l.Snapshot()
	}
}

func TestRecordWithoutAKey(t *testing.T) {
	t.Parallel()
	l := NewConfigLog()
	if _, err := l.Apply(4, nil, []byte(`{}`)); err == nil || l.Snapshot().Offset() != 5 {
		t.Errorf("error %v, config offset %d; want an error and 5", err, l.Snapshot().Offset())
	}
}

func FuzzConfigRecord(f *testing.F) {
	for _, seed := range [][2]string{
		{"connector-c", `{"properties":{"a":"b","n":null,"x":"😀\u0001"}}`},
		{"task-c-d-0", `{"properties":{"a":1.5e3}}`},
		{"commit-c", `{"tasks":3}`},
		{"target-state-c", `{"state":"PAUSED","state.v2":"STOPPED"}`},
		{"restart-connector-c", `{"include-tasks":true,"only-failed":false}`},
		{"tasks-fencing-c", `{"task-count":1}`},
		{"session-key", `{"key":"AAEC","algorithm":"HmacSHA256","creation-timestamp":1}`},
		{"logger-cluster-c", `{"level":"DEBUG"}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		l := NewConfigLog()
		l.Loaded()
		changes, err := l.Apply(0, key, value)
		if err != nil {
			return
		}
		describeChanges(changes, nil)
		describeSnapshot(l.Snapshot())
		checkAgain(t, again, string(key), value)
	})
}
