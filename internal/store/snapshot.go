package store

import (
	"slices"
	"sync"
)

// ConfigSnapshot is the content of the config topic up to an offset. It never changes and is safe for use by any number of
// goroutines.
type ConfigSnapshot struct {
	offset     int64
	connectors map[string]*LoggedConnector
	names      *nameList // shared by snapshots with the same connectors
	sessionKey *SessionKey
}

// nameList sorts the names of a snapshot when they are first asked for.
type nameList struct {
	once   sync.Once
	sorted []string
}

// LoggedConnector is what the config topic says about a connector that exists. It is shared by snapshots: nothing of it may be
// changed.
type LoggedConnector struct {
	ConnectorState // without tasks while they are inconsistent

	TaskCount       int    // of the last commit, even if that was inconsistent; 0 if there was none
	Inconsistent    bool   // the last commit came without all its task records
	Applied         Config // connector configuration in force at the last consistent commit; empty if there was none
	TasksGeneration int    // grows with each consistent commit that this process has read; -1 before the first
	CommitOffset    int64  // config offset after the last commit that made the tasks others than before; -1 if there was none
	CommitBehind    bool   // there was no commit after the connector's last record
	FencingPending  bool   // there was a commit after the last task-count record
	FencedTasks     int    // of the last task-count record, -1 if there was none
}

// Offset is the config offset of the group protocol: the offset after the last readable record, -1 if there was none.
func (s *ConfigSnapshot) Offset() int64 { return s.offset }

// Names returns the names of all connectors, sorted, never nil and not to be changed.
func (s *ConfigSnapshot) Names() []string {
	s.names.once.Do(func() {
		s.names.sorted = make([]string, 0, len(s.connectors))
		for name := range s.connectors {
			s.names.sorted = append(s.names.sorted, name)
		}
		slices.Sort(s.names.sorted)
	})
	return s.names.sorted
}

// Connector returns a connector's state; false if it does not exist. It has no tasks while they are inconsistent.
func (s *ConfigSnapshot) Connector(name string) (ConnectorState, bool) {
	if c, ok := s.connectors[name]; ok {
		return c.ConnectorState, true
	}
	return ConnectorState{}, false
}

// Logged returns all that is known about a connector; false if it does not exist.
func (s *ConfigSnapshot) Logged(name string) (*LoggedConnector, bool) {
	c, ok := s.connectors[name]
	return c, ok
}

// SessionKey returns the last session key; false if there is none.
func (s *ConfigSnapshot) SessionKey() (SessionKey, bool) {
	if s.sessionKey == nil {
		return SessionKey{}, false
	}
	return *s.sessionKey, true
}
