package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/internal/event"
)

// StatusCache is the reader of the status topic: the last status of every connector and task and the topics that connectors use.
// It does no input or output and is for one goroutine at a time.
//
// The last record of a key counts, with one exception. A worker that has lost a connector or task may be slow to write its
// UNASSIGNED, so that this comes after the RUNNING of the next owner (KAFKA-12525). Therefore an UNASSIGNED is ignored while
// the status is RUNNING, of another worker, in the same or a later generation. The reference does that for tasks. What one
// worker writes comes in its own order and always counts: when it stops what it runs, nobody else may be running it
// yet.
type StatusCache struct {
	connectors map[string]*connectorStatus
}

// connectorStatus is what is known about a connector, of which parts may be missing.
type connectorStatus struct {
	own    *Status
	tasks  map[int]Status
	topics map[string]TopicStatus
}

// NewStatusCache returns an empty cache.
func NewStatusCache() *StatusCache {
	return &StatusCache{connectors: make(map[string]*connectorStatus)}
}

// Apply takes over a record; a nil value is a tombstone. After an error, which is for the log only, nothing has changed.
func (c *StatusCache) Apply(key, value []byte) error {
	if err := c.apply(string(key), value); err != nil {
		return fmt.Errorf("read the status record %q: %w", key, err)
	}
	return nil
}

var errNotAStatusKey = errors.New("the key is not one of a status")

func (c *StatusCache) apply(key string, value []byte) error {
	if name, ok := strings.CutPrefix(key, connectorStatusPrefix); ok {
		return c.applyConnector(name, value)
	}
	if name, ok := strings.CutPrefix(key, taskStatusPrefix); ok {
		return c.applyTask(name, value)
	}
	if name, ok := strings.CutPrefix(key, topicStatusPrefix); ok {
		return c.applyTopic(name, value)
	}
	return errNotAStatusKey
}

// applyConnector lets a tombstone take the tasks along.
func (c *StatusCache) applyConnector(name string, value []byte) error {
	if value == nil {
		if known := c.connectors[name]; known != nil {
			known.own, known.tasks = nil, nil
			c.tidy(name)
		}
		return nil
	}
	s, err := ParseStatus(value)
	if err != nil {
		return err
	}
	known := c.entry(name)
	if known.own == nil || !isLate(s, *known.own) {
		known.own = &s
	}
	return nil
}

func (c *StatusCache) applyTask(name string, value []byte) error {
	id, err := parseTaskID(name)
	if err != nil {
		return err
	}
	if value == nil {
		if known := c.connectors[id.Connector]; known != nil {
			delete(known.tasks, id.Task)
			c.tidy(id.Connector)
		}
		return nil
	}
	s, err := ParseStatus(value)
	if err != nil {
		return err
	}
	known := c.entry(id.Connector)
	if old, ok := known.tasks[id.Task]; ok && isLate(s, old) {
		return nil
	}
	if known.tasks == nil {
		known.tasks = make(map[int]Status)
	}
	known.tasks[id.Task] = s
	return nil
}

// isLate tells whether a status is that of an earlier owner, who did not know of the cached one.
func isLate(s, cached Status) bool {
	return s.State == event.Unassigned && cached.State == event.Running &&
		cached.WorkerID != s.WorkerID && cached.Generation >= s.Generation
}

func (c *StatusCache) applyTopic(name string, value []byte) error {
	topic, connector, err := parseTopicStatusKey(name)
	if err != nil {
		return err
	}
	if value == nil {
		if known := c.connectors[connector]; known != nil {
			delete(known.topics, topic)
			c.tidy(connector)
		}
		return nil
	}
	t, err := ParseTopicStatus(value)
	if err != nil {
		return err
	}
	known := c.entry(connector)
	if known.topics == nil {
		known.topics = make(map[string]TopicStatus)
	}
	known.topics[topic] = t
	return nil
}

func (c *StatusCache) entry(name string) *connectorStatus {
	known := c.connectors[name]
	if known == nil {
		known = new(connectorStatus)
		c.connectors[name] = known
	}
	return known
}

// tidy forgets a connector of which nothing is left.
func (c *StatusCache) tidy(name string) {
	if k := c.connectors[name]; k.own == nil && len(k.tasks) == 0 && len(k.topics) == 0 {
		delete(c.connectors, name)
	}
}

// Connector returns a connector's status; false if there is none.
func (c *StatusCache) Connector(name string) (Status, bool) {
	if known := c.connectors[name]; known != nil && known.own != nil {
		return *known.own, true
	}
	return Status{}, false
}

// Task returns a task's status; false if there is none.
func (c *StatusCache) Task(id ConnectorTaskID) (Status, bool) {
	known := c.connectors[id.Connector]
	if known == nil {
		return Status{}, false
	}
	s, ok := known.tasks[id.Task]
	return s, ok
}

// Tasks returns the numbers of the tasks that have a status, ascending.
func (c *StatusCache) Tasks(connector string) []int {
	known := c.connectors[connector]
	if known == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(known.tasks))
}

// Topic returns what is known about a connector's use of a topic; false if nothing is.
func (c *StatusCache) Topic(connector, topic string) (TopicStatus, bool) {
	known := c.connectors[connector]
	if known == nil {
		return TopicStatus{}, false
	}
	t, ok := known.topics[topic]
	return t, ok
}

// Topics returns the topics that a connector uses, sorted by name.
func (c *StatusCache) Topics(connector string) []TopicStatus {
	known := c.connectors[connector]
	if known == nil {
		return nil
	}
	return slices.SortedFunc(maps.Values(known.topics), func(a, b TopicStatus) int { return strings.Compare(a.Topic, b.Topic) })
}

// Names returns the names of connectors that have a status themselves or in one of their tasks, sorted.
func (c *StatusCache) Names() []string {
	var names []string
	for name, known := range c.connectors {
		if known.own != nil || len(known.tasks) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Safe tells whether a worker may write a status that is to lose against the one of a later owner: a failure, or the end of an
// instance. Task is [event.NoTask] for the connector itself.
func (c *StatusCache) Safe(connector string, task int, workerID string, generation int) bool {
	cached, ok := c.Connector(connector)
	if task != event.NoTask {
		cached, ok = c.Task(ConnectorTaskID{Connector: connector, Task: task})
	}
	return !ok || cached.WorkerID == workerID || cached.Generation <= generation
}
