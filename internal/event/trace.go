package event

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
)

// classed is an error with the class name under which Connect's clients know it.
type classed interface{ ErrorClass() string }

// messaged is an error that can tell its own words from those of its cause.
type messaged interface{ ErrorMessage() string }

// defaultClass is the class of errors that have none of their own.
const defaultClass = "org.apache.kafka.connect.errors.ConnectException"

// maxFrames is how many stack lines a trace shows.
const maxFrames = 12

// Trace renders an error in the form that clients of the REST interface parse: a first line of class and message,
// stack lines that begin with a tab and "at", and a "Caused by:" line for each cause. The stack is the one of the
// panic that the error came from, or else the caller's.
func Trace(err error) string {
	var b strings.Builder
	b.WriteString(headline(err))
	b.WriteByte('\n')
	writeStack(&b, err)
	for cause := causeOf(err); cause != nil; cause = causeOf(cause) {
		b.WriteString("Caused by: ")
		b.WriteString(headline(cause))
		b.WriteByte('\n')
	}
	return b.String()
}

func headline(err error) string {
	class, message := Class(err), Message(err)
	if message == "" {
		return class
	}
	return class + ": " + message
}

// Class returns the class name of an error.
func Class(err error) string {
	if c, ok := err.(classed); ok {
		return c.ErrorClass()
	}
	return defaultClass
}

// Message returns an error's own words, without those of causes that get a line of their own.
func Message(err error) string {
	if m, ok := err.(messaged); ok {
		return m.ErrorMessage()
	}
	return err.Error()
}

// causeOf returns the next error to show: the direct cause of an error that leaves it out of its message, or the
// next one with a class behind a chain of plain wrappers.
func causeOf(err error) error {
	cause := errors.Unwrap(err)
	if _, ok := err.(messaged); ok {
		return cause
	}
	for ; cause != nil; cause = errors.Unwrap(cause) {
		if _, ok := cause.(classed); ok {
			return cause
		}
	}
	return nil
}

func writeStack(b *strings.Builder, err error) {
	pcs := make([]uintptr, maxFrames)
	if p, ok := errors.AsType[*Panic](err); ok {
		pcs = p.stack
	} else {
		pcs = pcs[:runtime.Callers(3, pcs)]
	}
	frames := runtime.CallersFrames(pcs)
	for range maxFrames {
		f, more := frames.Next()
		if f.Function != "" {
			fmt.Fprintf(b, "\tat %s(%s:%d)\n", f.Function, f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line)
		}
		if !more {
			return
		}
	}
}

// Panic is what became of a plugin's panic.
type Panic struct {
	Value any
	stack []uintptr
}

// Recovered makes a *Panic of a recovered value. It is called from the deferred function that recovered it.
func Recovered(v any) *Panic {
	pcs := make([]uintptr, maxFrames)
	return &Panic{Value: v, stack: pcs[:runtime.Callers(4, pcs)]}
}

// Error returns the panic's value as text.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Unwrap returns the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Guard calls f and turns a panic into an error. It is the boundary around every call of a plugin.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Recovered(v)
		}
	}()
	return f()
}
