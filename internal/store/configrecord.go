package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
)

// Keys of the config topic are a prefix and a name, but for the session key. The order in which a reader tries the prefixes
// matters only for keys that no worker writes.
const (
	targetStatePrefix = "target-state-"
	connectorPrefix   = "connector-"
	taskPrefix        = "task-"
	commitPrefix      = "commit-"
	restartPrefix     = "restart-connector-"
	fencingPrefix     = "tasks-fencing-"
	loggerPrefix      = "logger-cluster-"

	// SessionKeyKey is the key of the record with the key that signs requests between workers.
	SessionKeyKey = "session-key"
)

// Fields of the values of the config topic.
const (
	propertiesField   = "properties"
	tasksField        = "tasks"
	stateField        = "state"
	stateV2Field      = "state.v2" // KIP-875: state, as workers before 3.5 read it, has no STOPPED
	includeTasksField = "include-tasks"
	onlyFailedField   = "only-failed"
	taskCountField    = "task-count"
	keyField          = "key"
	algorithmField    = "algorithm"
	creationField     = "creation-timestamp"
	levelField        = "level"
)

// ConnectorKey is the key of a connector's configuration; a tombstone deletes the connector.
func ConnectorKey(name string) string { return connectorPrefix + name }

// TaskKey is the key of a task's configuration, which takes effect with the next commit record.
func TaskKey(id ConnectorTaskID) string { return taskPrefix + id.String() }

// CommitKey is the key of the record that puts the task configurations before it in force.
func CommitKey(name string) string { return commitPrefix + name }

// TargetStateKey is the key of a connector's target state.
func TargetStateKey(name string) string { return targetStatePrefix + name }

// RestartKey is the key of a restart request.
func RestartKey(name string) string { return restartPrefix + name }

// FencingKey is the key of a task-count record (KIP-618): so many tasks' producers were fenced.
func FencingKey(name string) string { return fencingPrefix + name }

// LoggerKey is the key of a cluster-wide logger level (KIP-976).
func LoggerKey(logger string) string { return loggerPrefix + logger }

// RestartRequest is a request to restart a connector with its tasks, or those of them that failed (KIP-745).
type RestartRequest struct {
	Connector                string
	IncludeTasks, OnlyFailed bool
}

// Impact orders the requests that wait for one connector: the one with the higher impact replaces the other.
func (r RestartRequest) Impact() int {
	impact := 0
	if r.IncludeTasks {
		impact++
	}
	if !r.OnlyFailed {
		impact += 2
	}
	return impact
}

// SessionKey signs requests between workers (KIP-507).
type SessionKey struct {
	Key       []byte // raw, not to be changed
	Algorithm string // of a MAC, in Java's words: HmacSHA256
	Created   time.Time
}

// appendText appends a JSON string in the form of the reference's converter.
func appendText(dst []byte, s string) []byte {
	dst, _ = json.AppendSchemaless(dst, data.String(s)) // a string can always be written
	return dst
}

// EncodeProperties returns the value of a connector or task record. Keys keep their order, nulls are kept.
func EncodeProperties(c Config) []byte {
	b := append([]byte(nil), `{"`+propertiesField+`":{`...)
	for i, k := range c.Keys() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, k), ':')
		if v, ok := c.Get(k); ok {
			b = appendText(b, v)
		} else {
			b = append(b, "null"...)
		}
	}
	return append(b, '}', '}')
}

// EncodeCommit returns the value of a commit record for n tasks.
func EncodeCommit(n int) []byte { return encodeNumber(tasksField, n) }

// EncodeTaskCount returns the value of a task-count record.
func EncodeTaskCount(n int) []byte { return encodeNumber(taskCountField, n) }

func encodeNumber(field string, n int) []byte {
	return append(strconv.AppendInt([]byte(`{"`+field+`":`), int64(n), 10), '}')
}

// EncodeTargetState returns the value of a target state record, with PAUSED in place of STOPPED for workers that do not know it.
func EncodeTargetState(t TargetState) []byte {
	old := t
	if t == Stopped {
		old = Paused
	}
	b := appendText([]byte(`{"`+stateField+`":`), string(old))
	b = appendText(append(b, `,"`+stateV2Field+`":`...), string(t))
	return append(b, '}')
}

// EncodeRestart returns the value of a restart request.
func EncodeRestart(r RestartRequest) []byte {
	return fmt.Appendf(nil, `{"%s":%t,"%s":%t}`, includeTasksField, r.IncludeTasks, onlyFailedField, r.OnlyFailed)
}

// EncodeSessionKey returns the value of the session key record. Its time has a precision of milliseconds.
func EncodeSessionKey(k SessionKey) []byte {
	b := appendText([]byte(`{"`+keyField+`":`), base64.StdEncoding.EncodeToString(k.Key))
	b = appendText(append(b, `,"`+algorithmField+`":`...), k.Algorithm)
	return fmt.Appendf(b, `,"%s":%d}`, creationField, k.Created.UnixMilli())
}

// EncodeLoggerLevel returns the value of a logger record. The level is written as it was sent.
func EncodeLoggerLevel(level string) []byte {
	return append(appendText([]byte(`{"`+levelField+`":`), level), '}')
}

// parseTaskID reads what follows the prefix of a task's key. The number is what follows the last dash, so that connector
// names may have dashes and end in numbers.
func parseTaskID(s string) (ConnectorTaskID, error) {
	dash := strings.LastIndexByte(s, '-')
	if dash < 0 {
		return ConnectorTaskID{}, fmt.Errorf("%q is not a connector's name, a dash and a number", s)
	}
	n, err := strconv.ParseUint(s[dash+1:], 10, 31)
	if err != nil {
		return ConnectorTaskID{}, fmt.Errorf("%q does not end in the number of a task", s)
	}
	return ConnectorTaskID{Connector: s[:dash], Task: int(n)}, nil
}

var errNotAnObject = errors.New("the value is not an object")

// field returns a member of an object, which must be of that kind.
func field(v data.Value, name string, kind data.Kind) (data.Value, error) {
	if v.Kind() != data.KindMap {
		return data.Null, errNotAnObject
	}
	f := v.Map().GetString(name)
	if f.Kind() != kind {
		return data.Null, fmt.Errorf("the value's field %q is %s, not %s", name, f.Kind(), kind)
	}
	return f, nil
}

// decodeProperties reads the value of a connector or task record. Workers write strings and nulls; other scalars are taken as
// their text.
func decodeProperties(v data.Value) (Config, error) {
	props, err := field(v, propertiesField, data.KindMap)
	if err != nil {
		return Config{}, err
	}
	var c Config
	for _, e := range props.Map().Entries() {
		switch e.Value.Kind() {
		case data.KindNull:
			c.SetNull(e.Key.Str())
		case data.KindString:
			c.Set(e.Key.Str(), e.Value.Str())
		case data.KindMap, data.KindArray:
			return Config{}, fmt.Errorf("the property %q is not a string", e.Key.Str())
		default:
			c.Set(e.Key.Str(), e.Value.String())
		}
	}
	return c, nil
}

// decodeNumber reads a number of tasks.
func decodeNumber(v data.Value, name string) (int, error) {
	f, err := field(v, name, data.KindInt64)
	if err != nil {
		return 0, err
	}
	n := f.Int64()
	if n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("the value's field %q is %d, which is not a number of tasks", name, n)
	}
	return int(n), nil
}

// decodeTargetState prefers the field of newer workers. It reads the older one only where that is absent or no string.
func decodeTargetState(v data.Value) (TargetState, error) {
	f, err := field(v, stateV2Field, data.KindString)
	if err != nil {
		f, err = field(v, stateField, data.KindString)
	}
	if err != nil {
		return "", err
	}
	switch t := TargetState(f.Str()); t {
	case Started, Paused, Stopped:
		return t, nil
	default:
		return "", fmt.Errorf("unknown target state %q", string(t))
	}
}

func decodeRestart(connector string, v data.Value) (RestartRequest, error) {
	if v.Kind() != data.KindMap {
		return RestartRequest{}, errNotAnObject
	}
	flag := func(name string) bool {
		f := v.Map().GetString(name)
		return f.Kind() == data.KindBoolean && f.Bool()
	}
	return RestartRequest{Connector: connector, IncludeTasks: flag(includeTasksField), OnlyFailed: flag(onlyFailedField)}, nil
}

func decodeSessionKey(v data.Value) (SessionKey, error) {
	text, err := field(v, keyField, data.KindString)
	if err != nil {
		return SessionKey{}, err
	}
	algorithm, err := field(v, algorithmField, data.KindString)
	if err != nil {
		return SessionKey{}, err
	}
	created, err := field(v, creationField, data.KindInt64)
	if err != nil {
		return SessionKey{}, err
	}
	// Java's decoder takes texts with and without the padding.
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text.Str(), "="))
	if err != nil {
		return SessionKey{}, fmt.Errorf("decode the session key: %w", err)
	}
	return SessionKey{Key: key, Algorithm: algorithm.Str(), Created: time.UnixMilli(created.Int64())}, nil
}
