package javaregex

import (
	"errors"
	"strconv"
)

// ErrTimeout is returned by a match that takes longer than the time limit.
var ErrTimeout = errors.New("regular expression took longer than its time limit")

// ErrTooDeep is returned by a match that needs more memory to backtrack than
// is allowed; Java ends such matches with a StackOverflowError.
var ErrTooDeep = errors.New("regular expression needs too much backtracking for this text")

// Classes of Java under which users know the errors of this package.
const (
	syntaxClass   = "java.util.regex.PatternSyntaxException"
	argumentClass = "java.lang.IllegalArgumentException"
	boundsClass   = "java.lang.IndexOutOfBoundsException"
)

// SyntaxError says what is wrong with a pattern, in Java's words.
type SyntaxError struct {
	Description string
	// Index is the place in the pattern, in characters; -1 if unknown. It is
	// close to, but not always the same as, that of Java.
	Index   int
	Pattern string
}

// Error returns the description and the place on one line.
func (e *SyntaxError) Error() string {
	if e.Index < 0 {
		return e.Description
	}
	return e.Description + " near index " + strconv.Itoa(e.Index)
}

// ErrorClass returns the class of the exception in Java.
func (e *SyntaxError) ErrorClass() string { return syntaxClass }

// ReplacementError says what is wrong with a replacement, in Java's words.
// Java only notices once the pattern has matched.
type ReplacementError struct {
	Message string
	class   string
}

// Error returns the message.
func (e *ReplacementError) Error() string { return e.Message }

// ErrorClass returns the class of the exception in Java.
func (e *ReplacementError) ErrorClass() string { return e.class }
