package herder

import (
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// Connectors returns the names of all connectors, sorted.
func (h *Standalone) Connectors() []string { return h.Config.Names() }

// ListPlugins returns the installed plugins.
func (h *Standalone) ListPlugins(connectorsOnly bool) []plugin.Info {
	return h.Plugins.List(connectorsOnly)
}

// Connector describes a connector.
func (h *Standalone) Connector(name string) (ConnectorInfo, error) {
	c, ok := h.Config.Connector(name)
	if !ok {
		return ConnectorInfo{}, errorf(NotFound, "Connector %s not found", name)
	}
	info := ConnectorInfo{Name: name, Config: c.Config, Tasks: []TaskRef{}, Type: h.typeOf(c.Config)}
	for i := range c.Tasks {
		info.Tasks = append(info.Tasks, TaskRef{name, i})
	}
	return info, nil
}

func (h *Standalone) typeOf(cfg store.Config) Type {
	p, err := h.Plugins.Connector(cfg.Value(worker.ConnectorClassKey))
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
func (h *Standalone) Tasks(name string) ([]TaskInfo, error) {
	c, ok := h.Config.Connector(name)
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
func (h *Standalone) ConnectorStatus(name string) (ConnectorStatus, error) {
	s, ok := h.Status.Connector(name)
	c, exists := h.Config.Connector(name)
	if !ok || !exists {
		return ConnectorStatus{}, errorf(NotFound, "No status found for connector %s", name)
	}
	out := ConnectorStatus{Name: name, Connector: stateOf(s), Tasks: []TaskStatus{}, Type: h.typeOf(c.Config)}
	for _, n := range h.Status.Tasks(name) {
		if t, ok := h.Status.Task(store.ConnectorTaskID{Connector: name, Task: n}); ok {
			out.Tasks = append(out.Tasks, TaskStatus{n, stateOf(t)})
		}
	}
	return out, nil
}

// TaskStatus returns the state of one task.
func (h *Standalone) TaskStatus(id store.ConnectorTaskID) (TaskStatus, error) {
	s, ok := h.Status.Task(id)
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
