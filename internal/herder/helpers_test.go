package herder

import (
	"bytes"
	"context"
	"errors"
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
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/herder/herdertest"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hooks are what a script connector does.
type hooks = herdertest.Hooks

// rig is a herder of script connectors.
type rig struct {
	*Standalone
	t      *testing.T
	script *herdertest.Script
	log    *lockedBuffer
	stop   func() // ends Run and waits for it

	mu     sync.Mutex          // guards the rest
	states map[string][]string // of connectors, and of tasks as name-0
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
	r := &rig{t: t, script: new(herdertest.Script), log: new(lockedBuffer), states: make(map[string][]string)}
	def := config.New()
	def.String("own", config.Default("x"), config.OneOf("x", "y"), config.Doc("A key of the connector's own."))
	def.String("needed", config.NonEmpty, config.Doc("Another."))
	plugins := plugin.New(
		[]connect.Plugin{
			r.script.Plugin(),
			{Class: "test.BrokenSourceConnector", Version: "7", Def: config.New(), Source: func() connect.SourceConnector { panic("no instance") }},
			{Class: "test.PickySinkConnector", Version: "7", Def: def, Sink: func() connect.SinkConnector { return nil }},
		},
		[]connect.ConverterPlugin{
			herdertest.Converter(),
			{Class: "test.BrokenConverter", Version: "7", New: func(connect.Props, connect.ConverterUse) (connect.Converter, error) {
				return nil, errors.New("no converter")
			}},
		},
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
			"bootstrap.servers": "127.0.0.1:1", "key.converter": herdertest.ConverterClass, "value.converter": herdertest.ConverterClass, "header.converter": herdertest.ConverterClass,
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

func (r *rig) set(name string, h hooks) { r.script.Set(name, h) }

func (r *rig) context(name string) *connect.ConnectorContext { return r.script.Context(name) }

func (r *rig) taskStarts(name string) int {
	synctest.Wait()
	return r.script.TaskStarts(name)
}

// cfg returns a script connector's configuration with further keys and values.
func cfg(name string, more ...string) store.Config { return herdertest.Config(name, more...) }

// tasks returns n task configurations that differ.
func tasks(name string, n int) ([]connect.Props, error) { return herdertest.Tasks(name, n) }

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
