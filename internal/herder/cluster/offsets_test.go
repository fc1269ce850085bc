package cluster

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
	"github.com/millrace-io/millrace/internal/worker"
)

// quietLog is a topic to which nobody writes; reads to its end can fail, and can bring records.
type quietLog struct {
	topic.Log
	read func() error
}

func (l *quietLog) ReadToEnd(context.Context) error { return l.read() }

// memory is a config topic in memory with the herder that reads it.
type memory struct {
	*Herder
	t    *testing.T
	next int64
	read func() error
}

// newMemory makes a herder that has not joined: each test says what its place in the group is.
func newMemory(t *testing.T) *memory {
	t.Helper()
	offsets, err := store.OpenFileOffsets(filepath.Join(t.TempDir(), "offsets"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	plugins := plugin.New([]connect.Plugin{
		{Class: "test.Source", Def: config.New(), Source: func() connect.SourceConnector { return nil }},
		{Class: "test.Sink", Def: config.New(), Sink: func() connect.SinkConnector { return nil }},
	}, nil)
	m := &memory{t: t, read: func() error { return nil }}
	configs := topic.NewConfig(topic.ConfigOptions{
		Log: log, Changed: func(s *store.ConfigSnapshot, c []store.ConfigChange) { m.Configured(s, c) },
	})
	configs.SetLog(&quietLog{read: func() error { return m.read() }})
	m.Herder = New(Options{
		Core: CoreOptions{Mode: group.Sessioned}, Config: configs, Status: topic.NewStatus(topic.StatusOptions{Log: log}), Plugins: plugins,
		Worker:      worker.New(worker.Options{Plugins: plugins, Offsets: offsets, Log: log}),
		SyncTimeout: time.Minute, Log: log,
	})
	configs.Loaded()
	return m
}

func (m *memory) apply(key string, value []byte) {
	m.Config.Apply([]kafka.LogRecord{{Offset: m.next, Key: []byte(key), Value: value}})
	m.next++
}

func (m *memory) create(name, class string, target store.TargetState) {
	m.apply(store.TargetStateKey(name), store.EncodeTargetState(target))
	m.apply(store.ConnectorKey(name), store.EncodeProperties(store.NewConfig(map[string]string{worker.ConnectorClassKey: class})))
}

func (m *memory) tasks(name string, n int) {
	for i := range n {
		m.apply(store.TaskKey(store.ConnectorTaskID{Connector: name, Task: i}), store.EncodeProperties(store.NewConfig(map[string]string{"n": "1"})))
	}
	m.apply(store.CommitKey(name), store.EncodeCommit(n))
}

func (m *memory) leads() {
	m.show(View{Ready: true, Settled: true, Leader: true, LeaderID: "m", MemberID: "m", LeaderURL: "http://me/", Version: group.Sessioned}, false)
}

func (m *memory) follows() {
	m.show(View{Ready: true, Settled: true, LeaderID: "l", MemberID: "m", LeaderURL: "http://leader/", Version: group.Sessioned}, false)
}

func someOffset() []store.PartitionOffset {
	partition, at := data.NewMap(1), data.NewMap(1)
	partition.Put(data.String("p"), data.Int64(1))
	at.Put(data.String("position"), data.Int64(1))
	return []store.PartitionOffset{{Partition: partition.Value(), Offset: at.Value()}}
}

// changes are the requests that only the leader carries out.
func (m *memory) changes(ctx context.Context, name string) map[string]error {
	_, alter := m.AlterOffsets(ctx, name, someOffset())
	_, reset := m.ResetOffsets(ctx, name)
	return map[string]error{"alter": alter, "reset": reset}
}

func kindOf(err error) (herder.Kind, string) {
	if e, ok := errors.AsType[*herder.Error](err); ok {
		return e.Kind, e.Message
	}
	return herder.Internal, "no herder.Error: " + err.Error()
}

func TestOffsetsOnAFollower(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.follows()
	m.create("c", "test.Source", store.Stopped)
	for what, err := range m.changes(t.Context(), "c") {
		if e, ok := errors.AsType[*herder.Error](err); !ok || e.Kind != herder.Elsewhere || e.URL != "http://leader/" {
			t.Errorf("%s: %v, want to be sent to the leader", what, err)
		}
	}
	if offsets, err := m.Offsets(t.Context(), "c"); err != nil || len(offsets) != 0 {
		t.Errorf("get: %v, %v", offsets, err)
	}
	if _, err := m.Offsets(t.Context(), "none"); err == nil || err.Error() != "Connector none not found" {
		t.Errorf("get of none: %v", err)
	}
}

func TestOffsetsOnTheLeader(t *testing.T) {
	t.Parallel()
	const stopped = "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by " +
		"issuing a 'PUT' request to the '/connectors/c/stop' endpoint"
	for _, tc := range []struct {
		name    string
		given   func(m *memory)
		kind    herder.Kind
		message string
	}{
		{"unknown", func(*memory) {}, herder.NotFound, "Connector c not found"},
		{"running", func(m *memory) { m.create("c", "test.Source", store.Started) }, herder.BadRequest, stopped},
		{"paused", func(m *memory) { m.create("c", "test.Source", store.Paused) }, herder.BadRequest, stopped},
		{"with tasks", func(m *memory) { m.create("c", "test.Source", store.Stopped); m.tasks("c", 1) }, herder.BadRequest, stopped},
		{"not read", func(m *memory) {
			m.create("c", "test.Source", store.Stopped)
			m.read = func() error { return errors.New("no broker") }
		}, herder.Internal, "Failed to read to end of config topic before modifying connector offsets"},
		{"resumed elsewhere", func(m *memory) {
			m.create("c", "test.Source", store.Stopped)
			m.read = func() error {
				m.apply(store.TargetStateKey("c"), store.EncodeTargetState(store.Started))
				return nil
			}
		}, herder.BadRequest, stopped},
	} {
		m := newMemory(t)
		m.leads()
		tc.given(m)
		for what, err := range m.changes(t.Context(), "c") {
			if err == nil {
				t.Errorf("%s, %s: no error", tc.name, what)
			} else if kind, message := kindOf(err); kind != tc.kind || message != tc.message {
				t.Errorf("%s, %s: %d %s, want %d %s", tc.name, what, kind, message, tc.kind, tc.message)
			}
		}
	}

	m := newMemory(t)
	m.leads()
	m.create("c", "test.Source", store.Stopped)
	if message, err := m.AlterOffsets(t.Context(), "c", someOffset()); err != nil || message == "" {
		t.Errorf("alter: %q, %v", message, err)
	}
	if offsets, err := m.Offsets(t.Context(), "c"); err != nil || len(offsets) != 1 {
		t.Errorf("get: %v, %v", offsets, err)
	}
	if message, err := m.ResetOffsets(t.Context(), "c"); err != nil || message == "" {
		t.Errorf("reset: %q, %v", message, err)
	}
	if offsets, err := m.Offsets(t.Context(), "c"); err != nil || len(offsets) != 0 {
		t.Errorf("get after the reset: %v, %v", offsets, err)
	}
}

func TestFence(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	m.create("source", "test.Source", store.Started)
	m.create("sink", "test.Sink", store.Started)
	m.follows()
	if kind, _ := kindOf(m.Fence(t.Context(), "none")); kind != herder.Elsewhere {
		t.Errorf("on a follower: kind %d", kind)
	}
	m.leads()
	for name, want := range map[string]herder.Error{
		"none": {Kind: herder.NotFound, Message: "Connector none not found"},
		"sink": {Kind: herder.BadRequest, Message: "Connector sink is not a source connector"},
		"source": {Kind: herder.Internal, Message: "The leader of this group cannot fence the producers of connector source: it does not support " +
			"exactly-once source connectors. Run all workers of the group with exactly.once.source.support=disabled or preparing"},
	} {
		if kind, message := kindOf(m.Fence(t.Context(), name)); kind != want.Kind || message != want.Message {
			t.Errorf("%s: %d %s, want %d %s", name, kind, message, want.Kind, want.Message)
		}
	}
}

func TestSessionKeys(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	if keys := m.SessionKeys(); keys != nil {
		t.Errorf("before the first key: %v", keys)
	}
	learn := func(key string) {
		m.apply("session-key", store.EncodeSessionKey(store.SessionKey{Key: []byte(key), Algorithm: "HmacSHA256", Created: time.UnixMilli(1)}))
	}
	valid := func(after time.Duration) string {
		out := ""
		for _, k := range m.keys.valid(time.Now().Add(after)) {
			out += string(k.Key) + " "
		}
		return out
	}
	for _, step := range []struct {
		learn, now, later string
	}{
		{"one", "one ", "one "},
		{"one", "one ", "one "},
		{"two", "two one ", "two "},
		{"two", "two one ", "two "},
		{"three", "three two ", "three "},
	} {
		learn(step.learn)
		if diff := cmp.Diff([]string{step.now, step.later}, []string{valid(keyGrace / 2), valid(keyGrace)}); diff != "" {
			t.Errorf("after %s\n%s", step.learn, diff)
		}
	}
	if keys := m.SessionKeys(); len(keys) != 2 || string(keys[0].Key) != "three" {
		t.Errorf("SessionKeys: %v", keys)
	}
}

func TestSignedRequests(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	for _, step := range []struct {
		view View
		want bool
	}{
		{View{}, true}, // nothing is known yet, and the worker wishes the sessioned protocol
		{View{Version: group.Compatible}, true},
		{View{Ready: true, Version: group.Compatible}, false},
		{View{Ready: true, Version: group.Eager}, false},
		{View{Ready: true, Version: group.Sessioned}, true},
	} {
		m.mu.Lock()
		m.view = step.view
		m.mu.Unlock()
		if got := m.SignedRequests(); got != step.want {
			t.Errorf("%+v: %t", step.view, got)
		}
	}
}
