// Package compat compares Millrace with the real Kafka Connect worker, each working on what the other one left.
package compat

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

const patience = 2 * time.Minute

const stringConverter = "org.apache.kafka.connect.storage.StringConverter"

// pipeline is a file that a standalone worker moves through a topic into another file.
type pipeline struct {
	t            *testing.T
	bootstrap    string
	dir, in, out string
	offsets      string
	source, sink map[string]string
	worker       map[string]string
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	dir := t.TempDir()
	p := &pipeline{
		t: t, bootstrap: bed.SharedBroker(t), dir: dir,
		in: filepath.Join(dir, "in.txt"), out: filepath.Join(dir, "out.txt"), offsets: filepath.Join(dir, "connect.offsets"),
	}
	topic := bed.Name(t, "offsets")
	p.source = map[string]string{
		"name": bed.Name(t, "source"), "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
		"file": p.in, "topic": topic, "tasks.max": "1",
	}
	p.sink = map[string]string{
		"name": bed.Name(t, "sink"), "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
		"file": p.out, "topics": topic, "tasks.max": "1",
	}
	p.worker = map[string]string{
		"key.converter": stringConverter, "value.converter": stringConverter,
		"offset.storage.file.filename": p.offsets, "offset.flush.interval.ms": "1000",
	}
	return p
}

// write appends lines to the input.
func (p *pipeline) write(lines ...string) {
	p.t.Helper()
	f, err := os.OpenFile(p.in, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, l := range lines {
		if _, err := f.WriteString(l + "\n"); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// await waits for exactly these lines in the output.
func (p *pipeline) await(lines ...string) {
	p.t.Helper()
	want := strings.Join(lines, "\n") + "\n"
	bed.Poll(p.t, patience, "the output", func() (bool, string) {
		got, err := os.ReadFile(p.out)
		return err == nil && string(got) == want, fmt.Sprintf("%q, want %q", got, want)
	})
}

// java runs the real worker until what is written has arrived.
func (p *pipeline) java(lines ...string) {
	p.t.Helper()
	w := bed.NewJavaWorker(p.t, bed.WorkerOptions{
		Mode: bed.Standalone, Bootstrap: p.bootstrap, Properties: p.worker,
		Connectors: []map[string]string{p.source, p.sink}, Fast: true,
	})
	p.await(lines...)
	if err := w.Stop(); err != nil {
		p.t.Fatal(err)
	}
	if log := w.Log(); strings.Contains(log, "Exception") && strings.Contains(log, "FileOffsetBackingStore") {
		p.t.Errorf("the real worker complains about the offset file:\n%s", log)
	}
}

// millrace does the same with ours.
func (p *pipeline) millrace(lines ...string) {
	p.t.Helper()
	props := map[string]string{"bootstrap.servers": p.bootstrap, "listeners": "http://127.0.0.1:0"}
	for k, v := range p.worker {
		props[k] = v
	}
	w := bed.Millrace(p.t, "standalone", p.file("worker", props), p.file("source", p.source), p.file("sink", p.sink))
	p.await(lines...)
	if err := w.Stop(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) file(name string, props map[string]string) string {
	p.t.Helper()
	var b strings.Builder
	for k, v := range props {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	path := filepath.Join(p.dir, name+".properties")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// TestOffsetFileIsShared lets the real worker and ours take turns on one offset file, one consumer group and one
// configuration. Each goes on exactly where the other stopped: no line is lost and none comes twice.
func TestOffsetFileIsShared(t *testing.T) {
	bed.Require(t)
	bed.LockJVM(t)
	p := newPipeline(t)
	p.write("one", "two")
	p.java("one", "two")
	p.write("three")
	p.millrace("one", "two", "three")
	p.write("four", "five")
	p.java("one", "two", "three", "four", "five")
	p.write("six")
	p.millrace("one", "two", "three", "four", "five", "six")
}
