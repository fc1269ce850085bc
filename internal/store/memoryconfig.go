package store

import (
	"maps"
	"slices"
	"sync"
)

// ConnectorState is all that is stored about a connector.
type ConnectorState struct {
	Config Config
	Target TargetState
	Tasks  []Config // task configurations, by number
}

// MemoryConfig is the config store of a standalone worker: it lives as long as the process. It is safe for use by
// any number of goroutines.
type MemoryConfig struct {
	mu         sync.RWMutex // guards connectors
	connectors map[string]ConnectorState
}

// NewMemoryConfig returns an empty store.
func NewMemoryConfig() *MemoryConfig {
	return &MemoryConfig{connectors: make(map[string]ConnectorState)}
}

// Names returns the names of all connectors, sorted and never nil.
func (m *MemoryConfig) Names() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	names := slices.AppendSeq(make([]string, 0, len(m.connectors)), maps.Keys(m.connectors))
	slices.Sort(names)
	return names
}

// Connector returns what is stored about a connector; false if it does not exist.
func (m *MemoryConfig) Connector(name string) (ConnectorState, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c, ok := m.connectors[name]
	return c, ok
}

// Put stores a connector, replacing what was there.
func (m *MemoryConfig) Put(name string, c ConnectorState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.connectors[name] = c
}

// Remove forgets a connector.
func (m *MemoryConfig) Remove(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.connectors, name)
}
