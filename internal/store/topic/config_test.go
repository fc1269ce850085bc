package topic

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// changed collects changes.
type changed struct {
	mu      sync.Mutex
	kinds   []store.ChangeKind
	offsets []int64
}

func (c *changed) listen(s *store.ConfigSnapshot, changes []store.ConfigChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offsets = append(c.offsets, s.Offset())
	for _, x := range changes {
		c.kinds = append(c.kinds, x.Kind)
	}
}

func (c *changed) all() []store.ChangeKind {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]store.ChangeKind(nil), c.kinds...)
}

func startConfig(t *testing.T, b *brokertest.Broker, o ConfigOptions) *Config {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet()
	}
	c := NewConfig(o)
	start(t, b, c, c.Loaded)
	return c
}

func props(kv ...string) store.Config {
	var c store.Config
	for i := 0; i < len(kv); i += 2 {
		c.Set(kv[i], kv[i+1])
	}
	return c
}

func TestConfigWritesAndReads(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	heard := new(changed)
	c := startConfig(t, b, ConfigOptions{Changed: heard.listen})
	ctx := limited(t)
	paused := store.Paused
	created := time.UnixMilli(1234)
	expect := func(err error, offset int64) *store.ConfigSnapshot {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		s := c.Snapshot()
		if s.Offset() != offset {
			t.Errorf("config offset %d after the write, want %d", s.Offset(), offset)
		}
		return s
	}
	s := expect(c.PutConnector(ctx, "c", props("z", "1", "a", "${env:X}"), &paused), 2)
	if got, _ := s.Connector("c"); got.Target != paused || got.Config.Value("a") != "${env:X}" {
		t.Errorf("the connector is %+v", got)
	}
	s = expect(c.PutTasks(ctx, "c", []store.Config{props("t", "0"), props("t", "1")}), 5)
	if got, _ := s.Connector("c"); len(got.Tasks) != 2 || got.Tasks[1].Value("t") != "1" {
		t.Errorf("tasks %+v", got.Tasks)
	}
	expect(c.PutRestart(ctx, store.RestartRequest{Connector: "c", OnlyFailed: true}), 6)
	s = expect(c.PutTaskCount(ctx, "c", 2), 7)
	if got, _ := s.Logged("c"); got.FencedTasks != 2 || got.FencingPending {
		t.Errorf("fencing %+v", got)
	}
	s = expect(c.PutSessionKey(ctx, store.SessionKey{Key: []byte{0, 1}, Algorithm: "HmacSHA256", Created: created}), 8)
	if k, ok := s.SessionKey(); !ok || !k.Created.Equal(created) || string(k.Key) != "\x00\x01" {
		t.Errorf("session key %+v, %t", k, ok)
	}
	if err := errors.Join(c.PutTarget(ctx, "c", store.Stopped), c.PutLoggerLevel(ctx, "a.b", "debug"), c.ReadToEnd(ctx)); err != nil {
		t.Fatal(err)
	}
	expect(c.PutTasks(ctx, "c", nil), 11)
	s = expect(c.RemoveConnector(ctx, "c"), 13)
	if len(s.Names()) > 0 {
		t.Errorf("connectors after the deletion: %q", s.Names())
	}
	if diff := cmp.Diff([]store.ChangeKind{
		store.ConnectorUpdated, store.TasksUpdated, store.RestartRequested, store.SessionKeyChanged, store.TargetStateChanged,
		store.LoggerLevelChanged, store.TasksUpdated, store.ConnectorRemoved,
	}, heard.all()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		`target-state-c => {"state":"PAUSED","state.v2":"PAUSED"}`,
		`connector-c => {"properties":{"z":"1","a":"${env:X}"}}`,
		`task-c-0 => {"properties":{"t":"0"}}`,
		`task-c-1 => {"properties":{"t":"1"}}`,
		`commit-c => {"tasks":2}`,
		`restart-connector-c => {"include-tasks":false,"only-failed":true}`,
		`tasks-fencing-c => {"task-count":2}`,
		`session-key => {"key":"AAE=","algorithm":"HmacSHA256","creation-timestamp":1234}`,
		`target-state-c => {"state":"PAUSED","state.v2":"STOPPED"}`,
		`logger-cluster-a.b => {"level":"debug"}`,
		`commit-c => {"tasks":0}`,
		`connector-c => tombstone`,
		`target-state-c => tombstone`,
	}, content(t, b)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestConfigOfAnotherWorker(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	a := startConfig(t, b, ConfigOptions{})
	if err := a.PutConnector(limited(t), "c", props("k", "v"), nil); err != nil {
		t.Fatal(err)
	}
	heard := new(changed)
	other := startConfig(t, b, ConfigOptions{Changed: heard.listen})
	if diff := cmp.Diff([]string{"c"}, other.Snapshot().Names()); diff != "" {
		t.Errorf("connectors after the first read (-want +got):\n%s", diff)
	}
	if kinds := heard.all(); len(kinds) > 0 {
		t.Errorf("changes of the first read were reported: %v", kinds)
	}
	if err := a.RemoveConnector(limited(t), "c"); err != nil {
		t.Fatal(err)
	}
	if err := other.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if s := other.Snapshot(); len(s.Names()) > 0 || s.Offset() != a.Snapshot().Offset() {
		t.Errorf("offset %d, connectors %q; want those of the writer", s.Offset(), s.Names())
	}
	eventually(t, "the removal was reported", func() bool { return cmp.Equal(heard.all(), []store.ChangeKind{store.ConnectorRemoved}) })
}

func TestConfigSurvivesStrangeRecords(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	errs := newWarnings(slog.LevelError)
	c := startConfig(t, b, ConfigOptions{Log: slog.New(errs)})
	produce(t, b,
		&kgo.Record{Value: []byte(`{"tasks":1}`)},
		&kgo.Record{},
		&kgo.Record{Key: []byte("connector-c"), Value: []byte(`{"prop`)},
		&kgo.Record{Key: []byte("no such key"), Value: []byte(`{}`)},
		&kgo.Record{Key: []byte("connector-d"), Value: []byte(`{"properties":{}}`)},
	)
	if err := c.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"d"}, c.Snapshot().Names()); diff != "" {
		t.Errorf("connectors (-want +got):\n%s", diff)
	}
	if n := errs.count(); n != 4 {
		t.Errorf("%d records were logged, want 4", n)
	}
}

func TestConfigPrivilegedWrites(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	transactor := func() *kafka.Transactor {
		x, err := kafka.NewTransactor(worker(b), "test-leader", "connect-cluster-g", "t", quiet())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.Close)
		if err := x.Claim(limited(t)); err != nil {
			t.Fatal(err)
		}
		return x
	}
	c := startConfig(t, b, ConfigOptions{})
	c.SetPrivileged(transactor())
	if err := c.PutConnector(limited(t), "c", props("k", "1"), nil); err != nil {
		t.Fatal(err)
	}
	if err := c.PutTasks(limited(t), "c", []store.Config{props("t", "0")}); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Snapshot().Connector("c"); len(got.Tasks) != 1 {
		t.Errorf("the snapshot after a transaction: %+v", got)
	}

	transactor()
	err := c.PutConnector(limited(t), "c", props("k", "2"), nil)
	if !errors.Is(err, ErrPrivileged) || !errors.Is(err, kafka.ErrFenced) {
		t.Errorf("a write after another claim: %v, want ErrPrivileged and ErrFenced", err)
	}
	const text = "Failed to write to config topic; this may be due to a transient error and the request can be safely retried"
	if got := event.Message(err); got != text {
		t.Errorf("users see %q, want %q", got, text)
	}
	// What any worker may write goes past the producer of the leader.
	if err := errors.Join(c.PutTarget(limited(t), "c", store.Paused), c.ReadToEnd(limited(t))); err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Snapshot().Connector("c"); got.Target != store.Paused || got.Config.Value("k") != "1" {
		t.Errorf("the connector is %+v", got)
	}
	c.SetPrivileged(nil)
	if err := c.RemoveConnector(limited(t), "c"); err != nil {
		t.Error(err)
	}
}
