package compat

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/test/bed"
)

// TestMixedGroup lets a Java worker and Millrace share a group, each leading in turn, with each of the three protocols. Both have to
// understand what the other assigns, and a connector of a follower has to get its tasks through the leader.
func TestMixedGroup(t *testing.T) {
	bed.Require(t)
	bed.LockJVM(t)
	broker := bed.SharedBroker(t)
	for _, protocol := range []string{"sessioned", "compatible", "eager"} {
		t.Run(protocol, func(t *testing.T) {
			m := &mixed{T: t, broker: broker, dir: t.TempDir(), props: bed.DistributedProperties(bed.Name(t, "mixed"))}
			maps.Copy(m.props, map[string]string{
				"key.converter": stringConverter, "value.converter": stringConverter, "connect.protocol": protocol,
				"scheduled.rebalance.max.delay.ms": "0", "heartbeat.interval.ms": "500", "session.timeout.ms": "6000",
				"offset.flush.interval.ms": "500",
			})
			m.run()
		})
	}
}

type mixed struct {
	*testing.T
	broker, dir string
	props       map[string]string
	names       []string // of connectors
}

func (m *mixed) run() {
	java := bed.NewJavaWorker(m.T, bed.WorkerOptions{Bootstrap: m.broker, Properties: m.props, Fast: true})
	atJava := bed.Rest{T: m.T, URL: java.URL()}
	m.create(atJava, "a", "b", "c", "d")
	m.awaitAll(atJava)

	// Java leads.
	millrace := bed.NewMillraceWorker(m.T, m.broker, m.props)
	m.awaitShared(atJava, millrace.Rest)
	m.create(millrace.Rest, "e", "f") // through a follower
	m.create(atJava, "g")
	m.awaitShared(atJava, millrace.Rest)
	m.lines(atJava, "e")

	// Millrace leads what Java has left, and then a Java worker that joins.
	if err := java.Stop(); err != nil {
		m.Fatal(err)
	}
	m.awaitAll(millrace.Rest)
	if err := java.Restart(m.Context()); err != nil {
		m.Fatal(err)
	}
	m.awaitShared(atJava, millrace.Rest)
	m.create(atJava, "h", "i")
	m.create(millrace.Rest, "j")
	m.awaitShared(atJava, millrace.Rest)
	m.lines(millrace.Rest, "h")
	for line := range strings.Lines(java.Log()) {
		if strings.Contains(line, "] ERROR ") {
			m.Errorf("Java has logged an error: %s", line)
		}
	}
}

func (m *mixed) create(r bed.Rest, names ...string) {
	m.Helper()
	for _, name := range names {
		file := filepath.Join(m.dir, name)
		if err := os.WriteFile(file, []byte("first of "+name+"\n"), 0o600); err != nil {
			m.Fatal(err)
		}
		m.names = append(m.names, name)
		topic := m.props["group.id"] + "-" + name
		r.Put(name, map[string]string{"connector.class": fileSource, "file": file, "topic": topic})
	}
}

// lines lets a sink with two tasks read what a source has written. It does not stay: a Java consumer that is stopped while it joins leaves
// a member behind for which its group waits, longer than Java waits for a task to stop. Eager rounds stop everything again and again.
func (m *mixed) lines(r bed.Rest, source string) {
	m.Helper()
	// The name makes the consumer group, which the broker shares with other tests.
	name, out := m.props["group.id"]+"-sink-of-"+source, filepath.Join(m.dir, source+".out")
	r.Put(name, map[string]string{
		"connector.class": fileSink, "tasks.max": "2", "topics": m.props["group.id"] + "-" + source, "file": out,
		"consumer.override.metadata.max.age.ms": "1000",
	})
	r.Await(name, "RUNNING", "RUNNING", "RUNNING")
	want := "first of " + source + "\n"
	bed.Poll(m.T, patience, "the line of "+source, func() (bool, string) {
		raw, _ := os.ReadFile(out)
		return string(raw) == want, string(raw)
	})
	r.Must(http.MethodDelete, bed.Path(name, ""), nil)
}

// awaitAll waits until everything runs, as seen by a worker.
func (m *mixed) awaitAll(r bed.Rest) {
	m.Helper()
	for _, name := range m.names {
		r.Await(name, "RUNNING", "RUNNING")
	}
}

// awaitShared waits until everything runs, spread over both workers, and both say so.
func (m *mixed) awaitShared(a, b bed.Rest) {
	m.Helper()
	bed.Poll(m.T, patience, "connectors and tasks on both workers", func() (bool, string) {
		at, ok := m.places(a)
		same, ok2 := m.places(b)
		counts := map[string]int{}
		for _, worker := range at {
			counts[worker]++
		}
		state := fmt.Sprintf("%v\n%v", at, same)
		return ok && ok2 && maps.Equal(at, same) && len(counts) == 2, state
	})
	if diff := cmp.Diff(slices.Sorted(slices.Values(m.names)), a.Connectors()); diff != "" {
		m.Errorf("connectors (-want +got):\n%s", diff)
	}
}

// places returns where each item runs; false unless all do.
func (m *mixed) places(r bed.Rest) (at map[string]string, ok bool) {
	m.Helper()
	at, ok = map[string]string{}, true
	for _, name := range m.names {
		s := r.Status(name)
		at[name] = s.Connector.Worker
		ok = ok && s.Connector.State == "RUNNING" && len(s.Tasks) > 0
		for _, t := range s.Tasks {
			at[fmt.Sprint(name, "-", t.ID)] = t.Worker
			ok = ok && t.State == "RUNNING"
		}
	}
	return at, ok
}
