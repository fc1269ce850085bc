package connect

import (
	"errors"
	"strings"
	"time"
)

// Class names of Connect's runtime errors, as they appear in traces.
const (
	ClassConnect   = "org.apache.kafka.connect.errors.ConnectException"
	ClassRetriable = "org.apache.kafka.connect.errors.RetriableException"
	ClassNotFound  = "org.apache.kafka.connect.errors.NotFoundException"

	// ClassSerialization is what the client library reports for bytes that cannot be read or written.
	ClassSerialization = "org.apache.kafka.common.errors.SerializationException"
)

// ErrNoReporter is returned by [SinkTaskContext.Report] when the connector has neither a dead letter queue nor error
// logging configured. A task then fails or skips by its own rules.
var ErrNoReporter = errors.New("no errant record reporter is configured: set errors.deadletterqueue.topic.name or errors.log.enable")

// Error is an error with the class name under which Connect reports it. [Errorf] makes a plain ConnectException.
type Error struct {
	Class   string
	Message string
	Cause   error
}

// NewError returns a ConnectException with that message and cause; the cause may be nil.
func NewError(message string, cause error) *Error {
	return &Error{Class: ClassConnect, Message: message, Cause: cause}
}

// Error returns the message, followed by the cause if there is one.
func (e *Error) Error() string {
	switch {
	case e.Cause == nil:
		return e.Message
	case e.Message == "":
		return e.Cause.Error()
	default:
		return strings.TrimSuffix(e.Message, ": ") + ": " + e.Cause.Error() // some of Connect's texts end with one
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ErrorClass returns the class name.
func (e *Error) ErrorClass() string { return e.Class }

// ErrorMessage returns the message without the cause, which traces print on a line of its own.
func (e *Error) ErrorMessage() string { return e.Message }

// retriable marks an error after which the runtime tries the same work again.
type retriable struct {
	error
	after time.Duration
}

func (r *retriable) Unwrap() error      { return r.error }
func (r *retriable) ErrorClass() string { return ClassRetriable }

// Retriable marks err as passing: Poll and Put are called again, converters and transforms are retried as
// errors.retry.timeout allows. It is Connect's RetriableException. A nil err stays nil.
func Retriable(err error) error { return RetryAfter(0, err) }

// RetryAfter is [Retriable] with a wish for the pause before the next call.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retriable{error: err, after: d}
}

// IsRetriable tells whether err was marked by [Retriable] or [RetryAfter], and the pause it asks for, 0 if none.
func IsRetriable(err error) (after time.Duration, ok bool) {
	if r, found := errors.AsType[*retriable](err); found {
		return r.after, true
	}
	return 0, false
}
