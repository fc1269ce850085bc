package cluster

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/store"
)

// items are the connectors and tasks of this worker.
type items struct {
	owned   map[group.Item]struct{} // assigned to this worker
	started map[group.Item]struct{} // started, and not stopped since
	halting map[int]struct{}        // stops under way, by token
}

func newItems() items {
	return items{
		owned: make(map[group.Item]struct{}), started: make(map[group.Item]struct{}), halting: make(map[int]struct{}),
	}
}

func connectorItem(name string) group.Item {
	return group.Item{Connector: name, Task: group.ConnectorItem}
}

func set(list []group.Item) map[group.Item]struct{} {
	out := make(map[group.Item]struct{}, len(list))
	for _, item := range list {
		out[item] = struct{}{}
	}
	return out
}

func sorted(items map[group.Item]struct{}) []group.Item {
	return slices.SortedFunc(maps.Keys(items), group.Item.Compare)
}

// all returns what runs on this worker.
func (c *Core) all() []group.Item { return sorted(c.started) }

func (c *Core) runs(item group.Item) bool {
	_, ok := c.started[item]
	return ok
}

// startOwned starts what is assigned to this worker and does not run yet.
func (c *Core) startOwned() {
	for _, item := range sorted(c.owned) {
		if c.runs(item) {
			continue
		}
		run, ok := c.run(item)
		if !ok {
			continue
		}
		c.started[item] = struct{}{}
		c.do(Start{run})
	}
}

// run returns what to run an item with. A task of a connector that has been given other tasks since the leader assigned it waits for the
// next round: others may still run the old ones. So does one whose configuration is not known.
func (c *Core) run(item group.Item) (Run, bool) {
	logged, ok := c.snapshot.Logged(item.Connector)
	if !ok {
		return Run{}, false // deleted; the next round takes it away
	}
	run := Run{Item: item, Config: logged.Config, Target: logged.Target}
	if item.Task == group.ConnectorItem {
		return run, true
	}
	if item.Task >= len(logged.Tasks) {
		c.do(Note{Text: fmt.Sprintf("task %s is assigned to this worker but has no configuration yet", item)})
		return Run{}, false
	}
	if c.assignment != nil && logged.CommitOffset > c.assignment.Offset {
		return Run{}, false
	}
	run.Task = logged.Tasks[item.Task]
	return run, true
}

// stop stops those of the items that run; false if none does. No round begins before they are at rest.
func (c *Core) stop(list []group.Item) bool {
	var running []group.Item
	for _, item := range list {
		if !c.runs(item) {
			continue
		}
		running = append(running, item)
		delete(c.started, item)
		if item.Task == group.ConnectorItem {
			delete(c.reconfigurations, item.Connector)
		}
	}
	if running == nil {
		return false
	}
	slices.SortFunc(running, group.Item.Compare)
	c.tokens++
	c.halting[c.tokens] = struct{}{}
	c.do(Stop{c.tokens, running})
	return true
}

func (e Halted) apply(c *Core) { delete(c.halting, e.Token) }

// giveUpAll stops everything and claims nothing any more.
func (c *Core) giveUpAll() {
	c.stop(c.all())
	clear(c.owned)
	c.assignment, c.resolved = nil, false
	c.scheduled = time.Time{}
}

func (e RestartItem) apply(c *Core) {
	if !c.runs(e.Item) {
		c.do(Refuse{e.ID, c.owners[e.Item]})
		return
	}
	run, ok := c.run(e.Item)
	if !ok {
		c.do(Refuse{e.ID, ""})
		return
	}
	c.do(Restart{Run: run, ID: e.ID})
}

// planned restarts what a restart request selects and this worker runs.
func (c *Core) planned(r store.RestartRequest) {
	restart := func(item group.Item) {
		if run, ok := c.run(item); ok && c.runs(item) {
			c.do(Restart{Run: run, Planned: true, OnlyFailed: r.OnlyFailed})
		}
	}
	restart(connectorItem(r.Connector))
	if !r.IncludeTasks {
		return
	}
	for _, item := range c.tasksOf(r.Connector) {
		restart(item)
	}
}

// tasksOf returns the tasks of a connector that run on this worker.
func (c *Core) tasksOf(connector string) []group.Item {
	var out []group.Item
	for item := range c.started {
		if item.Connector == connector && item.Task != group.ConnectorItem {
			out = append(out, item)
		}
	}
	slices.SortFunc(out, group.Item.Compare)
	return out
}
