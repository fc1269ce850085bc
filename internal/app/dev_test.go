package app

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

var anyPort = Port{Number: 0, Fixed: true}

// startDev runs the development mode, on free ports unless the options say otherwise, until the function returned is called.
func startDev(t *testing.T, o DevOptions) (d *Dev, guide DevGuide, stop func() error) {
	t.Helper()
	ready := make(chan DevGuide, 1)
	o.Ready = func(g DevGuide) { ready <- g }
	o.Log = slog.New(slog.DiscardHandler)
	if o.Port == (Port{}) {
		o.Port = anyPort
	}
	d, err := NewDev(o)
	if err != nil {
		t.Fatal(err)
	}
	stop = start(t, d.Run)
	await(t, "everything runs", func() bool { return len(ready) == 1 })
	return d, <-ready, stop
}

func contents(path string) string {
	raw, _ := os.ReadFile(path)
	return string(raw)
}

// send sends a request with a JSON body and returns the status.
func send(t *testing.T, method, url, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestDevDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	d, g, stop := startDev(t, DevOptions{DataDir: dir})
	if g.Demo == nil || g.DataDir != dir || g.Kafka == "" || !g.Embedded || filepath.Dir(g.Demo.Output) != dir || g.Notes != nil {
		t.Errorf("guide %+v", g)
	}
	await(t, "records arrive in the file", func() bool { return strings.Count(contents(g.Demo.Output), "\n") >= 3 })
	if got := g.Demo.Latest(); !strings.HasPrefix(got, "{") || !strings.HasSuffix(got, "}") || !strings.Contains(got, `"userid":"User_`) {
		t.Errorf("latest record %q, want a user as JSON", got)
	}
	checkDemo(t, d.Connectors())
	if err := stop(); err != nil {
		t.Fatalf("Run: %v", err)
	}
	before := contents(g.Demo.Output)
	_, g, stop = startDev(t, DevOptions{DataDir: dir})
	await(t, "records arrive after a restart", func() bool { return len(contents(g.Demo.Output)) > len(before) })
	if !strings.HasPrefix(contents(g.Demo.Output), before) {
		t.Error("the demo's file was begun anew")
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// checkDemo expects the demo to be running, and to have moved some records.
func checkDemo(t *testing.T, cs []DevConnector) {
	t.Helper()
	if len(cs) != 2 || cs[0].Name != "demo-sink" || cs[1].Name != "demo-source" {
		t.Fatalf("connectors %+v", cs)
	}
	for _, c := range cs {
		if c.Connector.State != "RUNNING" || len(c.Tasks) != 1 || c.Tasks[0].State.State != "RUNNING" || c.Records < 3 || c.Failure != "" {
			t.Errorf("connector %+v, want it running, with three records or more", c)
		}
	}
}

func TestDevKeepsConnectors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.txt"), filepath.Join(dir, "out.txt")
	appendTo(t, in, "one")
	_, g, stop := startDev(t, DevOptions{DataDir: dir, NoDemo: true})
	create(t, g.REST, "in", `{"connector.class":"FileStreamSource","file":%q,"topic":"lines"}`, in)
	create(t, g.REST, "out", `{"connector.class":"FileStreamSink","file":%q,"topics":"lines"}`, out)
	create(t, g.REST, "off", `{"connector.class":"FileStreamSource","file":%q,"topic":"other"}`, in)
	if got := send(t, http.MethodPut, g.REST+"/connectors/off/stop", ""); got != http.StatusNoContent {
		t.Errorf("stop: %d", got)
	}
	await(t, "a line arrives", func() bool { return contents(out) == "one\n" })
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	appendTo(t, in, "two")
	d, g, stop := startDev(t, DevOptions{DataDir: dir, NoDemo: true})
	await(t, "the line written meanwhile arrives", func() bool { return contents(out) == "one\ntwo\n" })
	states := map[string]string{}
	for _, c := range d.Connectors() {
		states[c.Name] = c.Connector.State
	}
	if got, want := fmt.Sprint(states), "map[in:RUNNING off:STOPPED out:RUNNING]"; got != want {
		t.Errorf("connectors %s, want %s", got, want)
	}
	if got := send(t, http.MethodDelete, g.REST+"/connectors/off", ""); got != http.StatusNoContent {
		t.Errorf("delete: %d", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	_, g, stop = startDev(t, DevOptions{DataDir: dir, NoDemo: true})
	if _, body := get(t, g.REST+"/connectors"); body != `["in","out"]` {
		t.Errorf("connectors %s, want the deleted one to stay away", body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func create(t *testing.T, rest, name, format string, args ...any) {
	t.Helper()
	if got := send(t, http.MethodPut, rest+"/connectors/"+name+"/config", fmt.Sprintf(format, args...)); got != http.StatusCreated {
		t.Errorf("create %s: %d", name, got)
	}
}

func appendTo(t *testing.T, path, line string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line + "\n"); err != nil {
		t.Fatal(err)
	}
}

func TestDevNoDemoForgetsTheDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, g, stop := startDev(t, DevOptions{DataDir: dir})
	create(t, g.REST, "own", `{"connector.class":"FileStreamSource","file":%q,"topic":"own"}`, filepath.Join(dir, "own.txt"))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		noDemo     bool
		connectors string
	}{{true, `["own"]`}, {false, `["demo-sink","demo-source","own"]`}} {
		_, g, stop := startDev(t, DevOptions{DataDir: dir, NoDemo: want.noDemo})
		if _, got := get(t, g.REST+"/connectors"); got != want.connectors || (g.Demo == nil) != want.noDemo {
			t.Errorf("no demo %v: connectors %s, want %s", want.noDemo, got, want.connectors)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestDevShowsWhyAConnectorFailed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, g, _ := startDev(t, DevOptions{DataDir: dir, NoDemo: true})
	create(t, g.REST, "ends", `{"connector.class":"Datagen","quickstart":"users","kafka.topic":"few","max.interval":"0","iterations":"7"}`)
	await(t, "the task has made its records", func() bool {
		cs := d.Connectors()
		if len(cs) != 1 {
			return false
		}
		c := cs[0]
		return c.Failure == "Stopping connector: generated the configured 7 number of messages" && c.Records == 7
	})
}

func TestDevOnABrokerOfOnesOwn(t *testing.T) {
	t.Parallel()
	b := brokertest.Start(t)
	_, g, stop := startDev(t, DevOptions{DataDir: t.TempDir(), Bootstrap: b.Bootstrap})
	if g.Embedded || g.Kafka != b.Bootstrap {
		t.Errorf("guide %+v, want the broker that was given", g)
	}
	await(t, "records arrive in the file", func() bool { return g.Demo.Latest() != "" })
	if b.TopicInfo(g.Demo.Topic) == nil {
		t.Error("the topic is not on the broker that was given")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestDevTakesTheNextFreePort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	_, g, stop := startDev(t, DevOptions{DataDir: t.TempDir(), NoDemo: true, Port: Port{Number: port}, KafkaPort: Port{Number: port}})
	if len(g.Notes) != 2 || !strings.Contains(g.Notes[0], "Port "+strconv.Itoa(port)+" is taken, so the REST interface is on ") {
		t.Errorf("notes %q, want one for each of the ports", g.Notes)
	}
	if status, _ := get(t, g.REST+"/"); status != 200 {
		t.Errorf("GET /: %d", status)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestDevRefusesAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, _, stop := startDev(t, DevOptions{DataDir: dir, NoDemo: true})
	_, err := NewDev(DevOptions{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	want := fmt.Sprintf("the folder %s is in use by another process (process %d): stop that one, or choose another folder with --data-dir", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("the second instance: %v, want %q", err, want)
	}
	if err := stop(); err != nil {
		t.Errorf("the first instance: %v", err)
	}
}

func TestDevKeepsTheLastLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		_, g, stop := startDev(t, DevOptions{DataDir: dir, NoDemo: true})
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(contents(g.LogFile), "Kafka Connect started"); got != 1 {
			t.Errorf("the log file has %d starts, want its own", got)
		}
	}
	if got := contents(filepath.Join(dir, "millrace.log.1")); !strings.Contains(got, "Kafka Connect started") {
		t.Errorf("the log of the run before: %q", got)
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	const trace = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded\n\tat some.place\n\tat another\n" +
		"Caused by: org.apache.kafka.connect.errors.DataException: no text: 7\n\tat x\n"
	if got, want := reason(trace), "Tolerance exceeded: no text: 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
