package bed

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// recorder is a testing.TB that notes a failure and ends the goroutine, as the real one does.
type recorder struct {
	testing.TB
	failed, skipped string
	logs            []string
}

func (r *recorder) Failed() bool { return r.failed != "" }

func (r *recorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func record(t *testing.T, f func(testing.TB)) *recorder {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r
}

func TestPollSaysWhatWasMissing(t *testing.T) {
	t.Parallel()
	calls := 0
	r := record(t, func(tb testing.TB) {
		Poll(tb, 30*time.Millisecond, "the tide", func() (bool, string) { calls++; return false, "ebb" })
	})
	if want := "waited 30ms for the tide; last state: ebb"; r.failed != want {
		t.Errorf("got %q, want %q", r.failed, want)
	}
	if calls < 2 {
		t.Errorf("the condition was asked %d times, want more", calls)
	}
}

func TestRequireNamesTheCommand(t *testing.T) {
	t.Setenv("MILLRACE_CACHE", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	fakeMaven(t, "exit 0")
	t.Setenv("CI", "")
	if r := record(t, Require); !strings.Contains(r.skipped, "java 17 or later is missing: ") || r.failed != "" {
		t.Errorf("skipped with %q, failed with %q, want a skip with advice", r.skipped, r.failed)
	}
	t.Setenv("CI", "true")
	if r := record(t, Require); !strings.Contains(r.failed, "java 17 or later is missing: ") {
		t.Errorf("failed with %q, want a failure with advice", r.failed)
	}
}

func TestShowLog(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("first\nlast\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	show := func(tb testing.TB) { ShowLog(tb, "it", file) }
	if r := record(t, show); len(r.logs) > 0 {
		t.Errorf("a test that passes shows %q", r.logs)
	}
	r := &recorder{TB: t, failed: "yes"}
	show(r)
	if want := "[end of the log of it:\nfirst\nlast]"; fmt.Sprint(r.logs) != want {
		t.Errorf("a failed test shows %q, want %q", fmt.Sprint(r.logs), want)
	}
}

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	a, b := Name(t, "topic"), Name(t, "topic")
	if a == b || !strings.HasPrefix(a, "topic-") {
		t.Errorf("got names %s and %s", a, b)
	}
}

func TestJVMLockIsSharedInsideAProcess(t *testing.T) {
	t.Setenv("MILLRACE_CACHE", t.TempDir())
	path := filepath.Join(os.Getenv("MILLRACE_CACHE"), "jvm.lock")
	free := func() bool {
		l, err := tryLock(path)
		if err != nil {
			t.Fatal(err)
		}
		if l == nil {
			return false
		}
		if err := l.unlock(); err != nil {
			t.Fatal(err)
		}
		return true
	}
	t.Run("outer", func(t *testing.T) {
		LockJVM(t)
		t.Run("inner", func(t *testing.T) { LockJVM(t) })
		if free() {
			t.Error("the lock is free while a test holds it")
		}
	})
	if !free() {
		t.Error("the lock is held after its last test")
	}
}

// The program built here stands for the product's: what matters is how it is run.
func TestCommand(t *testing.T) {
	script := filepath.Join(t.TempDir(), "millrace")
	err := os.WriteFile(script, []byte("#!/bin/sh\necho \"out $*\"; echo err >&2; exit 4\n"), 0o755)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MILLRACE_BIN", script)
	want := Result{Stdout: "out a b\n", Stderr: "err\n", Code: 4}
	if got := Command(t, "a", "b"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p := Millrace(t, "server")
	if code, err := p.Wait(t.Context()); code != 4 || err != nil {
		t.Errorf("exit code %d, %v, want 4", code, err)
	}
	if got := p.Output(); got != "out server\nerr\n" {
		t.Errorf("output %q", got)
	}
}
