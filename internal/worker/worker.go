// Package worker runs connectors and tasks: one goroutine each, batches in, batches out.
//
// It decides nothing: a herder tells it what to start and to stop. What happens to a connector or task is reported
// as [event.Status]. All methods of [Worker] may be called from any goroutine.
package worker

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/javaregex"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
)

// Keys of connector configurations that the worker reads.
const (
	NameKey            = "name"
	ConnectorClassKey  = "connector.class"
	TasksMaxKey        = "tasks.max"
	TasksMaxEnforceKey = "tasks.max.enforce"
	TaskClassKey       = "task.class"
	TopicsKey          = "topics"
	TopicsRegexKey     = "topics.regex"
	OffsetsTopicKey    = "offsets.storage.topic"
)

// Options is what a worker is made of.
type Options struct {
	// Props is the worker's whole configuration, which converters and clients take their keys from.
	Props         map[string]string
	FlushInterval time.Duration // offset.flush.interval.ms
	FlushTimeout  time.Duration // offset.flush.timeout.ms
	StopTimeout   time.Duration // task.shutdown.graceful.timeout.ms
	Plugins       *plugin.Registry
	Offsets       store.Offsets // of all connectors without a topic of their own
	OwnOffsets    OwnOffsets    // nil: connectors have no topics of their own
	Status        event.Listener
	Log           *slog.Logger
}

// Worker runs connectors and tasks until it is told to stop them.
type Worker struct {
	Options

	mu         sync.Mutex // guards the maps
	connectors map[string]*connector
	tasks      map[store.ConnectorTaskID]*task
	records    map[string]*atomic.Int64 // by connector
}

// New returns a worker that runs nothing yet.
func New(o Options) *Worker {
	return &Worker{
		Options: o, connectors: make(map[string]*connector), tasks: make(map[store.ConnectorTaskID]*task),
		records: make(map[string]*atomic.Int64),
	}
}

// Records returns how many records the tasks of a connector on this worker have taken from their source, or delivered to
// their destination, since the process began. Restarts and deletions do not set it back.
func (w *Worker) Records(connector string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counter(connector).Load()
}

// counter is called under mu.
func (w *Worker) counter(connector string) *atomic.Int64 {
	if w.records[connector] == nil {
		w.records[connector] = new(atomic.Int64)
	}
	return w.records[connector]
}

// StartTask starts a task with its connector's configuration and its own. It returns false, after reporting FAILED,
// if the task cannot be set up; whatever fails later is reported by the task itself.
func (w *Worker) StartTask(id store.ConnectorTaskID, connectorProps, taskProps connect.Props, target store.TargetState) bool {
	err := event.Guard(func() error { return w.startTask(id, connectorProps, taskProps, target) })
	if err != nil {
		w.Status(event.Status{Connector: id.Connector, Task: id.Task, State: event.Failed, Trace: event.Trace(err), Err: err})
	}
	return err == nil
}

func (w *Worker) startTask(id store.ConnectorTaskID, connectorProps, taskProps connect.Props, target store.TargetState) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.tasks[id]; ok {
		return connect.NewError("Task already exists in this worker: "+id.String(), nil)
	}
	p, err := w.Plugins.Connector(connectorProps[ConnectorClassKey])
	if err != nil {
		return err
	}
	log := w.Log.With("connector", id.Connector, "task", id.Task)
	t := newTask(id, log, p.Version, w.Status, target == store.Paused)
	t.records = w.counter(id.Connector)
	b, err := w.newBody(t, p, connectorProps, taskProps)
	if err != nil {
		return err
	}
	w.tasks[id] = t
	go t.run(b)
	return nil
}

func (w *Worker) newBody(t *task, p *connect.Plugin, connectorProps, taskProps connect.Props) (body, error) {
	conv, err := pipeline.NewConverters(w.Plugins, connectorProps, w.Props)
	if err != nil {
		return nil, err
	}
	tol, err := pipeline.NewTolerance(t.log, connectorProps)
	if err != nil {
		return nil, err
	}
	if p.Source != nil {
		return w.newSource(t, p, conv, tol, connectorProps, taskProps)
	}
	return w.newSink(t, p, conv, tol, connectorProps, taskProps)
}

// StopTasks stops tasks, all at the same time, and returns when they have ended or have used up the graceful timeout.
// A task that does not end in time is given up: it is reported UNASSIGNED and may report nothing more.
func (w *Worker) StopTasks(ids ...store.ConnectorTaskID) {
	var stopping []*task
	w.mu.Lock()
	for _, id := range ids {
		if t := w.tasks[id]; t != nil {
			stopping = append(stopping, t)
			delete(w.tasks, id)
		}
	}
	w.mu.Unlock()
	for _, t := range stopping {
		t.softEnd()
	}
	deadline := time.NewTimer(w.StopTimeout)
	defer deadline.Stop()
	// Work in hand is interrupted when half of the time is gone, so that the other half is left for closing.
	half := time.AfterFunc(w.StopTimeout/2, func() {
		for _, t := range stopping {
			t.drainEnd()
		}
	})
	defer half.Stop()
	expired := false
	for _, t := range stopping {
		if expired {
			w.giveUp(t)
			continue
		}
		select {
		case <-t.done:
		case <-deadline.C:
			expired = true
			w.giveUp(t)
		}
	}
}

func (w *Worker) giveUp(t *task) {
	select {
	case <-t.done:
		return
	default:
	}
	t.mute()
	t.hardEnd()
	t.log.Error("the task did not stop in time and is given up", "timeout", w.StopTimeout)
	w.Status(event.Status{Connector: t.id.Connector, Task: t.id.Task, State: event.Unassigned, Version: t.version})
}

// Tasks returns the ids of a connector's tasks on this worker, ascending, whatever their state.
func (w *Worker) Tasks(connector string) []store.ConnectorTaskID {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []store.ConnectorTaskID
	for id := range w.tasks {
		if id.Connector == connector {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b store.ConnectorTaskID) int { return a.Task - b.Task })
	return out
}

// SetTargetState applies a target state to a connector and its tasks on this worker. Stopping a connector leaves it to
// the caller to stop the tasks, which have no such state.
func (w *Worker) SetTargetState(name string, target store.TargetState) {
	for _, id := range w.Tasks(name) {
		w.SetTaskTarget(id, target)
	}
	w.SetConnectorTarget(name, target)
}

// SetConnectorTarget applies a target state to a connector alone.
func (w *Worker) SetConnectorTarget(name string, target store.TargetState) {
	w.mu.Lock()
	c := w.connectors[name]
	w.mu.Unlock()
	if c != nil {
		c.transition(target)
	}
}

// SetTaskTarget pauses or resumes a task.
func (w *Worker) SetTaskTarget(id store.ConnectorTaskID, target store.TargetState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.tasks[id]; t != nil && target != store.Stopped {
		t.gate.set(target == store.Paused)
	}
}

// Shutdown stops everything: connectors first, then tasks.
func (w *Worker) Shutdown() {
	w.mu.Lock()
	connectors := slices.Sorted(maps.Keys(w.connectors))
	tasks := slices.Collect(maps.Keys(w.tasks))
	w.mu.Unlock()
	w.StopConnectors(connectors...)
	w.StopTasks(tasks...)
}

// ValidateTopics checks how a sink names its topics (KIP-215): exactly one of topics and topics.regex.
func ValidateTopics(props connect.Props) error {
	topics, regex := Topics(props), strings.TrimSpace(props[TopicsRegexKey])
	switch {
	case len(topics) == 0 && regex == "":
		return configError("Must configure one of topics or topics.regex")
	case len(topics) > 0 && regex != "":
		return configError("topics and topics.regex are mutually exclusive options, but both are set.")
	case regex != "":
		if _, err := javaregex.Compile(regex); err != nil {
			return configError(fmt.Sprintf("Invalid value %s for configuration %s: Invalid regex: %s", regex, TopicsRegexKey, err))
		}
	}
	return nil
}

// Topics returns the topics that a sink's configuration lists.
func Topics(props connect.Props) []string {
	var out []string
	for _, t := range strings.Split(props[TopicsKey], ",") {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

func configError(message string) error {
	return &connect.Error{Class: "org.apache.kafka.common.config.ConfigException", Message: message}
}
