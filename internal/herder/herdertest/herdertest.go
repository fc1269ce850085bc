// Package herdertest has a source connector for tests of herders, which does what a test says for the connector's name.
package herdertest

import (
	"context"
	"sync"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/store"
)

// Classes of the plugins.
const (
	Class          = "test.ScriptSourceConnector"
	ConverterClass = "test.TextConverter"
	Version        = "7"
)

// Hooks are what a connector does; nil functions do nothing, and nil Tasks make one task.
type Hooks struct {
	Start    func(ctx context.Context) error
	Tasks    func(limit int) ([]connect.Props, error)
	Stop     func() error
	Monitor  func(ctx context.Context) error
	Validate func() []config.Value
	// StartTask and StopTask get the configuration that the task was started with.
	StartTask func(ctx context.Context, p connect.Props) error
	StopTask  func(p connect.Props) error
}

// Script says what connectors do. It is shared by all workers of a test. The zero Script is ready: its connectors start at once and
// make one task each. Its methods may be called from any goroutine.
type Script struct {
	mu       sync.Mutex // guards the rest
	hooks    map[string]Hooks
	contexts map[string]*connect.ConnectorContext
	started  map[string]int
}

// Plugin returns the connector that follows the script.
func (s *Script) Plugin() connect.Plugin {
	return connect.Plugin{
		Class: Class, TaskClass: "test.ScriptTask", Version: Version, Def: config.New(),
		Source: func() connect.SourceConnector { return &connector{script: s} },
	}
}

// Set says what the connector of a name does from now on, also if it runs already.
func (s *Script) Set(name string, h Hooks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hooks == nil {
		s.hooks = make(map[string]Hooks)
	}
	s.hooks[name] = h
}

// Context returns what the last start of a connector was given; nil before the first.
func (s *Script) Context(name string) *connect.ConnectorContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contexts[name]
}

// TaskStarts returns how many tasks of a connector have begun.
func (s *Script) TaskStarts(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started[name]
}

func (s *Script) of(name string) Hooks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hooks[name]
}

func (s *Script) startedConnector(name string, cc *connect.ConnectorContext) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.contexts == nil {
		s.contexts = make(map[string]*connect.ConnectorContext)
	}
	s.contexts[name] = cc
}

func (s *Script) startedTask(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started == nil {
		s.started = make(map[string]int)
	}
	s.started[name]++
}

// Config returns the configuration of a connector with further keys and values.
func Config(name string, more ...string) store.Config {
	var c store.Config
	c.Set("name", name)
	c.Set("connector.class", Class)
	for i := 0; i < len(more); i += 2 {
		c.Set(more[i], more[i+1])
	}
	return c
}

// Tasks returns n configurations of tasks that differ, for [Hooks].
func Tasks(name string, n int) ([]connect.Props, error) {
	out := make([]connect.Props, n)
	for i := range out {
		out[i] = connect.Props{"share": string(rune('a' + i)), "of": name}
	}
	return out, nil
}

// connector does what the hooks of its name say.
type connector struct {
	script *Script
	name   string
}

func (c *connector) Start(ctx context.Context, cc *connect.ConnectorContext, p connect.Props) error {
	c.name = p["name"]
	c.script.startedConnector(c.name, cc)
	if f := c.script.of(c.name).Start; f != nil {
		return f(ctx)
	}
	return nil
}

func (c *connector) TaskConfigs(_ context.Context, limit int) ([]connect.Props, error) {
	if f := c.script.of(c.name).Tasks; f != nil {
		return f(limit)
	}
	return Tasks(c.name, 1)
}

func (c *connector) Stop(context.Context) error {
	if f := c.script.of(c.name).Stop; f != nil {
		return f()
	}
	return nil
}

func (c *connector) Run(ctx context.Context) error {
	if f := c.script.of(c.name).Monitor; f != nil {
		return f(ctx)
	}
	<-ctx.Done()
	return nil
}

func (c *connector) Validate(_ context.Context, p connect.Props) []config.Value {
	if f := c.script.of(p["name"]).Validate; f != nil {
		return f()
	}
	return nil
}

func (c *connector) NewTask() connect.SourceTask { return &task{script: c.script} }

// task waits for its end.
type task struct {
	script *Script
	props  connect.Props
}

func (t *task) Start(ctx context.Context, _ *connect.SourceTaskContext, p connect.Props) error {
	t.props = p
	t.script.startedTask(p["of"])
	if f := t.script.of(p["of"]).StartTask; f != nil {
		return f(ctx, p)
	}
	return nil
}

func (t *task) Poll(ctx context.Context, _ *connect.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

func (t *task) Stop(context.Context) error {
	if f := t.script.of(t.props["of"]).StopTask; f != nil {
		return f(t.props)
	}
	return nil
}

// Converter returns a converter that is enough for tasks without records.
func Converter() connect.ConverterPlugin {
	create := func(connect.Props, connect.ConverterUse) (connect.Converter, error) { return textConverter{}, nil }
	return connect.ConverterPlugin{Class: ConverterClass, Def: config.New(), New: create, NewHeader: connect.HeadersOf(create)}
}

type textConverter struct{}

func (textConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	return append(dst, v.Bytes()...), nil
}

func (textConverter) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	return data.OptionalStringSchema, data.AliasString(raw), nil
}
