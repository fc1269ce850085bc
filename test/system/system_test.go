// Package system drives the ordinary binary as its users do, against a real broker.
package system

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

const patience = time.Minute

// properties writes a properties file.
func properties(t *testing.T, props map[string]string) string {
	t.Helper()
	var b strings.Builder
	for k, v := range props {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	return file(t, b.String())
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.properties")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// workerProps returns a standalone worker's configuration with changes; an empty value removes a key.
func workerProps(t *testing.T, bootstrap string, changes map[string]string) map[string]string {
	t.Helper()
	props := map[string]string{
		"bootstrap.servers": bootstrap, "listeners": "http://127.0.0.1:0",
		"offset.storage.file.filename": filepath.Join(t.TempDir(), "offsets"),
		"key.converter":                "org.apache.kafka.connect.storage.StringConverter",
		"value.converter":              "org.apache.kafka.connect.storage.StringConverter",
		"offset.flush.interval.ms":     "500",
	}
	for k, v := range changes {
		if props[k] = v; v == "" {
			delete(props, k)
		}
	}
	return props
}

// worker is a running standalone worker.
type worker struct {
	*bed.Process
	t   *testing.T
	url string
}

var restAddress = regexp.MustCompile(`Kafka Connect started rest=(\S+)`)

func start(t *testing.T, props map[string]string, connectors ...map[string]string) *worker {
	t.Helper()
	args := []string{"standalone", properties(t, props)}
	for _, c := range connectors {
		args = append(args, properties(t, c))
	}
	w := &worker{Process: bed.Millrace(t, args...), t: t}
	bed.Poll(t, patience, "the worker to start", func() (bool, string) {
		if m := restAddress.FindStringSubmatch(w.Output()); m != nil {
			w.url = m[1]
		}
		return w.url != "" || !w.Running(), w.Tail(5)
	})
	if w.url == "" {
		t.Fatalf("the worker ended with code %d", w.ExitCode())
	}
	return w
}

// call makes a request and returns status and body.
func (w *worker) call(method, path string, body any) (int, string) {
	w.t.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

// create creates a connector that must be accepted.
func (w *worker) create(name string, config map[string]string) {
	w.t.Helper()
	if code, body := w.call(http.MethodPost, "/connectors", map[string]any{"name": name, "config": config}); code != http.StatusCreated {
		w.t.Fatalf("creating %s: %d %s", name, code, body)
	}
}

// awaitTask waits for a state of a connector's first task and returns its trace.
func (w *worker) awaitTask(name, state string) string {
	w.t.Helper()
	var st struct {
		Tasks []struct{ State, Trace string }
	}
	bed.Poll(w.t, patience, "task 0 of "+name+" to be "+state, func() (bool, string) {
		_, body := w.call(http.MethodGet, "/connectors/"+name+"/status", nil)
		st.Tasks = nil
		if err := json.Unmarshal([]byte(body), &st); err != nil {
			return false, err.Error()
		}
		return len(st.Tasks) > 0 && st.Tasks[0].State == state, body
	})
	return st.Tasks[0].Trace
}

func (w *worker) awaitLog(text string) {
	w.t.Helper()
	bed.Poll(w.t, patience, fmt.Sprintf("%q in the log", text), func() (bool, string) {
		return strings.Contains(w.Output(), text), w.Tail(5)
	})
}

func (w *worker) stop() {
	w.t.Helper()
	if err := w.Stop(); err != nil {
		w.t.Error(err)
	}
	if code := w.ExitCode(); code != 0 {
		w.t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

func awaitFile(t *testing.T, path, want string) {
	t.Helper()
	bed.Poll(t, patience, path, func() (bool, string) {
		got, err := os.ReadFile(path)
		return err == nil && string(got) == want, fmt.Sprintf("%q, want %q", got, want)
	})
}

// awaitLines waits until the file has these lines in this order, each once or, where delivery was interrupted, again.
func awaitLines(t *testing.T, path string, want ...string) {
	t.Helper()
	bed.Poll(t, patience, path, func() (bool, string) {
		raw, err := os.ReadFile(path)
		got := slices.Compact(strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n"))
		return err == nil && slices.Equal(got, want), fmt.Sprintf("lines %q, want %q", got, want)
	})
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func sourceConfig(path, topic string) map[string]string {
	return map[string]string{"connector.class": "FileStreamSource", "file": path, "topic": topic}
}

func sinkConfig(path, topic string) map[string]string {
	return map[string]string{"connector.class": "FileStreamSink", "file": path, "topics": topic}
}

// TestRefusedAtStart checks that what cannot work ends the process at once, with one sentence that says what to do.
func TestRefusedAtStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	const nowhere = "127.0.0.1:1"
	props := func(changes map[string]string) []string {
		return []string{"standalone", properties(t, workerProps(t, nowhere, changes))}
	}
	connector := func(text string) []string { return append(props(nil), file(t, text)) }
	for _, tc := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"no arguments", []string{"standalone"}, 2, []string{"the worker's properties file is missing"}},
		{"unknown command", []string{"standalon"}, 2, []string{"standalone"}},
		{"absent worker file", []string{"standalone", "/absent/worker.properties"}, 2, []string{"/absent/worker.properties", "no such file"}},
		{"missing key", props(map[string]string{"key.converter": ""}), 2, []string{`Missing required configuration "key.converter" which has no default value.`}},
		{"all violations at once", props(map[string]string{"key.converter": "", "offset.flush.timeout.ms": "soon"}), 2, []string{`"key.converter"`, "Invalid value soon for configuration offset.flush.timeout.ms: Not a number of type LONG"}},
		{"near miss of a converter", props(map[string]string{"value.converter": "org.apache.kafka.connect.json.JsonConvertor"}), 2, []string{"Invalid value org.apache.kafka.connect.json.JsonConvertor for configuration value.converter: Class org.apache.kafka.connect.json.JsonConvertor could not be found"}},
		{"corrupt offset file", props(map[string]string{"offset.storage.file.filename": file(t, "not an offset file")}), 2, []string{"offset file", "move it away"}},
		{"port in use", props(map[string]string{"listeners": "http://" + taken.Addr().String()}), 2, []string{"cannot listen on http://" + taken.Addr().String(), "address already in use", "listeners="}},
		{"wrong listener", props(map[string]string{"listeners": "8083"}), 2, []string{"Listener doesn't have the right format (protocol://hostname:port)."}},
		{"what is not there yet", props(map[string]string{"config.providers": "file"}), 2, []string{"config.providers", "does not have it"}},
		{"wrong client key", props(map[string]string{"security.protocol": "TLS"}), 2, []string{"security.protocol"}},
		{"connector without a name", connector("connector.class=FileStreamSink\ntopics=t\n"), 2, []string{"has no name"}},
		{"unknown connector class", connector("name=x\nconnector.class=FileStreamSorce\n"), 3, []string{"Failed to find any class that implements Connector and which name matches FileStreamSorce", "Did you mean org.apache.kafka.connect.file.FileStreamSourceConnector"}},
		{"connector without its key", connector("name=x\nconnector.class=FileStreamSource\nfile=/tmp/x\n"), 3, []string{`Missing required configuration "topic" which has no default value.`}},
		{"mistyped connector key", connector("name=x\nconnector.class=FileStreamSource\ntopic=t\nbatch.size=many\n"), 3, []string{"Invalid value many for configuration batch.size: Not a number of type INT"}},
		{"transforms", connector("name=x\nconnector.class=FileStreamSource\ntopic=t\ntransforms=a\n"), 3, []string{"Invalid value [a] for configuration transforms", "does not have it"}},
		{"sink without topics", connector("name=x\nconnector.class=FileStreamSink\n"), 3, []string{"Must configure one of topics or topics.regex"}},
		{"two ways to name topics", connector("name=x\nconnector.class=FileStreamSink\ntopics=a\ntopics.regex=b\n"), 3, []string{"topics and topics.regex are mutually exclusive options, but both are set."}},
		{"bad regular expression", connector("name=x\nconnector.class=FileStreamSink\ntopics.regex=a(\n"), 3, []string{"Invalid value a( for configuration topics.regex: Invalid regex: "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := bed.Command(t, tc.args...)
			if got.Code != tc.code {
				t.Errorf("exit code %d, want %d", got.Code, tc.code)
			}
			for _, want := range tc.want {
				if !strings.Contains(got.Stderr, want) {
					t.Errorf("the output lacks %q:\n%s", want, got.Stderr)
				}
			}
		})
	}
}

// TestFailuresOfConnectors checks what users see of a connector that is accepted but cannot work.
func TestFailuresOfConnectors(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	w := start(t, workerProps(t, bed.SharedBroker(t), nil))
	topic := bed.Name(t, "failures")

	t.Run("source is a folder", func(t *testing.T) {
		dir := t.TempDir()
		w.create("folder", sourceConfig(dir, topic))
		if trace := w.awaitTask("folder", "FAILED"); !strings.Contains(trace, dir) || !strings.Contains(trace, "\n\tat ") {
			t.Errorf("the trace does not name the folder, or has no stack:\n%s", trace)
		}
	})
	t.Run("folder of the sink's file is missing", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "absent", "out.txt")
		w.create("lost", sinkConfig(path, topic))
		if trace := w.awaitTask("lost", "FAILED"); !strings.Contains(trace, path) {
			t.Errorf("the trace does not name the file:\n%s", trace)
		}
	})
	t.Run("wrong override", func(t *testing.T) {
		config := sourceConfig(filepath.Join(t.TempDir(), "in.txt"), topic)
		config["producer.override.linger.ms"] = "abc"
		w.create("override", config)
		if trace := w.awaitTask("override", "FAILED"); !strings.Contains(trace, "Invalid value abc for configuration linger.ms: Not a number of type LONG") {
			t.Errorf("trace:\n%s", trace)
		}
	})
	t.Run("absent file appears", func(t *testing.T) {
		dir, topic := t.TempDir(), bed.Name(t, "late")
		in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
		w.create("late-source", sourceConfig(in, topic))
		w.create("late-sink", sinkConfig(out, topic))
		w.awaitLog(in)
		appendTo(t, in, "at last\n")
		awaitFile(t, out, "at last\n")
	})
}

// TestRecordThatCannotBeConverted checks that the task stops in front of the record, and goes on behind it only when the
// cause is mended.
func TestRecordThatCannotBeConverted(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	w := start(t, workerProps(t, bed.SharedBroker(t), nil))
	dir, topic := t.TempDir(), bed.Name(t, "json")
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
	appendTo(t, in, "{\"a\":1}\nnot json\n{\"b\":2}\n")
	w.create("source", sourceConfig(in, topic))
	config := sinkConfig(out, topic)
	config["value.converter"] = "org.apache.kafka.connect.json.JsonConverter"
	config["value.converter.schemas.enable"] = "false"
	w.create("sink", config)
	trace := w.awaitTask("sink", "FAILED")
	for _, want := range []string{
		"org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\tat ",
		"\nCaused by: org.apache.kafka.connect.errors.DataException: Converting byte[] to Kafka Connect data failed due to serialization error: ",
	} {
		if !strings.Contains(trace, want) {
			t.Errorf("the trace lacks %q:\n%s", want, trace)
		}
	}
	config["errors.tolerance"] = "all"
	if code, body := w.call(http.MethodPut, "/connectors/sink/config", config); code != http.StatusOK {
		t.Fatalf("changing the sink: %d %s", code, body)
	}
	awaitFile(t, out, "{a=1}\n{b=2}\n")
}

// TestBrokerAway checks that a worker starts without a broker, says so, and goes on when one comes, goes and returns.
func TestBrokerAway(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	b := bed.NewBroker(t, bed.BrokerOptions{Fast: true})
	b.Kill()
	dir, topic := t.TempDir(), bed.Name(t, "away")
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
	appendTo(t, in, "before\n")
	source, sink := sourceConfig(in, topic), sinkConfig(out, topic)
	source["name"], sink["name"] = "source", "sink"
	w := start(t, workerProps(t, b.Bootstrap(), map[string]string{"consumer.metadata.max.age.ms": "2000"}), source, sink)
	w.awaitLog("cannot reach Kafka")
	if code, _ := w.call(http.MethodGet, "/connectors", nil); code != http.StatusOK {
		t.Errorf("the REST interface answers %d while the broker is away", code)
	}
	restart := func() {
		t.Helper()
		if err := b.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	awaitLines(t, out, "before")
	b.Kill()
	appendTo(t, in, "meanwhile\n")
	restart()
	awaitLines(t, out, "before", "meanwhile")
	w.awaitTask("source", "RUNNING")
	w.awaitTask("sink", "RUNNING")
	w.stop()
}

// TestFullDisk fills the file system of the sink's file and then makes room.
func TestFullDisk(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	dir := smallFileSystem(t)
	w := start(t, workerProps(t, bed.SharedBroker(t), nil))
	topic := bed.Name(t, "full")
	in, out := filepath.Join(t.TempDir(), "in.txt"), filepath.Join(dir, "out.txt")
	ballast := filepath.Join(dir, "ballast")
	appendTo(t, ballast, strings.Repeat("b", 600<<10))
	var text strings.Builder
	for i := range 8000 {
		fmt.Fprintf(&text, "%06d %s\n", i, strings.Repeat("x", 80))
	}
	appendTo(t, in, text.String())
	w.create("source", sourceConfig(in, topic))
	w.create("sink", sinkConfig(out, topic))
	w.awaitLog("no space left on device")
	w.awaitTask("sink", "RUNNING")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, out, text.String())
	w.stop()
}
