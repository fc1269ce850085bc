package store

import (
	"maps"
	"slices"
)

// logEntry is what the config topic says about a name. It outlives the connector: as in the reference, the target state, the
// numbers of task-count records and what is known to be inconsistent are not forgotten with it.
type logEntry struct {
	exists bool // there is a connector of this name
	config Config
	target TargetState // empty if not known, which happens only while there is no connector

	deferred  map[int]Config // task configurations since the last commit; nil until the connector's first
	committed committedTasks
	early     *earlyCommit
	behind    bool // no commit since the last record of the connector

	inconsistent bool
	generation   int // -1 before the first
	fenced       int // -1 if not known
	pending      bool
}

// committedTasks is the outcome of the commits of a connector.
type committedTasks struct {
	configs []Config // of the last consistent commit, by number
	count   int      // of the last commit, -1 before the first
	applied Config   // the connector's configuration at the last consistent commit
	changed int64    // config offset of the last commit that made a difference, -1 before it
}

// earlyCommit is a commit that came in the first read before any record of its connector, with the task records before it.
type earlyCommit struct {
	tasks  int
	offset int64
	before map[int]Config
	fenced bool // a task-count record came after it
}

func noTasks() committedTasks { return committedTasks{count: -1, changed: -1} }

func newLogEntry() *logEntry {
	return &logEntry{committed: noTasks(), generation: -1, fenced: -1}
}

// update puts a configuration in force, and with it the commit that waited for one.
func (e *logEntry) update(c Config) {
	e.exists, e.config = true, c
	defer func() { e.behind = true }()
	if e.target == "" {
		e.target = Started
	}
	early := e.early
	e.early = nil
	if early == nil || early.tasks > 0 && e.target == Stopped {
		return
	}
	later := e.deferred
	e.deferred = early.before
	e.commit(early.tasks, early.offset)
	e.pending = !early.fenced
	if later != nil {
		e.deferred = later
	}
}

// resetTarget takes a tombstone. It comes with the deletion of a connector only, so that it tells of one whose own tombstone is gone.
func (e *logEntry) resetTarget() {
	e.target, e.early = "", nil
	if e.exists {
		e.target = Started
	}
}

// remove forgets the connector.
func (e *logEntry) remove() {
	e.exists, e.config = false, Config{}
	e.deferred, e.early = nil, nil
	e.committed = noTasks()
}

func (e *logEntry) deferTask(number int, c Config) {
	if e.deferred == nil {
		e.deferred = make(map[int]Config)
	}
	e.deferred[number] = c
}

// commitEarly takes a commit for a name without a connector: a leftover of a deleted one, whose tasks must not become those of
// the next connector of that name, unless it is to be kept.
func (e *logEntry) commitEarly(n int, offset int64, keep bool) {
	before := e.deferred
	e.remove()
	if keep {
		e.early = &earlyCommit{tasks: n, offset: offset, before: before}
	}
}

// commit puts the deferred tasks in force if there are all of n. It returns the numbers of those that it put in force, ascending.
func (e *logEntry) commit(n int, offset int64) []int {
	before, first := e.tasks(), e.committed.count < 0
	e.behind = false
	var moved []int
	e.inconsistent = !e.complete(n)
	if !e.inconsistent {
		moved = e.applyDeferred(n)
	}
	clear(e.deferred)
	e.committed.count = n
	e.pending = true
	if first || !slices.EqualFunc(before, e.tasks(), Config.Equal) {
		e.committed.changed = offset
	}
	return moved
}

func (e *logEntry) complete(n int) bool {
	if len(e.deferred) < n {
		return false
	}
	for i := range n {
		if _, ok := e.deferred[i]; !ok {
			return false
		}
	}
	return true
}

func (e *logEntry) applyDeferred(n int) []int {
	if e.deferred != nil {
		e.generation++
	}
	e.committed.applied = e.config
	e.committed.configs = make([]Config, n)
	for i := range n {
		e.committed.configs[i] = e.deferred[i]
	}
	return slices.Sorted(maps.Keys(e.deferred))
}

func (e *logEntry) fence(n int) {
	e.fenced, e.pending = n, false
	if e.early != nil {
		e.early.fenced = true
	}
}

// tasks returns the configurations in force.
func (e *logEntry) tasks() []Config {
	if e.inconsistent {
		return nil
	}
	return e.committed.configs
}

// logged returns the connector as snapshots show it.
func (e *logEntry) logged() *LoggedConnector {
	return &LoggedConnector{
		ConnectorState:  ConnectorState{Config: e.config, Target: e.target, Tasks: e.tasks()},
		TaskCount:       max(0, e.committed.count),
		Inconsistent:    e.inconsistent,
		Applied:         e.committed.applied,
		TasksGeneration: e.generation,
		CommitOffset:    e.committed.changed,
		CommitBehind:    e.behind,
		FencingPending:  e.pending,
		FencedTasks:     e.fenced,
	}
}
