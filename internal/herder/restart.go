package herder

import (
	"context"
	"slices"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/store"
)

// RestartConnector starts the connector's instance anew, without its tasks.
func (h *Standalone) RestartConnector(ctx context.Context, name string) error {
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if _, ok := h.Config.Connector(name); !ok {
		return errorf(NotFound, "Connector %s not found", name)
	}
	h.Worker.StopConnectors(name)
	return h.start(ctx, name)
}

// RestartTask starts one task anew.
func (h *Standalone) RestartTask(ctx context.Context, id store.ConnectorTaskID) error {
	leave, err := h.lanes.Enter(ctx, id.Connector)
	if err != nil {
		return err
	}
	defer leave()
	c, ok := h.Config.Connector(id.Connector)
	if !ok {
		return errorf(NotFound, "Connector %s not found", id.Connector)
	}
	if id.Task < 0 || id.Task >= len(c.Tasks) {
		return errorf(NotFound, "Task %s not found", id)
	}
	h.Worker.StopTasks(id)
	if !h.startTask(c, id) {
		return errorf(Internal, "Failed to start task: %s", id)
	}
	return nil
}

// Restart restarts a connector and its tasks as asked for, in the background. It returns the status in which all that
// will be restarted shows as RESTARTING.
func (h *Standalone) Restart(ctx context.Context, name string, what Restart) (ConnectorStatus, error) {
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return ConnectorStatus{}, err
	}
	defer leave()
	if _, ok := h.Config.Connector(name); !ok {
		return ConnectorStatus{}, errorf(NotFound, "Unknown connector: %s", name)
	}
	st, err := h.ConnectorStatus(name)
	if err != nil {
		return ConnectorStatus{}, errorf(NotFound, "Status for connector %s not found", name)
	}
	plan := st.Plan(what)
	h.background(func(ctx context.Context) {
		err := h.lanes.Alone(ctx, name, func(ctx context.Context) error { return h.carryOut(ctx, name, plan) })
		if err != nil && ctx.Err() == nil {
			h.Log.Error("a restart did not succeed", "connector", name, "error", err)
		}
	})
	return st, nil
}

// Plan is what a restart request comes to.
type Plan struct {
	Connector bool
	Tasks     []store.ConnectorTaskID
}

// Plan selects what to restart and marks it as RESTARTING in the status.
func (st *ConnectorStatus) Plan(what Restart) Plan {
	var p Plan
	selected := func(s *State) bool {
		if what.OnlyFailed && s.State != string(event.Failed) {
			return false
		}
		s.State = string(event.Restarting)
		return true
	}
	p.Connector = selected(&st.Connector)
	if what.IncludeTasks {
		for i := range st.Tasks {
			if selected(&st.Tasks[i].State) {
				p.Tasks = append(p.Tasks, store.ConnectorTaskID{Connector: st.Name, Task: st.Tasks[i].ID})
			}
		}
	}
	return p
}

// carryOut restarts what is left of a plan: the connector may have been changed or deleted since it was made.
func (h *Standalone) carryOut(ctx context.Context, name string, p Plan) error {
	c, ok := h.Config.Connector(name)
	if !ok {
		return nil
	}
	p.Tasks = slices.DeleteFunc(p.Tasks, func(id store.ConnectorTaskID) bool { return id.Task >= len(c.Tasks) })
	if p.Connector {
		h.Worker.StopConnectors(name)
		h.Events(event.Status{Connector: name, Task: event.NoTask, State: event.Restarting})
	}
	h.Worker.StopTasks(p.Tasks...)
	for _, id := range p.Tasks {
		h.Events(event.Status{Connector: name, Task: id.Task, State: event.Restarting})
	}
	for _, id := range p.Tasks {
		h.startTask(c, id)
	}
	if p.Connector {
		return h.start(ctx, name)
	}
	return nil
}
