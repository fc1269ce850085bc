package app

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-io/millrace/internal/event"
)

func TestLogLines(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		log  func(l *slog.Logger)
		want string // without the time
	}{
		{"plain", func(l *slog.Logger) { l.Info("hello") }, "INFO hello"},
		{"attributes", func(l *slog.Logger) { l.Warn("hello", "a", 1, "b", time.Second, "c", errors.New("x")) }, "WARN hello a=1 b=1s c=x"},
		{"quoted", func(l *slog.Logger) { l.Error("hello", "a", "b c", "d", "", "e", "f=g", "h", "i\"j\nk\tl") }, `ERROR hello a="b c" d="" e="f=g" h="i\"j\nk\tl"`},
		{"connector", func(l *slog.Logger) { l.With("connector", "c").Info("hello", "a", 1) }, "INFO [c|worker] hello a=1"},
		{"task", func(l *slog.Logger) { l.With("connector", "c", "task", 3).Info("hello") }, "INFO [c|task-3] hello"},
		{"at the call", func(l *slog.Logger) { l.Info("hello", "task", 3, "connector", "c") }, "INFO [c|task-3] hello"},
		{"task without a connector", func(l *slog.Logger) { l.Info("hello", "task", 3) }, "INFO hello"},
		{"groups", func(l *slog.Logger) { l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").Info("hello", "c", 3) }, "INFO hello a=1 g.b=2 g.h.c=3"},
		{"group value", func(l *slog.Logger) { l.Info("hello", slog.Group("g", slog.Int("a", 1))) }, "INFO hello g=\"[a=1]\""},
		{"empty key", func(l *slog.Logger) { l.LogAttrs(t.Context(), slog.LevelInfo, "hello", slog.Attr{}) }, "INFO hello"},
		{"valuer", func(l *slog.Logger) { l.Info("hello", "a", valuer{}) }, "INFO hello a=resolved"},
		{"below the level", func(l *slog.Logger) { l.Debug("hello") }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			tc.log(NewLog(&out, slog.LevelInfo))
			got := regexp.MustCompile(`^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] `).ReplaceAllString(out.String(), "")
			if tc.want != "" {
				tc.want += "\n"
			}
			if got != tc.want {
				t.Errorf("line %q, want %q behind the time", out.String(), tc.want)
			}
		})
	}
}

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.StringValue("resolved") }

func TestLoggersDoNotShareAttributes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	base := NewLog(&out, slog.LevelInfo).With("a", 1)
	one, two := base.With("b", 1), base.With("b", 2)
	one.Info("one", "c", 1)
	two.Info("two", "c", 2)
	for _, want := range []string{"one a=1 b=1 c=1\n", "two a=1 b=2 c=2\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &out)
		}
	}
}

func TestLogLinesStayWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := NewLog(&out, slog.LevelInfo)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				log.With("connector", fmt.Sprint(i)).Info("hello")
			}
		})
	}
	wg.Wait()
	line := regexp.MustCompile(`^\[[^]]+\] INFO \[\d\|worker\] hello$`)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Fatalf("line %q", l)
		}
	}
	if len(lines) != 8*50 {
		t.Errorf("%d lines, want %d", len(lines), 8*50)
	}
}

func TestLogOfStates(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	listen := logStatus(NewLog(&out, slog.LevelDebug))
	listen(event.Status{Connector: "c", Task: event.NoTask, State: event.Running})
	listen(event.Status{Connector: "c", Task: 0, State: event.Paused})
	listen(event.Status{Connector: "c", Task: 2, State: event.Failed, Err: errors.New("no route"), Trace: "a.B: no route\n\tat x"})
	want := []string{
		"INFO [c|worker] state is now RUNNING\n", "INFO [c|task-0] state is now PAUSED\n", "ERROR [c|task-2] state is now FAILED, until it is restarted error=\"no route\"\n",
		`DEBUG [c|task-2] the failure's trace trace="a.B: no route\n\tat x"`,
	}
	for _, w := range want {
		if !strings.Contains(out.String(), w) {
			t.Errorf("the log lacks %q:\n%s", w, &out)
		}
	}
}
