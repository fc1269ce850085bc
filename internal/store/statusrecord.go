package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/internal/event"
)

// Prefixes of the keys of the status topic, and what is between topic and connector in the key of an active topic.
const (
	connectorStatusPrefix = "status-connector-"
	taskStatusPrefix      = "status-task-"
	topicStatusPrefix     = "status-topic-"
	topicStatusInfix      = ":connector-"
)

// Fields of the values of the status topic.
const (
	traceField         = "trace"
	workerIDField      = "worker_id"
	generationField    = "generation"
	versionField       = "version"
	topicField         = "topic"
	topicNameField     = "name"
	topicConnField     = "connector"
	topicTaskField     = "task"
	topicDiscoverField = "discoverTimestamp"
)

// ConnectorStatusKey is the key of a connector's status; a tombstone removes it.
func ConnectorStatusKey(name string) string { return connectorStatusPrefix + name }

// TaskStatusKey is the key of a task's status.
func TaskStatusKey(id ConnectorTaskID) string { return taskStatusPrefix + id.String() }

// TopicStatusKey is the key of a topic that a connector uses (KIP-558).
func TopicStatusKey(topic, connector string) string {
	return topicStatusPrefix + topic + topicStatusInfix + connector
}

// TopicStatus says that a connector has written to a topic or read from it.
type TopicStatus struct {
	Topic, Connector string
	Task             int       // the task that did so first
	Discovered       time.Time // with a precision of milliseconds
}

// EncodeStatus returns the value of a connector's or task's status. An empty trace or version is written as null.
func EncodeStatus(s Status) []byte {
	b := appendText([]byte(`{"`+stateField+`":`), string(s.State))
	b = appendTextOrNull(append(b, `,"`+traceField+`":`...), s.Trace)
	b = appendText(append(b, `,"`+workerIDField+`":`...), s.WorkerID)
	b = fmt.Appendf(b, `,"%s":%d,"%s":`, generationField, s.Generation, versionField)
	return append(appendTextOrNull(b, s.Version), '}')
}

func appendTextOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendText(dst, s)
}

// EncodeTopicStatus returns the value of a topic's record.
func EncodeTopicStatus(t TopicStatus) []byte {
	b := appendText([]byte(`{"`+topicField+`":{"`+topicNameField+`":`), t.Topic)
	b = appendText(append(b, `,"`+topicConnField+`":`...), t.Connector)
	return fmt.Appendf(b, `,"%s":%d,"%s":%d}}`, topicTaskField, t.Task, topicDiscoverField, t.Discovered.UnixMilli())
}

// ParseStatus reads the value of a connector's or task's status. Versions and traces that are absent or null are empty.
func ParseStatus(value []byte) (Status, error) {
	v, err := json.ParseSchemaless(nil, value)
	if err != nil {
		return Status{}, err
	}
	state, err := field(v, stateField, data.KindString)
	if err != nil {
		return Status{}, err
	}
	worker, err := field(v, workerIDField, data.KindString)
	if err != nil {
		return Status{}, err
	}
	generation, err := field(v, generationField, data.KindInt64)
	if err != nil {
		return Status{}, err
	}
	s := Status{State: event.State(state.Str()), WorkerID: worker.Str(), Generation: int(generation.Int64())}
	if !isWritten(s.State) {
		return Status{}, fmt.Errorf("unknown state %q", state.Str())
	}
	if s.Trace, err = optionalText(v, traceField); err != nil {
		return Status{}, err
	}
	s.Version, err = optionalText(v, versionField)
	return s, err
}

// isWritten tells whether records have that state.
func isWritten(s event.State) bool {
	switch s {
	case event.Unassigned, event.Running, event.Paused, event.Stopped, event.Failed, event.Restarting:
		return true
	default:
		return false
	}
}

func optionalText(v data.Value, name string) (string, error) {
	if v.Map().GetString(name).IsNull() {
		return "", nil
	}
	f, err := field(v, name, data.KindString)
	return f.Str(), err
}

// ParseTopicStatus reads the value of a topic's record.
func ParseTopicStatus(value []byte) (TopicStatus, error) {
	v, err := json.ParseSchemaless(nil, value)
	if err != nil {
		return TopicStatus{}, err
	}
	t, err := field(v, topicField, data.KindMap)
	if err != nil {
		return TopicStatus{}, err
	}
	name, err := field(t, topicNameField, data.KindString)
	if err != nil {
		return TopicStatus{}, err
	}
	connector, err := field(t, topicConnField, data.KindString)
	if err != nil {
		return TopicStatus{}, err
	}
	task, err := field(t, topicTaskField, data.KindInt64)
	if err != nil {
		return TopicStatus{}, err
	}
	discovered, err := field(t, topicDiscoverField, data.KindInt64)
	return TopicStatus{
		Topic: name.Str(), Connector: connector.Str(), Task: int(task.Int64()), Discovered: time.UnixMilli(discovered.Int64()),
	}, err
}

var errNotATopicStatusKey = errors.New("the key does not name a topic and a connector")

// parseTopicStatusKey reads what follows the prefix. Topics have no colons, connectors may.
func parseTopicStatusKey(s string) (topic, connector string, err error) {
	topic, rest, _ := strings.Cut(s, ":")
	connector, ok := strings.CutPrefix(":"+rest, topicStatusInfix)
	if !ok {
		return "", "", errNotATopicStatusKey
	}
	return topic, connector, nil
}
