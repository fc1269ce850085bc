package cluster

import (
	"context"
	"slices"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

// lead waits for a rebalance to end and returns nil on the leader. On others the error says where the leader is.
func (h *Herder) lead(ctx context.Context) error {
	v, err := h.await(ctx, func(v View) bool { return v.Leader || v.Settled && v.LeaderID != v.MemberID })
	if err != nil || v.Leader {
		return err
	}
	return &herder.Error{Kind: herder.Elsewhere, URL: v.LeaderURL, Message: "only the leader of the group can do this"}
}

// alone does what only the leader may do with a connector, while nobody else changes it here.
func (h *Herder) alone(ctx context.Context, name string, work func(ctx context.Context) error) error {
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	if err := h.lead(ctx); err != nil {
		return err
	}
	return work(ctx)
}

// change does alone what writes privileged records.
func (h *Herder) change(ctx context.Context, name string, work func(ctx context.Context, c store.ConnectorState, exists bool) error) error {
	return h.alone(ctx, name, func(ctx context.Context) error {
		c, exists := h.Config.Snapshot().Connector(name)
		return h.privileged(ctx, func(ctx context.Context) error { return work(ctx, c, exists) })
	})
}

// Put creates a connector, or changes one if replace is set. It returns when the configuration is stored; the connector starts after
// that. A target state is for new connectors; empty is STARTED without a record of its own.
func (h *Herder) Put(ctx context.Context, name string, cfg store.Config, target store.TargetState, replace bool) (info herder.ConnectorInfo, created bool, err error) {
	if err := h.valid.Check(ctx, cfg); err != nil {
		return herder.ConnectorInfo{}, false, err
	}
	err = h.change(ctx, name, func(ctx context.Context, _ store.ConnectorState, exists bool) error {
		if exists && !replace {
			return &herder.Error{Kind: herder.AlreadyExists, Message: "Connector " + name + " already exists"}
		}
		created = !exists
		h.valid.NameUnused(h.Log.With("connector", name), cfg)
		var initial *store.TargetState
		if target != "" && !exists {
			initial = &target
		}
		if err := h.Config.PutConnector(ctx, name, cfg, initial); err != nil {
			return err
		}
		info, err = h.Connector(name)
		return err
	})
	return info, created, err
}

// Delete forgets a connector. It and its tasks stop after the return. Its offsets stay.
func (h *Herder) Delete(ctx context.Context, name string) error {
	return h.change(ctx, name, func(ctx context.Context, _ store.ConnectorState, exists bool) error {
		if !exists {
			return &herder.Error{Kind: herder.NotFound, Message: "Connector " + name + " not found"}
		}
		return h.Config.RemoveConnector(ctx, name)
	})
}

// SetTarget changes a connector's target state, which it and its tasks reach after the return. Only the leader can stop a
// connector, since that takes its task configurations away.
func (h *Herder) SetTarget(ctx context.Context, name string, target store.TargetState) error {
	if target != store.Stopped {
		if _, exists := h.Config.Snapshot().Connector(name); !exists {
			return unknownConnector(name)
		}
		return h.lanes.Alone(ctx, name, func(ctx context.Context) error { return h.Config.PutTarget(ctx, name, target) })
	}
	return h.change(ctx, name, func(ctx context.Context, _ store.ConnectorState, exists bool) error {
		if !exists {
			return unknownConnector(name)
		}
		if err := h.Config.PutTasks(ctx, name, nil); err != nil {
			return err
		}
		return h.Config.PutTarget(ctx, name, target)
	})
}

func unknownConnector(name string) error {
	return &herder.Error{Kind: herder.NotFound, Message: "Unknown connector " + name}
}

// PutTasks stores task configurations that the worker of the connector sends to the leader.
func (h *Herder) PutTasks(ctx context.Context, name string, tasks []store.Config) error {
	return h.change(ctx, name, func(ctx context.Context, c store.ConnectorState, exists bool) error {
		switch {
		case !exists:
			return &herder.Error{Kind: herder.NotFound, Message: "Connector " + name + " not found"}
		case c.Target == store.Stopped && len(tasks) > 0:
			return &herder.Error{Kind: herder.BadRequest, Message: "Cannot submit non-empty set of task configs for stopped connector " + name}
		}
		return h.Config.PutTasks(ctx, name, tasks)
	})
}

// RestartConnector starts the connector's instance anew, without its tasks, and returns when the old one has stopped.
func (h *Herder) RestartConnector(ctx context.Context, name string) error {
	if _, exists := h.Config.Snapshot().Connector(name); !exists {
		return &herder.Error{Kind: herder.NotFound, Message: "Connector " + name + " not found"}
	}
	return h.restartItem(ctx, connectorItem(name))
}

// RestartTask starts one task anew and returns when it has been set up.
func (h *Herder) RestartTask(ctx context.Context, id store.ConnectorTaskID) error {
	c, exists := h.Config.Snapshot().Connector(id.Connector)
	if !exists {
		return &herder.Error{Kind: herder.NotFound, Message: "Connector " + id.Connector + " not found"}
	}
	if id.Task < 0 || id.Task >= len(c.Tasks) {
		return &herder.Error{Kind: herder.NotFound, Message: "Task " + id.String() + " not found"}
	}
	return h.restartItem(ctx, group.Item{Connector: id.Connector, Task: id.Task})
}

// restartItem restarts an item of this worker. For another's the error says which worker to ask: its own, if this one is the leader, or the
// leader.
func (h *Herder) restartItem(ctx context.Context, item group.Item) error {
	v, err := h.await(ctx, func(v View) bool { return v.Settled })
	if err != nil {
		return err
	}
	answer := make(chan error, 1)
	id, err := h.ask(answer)
	if err != nil {
		return err
	}
	h.inbox.post(RestartItem{id, item})
	select {
	case err = <-answer:
	case <-ctx.Done():
		h.forgetAnswer(id)
		return &herder.Error{Kind: herder.Timeout, Message: "Request timed out. The worker is stopping " + item.String(), Cause: ctx.Err()}
	}
	if e, ok := err.(*herder.Error); ok && e.Kind == herder.Elsewhere && v.LeaderID != v.MemberID { //nolint:errorlint // made by perform, never wrapped
		e.URL = v.LeaderURL
	}
	return err
}

// ask registers somebody who waits for an answer.
func (h *Herder) ask(answer chan<- error) (id int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return 0, errEnding
	}
	h.lastID++
	h.waiting[h.lastID] = answer
	return h.lastID, nil
}

func (h *Herder) forgetAnswer(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, id)
}

// answer tells the request that waits for it how its restart went.
func (h *Herder) answer(id int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if answer, ok := h.waiting[id]; ok {
		answer <- err
		delete(h.waiting, id)
	}
}

// Restart asks all workers to restart their part of a connector, as selected. It returns the status in which all that will be restarted
// shows as RESTARTING.
func (h *Herder) Restart(ctx context.Context, name string, what herder.Restart) (st herder.ConnectorStatus, err error) {
	err = h.change(ctx, name, func(ctx context.Context, _ store.ConnectorState, exists bool) error {
		if !exists {
			return &herder.Error{Kind: herder.NotFound, Message: "Unknown connector: " + name}
		}
		if st, err = h.ConnectorStatus(name); err != nil {
			return &herder.Error{Kind: herder.NotFound, Message: "Status for connector " + name + " not found"}
		}
		st.Tasks = slices.Clone(st.Tasks)
		st.Plan(what)
		return h.Config.PutRestart(ctx, store.RestartRequest{Connector: name, IncludeTasks: what.IncludeTasks, OnlyFailed: what.OnlyFailed})
	})
	return st, err
}
