package store

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
)

// ErrUndecodable is the error of [ConfigLog.Apply] for values that are no JSON. Such a record does not move the config offset.
var ErrUndecodable = errors.New("the value is no JSON")

// ChangeKind says what a [ConfigChange] is about.
type ChangeKind uint8

// The kinds of changes.
const (
	ConnectorUpdated   ChangeKind = iota // a configuration was written, also one that is the same as before
	ConnectorRemoved                     // a connector was deleted, also one that was not there
	TasksUpdated                         // task configurations were committed; Tasks may be empty
	TargetStateChanged                   // of a connector that exists, to another state
	RestartRequested                     // Restart has the request
	SessionKeyChanged                    // Key has the new one
	LoggerLevelChanged                   // Logger and Level
)

// ConfigChange is a change that the config topic brought after its first read. Fields that the kind does not name are zero.
type ConfigChange struct {
	Kind      ChangeKind
	Connector string            // but for session keys and loggers
	Tasks     []ConnectorTaskID // whose configurations were committed, ascending
	Restart   RestartRequest
	Key       SessionKey
	Logger    string
	Level     string // as it was sent, any case
}

// ConfigLog is the reader of the config topic: it turns the topic's records, in their order, into the state of all connectors. It
// does no input or output and is for one goroutine; the snapshots that it makes are for all.
//
// It follows the reference record by record, so that workers that have read as far have the same config offset and, but for one
// case, the same connectors. That case is a commit which precedes, in the first read of a topic, every record of its connector
// (KAFKA-17719): the connector was written again and its tasks were not, and compaction has removed the older connector
// record. The reference takes the connector for deleted and forgets the tasks. Here the commit is kept with the task
// records before it, and takes effect when a record of the connector arrives in the same first read, as if it came just
// then. What was kept and not used by the end of the first read is forgotten; later commits follow the reference.
//
// The tasks of a deleted connector must not become those of the next one of that name. So a deletion after the commit drops it. Its
// first tombstone is gone when the connector's new record has replaced it, but the second, that of the target state, is there as
// long as the topic keeps tombstones (delete.retention.ms) and the new connector was left in the state it began in. A connector
// that is STOPPED drops a commit with tasks, too, since stopping begins with a commit of none. What remains is a connector that
// was created again, is not STOPPED and has not had its first commit for longer than that: it has the older tasks
// until its owner has started it, and the leader has replaced them.
type ConfigLog struct {
	offset     int64
	loaded     bool
	names      map[string]*logEntry
	sessionKey *SessionKey

	last    *ConfigSnapshot // what the next snapshot begins with
	dirty   map[string]struct{}
	renamed bool // connectors came or went since the last snapshot
}

// NewConfigLog returns the reader of a topic of which nothing has been read.
func NewConfigLog() *ConfigLog {
	return &ConfigLog{
		offset: -1,
		names:  make(map[string]*logEntry),
		dirty:  make(map[string]struct{}),
		last:   &ConfigSnapshot{offset: -1, connectors: map[string]*LoggedConnector{}, names: new(nameList)},
	}
}

// Loaded says that the first read of the topic is over. Changes are reported for later records only: restart requests and logger
// levels of the past are not to be repeated.
func (l *ConfigLog) Loaded() {
	l.loaded = true
	for _, e := range l.names {
		e.early = nil
	}
}

// Apply takes over one record; a nil value is a tombstone. It returns the changes to act on, none before [ConfigLog.Loaded].
// An error is for the log only: the record had no effect. The config offset has passed it nevertheless, as in the
// reference, unless the error is [ErrUndecodable]. Key and value must not be changed afterwards.
func (l *ConfigLog) Apply(offset int64, key, value []byte) ([]ConfigChange, error) {
	v, err := json.ParseSchemaless(nil, value)
	if err != nil {
		return nil, fmt.Errorf("read the record %q at offset %d: %w: %w", key, offset, ErrUndecodable, err)
	}
	l.offset = offset + 1
	if key == nil {
		return nil, fmt.Errorf("read the record at offset %d: it has no key", offset)
	}
	changes, err := l.apply(string(key), v)
	if err != nil {
		return nil, fmt.Errorf("read the record %q at offset %d: %w", key, offset, err)
	}
	if !l.loaded {
		return nil, nil
	}
	return changes, nil
}

var errUnknownKey = errors.New("no worker writes this key")

func (l *ConfigLog) apply(key string, v data.Value) ([]ConfigChange, error) {
	for _, kind := range []struct {
		prefix string
		apply  func(name string, v data.Value) ([]ConfigChange, error)
	}{
		{targetStatePrefix, l.targetState},
		{connectorPrefix, l.connector},
		{taskPrefix, l.task},
		{commitPrefix, l.commit},
		{restartPrefix, l.restart},
		{fencingPrefix, l.fencing},
		{loggerPrefix, l.logger},
	} {
		if name, ok := strings.CutPrefix(key, kind.prefix); ok {
			return kind.apply(name, v)
		}
	}
	if key == SessionKeyKey {
		return l.session(v)
	}
	return nil, errUnknownKey
}

// entry returns what is known about a name.
func (l *ConfigLog) entry(name string) *logEntry {
	e := l.names[name]
	if e == nil {
		e = newLogEntry()
		l.names[name] = e
	}
	return e
}

// changing returns what is known about a name, for a change that snapshots show.
func (l *ConfigLog) changing(name string) *logEntry {
	l.dirty[name] = struct{}{}
	return l.entry(name)
}

func (l *ConfigLog) targetState(name string, v data.Value) ([]ConfigChange, error) {
	if v.IsNull() {
		l.changing(name).resetTarget()
		return nil, nil
	}
	t, err := decodeTargetState(v)
	if err != nil {
		return nil, err
	}
	e := l.changing(name)
	same := e.target == t
	e.target = t
	if same || !e.exists {
		return nil, nil
	}
	return []ConfigChange{{Kind: TargetStateChanged, Connector: name}}, nil
}

func (l *ConfigLog) connector(name string, v data.Value) ([]ConfigChange, error) {
	if v.IsNull() {
		e := l.changing(name)
		l.renamed = l.renamed || e.exists
		e.remove()
		return []ConfigChange{{Kind: ConnectorRemoved, Connector: name}}, nil
	}
	c, err := decodeProperties(v)
	if err != nil {
		return nil, err
	}
	e := l.changing(name)
	l.renamed = l.renamed || !e.exists
	e.update(c)
	return []ConfigChange{{Kind: ConnectorUpdated, Connector: name}}, nil
}

func (l *ConfigLog) task(name string, v data.Value) ([]ConfigChange, error) {
	id, err := parseTaskID(name)
	if err != nil {
		return nil, err
	}
	if v.IsNull() {
		return nil, nil // none writes it, but it would be harmless
	}
	c, err := decodeProperties(v)
	if err != nil {
		return nil, err
	}
	l.entry(id.Connector).deferTask(id.Task, c)
	return nil, nil
}

func (l *ConfigLog) commit(name string, v data.Value) ([]ConfigChange, error) {
	if v.IsNull() {
		return nil, nil
	}
	n, err := decodeNumber(v, tasksField)
	if err != nil {
		return nil, err
	}
	e := l.changing(name)
	if !e.exists {
		e.commitEarly(n, l.offset, !l.loaded)
		return nil, nil
	}
	change := ConfigChange{Kind: TasksUpdated, Connector: name}
	for _, task := range e.commit(n, l.offset) {
		change.Tasks = append(change.Tasks, ConnectorTaskID{Connector: name, Task: task})
	}
	return []ConfigChange{change}, nil
}

func (l *ConfigLog) restart(name string, v data.Value) ([]ConfigChange, error) {
	if v.IsNull() {
		return nil, nil
	}
	r, err := decodeRestart(name, v)
	if err != nil {
		return nil, err
	}
	return []ConfigChange{{Kind: RestartRequested, Connector: name, Restart: r}}, nil
}

func (l *ConfigLog) fencing(name string, v data.Value) ([]ConfigChange, error) {
	if v.IsNull() {
		return nil, nil
	}
	n, err := decodeNumber(v, taskCountField)
	if err != nil {
		return nil, err
	}
	l.changing(name).fence(n)
	return nil, nil
}

func (l *ConfigLog) session(v data.Value) ([]ConfigChange, error) {
	k, err := decodeSessionKey(v)
	if err != nil {
		return nil, err
	}
	l.sessionKey = &k
	return []ConfigChange{{Kind: SessionKeyChanged, Key: k}}, nil
}

func (l *ConfigLog) logger(name string, v data.Value) ([]ConfigChange, error) {
	if v.IsNull() {
		return nil, nil
	}
	level, err := field(v, levelField, data.KindString)
	if err != nil {
		return nil, err
	}
	return []ConfigChange{{Kind: LoggerLevelChanged, Logger: name, Level: level.Str()}}, nil
}

// Snapshot returns the present state. It costs next to nothing if nothing has changed since the last one, and otherwise no more
// than a copy of a map of pointers.
func (l *ConfigLog) Snapshot() *ConfigSnapshot {
	if l.offset == l.last.offset {
		return l.last
	}
	next := &ConfigSnapshot{offset: l.offset, connectors: l.last.connectors, names: l.last.names, sessionKey: l.sessionKey}
	if len(l.dirty) > 0 {
		next.connectors = l.connectors()
	}
	if l.renamed {
		next.names = new(nameList)
	}
	l.renamed = false
	l.last = next
	return next
}

// connectors returns the last snapshot's connectors with what has changed.
func (l *ConfigLog) connectors() map[string]*LoggedConnector {
	m := maps.Clone(l.last.connectors)
	for name := range l.dirty {
		if e := l.names[name]; e.exists {
			m[name] = e.logged()
		} else {
			delete(m, name)
		}
	}
	clear(l.dirty)
	return m
}
