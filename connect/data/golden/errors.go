package golden

import (
	"errors"
	"fmt"
	"slices"
)

// Stages at which an error can be recorded.
const (
	Configure = "configure"
	Convert   = "convert"
	Apply     = "apply"
)

// Error is a recorded error.
type Error struct {
	Stage    string `json:"stage"`
	Class    string `json:"class"`
	Message  string `json:"message"`
	Portable bool   `json:"portable"` // the message does not depend on Java
	Cause    *Error `json:"cause"`    // for information
}

// accidental are classes of errors that the reference did not intend. Any error that is not retriable matches them.
var accidental = []string{
	"java.lang.NullPointerException",
	"java.lang.ClassCastException",
	"java.lang.IllegalArgumentException",
	"java.lang.NumberFormatException",
	"java.lang.IndexOutOfBoundsException",
	"java.nio.charset.UnsupportedCharsetException",
}

const classRetriable = "org.apache.kafka.connect.errors.RetriableException"

// Mismatch says in what err, which happened at that stage, differs from the recorded error. It is empty if they match;
// e is nil where none was recorded.
func (e *Error) Mismatch(stage string, err error) string {
	switch {
	case e == nil && err == nil:
		return ""
	case e == nil:
		return fmt.Sprintf("error at stage %s: %s: %v", stage, classOf(err), err)
	case err == nil:
		return fmt.Sprintf("no error, want %s: %s", e.Class, e.Message)
	case stage != e.Stage:
		return fmt.Sprintf("error at stage %s: %v, want one at stage %s: %s", stage, err, e.Stage, e.Message)
	case !e.matchesClass(err):
		return fmt.Sprintf("error of class %s: %v, want %s: %s", classOf(err), err, e.Class, e.Message)
	case e.Portable && messageOf(err) != e.Message:
		return fmt.Sprintf("message %q, want %q", messageOf(err), e.Message)
	default:
		return ""
	}
}

func (e *Error) matchesClass(err error) bool {
	class := classOf(err)
	if slices.Contains(accidental, e.Class) {
		return class != classRetriable
	}
	return class == e.Class
}

func classOf(err error) string {
	var c interface{ ErrorClass() string }
	if errors.As(err, &c) {
		return c.ErrorClass()
	}
	return ""
}

// messageOf returns the message without that of the cause.
func messageOf(err error) string {
	var m interface{ ErrorMessage() string }
	if errors.As(err, &m) {
		return m.ErrorMessage()
	}
	return err.Error()
}
