package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
	"github.com/millrace-io/millrace/internal/worker"
)

// perform carries out an effect, in the background if it takes time.
func (h *Herder) perform(f Effect) {
	switch f := f.(type) {
	case Join:
		h.round.add(struct{}{}, func() { h.inbox.post(h.join(f)) })
	case Sync:
		h.round.add(struct{}{}, func() { h.inbox.post(h.sync(f)) })
	case Leave:
		h.round.add(struct{}{}, func() { h.leave(f.Reason) })
	case ReadToEnd:
		h.background(func(ctx context.Context) { h.inbox.post(CaughtUp{h.readToEnd(ctx)}) })
	case Stop:
		h.halt(f)
	case Start:
		h.queue.add(f.Run.Item, func() { h.start(f.Run) })
	case Restart:
		h.queue.add(f.Run.Item, func() { h.restart(f) })
	case Refuse:
		h.answer(f.ID, &herder.Error{Kind: herder.Elsewhere, URL: f.URL})
	case SetTarget:
		h.queue.add(f.Item, func() { h.setTarget(f) })
	case Note:
		level := slog.LevelInfo
		if f.Problem {
			level = slog.LevelWarn
		}
		h.Log.Log(h.life, level, f.Text)
	default:
		h.performWrite(f)
	}
}

// performWrite carries out the effects that make, send and write what the worker's topics are to have.
func (h *Herder) performWrite(f Effect) {
	switch f := f.(type) {
	case AskTaskConfigs:
		h.background(func(ctx context.Context) { h.inbox.post(h.taskConfigs(ctx, f)) })
	case WriteTasks:
		h.background(func(ctx context.Context) { h.inbox.post(Published{f.Connector, f.Try, h.writeTasks(ctx, f)}) })
	case ForwardTasks:
		h.background(func(ctx context.Context) { h.inbox.post(Published{f.Connector, f.Try, h.forwardTasks(ctx, f)}) })
	case ForgetStatuses:
		h.forgetStatuses(f.Snapshot)
	case WriteSessionKey:
		h.background(func(ctx context.Context) { h.inbox.post(KeyWritten{h.writeSessionKey(ctx)}) })
	case Claim:
		h.background(func(ctx context.Context) { h.inbox.post(Claimed{h.claim(ctx)}) })
	}
}

func (h *Herder) join(f Join) Event {
	protocols := make([]kafka.GroupProtocol, len(f.Protocols))
	for i, m := range f.Protocols {
		protocols[i] = kafka.GroupProtocol{Name: m.Version.Protocol(), Metadata: m.Append(nil)}
	}
	j, err := h.Member.Join(h.life, protocols, "")
	if err != nil {
		return h.unjoined(err)
	}
	version, ok := group.ByProtocol(j.Protocol)
	if !ok {
		return Unjoined{"the coordinator has chosen an unknown protocol: " + j.Protocol}
	}
	h.Log.Info("joined the group", "generation", j.Generation, "protocol", j.Protocol, "leader", j.LeaderID == j.MemberID)
	h.joined = j
	out := Joined{Generation: j.Generation, MemberID: j.MemberID, LeaderID: j.LeaderID, Version: version}
	if j.LeaderID != j.MemberID {
		return out
	}
	out.Members = make(map[string]group.Metadata, len(j.Members))
	for id, raw := range j.Members {
		m, err := group.ParseMetadata(raw)
		if err != nil {
			h.Log.Warn("a member of the group is given no work, since what it tells about itself cannot be read", "member", id, "error", err)
			continue
		}
		out.Members[id] = m
	}
	return out
}

// unjoined sorts the errors of a round: some end the worker, after all others it joins again.
func (h *Herder) unjoined(err error) Event {
	if fatal, ok := errors.AsType[*kafka.FatalGroupError](err); ok {
		h.fail(fatal)
	}
	return Unjoined{err.Error()}
}

func (h *Herder) sync(f Sync) Event {
	var assignments map[string][]byte
	if f.Assignments != nil {
		assignments = make(map[string][]byte, len(f.Assignments))
		for id, a := range f.Assignments {
			assignments[id] = a.Append(nil)
		}
	}
	raw, err := h.Member.Sync(h.life, h.joined, assignments)
	if err != nil {
		return h.unjoined(err)
	}
	a, err := group.ParseAssignment(raw)
	if err != nil {
		return Unjoined{"the leader's assignment cannot be read: " + err.Error()}
	}
	return Synced{a}
}

func (h *Herder) leave(reason string) {
	ctx, cancel := context.WithTimeout(h.life, leaveTimeout)
	defer cancel()
	if err := h.Member.Leave(ctx, reason); err != nil {
		h.Log.Warn("the group could not be left", "error", err)
	}
}

func (h *Herder) readToEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.SyncTimeout)
	defer cancel()
	return h.Config.ReadToEnd(ctx)
}

// halt stops items side by side, and then sees to it that what they report has been written before the group goes on.
func (h *Herder) halt(f Stop) {
	var stopping sync.WaitGroup
	stopping.Add(len(f.Items))
	for _, item := range f.Items {
		h.queue.add(item, func() {
			defer stopping.Done()
			h.stopItem(item)
		})
	}
	h.background(func(context.Context) {
		stopping.Wait()
		h.forgetTopics(f.Items)
		h.flushStatuses()
		h.inbox.post(Halted{f.Token})
	})
}

func (h *Herder) stopItem(item group.Item) {
	defer h.failed.forget(item) // also what has failed to start, of which the worker has nothing to stop or report
	if item.Task == group.ConnectorItem {
		h.Worker.StopConnectors(item.Connector)
		return
	}
	h.Worker.StopTasks(taskID(item))
}

func taskID(item group.Item) store.ConnectorTaskID {
	return store.ConnectorTaskID{Connector: item.Connector, Task: item.Task}
}

// forgetTopics forgets which topics deleted connectors have used.
func (h *Herder) forgetTopics(items []group.Item) {
	if !h.TrackTopics {
		return
	}
	snapshot := h.Config.Snapshot()
	for _, item := range items {
		if _, exists := snapshot.Connector(item.Connector); !exists && item.Task == group.ConnectorItem {
			h.Status.RemoveTopics(item.Connector)
		}
	}
}

func (h *Herder) start(r Run) bool {
	if r.Item.Task != group.ConnectorItem {
		return h.Worker.StartTask(taskID(r.Item), r.Config.Props(), r.Task.Props(), r.Target)
	}
	name := r.Item.Connector
	err := h.Worker.StartConnector(name, r.Config.Props(), r.Target, worker.ConnectorCallbacks{
		Transitioned: func(target store.TargetState, err error) { h.inbox.post(Reached{name, target, err}) },
		Reconfigure:  func() { h.inbox.post(Reconfigure{name}) },
	})
	return err == nil
}

func (h *Herder) restart(f Restart) {
	item := f.Run.Item
	if f.OnlyFailed && !h.failed.has(item) {
		return
	}
	h.stopItem(item)
	if f.Planned {
		h.Events(event.Status{Connector: item.Connector, Task: item.Task, State: event.Restarting})
	}
	var err error
	if !h.start(f.Run) && item.Task != group.ConnectorItem {
		err = &herder.Error{Kind: herder.Internal, Message: "Failed to start task: " + item.String()}
	}
	h.answer(f.ID, err)
}

func (h *Herder) setTarget(f SetTarget) {
	if f.Item.Task == group.ConnectorItem {
		h.Worker.SetConnectorTarget(f.Item.Connector, f.Target)
		return
	}
	h.Worker.SetTaskTarget(taskID(f.Item), f.Target)
}

func (h *Herder) taskConfigs(ctx context.Context, f AskTaskConfigs) Event {
	ctx, cancel := context.WithTimeout(ctx, configTimeout)
	defer cancel()
	tasks, err := herder.TaskConfigs(ctx, h.Worker, f.Connector, f.Config)
	if err != nil && h.failed.has(connectorItem(f.Connector)) {
		err = errors.Join(herder.ErrFailed, err)
	}
	return TaskConfigs{Connector: f.Connector, Try: f.Try, Tasks: tasks, Err: err, Final: errors.Is(err, herder.ErrFailed)}
}

// writeTasks writes task configurations unless a request has changed the connector since they were made: then it is asked again
// anyway.
func (h *Herder) writeTasks(ctx context.Context, f WriteTasks) error {
	return h.lanes.Alone(ctx, f.Connector, func(ctx context.Context) error {
		c, ok := h.Config.Snapshot().Connector(f.Connector)
		if !ok || c.Target != store.Started || !c.Config.Equal(f.Config) {
			return nil
		}
		if !h.View().Leader {
			return errors.New("this worker is not the leader any more")
		}
		return h.privileged(ctx, func(ctx context.Context) error { return h.Config.PutTasks(ctx, f.Connector, f.Tasks) })
	})
}

// privileged makes a write that only the leader makes, with a time limit. If it fails in a transaction the config topic has to be claimed
// anew.
func (h *Herder) privileged(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := write(ctx)
	if errors.Is(err, topic.ErrPrivileged) {
		h.disclaim()
	}
	return err
}

// disclaim has the config topic claimed anew. Requests wait for it from now on: users who are told to repeat one do it at once.
func (h *Herder) disclaim() {
	h.mu.Lock()
	h.unclaimed, h.view.Leader = true, false
	h.mu.Unlock()
	h.inbox.post(Unclaimed{})
}

func (h *Herder) forwardTasks(ctx context.Context, f ForwardTasks) error {
	ctx, cancel := context.WithTimeout(ctx, configTimeout)
	defer cancel()
	var key *store.SessionKey
	if k, ok := h.Config.Snapshot().SessionKey(); ok && h.View().Version == group.Sessioned {
		key = &k
	}
	return h.Leader.PutTasks(ctx, f.URL, f.Connector, f.Tasks, key)
}

// forgetStatuses removes the statuses of connectors that are gone, and of tasks that their connector has no more.
func (h *Herder) forgetStatuses(s *store.ConfigSnapshot) {
	for _, name := range h.Status.Names() {
		c, exists := s.Connector(name)
		for _, n := range h.Status.Tasks(name) {
			if n >= len(c.Tasks) {
				h.Status.ForgetTask(store.ConnectorTaskID{Connector: name, Task: n})
			}
		}
		if !exists {
			h.Status.Forget(name)
		}
	}
}

// writeSessionKey makes and writes a key. After a failure it reads on, because the key may have been written in fact.
func (h *Herder) writeSessionKey(ctx context.Context) error {
	key := store.SessionKey{Key: make([]byte, h.Core.KeyBytes), Algorithm: h.Core.KeyAlgorithm, Created: time.Now()}
	if _, err := rand.Read(key.Key); err != nil {
		return err
	}
	err := h.privileged(ctx, func(ctx context.Context) error { return h.Config.PutSessionKey(ctx, key) })
	if err != nil {
		err = errors.Join(err, h.readToEnd(ctx))
	}
	return err
}

func (h *Herder) claim(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	return h.Claimer.Claim(ctx)
}
