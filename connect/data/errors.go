package data

import (
	"fmt"
	"strings"
)

// Class names of Connect's data errors. Clients read them in task traces and dead letter queue headers.
const (
	ClassData            = "org.apache.kafka.connect.errors.DataException"
	ClassSchemaBuilder   = "org.apache.kafka.connect.errors.SchemaBuilderException"
	ClassSchemaProjector = "org.apache.kafka.connect.errors.SchemaProjectorException"
)

// Error is a failure of the data model: a value that does not fit its schema, a schema that cannot be built, a
// projection that is not allowed. It is never retriable.
type Error struct {
	Class   string // one of the Class constants of this package
	Message string // the text Connect shows
	Cause   error  // nil, or what made this one happen
}

// Error returns the message, followed by the cause if there is one.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return strings.TrimSuffix(e.Message, ": ") + ": " + e.Cause.Error() // some of Connect's texts end with one
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ErrorClass returns the name under which Connect reports this error.
func (e *Error) ErrorClass() string { return e.Class }

// ErrorMessage returns the message without the cause, which traces print on a line of its own.
func (e *Error) ErrorMessage() string { return e.Message }

// Errorf makes a DataException. A %w operand becomes its cause only through [Wrap].
func Errorf(format string, args ...any) *Error {
	return &Error{Class: ClassData, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes a DataException with a cause.
func Wrap(cause error, format string, args ...any) *Error {
	return &Error{Class: ClassData, Message: fmt.Sprintf(format, args...), Cause: cause}
}

func builderErrorf(format string, args ...any) *Error {
	return &Error{Class: ClassSchemaBuilder, Message: fmt.Sprintf(format, args...)}
}

func projectorErrorf(format string, args ...any) *Error {
	return &Error{Class: ClassSchemaProjector, Message: fmt.Sprintf(format, args...)}
}
