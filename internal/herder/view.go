package herder

import (
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// Catalog is what connectors there are.
type Catalog interface {
	Names() []string // sorted, never nil
	Connector(name string) (store.ConnectorState, bool)
}

// Statuses is what is known of how connectors and tasks are doing.
type Statuses interface {
	Connector(name string) (store.Status, bool)
	Task(id store.ConnectorTaskID) (store.Status, bool)
	Tasks(connector string) []int
}

// Views answers questions about connectors from memory. Its methods may be called from any goroutine and never block.
type Views struct {
	plugins  *plugin.Registry
	configs  Catalog
	statuses Statuses
}

// NewViews returns the views of what is in a config store and a status store.
func NewViews(plugins *plugin.Registry, configs Catalog, statuses Statuses) Views {
	return Views{plugins, configs, statuses}
}

// Connectors returns the names of all connectors, sorted.
func (v Views) Connectors() []string { return v.configs.Names() }

// ListPlugins returns the installed plugins.
func (v Views) ListPlugins(connectorsOnly bool) []plugin.Info {
	return v.plugins.List(connectorsOnly)
}

// Connector describes a connector.
func (v Views) Connector(name string) (ConnectorInfo, error) {
	c, ok := v.configs.Connector(name)
	if !ok {
		return ConnectorInfo{}, errorf(NotFound, "Connector %s not found", name)
	}
	info := ConnectorInfo{Name: name, Config: c.Config, Tasks: []TaskRef{}, Type: v.typeOf(c.Config)}
	for i := range c.Tasks {
		info.Tasks = append(info.Tasks, TaskRef{name, i})
	}
	return info, nil
}

func (v Views) typeOf(cfg store.Config) Type {
	p, err := v.plugins.Connector(cfg.Value(worker.ConnectorClassKey))
	switch {
	case err != nil:
		return UnknownType
	case p.Sink != nil:
		return SinkType
	default:
		return SourceType
	}
}

// Tasks returns the task configurations of a connector.
func (v Views) Tasks(name string) ([]TaskInfo, error) {
	c, ok := v.configs.Connector(name)
	if !ok {
		return nil, errorf(NotFound, "Connector %s not found", name)
	}
	out := []TaskInfo{}
	for i, cfg := range c.Tasks {
		out = append(out, TaskInfo{TaskRef{name, i}, cfg})
	}
	return out, nil
}

// ConnectorStatus returns the states of a connector and its tasks.
func (v Views) ConnectorStatus(name string) (ConnectorStatus, error) {
	s, ok := v.statuses.Connector(name)
	c, exists := v.configs.Connector(name)
	if !ok || !exists {
		return ConnectorStatus{}, errorf(NotFound, "No status found for connector %s", name)
	}
	out := ConnectorStatus{Name: name, Connector: stateOf(s), Tasks: []TaskStatus{}, Type: v.typeOf(c.Config)}
	for _, n := range v.statuses.Tasks(name) {
		if t, ok := v.statuses.Task(store.ConnectorTaskID{Connector: name, Task: n}); ok {
			out.Tasks = append(out.Tasks, TaskStatus{n, stateOf(t)})
		}
	}
	return out, nil
}

// TaskStatus returns the state of one task.
func (v Views) TaskStatus(id store.ConnectorTaskID) (TaskStatus, error) {
	s, ok := v.statuses.Task(id)
	if !ok {
		return TaskStatus{}, errorf(NotFound, "No status found for task %s", id)
	}
	return TaskStatus{id.Task, stateOf(s)}, nil
}

func stateOf(s store.Status) State {
	out := State{State: string(s.State), WorkerID: s.WorkerID, Trace: s.Trace}
	if s.Version != "" {
		out.Version = &s.Version
	}
	return out
}
