package herder

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	scriptClass = "test.ScriptSourceConnector"
	textClass   = "test.TextConverter"
)

// textConverter is enough of a converter for tasks that never have records.
type textConverter struct{}

func (textConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	return append(dst, v.Bytes()...), nil
}

func (textConverter) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	return data.OptionalStringSchema, data.AliasString(raw), nil
}

// hooks are what a script connector does; nil functions do nothing.
type hooks struct {
	start    func(ctx context.Context) error
	tasks    func(limit int) ([]connect.Props, error)
	stop     func() error
	monitor  func(ctx context.Context) error
	validate func() []config.Value
}

// rig is a herder of script connectors.
type rig struct {
	*Standalone
	t    *testing.T
	log  *lockedBuffer
	stop func() // ends Run and waits for it

	mu       sync.Mutex // guards the rest
	byName   map[string]hooks
	contexts map[string]*connect.ConnectorContext // of the last start
	states   map[string][]string                  // of connectors, and of tasks as name-0
	started  map[string]int                       // how many tasks have begun
}

type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newRig makes a herder inside a synctest bubble. It is stopped with the test.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		t: t, log: new(lockedBuffer), byName: make(map[string]hooks), contexts: make(map[string]*connect.ConnectorContext),
		states: make(map[string][]string), started: make(map[string]int),
	}
	create := func(connect.Props, connect.ConverterUse) (connect.Converter, error) { return textConverter{}, nil }
	def := config.New()
	def.String("own", config.Default("x"), config.OneOf("x", "y"), config.Doc("A key of the connector's own."))
	def.String("needed", config.NonEmpty, config.Doc("Another."))
	plugins := plugin.New(
		[]connect.Plugin{
			{Class: scriptClass, TaskClass: "test.ScriptTask", Version: "7", Def: config.New(), Source: func() connect.SourceConnector { return &scriptConnector{rig: r} }},
			{Class: "test.BrokenSourceConnector", Version: "7", Def: config.New(), Source: func() connect.SourceConnector { panic("no instance") }},
			{Class: "test.PickySinkConnector", Version: "7", Def: def, Sink: func() connect.SinkConnector { return nil }},
		},
		[]connect.ConverterPlugin{{Class: textClass, Def: config.New(), New: create, NewHeader: connect.HeadersOf(create)}},
	)
	offsets, err := store.OpenFileOffsets(filepath.Join(t.TempDir(), "offsets"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	status := store.NewMemoryStatus("worker:1")
	listen := event.Tee(status.Listen, r.note)
	w := worker.New(worker.Options{
		Props: map[string]string{
			"bootstrap.servers": "127.0.0.1:1", "key.converter": textClass, "value.converter": textClass, "header.converter": textClass,
		},
		FlushInterval: time.Minute, FlushTimeout: 5 * time.Second, StopTimeout: 5 * time.Second,
		Plugins: plugins, Offsets: offsets, Status: listen, Log: log,
	})
	r.Standalone = NewStandalone(StandaloneOptions{
		Worker: w, Plugins: plugins, Config: store.NewMemoryConfig(), Status: status, Events: listen, Log: log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *rig) note(s event.Status) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := s.Connector
	if s.Task != event.NoTask {
		key = store.ConnectorTaskID{Connector: s.Connector, Task: s.Task}.String()
	}
	r.states[key] = append(r.states[key], string(s.State))
}

// course returns the states of a connector or task since the last call.
func (r *rig) course(key string) string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	out := strings.Join(r.states[key], " ")
	delete(r.states, key)
	return out
}

// expect compares the courses of connectors and tasks since the last call.
func (r *rig) expect(courses map[string]string) {
	r.t.Helper()
	for key, want := range courses {
		if got := r.course(key); got != want {
			r.t.Errorf("course of %s: %q, want %q", key, got, want)
		}
	}
}

func (r *rig) set(name string, h hooks) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byName[name] = h
}

func (r *rig) hooksOf(name string) hooks {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[name]
}

func (r *rig) context(name string) *connect.ConnectorContext {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.contexts[name]
}

func (r *rig) taskStarts(name string) int {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started[name]
}

// cfg returns a script connector's configuration with further keys and values.
func cfg(name string, more ...string) store.Config {
	var c store.Config
	c.Set("name", name)
	c.Set("connector.class", scriptClass)
	for i := 0; i < len(more); i += 2 {
		c.Set(more[i], more[i+1])
	}
	return c
}

// create creates a connector in a target state; it has to work.
func (r *rig) create(name string, target store.TargetState, more ...string) ConnectorInfo {
	r.t.Helper()
	info, created, err := r.Put(r.t.Context(), name, cfg(name, more...), target, false)
	if err != nil || !created {
		r.t.Fatalf("create %s: %t, %v", name, created, err)
	}
	return info
}

// update changes a connector's configuration; it has to work.
func (r *rig) update(name string, more ...string) {
	r.t.Helper()
	if _, created, err := r.Put(r.t.Context(), name, cfg(name, more...), store.Started, true); err != nil || created {
		r.t.Fatalf("update %s: %t, %v", name, created, err)
	}
}

// status returns a connector's status, which has to exist.
func (r *rig) status(name string) ConnectorStatus {
	r.t.Helper()
	synctest.Wait()
	st, err := r.ConnectorStatus(name)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// must fails the test for an error.
func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// scriptConnector does what the hooks of its name say.
type scriptConnector struct {
	rig   *rig
	props connect.Props
}

func (c *scriptConnector) hooks() hooks { return c.rig.hooksOf(c.props["name"]) }

func (c *scriptConnector) Start(ctx context.Context, cc *connect.ConnectorContext, p connect.Props) error {
	c.props = p
	c.rig.mu.Lock()
	c.rig.contexts[p["name"]] = cc
	c.rig.mu.Unlock()
	if f := c.hooks().start; f != nil {
		return f(ctx)
	}
	return nil
}

func (c *scriptConnector) TaskConfigs(_ context.Context, limit int) ([]connect.Props, error) {
	if f := c.hooks().tasks; f != nil {
		return f(limit)
	}
	return tasks(c.props["name"], 1)
}

// tasks returns n task configurations that differ.
func tasks(name string, n int) ([]connect.Props, error) {
	out := make([]connect.Props, n)
	for i := range out {
		out[i] = connect.Props{"share": string(rune('a' + i)), "of": name}
	}
	return out, nil
}

func (c *scriptConnector) Stop(context.Context) error {
	if f := c.hooks().stop; f != nil {
		return f()
	}
	return nil
}

func (c *scriptConnector) Run(ctx context.Context) error {
	if f := c.hooks().monitor; f != nil {
		return f(ctx)
	}
	<-ctx.Done()
	return nil
}

func (c *scriptConnector) Validate(_ context.Context, p connect.Props) []config.Value {
	if f := c.rig.hooksOf(p["name"]).validate; f != nil {
		return f()
	}
	return nil
}

func (c *scriptConnector) NewTask() connect.SourceTask { return &scriptTask{rig: c.rig} }

// scriptTask waits for its end.
type scriptTask struct{ rig *rig }

func (s *scriptTask) Start(_ context.Context, _ *connect.SourceTaskContext, p connect.Props) error {
	s.rig.mu.Lock()
	defer s.rig.mu.Unlock()
	s.rig.started[p["of"]]++
	return nil
}

func (s *scriptTask) Poll(ctx context.Context, _ *connect.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *scriptTask) Stop(context.Context) error { return nil }
