package herder

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// Pauses between tries to get task configurations from a connector.
const (
	firstReconfigureDelay = 250 * time.Millisecond
	maxReconfigureDelay   = time.Minute
)

// StandaloneOptions is what a standalone herder works with.
type StandaloneOptions struct {
	Worker  *worker.Worker
	Plugins *plugin.Registry
	Config  *store.MemoryConfig
	Status  *store.MemoryStatus
	// Events is told of what the herder itself decides: RESTARTING and DESTROYED.
	Events event.Listener
	Log    *slog.Logger
}

// Standalone is the herder of a single process: nothing is forwarded. Operations on one
// connector come one after the other; those on different ones do not wait for each other. All methods may be called from any
// goroutine.
type Standalone struct {
	StandaloneOptions
	Views
	valid *Validator
	lanes Lanes

	life context.Context //nolint:containedctx // of background work, which outlives requests
	end  context.CancelFunc
	bg   sync.WaitGroup

	mu     sync.Mutex      // guards the rest, and that no background work begins after end
	wanted map[string]bool // connectors whose task configurations will be asked for
	// applied has the configurations that the tasks of connectors were made with.
	applied map[string]store.Config
}

// NewStandalone returns a herder of no connectors.
func NewStandalone(o StandaloneOptions) *Standalone {
	h := &Standalone{
		StandaloneOptions: o, Views: NewViews(o.Plugins, o.Config, o.Status), valid: NewValidator(o.Plugins, ""),
		wanted: make(map[string]bool), applied: make(map[string]store.Config),
	}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

// Run waits for ctx to end and then stops all connectors and tasks.
func (h *Standalone) Run(ctx context.Context) error {
	<-ctx.Done()
	h.mu.Lock()
	h.end()
	h.mu.Unlock()
	h.bg.Wait()
	h.Worker.Shutdown()
	return nil
}

// Put creates a connector, or changes one if replace is set, and returns when it and its tasks have been started. An
// initial target state other than STARTED is for new connectors only.
func (h *Standalone) Put(ctx context.Context, name string, cfg store.Config, target store.TargetState, replace bool) (info ConnectorInfo, created bool, err error) {
	if err := h.valid.Check(ctx, cfg); err != nil {
		return ConnectorInfo{}, false, err
	}
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return ConnectorInfo{}, false, err
	}
	defer leave()
	old, exists := h.Config.Connector(name)
	if exists {
		if !replace {
			return ConnectorInfo{}, false, errorf(AlreadyExists, "Connector %s already exists", name)
		}
		target = old.Target
	}
	if target == "" {
		target = store.Started
	}
	h.valid.NameUnused(h.Log.With("connector", name), cfg)
	h.Config.Put(name, store.ConnectorState{Config: cfg, Target: target, Tasks: old.Tasks})
	if exists {
		h.Worker.StopConnectors(name)
	}
	if err := h.start(ctx, name); err != nil {
		return ConnectorInfo{}, false, err
	}
	info, err = h.Connector(name)
	return info, !exists, err
}

// start starts the connector's instance in its target state, and its tasks if that is STARTED. If that takes longer than
// ctx, the tasks follow in the background.
func (h *Standalone) start(ctx context.Context, name string) error {
	c, _ := h.Config.Connector(name)
	first := make(chan error, 1)
	var late atomic.Bool
	follow := func(err error) {
		if err == nil && late.CompareAndSwap(true, false) {
			h.reconfigure(name)
		}
	}
	err := h.Worker.StartConnector(name, c.Config.Props(), c.Target, worker.ConnectorCallbacks{
		Transitioned: func(_ store.TargetState, err error) {
			select {
			case first <- err:
			default:
			}
			follow(err)
		},
		Reconfigure: func() { h.reconfigure(name) },
	})
	if err != nil {
		return internal(err)
	}
	if err := wait(ctx, first); err != nil {
		if ctx.Err() != nil {
			late.Store(true)
			select {
			case err := <-first: // just now, maybe without having seen late
				follow(err)
			default:
			}
		}
		return internal(err)
	}
	if c.Target != store.Started {
		return nil
	}
	err = h.updateTasks(ctx, name)
	if err != nil && ctx.Err() != nil {
		h.reconfigure(name)
	}
	return err
}

// reconfigure asks for a connector's task configurations in the background, again and again until that works, the
// connector fails, or it is not to run any more. Others may change the connector between two tries.
func (h *Standalone) reconfigure(name string) {
	if !h.want(name) {
		return
	}
	h.background(func(ctx context.Context) {
		for delay := firstReconfigureDelay; ; delay = min(2*delay, maxReconfigureDelay) {
			err := h.lanes.Alone(ctx, name, func(ctx context.Context) error {
				h.unwant(name)
				return h.updateStarted(ctx, name)
			})
			if err == nil || ctx.Err() != nil || !h.want(name) {
				return
			}
			h.Log.Warn("the task configurations of a connector could not be updated and are asked for again", "connector", name, "in", delay, "error", err)
			select {
			case <-time.After(delay):
			case <-ctx.Done():
				return
			}
		}
	})
}

// want notes that task configurations are to be asked for; false if that was noted already.
func (h *Standalone) want(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wanted[name] {
		return false
	}
	h.wanted[name] = true
	return true
}

func (h *Standalone) unwant(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.wanted, name)
}

// updateStarted is updateTasks for a connector that may have been deleted, halted or failed since.
func (h *Standalone) updateStarted(ctx context.Context, name string) error {
	if c, ok := h.Config.Connector(name); !ok || c.Target != store.Started {
		return nil
	}
	err := h.updateTasks(ctx, name)
	if s, _ := h.Status.Connector(name); err != nil && s.State == event.Failed {
		h.Log.Warn("the connector has failed and makes no task configurations until it is restarted", "connector", name, "error", err)
		return nil
	}
	return err
}

// updateTasks asks the connector for its task configurations and restarts the tasks if these, or the connector's
// configuration, are not those that the tasks run with.
func (h *Standalone) updateTasks(ctx context.Context, name string) error {
	c, _ := h.Config.Connector(name)
	tasks, err := TaskConfigs(ctx, h.Worker, name, c.Config)
	if err != nil {
		return internal(err)
	}
	h.mu.Lock()
	same := h.applied[name].Equal(c.Config)
	h.mu.Unlock()
	if same && equalConfigs(tasks, c.Tasks) && len(h.Worker.Tasks(name)) == len(tasks) {
		return nil
	}
	c.Tasks = tasks
	h.Config.Put(name, c)
	h.mu.Lock()
	h.applied[name] = c.Config
	h.mu.Unlock()
	h.removeTasks(name, len(tasks))
	for i := range tasks {
		h.startTask(c, store.ConnectorTaskID{Connector: name, Task: i})
	}
	return nil
}

func equalConfigs(a, b []store.Config) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

func (h *Standalone) startTask(c store.ConnectorState, id store.ConnectorTaskID) bool {
	return h.Worker.StartTask(id, c.Config.Props(), c.Tasks[id.Task].Props(), c.Target)
}

// removeTasks stops all tasks and forgets the statuses of those that will not come back.
func (h *Standalone) removeTasks(name string, keep int) {
	h.Worker.StopTasks(h.Worker.Tasks(name)...)
	for _, n := range h.Status.Tasks(name) {
		if n >= keep {
			h.Events(event.Status{Connector: name, Task: n, State: event.Destroyed})
		}
	}
}

// Delete stops a connector and forgets it. Its offsets stay.
func (h *Standalone) Delete(ctx context.Context, name string) error {
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if _, ok := h.Config.Connector(name); !ok {
		return errorf(NotFound, "Connector %s not found", name)
	}
	h.Config.Remove(name)
	h.mu.Lock()
	delete(h.applied, name)
	h.mu.Unlock()
	h.Worker.StopConnectors(name)
	h.removeTasks(name, 0)
	h.Events(event.Status{Connector: name, Task: event.NoTask, State: event.Destroyed})
	return nil
}

// SetTarget changes a connector's target state. The connector and its paused or resumed tasks get there after the return;
// the tasks of a stopped one are gone by then.
func (h *Standalone) SetTarget(ctx context.Context, name string, target store.TargetState) error {
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	c, ok := h.Config.Connector(name)
	if !ok {
		return errorf(NotFound, "Unknown connector %s", name)
	}
	resumed := target == store.Started && c.Target != store.Started
	c.Target = target
	if target == store.Stopped {
		c.Tasks = nil
	}
	h.Config.Put(name, c)
	h.Worker.SetTargetState(name, target)
	if target == store.Stopped {
		h.removeTasks(name, 0)
	}
	if resumed {
		h.reconfigure(name)
	}
	return nil
}

// background does work that no request waits for.
func (h *Standalone) background(work func(ctx context.Context)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life.Err() == nil {
		h.bg.Go(func() { work(h.life) })
	}
}
