package event_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
)

// headlines returns the lines of a trace that are no stack lines, and checks the form of all.
func headlines(t *testing.T, trace string) []string {
	t.Helper()
	frame := regexp.MustCompile(`^\tat [^ ]+\([^/ ]+\.(go|s):\d+\)$`)
	var out []string
	text, ok := strings.CutSuffix(trace, "\n")
	if !ok {
		t.Errorf("the trace does not end with a newline:\n%s", trace)
	}
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "\t"):
			if !frame.MatchString(line) {
				t.Errorf("stack line %q has another form", line)
			}
		case i == 1:
			t.Errorf("no stack line follows the first line:\n%s", trace)
		default:
			out = append(out, line)
		}
	}
	return out
}

const connectException = "org.apache.kafka.connect.errors.ConnectException"

func TestTraceLines(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		err  error
		want []string
	}{
		{"plain", errors.New("no route"), []string{connectException + ": no route"}},
		{"plain wrapping", fmt.Errorf("read x: %w", io.EOF), []string{connectException + ": read x: EOF"}},
		{"classed", data.Errorf("bad %d", 1), []string{"org.apache.kafka.connect.errors.DataException: bad 1"}},
		{
			"causes", connect.NewError("Tolerance exceeded in error handler", connect.NewError("outer", data.Errorf("inner"))),
			[]string{
				connectException + ": Tolerance exceeded in error handler",
				"Caused by: " + connectException + ": outer",
				"Caused by: org.apache.kafka.connect.errors.DataException: inner",
			},
		},
		{"no message", &connect.Error{Class: "a.B", Cause: io.EOF}, []string{"a.B", "Caused by: " + connectException + ": EOF"}},
		{
			"classed behind plain wrapping", fmt.Errorf("convert: %w", fmt.Errorf("value: %w", data.Errorf("inner"))),
			[]string{connectException + ": convert: value: inner", "Caused by: org.apache.kafka.connect.errors.DataException: inner"},
		},
		{"retriable", connect.Retriable(io.EOF), []string{"org.apache.kafka.connect.errors.RetriableException: EOF"}},
		{
			"retriable with a classed cause", connect.Retriable(data.Errorf("inner")),
			[]string{"org.apache.kafka.connect.errors.RetriableException: inner", "Caused by: org.apache.kafka.connect.errors.DataException: inner"},
		},
		{"joined", errors.Join(io.EOF, nil), []string{connectException + ": EOF"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, headlines(t, event.Trace(tc.err))); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTraceShowsTheCaller(t *testing.T) {
	t.Parallel()
	if line := strings.Split(event.Trace(io.EOF), "\n")[1]; !strings.Contains(line, "TestTraceShowsTheCaller(trace_test.go:") {
		t.Errorf("the first stack line is %q, want this function", line)
	}
}

func TestGuardPassesThrough(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, io.EOF} {
		if got := event.Guard(func() error { return want }); !errors.Is(got, want) || (got == nil) != (want == nil) {
			t.Errorf("Guard: %v, want %v", got, want)
		}
	}
}

// panicking is in the stack of the panics below.
//
//go:noinline
func panicking(v any) error { panic(v) }

func TestTraceOfPanics(t *testing.T) {
	t.Parallel()
	var nothing map[string]int
	for _, tc := range []struct {
		name string
		f    func() error
		want []string
		top  string // in the first stack line
	}{
		{"text", func() error { return panicking("oops") }, []string{connectException + ": panic: oops"}, "panicking(trace_test.go:"},
		{"plain error", func() error { return panicking(io.EOF) }, []string{connectException + ": panic: EOF"}, "panicking(trace_test.go:"},
		{
			"classed error", func() error { return panicking(data.Errorf("inner")) },
			[]string{connectException + ": panic: inner", "Caused by: org.apache.kafka.connect.errors.DataException: inner"},
			"panicking(trace_test.go:",
		},
		{
			"of the runtime", func() error { nothing["a"] = 1; return nil },
			[]string{connectException + ": panic: assignment to entry in nil map"},
			"runtime.",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := event.Guard(tc.f)
			if p, ok := errors.AsType[*event.Panic](err); !ok || p.Value == nil {
				t.Fatalf("Guard: %#v, want a *Panic with its value", err)
			}
			trace := event.Trace(err)
			if diff := cmp.Diff(tc.want, headlines(t, trace)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if line := strings.Split(trace, "\n")[1]; !strings.Contains(line, tc.top) {
				t.Errorf("the first stack line is %q, want where the panic came from, %q", line, tc.top)
			}
			if !strings.Contains(trace, "trace_test.go:") {
				t.Errorf("the trace does not lead to this file:\n%s", trace)
			}
		})
	}
}

func TestTraceOfAWrappedPanicKeepsItsStack(t *testing.T) {
	t.Parallel()
	err := connect.NewError("outer", event.Guard(func() error { return panicking("oops") }))
	trace := event.Trace(err)
	want := []string{connectException + ": outer", "Caused by: " + connectException + ": panic: oops"}
	if diff := cmp.Diff(want, headlines(t, trace)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if !strings.Contains(trace, "\tat github.com/millrace-io/millrace/internal/event_test.panicking(") {
		t.Errorf("the trace lacks the panicking function:\n%s", trace)
	}
}

func TestTeeKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var got []string
	listener := func(name string) event.Listener {
		return func(s event.Status) { got = append(got, name+" "+string(s.State)) }
	}
	l := event.Tee(listener("a"), listener("b"))
	l(event.Status{State: event.Running})
	l(event.Status{State: event.Paused})
	if diff := cmp.Diff([]string{"a RUNNING", "b RUNNING", "a PAUSED", "b PAUSED"}, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
