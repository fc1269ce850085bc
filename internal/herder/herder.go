// Package herder decides which connectors and tasks run. [Standalone] is the herder of a single process; what it
// shares with others is in files of its own: validation, information for REST, errors.
package herder

import (
	"context"
	"fmt"

	"github.com/millrace-io/millrace/internal/store"
)

// Kind says what sort of answer an error is.
type Kind uint8

// The kinds of errors.
const (
	Internal Kind = iota
	NotFound
	AlreadyExists
	BadRequest
	Conflict
	Timeout
	Unavailable
	Elsewhere // another worker of the group has to be asked
)

// Error is a refusal or failure with the text that clients see.
type Error struct {
	Kind    Kind
	Message string
	Cause   error // nil, or what is behind it
	// URL is, for Elsewhere, the REST URL of the worker to ask, empty if that is not known.
	URL string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

func internal(err error) *Error { return &Error{Kind: Internal, Message: err.Error(), Cause: err} }

// Type says what a connector is, in the words of REST.
type Type string

// The types of connectors. Unknown is one whose class cannot be found.
const (
	SourceType  Type = "source"
	SinkType    Type = "sink"
	UnknownType Type = "unknown"
)

// TaskRef is a task as connector information names it.
type TaskRef struct {
	Connector string `json:"connector"`
	Task      int    `json:"task"`
}

// ConnectorInfo describes a connector.
type ConnectorInfo struct {
	Name   string       `json:"name"`
	Config store.Config `json:"config"`
	Tasks  []TaskRef    `json:"tasks"`
	Type   Type         `json:"type"`
}

// State is the state of a connector or task. Version is null for one that failed before its class was known.
type State struct {
	State    string  `json:"state"`
	WorkerID string  `json:"worker_id"`
	Version  *string `json:"version"`
	Trace    string  `json:"trace,omitempty"`
}

// TaskStatus is the state of a task.
type TaskStatus struct {
	ID int `json:"id"`
	State
}

// ConnectorStatus is the state of a connector and its tasks.
type ConnectorStatus struct {
	Name      string       `json:"name"`
	Connector State        `json:"connector"`
	Tasks     []TaskStatus `json:"tasks"`
	Type      Type         `json:"type"`
}

// TaskInfo is a task's configuration.
type TaskInfo struct {
	ID     TaskRef      `json:"id"`
	Config store.Config `json:"config"`
}

// Restart says what a restart request is to restart.
type Restart struct {
	IncludeTasks bool
	OnlyFailed   bool
}

// wait receives an error or gives up with ctx.
func wait(ctx context.Context, result <-chan error) error {
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return &Error{Kind: Timeout, Message: "Request timed out", Cause: ctx.Err()}
	}
}
