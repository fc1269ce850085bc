package store

import (
	"maps"
	"slices"
	"sync"

	"github.com/millrace-io/millrace/internal/event"
)

// Status is the last known status of a connector or task.
type Status struct {
	State      event.State
	WorkerID   string
	Generation int    // of the worker's group at the time of the status; 0 in standalone mode
	Version    string // empty if not known
	Trace      string // empty if there is none
}

// MemoryStatus is the status store of a standalone worker. It is safe for use by any number of goroutines.
type MemoryStatus struct {
	workerID string

	mu         sync.RWMutex // guards the maps
	connectors map[string]Status
	tasks      map[string]map[int]Status
}

// NewMemoryStatus returns an empty store whose entries carry that worker id.
func NewMemoryStatus(workerID string) *MemoryStatus {
	return &MemoryStatus{workerID: workerID, connectors: make(map[string]Status), tasks: make(map[string]map[int]Status)}
}

// Listen stores a status. It is an [event.Listener].
func (m *MemoryStatus) Listen(e event.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Status{State: e.State, WorkerID: m.workerID, Version: e.Version, Trace: e.Trace}
	switch {
	case e.State == event.Destroyed && e.Task == event.NoTask:
		delete(m.connectors, e.Connector)
		delete(m.tasks, e.Connector)
	case e.State == event.Destroyed:
		delete(m.tasks[e.Connector], e.Task)
	case e.Task == event.NoTask:
		m.connectors[e.Connector] = s
	default:
		if m.tasks[e.Connector] == nil {
			m.tasks[e.Connector] = make(map[int]Status)
		}
		m.tasks[e.Connector][e.Task] = s
	}
}

// Connector returns a connector's status; false if there is none.
func (m *MemoryStatus) Connector(name string) (Status, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.connectors[name]
	return s, ok
}

// Task returns a task's status; false if there is none.
func (m *MemoryStatus) Task(id ConnectorTaskID) (Status, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.tasks[id.Connector][id.Task]
	return s, ok
}

// Tasks returns the numbers of the tasks that have a status, ascending.
func (m *MemoryStatus) Tasks(connector string) []int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.tasks[connector]))
}
