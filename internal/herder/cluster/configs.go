package cluster

import (
	"github.com/millrace-io/millrace/internal/store"
)

// apply acts on what was read from the config topic. What does not change who runs what needs no round.
func (e Configured) apply(c *Core) {
	before := c.snapshot
	c.snapshot = e.Snapshot
	known := func(name string) bool { _, ok := before.Connector(name); return ok }
	removed := make(map[string]bool)
	restarts := make(map[string]store.RestartRequest)
	var order []string
	for _, change := range e.Changes {
		name := change.Connector
		switch change.Kind {
		case store.ConnectorUpdated:
			c.connectorUpdated(name, known(name) && !removed[name])
		case store.ConnectorRemoved:
			removed[name] = true
			if known(name) {
				c.connectorRemoved(name)
			}
		case store.TasksUpdated:
			c.needRound()
			c.stop(c.tasksOf(name))
		case store.TargetStateChanged:
			c.targetChanged(name)
		case store.RestartRequested:
			old, ok := restarts[name]
			if !ok {
				order = append(order, name)
			}
			if !ok || change.Restart.Impact() > old.Impact() {
				restarts[name] = change.Restart
			}
		case store.SessionKeyChanged, store.LoggerLevelChanged:
			// The snapshot has the key; levels are not the core's.
		}
	}
	for _, name := range order {
		c.planned(restarts[name])
	}
}

// needRound asks for an assignment made with all that has been read.
func (c *Core) needRound() { c.needed = c.snapshot.Offset() }

func (c *Core) connectorUpdated(name string, known bool) {
	if !known {
		c.needRound()
		return
	}
	item := connectorItem(name)
	if run, ok := c.run(item); ok && c.runs(item) {
		c.do(Restart{Run: run})
	}
}

// connectorRemoved stops what is left of a connector at once. It stays this worker's until the leader takes it away.
func (c *Core) connectorRemoved(name string) {
	c.needRound()
	c.stop(append(c.tasksOf(name), connectorItem(name)))
}

func (c *Core) targetChanged(name string) {
	state, ok := c.snapshot.Connector(name)
	if !ok {
		return
	}
	if item := connectorItem(name); c.runs(item) {
		c.do(SetTarget{item, state.Target})
	}
	if state.Target == store.Stopped {
		return // the tasks go with the commit of none
	}
	for _, item := range c.tasksOf(name) {
		c.do(SetTarget{item, state.Target})
	}
}

func (e Reached) apply(c *Core) {
	if e.Err != nil || e.Target != store.Started {
		return
	}
	if r := c.reconfigurations[e.Connector]; r != nil && r.step == asking {
		delete(c.reconfigurations, e.Connector) // the instance that is being asked may be an earlier one, which may hang
	}
	c.reconfigure(e.Connector)
}

func (e Reconfigure) apply(c *Core) { c.reconfigure(e.Connector) }

// newTasks says whether task configurations have to be written, because they or the connector's configuration are not what was
// last committed. They are written again, too, after a connector record that came behind the commit: compaction would leave a log
// in which the tasks come before their connector, and a worker that reads such a log takes them for those of a deleted one
// (KAFKA-17719).
func newTasks(logged *store.LoggedConnector, tasks []store.Config) bool {
	if logged.Inconsistent || logged.TaskCount != len(tasks) || logged.CommitBehind || !logged.Applied.Equal(logged.Config) {
		return true
	}
	for i, t := range tasks {
		if !t.Equal(logged.Tasks[i]) {
			return true
		}
	}
	return false
}
