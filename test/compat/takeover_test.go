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

// takeover is a cluster whose one worker is a Java worker at first, then Millrace, then Java again.
type takeover struct {
	*testing.T
	bed.Rest // of the present worker
	dir      string
	broker   string
	props    map[string]string
	topic    string            // beginning of the names of topics
	lines    map[string]int    // by source: lines written to its file
	sinks    map[string]string // by sink: its source
}

const (
	fileSource = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	fileSink   = "org.apache.kafka.connect.file.FileStreamSinkConnector"
)

// TestTakeOver hands a cluster with ten connectors over from a Java worker to Millrace, which changes things, and back. Every line goes
// through once, connectors keep their states, and Java finds nothing to complain about.
func TestTakeOver(t *testing.T) {
	bed.Require(t)
	bed.LockJVM(t)
	broker := bed.SharedBroker(t)
	c := &takeover{
		T: t, dir: t.TempDir(), broker: broker, topic: bed.Name(t, "lines"),
		props: bed.DistributedProperties(bed.Name(t, "takeover")), lines: map[string]int{}, sinks: map[string]string{},
	}
	maps.Copy(c.props, map[string]string{
		"key.converter": stringConverter, "value.converter": stringConverter, "offset.flush.interval.ms": "500",
		"scheduled.rebalance.max.delay.ms": "0", "heartbeat.interval.ms": "500", "session.timeout.ms": "6000",
	})
	java := bed.NewJavaWorker(t, bed.WorkerOptions{Bootstrap: broker, Properties: c.props, Fast: true})
	c.Rest = bed.Rest{T: t, URL: java.URL()}
	c.begin()
	c.stopJava(java)

	c.writeAll()
	m := bed.NewMillraceWorker(t, broker, c.props)
	c.Rest = m.Rest
	c.checkStates()
	c.arriveAll()
	c.change()
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}

	c.writeAll()
	if err := java.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Rest = bed.Rest{T: t, URL: java.URL()}
	c.checkChanged()
	c.arriveAll()
	c.checkLog(java.Log())
}

func (c *takeover) stopJava(w *bed.Worker) {
	c.Helper()
	if err := w.Stop(); err != nil {
		c.Fatal(err)
	}
}

// begin creates ten connectors on the Java worker: five sources and five sinks.
func (c *takeover) begin() {
	c.source("plain")
	c.source("with some blanks")
	c.source("dots.and ünïcödé 水")
	c.source("paused.source")
	c.source("stopped.source")
	c.sink("sink-0", "plain")
	c.sink("sink of blanks", "with some blanks")
	c.sink("paused sink ø", "dots.and ünïcödé 水")
	c.sink("stopped-1", "paused.source")
	c.Put("fails ß", map[string]string{
		"connector.class": fileSink, "topics": c.topicOf("plain"), "file": filepath.Join(c.dir, "none"),
		"value.converter": "org.apache.kafka.connect.json.JsonConverter",
	})
	c.writeAll()
	c.arriveAll()
	c.Await("fails ß", "RUNNING", "FAILED")
	for _, name := range []string{"paused.source", "paused sink ø"} {
		c.Must(http.MethodPut, bed.Path(name, "/pause"), nil)
		c.Await(name, "PAUSED", "PAUSED")
	}
	for _, name := range []string{"stopped.source", "stopped-1"} {
		c.awaitOffset(name)
		c.Must(http.MethodPut, bed.Path(name, "/stop"), nil)
		c.Await(name, "STOPPED")
	}
	delete(c.sinks, "paused sink ø")
	delete(c.sinks, "stopped-1")
}

func (c *takeover) file(name string) string {
	return filepath.Join(c.dir, strings.ReplaceAll(name, " ", "_"))
}

func (c *takeover) topicOf(source string) string { return c.topic + "-" + ascii(source) }

// ascii makes a name fit for a topic, and for a line: Java's FileStreamSource counts characters where the offset is in bytes, so that it
// would read other lines twice itself.
func ascii(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r == '.') {
			return r
		}
		return '_'
	}, name)
}

func (c *takeover) source(name string) {
	c.Helper()
	if err := os.WriteFile(c.file(name), nil, 0o600); err != nil {
		c.Fatal(err)
	}
	c.lines[name] = 0
	c.Put(name, map[string]string{"connector.class": fileSource, "file": c.file(name), "topic": c.topicOf(name)})
}

func (c *takeover) sink(name, source string) {
	c.Helper()
	c.sinks[name] = source
	c.Put(name, map[string]string{
		"connector.class": fileSink, "topics": c.topicOf(source), "file": c.file(name), "consumer.override.metadata.max.age.ms": "1000",
	})
}

// writeAll appends ten lines to the file of each source.
func (c *takeover) writeAll() {
	c.Helper()
	for name := range c.lines {
		f, err := os.OpenFile(c.file(name), os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			c.Fatal(err)
		}
		for range 10 {
			c.lines[name]++
			if _, err := fmt.Fprintf(f, "line %d of %s\n", c.lines[name], ascii(name)); err != nil {
				c.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			c.Fatal(err)
		}
	}
}

// arriveAll waits until each sink that runs has written all lines of its source, and expects each of them once, in order.
func (c *takeover) arriveAll() {
	c.Helper()
	for sink, source := range c.sinks {
		var want []string
		for i := range c.lines[source] {
			want = append(want, fmt.Sprintf("line %d of %s", i+1, ascii(source)))
		}
		c.arrive(sink, want)
	}
}

func (c *takeover) arrive(sink string, want []string) {
	c.Helper()
	var got []string
	bed.Poll(c.T, patience, fmt.Sprintf("%d lines of %s", len(want), sink), func() (bool, string) {
		raw, _ := os.ReadFile(c.file(sink))
		got = strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		return len(got) >= len(want), fmt.Sprintf("%d lines", len(got))
	})
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("lines of %s (-want +got):\n%s", sink, diff)
	}
}

type offsetAnswer struct {
	Offsets []struct {
		Partition, Offset map[string]any
	}
}

// awaitOffset waits until a connector has committed an offset.
func (c *takeover) awaitOffset(name string) {
	c.Helper()
	bed.Poll(c.T, patience, "an offset of "+name, func() (bool, string) {
		var a offsetAnswer
		c.Get(bed.Path(name, "/offsets"), &a)
		return len(a.Offsets) > 0, fmt.Sprint(a)
	})
}

// checkStates expects the connectors as Java has left them.
func (c *takeover) checkStates() {
	c.Helper()
	want := []string{
		"dots.and ünïcödé 水", "fails ß", "paused sink ø", "paused.source", "plain", "sink of blanks", "sink-0", "stopped-1", "stopped.source", "with some blanks",
	}
	if diff := cmp.Diff(want, c.Connectors()); diff != "" {
		c.Errorf("connectors (-want +got):\n%s", diff)
	}
	for _, name := range []string{"plain", "with some blanks", "dots.and ünïcödé 水", "sink-0", "sink of blanks"} {
		c.Await(name, "RUNNING", "RUNNING")
	}
	c.Await("paused.source", "PAUSED", "PAUSED")
	c.Await("paused sink ø", "PAUSED", "PAUSED")
	c.Await("stopped.source", "STOPPED")
	c.Await("stopped-1", "STOPPED")
	c.Await("fails ß", "RUNNING", "FAILED")
	for _, name := range want {
		if s := c.Status(name); !strings.HasSuffix(c.URL, s.Connector.Worker) {
			c.Errorf("%s is at %s, want it here, at %s", name, s.Connector.Worker, c.URL)
		}
	}
}

// change does all that one does to connectors.
func (c *takeover) change() {
	c.Helper()
	// A sink that goes on where it was paused has the lines of two writes more.
	c.Must(http.MethodPut, bed.Path("paused sink ø", "/resume"), nil)
	c.sinks["paused sink ø"] = "dots.and ünïcödé 水"
	// A source that goes on, into a sink that starts again.
	c.Must(http.MethodPut, bed.Path("paused.source", "/resume"), nil)
	c.Must(http.MethodPut, bed.Path("stopped-1", "/resume"), nil)
	c.sinks["stopped-1"] = "paused.source"
	c.arriveAll()

	// Reset: everything is read again, by choice.
	c.Must(http.MethodDelete, bed.Path("stopped.source", "/offsets"), nil)
	c.Must(http.MethodPut, bed.Path("stopped.source", "/resume"), nil)
	c.sink("new ñ", "stopped.source")
	want := make([]string, 0, 30)
	for i := range 10 {
		want = append(want, fmt.Sprintf("line %d of stopped.source", i+1))
	}
	for i := range c.lines["stopped.source"] {
		want = append(want, fmt.Sprintf("line %d of stopped.source", i+1))
	}
	c.arrive("new ñ", want)
	c.Must(http.MethodPut, bed.Path("new ñ", "/stop"), nil)
	c.Await("new ñ", "STOPPED")
	delete(c.sinks, "new ñ")

	// A changed configuration, a pause, a stop, a deletion.
	c.Put("sink-0", map[string]string{
		"connector.class": fileSink, "topics": c.topicOf("plain"), "file": c.file("sink-0"), "consumer.override.metadata.max.age.ms": "1000",
		"consumer.override.max.poll.records": "3",
	})
	c.Await("sink-0", "RUNNING", "RUNNING")
	c.Must(http.MethodPut, bed.Path("with some blanks", "/pause"), nil)
	c.Await("with some blanks", "PAUSED", "PAUSED")
	delete(c.sinks, "sink of blanks")
	c.Must(http.MethodPut, bed.Path("sink of blanks", "/stop"), nil)
	c.Await("sink of blanks", "STOPPED")
	c.Must(http.MethodDelete, bed.Path("fails ß", ""), nil)
}

// checkChanged expects the connectors as Millrace has left them.
func (c *takeover) checkChanged() {
	c.Helper()
	want := []string{
		"dots.and ünïcödé 水", "new ñ", "paused sink ø", "paused.source", "plain", "sink of blanks", "sink-0", "stopped-1", "stopped.source", "with some blanks",
	}
	bed.Poll(c.T, patience, "the connectors", func() (bool, string) {
		got := c.Connectors()
		return slices.Equal(got, want), fmt.Sprint(got)
	})
	for _, name := range want {
		switch name {
		case "new ñ", "sink of blanks":
			c.Await(name, "STOPPED")
		case "with some blanks":
			c.Await(name, "PAUSED", "PAUSED")
		default:
			c.Await(name, "RUNNING", "RUNNING")
		}
	}
}

// checkLog expects no errors in what Java has logged, but for the connector that fails by intention.
func (c *takeover) checkLog(log string) {
	c.Helper()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "] ERROR ") && !strings.Contains(line, "fails ß") {
			c.Errorf("Java has logged an error: %s", line)
		}
	}
}
