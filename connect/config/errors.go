package config

import "strings"

// ExceptionClass is the Java class under which users of Connect know the
// errors of this package.
const ExceptionClass = "org.apache.kafka.common.config.ConfigException"

// Error is one violation of a definition.
type Error struct {
	// Key is the name of the key, in full where known.
	Key string
	// Value is the offending value as messages show it: "null" for null,
	// [hidden] for a password, empty when the key is missing.
	Value string
	// Message is the whole text that Connect shows.
	Message string
}

// Invalid returns the error with Connect's text
// "Invalid value v for configuration key: reason". Lists print as [a, b], nil
// as null, passwords as [hidden].
func Invalid(key string, v any, reason string) *Error {
	value := format(v)
	message := "Invalid value " + value + " for configuration " + key
	if reason != "" {
		message += ": " + reason
	}
	return &Error{Key: key, Value: value, Message: message}
}

func missing(key string) *Error {
	return &Error{Key: key, Message: `Missing required configuration "` + key + `" which has no default value.`}
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// ErrorClass returns [ExceptionClass].
func (e *Error) ErrorClass() string { return ExceptionClass }

// Errors are all violations found in one configuration, in the order of the
// keys. It is never empty when returned as an error.
type Errors []*Error

// Error returns the messages, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Message
	}
	return strings.Join(lines, "\n")
}

// ErrorClass returns [ExceptionClass].
func (e Errors) ErrorClass() string { return ExceptionClass }

// Unwrap returns the violations, for errors.As and errors.AsType.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}
