package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/store"
)

// connectorStopTimeout is how long connectors get to stop, all together; Connect has it fixed, too.
const connectorStopTimeout = 5 * time.Second

// ConnectorCallbacks is what a connector tells its herder. The functions must not block.
type ConnectorCallbacks struct {
	// Transitioned is called after each attempt to reach a target state.
	Transitioned func(target store.TargetState, err error)
	// Reconfigure is called when the connector asks for new task configurations.
	Reconfigure func()
}

// connector is one connector instance. Its goroutine makes all calls of the plugin, one at a time.
type connector struct {
	name   string
	log    *slog.Logger
	plugin *connect.Plugin
	props  connect.Props
	open   func(context.Context) (store.Offsets, func(), error)
	report event.Listener
	back   ConnectorCallbacks

	ctx    context.Context //nolint:containedctx // of the instance's life
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{}

	mu     sync.Mutex // guards the fields up to the next blank line
	want   *store.TargetState
	calls  []func()
	raised error
	muted  bool

	// The rest belongs to the goroutine.
	instance connect.Connector
	state    event.State // "" before the first transition
	started  bool        // Start has been called and Stop has not
	monitor  sync.WaitGroup
	unwatch  context.CancelFunc

	offsets      store.Offsets // nil before the first start of a source
	closeOffsets func()
}

// StartConnector starts an instance in a target state. The outcome is told to the callbacks. It returns an error if
// the class cannot be found or an instance runs already.
func (w *Worker) StartConnector(name string, props connect.Props, target store.TargetState, back ConnectorCallbacks) error {
	p, err := w.Plugins.Connector(props[ConnectorClassKey])
	if err != nil {
		w.failConnector(name, "", err)
		return err
	}
	c := &connector{
		name: name, log: w.Log.With("connector", name), plugin: p, props: props, report: w.Status, back: back,
		done: make(chan struct{}), wake: make(chan struct{}, 1), want: &target, closeOffsets: func() {},
	}
	c.open = func(ctx context.Context) (store.Offsets, func(), error) {
		return w.offsetsOf(ctx, name, event.NoTask, props)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.connectors[name]; ok {
		return connect.NewError("Connector with name "+name+" already exists", nil)
	}
	w.connectors[name] = c
	go c.run()
	c.poke()
	return nil
}

func (w *Worker) failConnector(name, version string, err error) {
	w.Status(event.Status{Connector: name, Task: event.NoTask, State: event.Failed, Version: version, Trace: event.Trace(err), Err: err})
}

// StopConnectors stops instances, all at the same time. One that does not stop within five seconds is given up.
func (w *Worker) StopConnectors(names ...string) {
	var stopping []*connector
	w.mu.Lock()
	for _, n := range names {
		if c := w.connectors[n]; c != nil {
			stopping = append(stopping, c)
			delete(w.connectors, n)
		}
	}
	w.mu.Unlock()
	for _, c := range stopping {
		c.cancel()
	}
	deadline := time.NewTimer(connectorStopTimeout)
	defer deadline.Stop()
	for i, c := range stopping {
		select {
		case <-c.done:
		case <-deadline.C:
			for _, late := range stopping[i:] {
				late.giveUp()
			}
			return
		}
	}
}

func (c *connector) giveUp() {
	select {
	case <-c.done:
		return
	default:
	}
	c.mu.Lock()
	c.muted = true
	c.mu.Unlock()
	c.log.Error("the connector did not stop in time and is given up", "timeout", connectorStopTimeout)
	c.report(event.Status{Connector: c.name, Task: event.NoTask, State: event.Unassigned, Version: c.plugin.Version})
}

// TaskConfigs asks a running connector to split its work. It returns an error if the connector is not running.
func (w *Worker) TaskConfigs(ctx context.Context, name string, limit int) ([]connect.Props, error) {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	if c == nil {
		return nil, connect.NewError("Connector "+name+" not found in this worker", nil)
	}
	type answer struct {
		configs []connect.Props
		err     error
	}
	answers := make(chan answer, 1)
	c.call(func() {
		var a answer
		if c.state != event.Running {
			a.err = connect.NewError("Connector "+name+" is not running", nil)
		} else {
			a.err = event.Guard(func() (err error) { a.configs, err = c.instance.TaskConfigs(c.ctx, limit); return err })
		}
		answers <- a
	})
	select {
	case a := <-answers:
		return a.configs, a.err
	case <-c.done:
		return nil, connect.NewError("Connector "+name+" has been stopped", nil)
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the task configurations of connector %s: %w", name, ctx.Err())
	}
}

// FailConnector fails a running connector from outside, as its own RaiseError would.
func (w *Worker) FailConnector(name string, err error) {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	if c != nil {
		c.raise(err)
	}
}

// transition asks for a target state. A request that was not begun yet is replaced.
func (c *connector) transition(target store.TargetState) {
	c.mu.Lock()
	old := c.want
	c.want = &target
	c.mu.Unlock()
	if old != nil && c.back.Transitioned != nil {
		c.back.Transitioned(*old, connect.NewError(fmt.Sprintf("Could not begin changing connector state to %s before another request to change state was made; the new request (which is to change the state to %s) has pre-empted this one", *old, target), nil))
	}
	c.poke()
}

func (c *connector) call(f func()) {
	c.mu.Lock()
	c.calls = append(c.calls, f)
	c.mu.Unlock()
	c.poke()
}

func (c *connector) raise(err error) {
	c.mu.Lock()
	c.raised = err
	c.mu.Unlock()
	c.poke()
}

func (c *connector) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run is the instance's goroutine.
func (c *connector) run() {
	defer close(c.done)
	if err := event.Guard(func() error { c.instance = c.newInstance(); return nil }); err != nil {
		c.raise(err)
	}
	for {
		select {
		case <-c.wake:
			c.work()
		case <-c.ctx.Done():
			c.end()
			return
		}
	}
}

func (c *connector) newInstance() connect.Connector {
	if c.plugin.Source != nil {
		return c.plugin.Source()
	}
	return c.plugin.Sink()
}

// work does what has been asked for since the last time.
func (c *connector) work() {
	for c.ctx.Err() == nil {
		c.mu.Lock()
		want, calls, raised := c.want, c.calls, c.raised
		c.want, c.calls, c.raised = nil, nil, nil
		c.mu.Unlock()
		if want == nil && calls == nil && raised == nil {
			return
		}
		if raised != nil {
			c.fail(raised)
		}
		if want != nil {
			c.move(*want)
		}
		for _, f := range calls {
			f()
		}
	}
}

func (c *connector) move(target store.TargetState) {
	err := c.reach(target)
	if err != nil {
		c.log.Error("the connector could not change its state", "target", target, "error", err)
	}
	if c.back.Transitioned != nil {
		c.back.Transitioned(target, err)
	}
}

func (c *connector) reach(target store.TargetState) error {
	if c.state == event.Failed && target != store.Stopped {
		return connect.NewError(fmt.Sprintf("Cannot transition connector to %s since it has failed", target), nil)
	}
	switch target {
	case store.Started:
		if c.state == event.Running {
			return nil
		}
		if err := c.start(); err != nil {
			c.fail(err)
			return err
		}
		c.enter(event.Running)
	case store.Paused:
		if err := c.halt(); err != nil {
			c.fail(err)
			return err
		}
		c.enter(event.Paused)
	case store.Stopped:
		if err := c.halt(); err != nil {
			c.log.Warn("the connector did not stop cleanly", "error", err)
		}
		c.enter(event.Stopped)
	}
	return nil
}

func (c *connector) start() error {
	if c.plugin.Sink != nil {
		if err := ValidateTopics(c.props); err != nil {
			return err
		}
	}
	if c.plugin.Source != nil && c.offsets == nil {
		var err error
		if c.offsets, c.closeOffsets, err = c.open(c.ctx); err != nil {
			c.offsets, c.closeOffsets = nil, func() {}
			return err
		}
	}
	cc := connect.NewConnectorContext(connect.ConnectorRuntime{
		Log:                    c.log,
		RequestReconfiguration: c.reconfigure,
		RaiseError:             c.raise,
		Offsets: func(ctx context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
			return readOffsets(ctx, c.offsets, c.name, ps)
		},
	})
	if c.instance == nil {
		return connect.NewError("there is no instance of the connector", nil)
	}
	c.started = true
	if err := event.Guard(func() error { return c.instance.Start(c.ctx, cc, c.props) }); err != nil {
		return err
	}
	if m, ok := c.instance.(connect.Monitor); ok {
		c.watch(m)
	}
	return nil
}

func (c *connector) reconfigure() {
	if c.ctx.Err() == nil && c.back.Reconfigure != nil {
		c.back.Reconfigure()
	}
}

func (c *connector) watch(m connect.Monitor) {
	ctx, cancel := context.WithCancel(c.ctx)
	c.unwatch = cancel
	c.monitor.Go(func() {
		if err := event.Guard(func() error { return m.Run(ctx) }); err != nil && ctx.Err() == nil {
			c.raise(err)
		}
	})
}

// halt stops an instance that was started, even one that has failed since.
func (c *connector) halt() error {
	if !c.started {
		return nil
	}
	c.started = false
	if c.unwatch != nil {
		c.unwatch()
		c.monitor.Wait()
		c.unwatch = nil
	}
	return event.Guard(func() error { return c.instance.Stop(context.WithoutCancel(c.ctx)) })
}

// end is the instance's last act.
func (c *connector) end() {
	defer func() { c.closeOffsets() }()
	if err := c.halt(); err != nil {
		c.log.Warn("the connector did not stop cleanly", "error", err)
		c.fail(err)
		return
	}
	c.enter(event.Unassigned)
}

func (c *connector) enter(s event.State) {
	c.state = s
	c.tell(event.Status{State: s})
}

func (c *connector) fail(err error) {
	c.state = event.Failed
	c.tell(event.Status{State: event.Failed, Trace: event.Trace(err), Err: err})
}

func (c *connector) tell(s event.Status) {
	c.mu.Lock()
	muted := c.muted
	c.mu.Unlock()
	if !muted {
		s.Connector, s.Task, s.Version = c.name, event.NoTask, c.plugin.Version
		c.report(s)
	}
}
