package bed

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Require skips the test, with the command that installs it, when something is missing that Kafka needs to run here. With
// CI=true it fails instead: a skipped test there would prove nothing.
func Require(t testing.TB) {
	t.Helper()
	err := checkTools(t.Context())
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s cannot run: %v", t.Name(), err)
	default:
		t.Skipf("%s needs real servers: %v", t.Name(), err)
	}
}

// NewBroker starts a cluster for the length of the test.
func NewBroker(t testing.TB, o BrokerOptions) *Broker {
	t.Helper()
	Require(t)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	b, err := StartBroker(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		for _, n := range b.nodes {
			ShowLog(t, n.proc.Name(), n.proc.LogFile())
		}
	})
	return b
}

// NewJavaWorker starts a real Connect worker for the length of the test.
func NewJavaWorker(t testing.TB, o WorkerOptions) *Worker {
	t.Helper()
	Require(t)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	w, err := StartJavaWorker(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		ShowLog(t, w.proc.Name(), w.proc.LogFile())
	})
	return w
}

// ShowLog prints the end of a log file if the test has failed by now; call it from t.Cleanup.
func ShowLog(t testing.TB, name, file string) {
	t.Helper()
	if !t.Failed() {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Logf("log of %s: %v", name, err)
		return
	}
	t.Logf("end of the log of %s:\n%s", name, lastLines(string(text), 40))
}

// Poll calls cond, soon and then at growing distances of up to a fifth of a second, until it reports true. Past the limit it fails the
// test with what was waited for and the state that cond reported last. Call it from the test's own goroutine.
func Poll(t testing.TB, limit time.Duration, what string, cond func() (done bool, state string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		done, state := cond()
		if done {
			return
		}
		if pause(ctx, wait) != nil {
			t.Fatalf("waited %v for %s; last state: %s", limit, what, state)
		}
	}
}

// Name returns a name no other test uses, fit for topics, groups and connectors.
func Name(t testing.TB, prefix string) string {
	t.Helper()
	return prefix + "-" + randomHex(4)
}

// jvmLock is this process's share in the lock that LockJVM takes.
var jvmLock struct {
	mu      sync.Mutex // guards the rest, and is held while waiting for the file lock
	holders int
	file    *fileLock
}

// LockJVM keeps other test processes of this user from starting Java servers until the test ends: two cores and their memory
// carry one set of them at a time. Tests of one process share the lock, so that they may run in parallel.
func LockJVM(t testing.TB) {
	t.Helper()
	cache, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	jvmLock.mu.Lock()
	defer jvmLock.mu.Unlock()
	if jvmLock.holders == 0 {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		defer cancel()
		if jvmLock.file, err = lockFile(ctx, filepath.Join(cache, "jvm.lock"), t.Name()); err != nil {
			t.Fatal(err)
		}
	}
	jvmLock.holders++
	t.Cleanup(func() {
		jvmLock.mu.Lock()
		defer jvmLock.mu.Unlock()
		if jvmLock.holders--; jvmLock.holders > 0 {
			return
		}
		if err := jvmLock.file.unlock(); err != nil {
			t.Error(err)
		}
	})
}
