package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// await polls a condition.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(15 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// start runs something until the function returned is called, which gives its error.
func start(t *testing.T, run func(context.Context) error) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	var err error
	ended := false
	stop = func() error {
		if !ended {
			cancel()
			err, ended = <-done, true
		}
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// get returns status and body of a resource; the connection is not kept.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// onLoopback is a minimal configuration on a free port, with an offset file of its own.
func onLoopback(t *testing.T, changes ...string) map[string]string {
	t.Helper()
	return minimal(append([]string{"listeners", "http://127.0.0.1:0", "offset.storage.file.filename", filepath.Join(t.TempDir(), "offsets")}, changes...)...)
}

func newWorker(t *testing.T, props map[string]string, files ...string) *Standalone {
	t.Helper()
	w, err := NewStandalone(props, files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConnectorsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	broker := brokertest.Start(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := writeFile(t, "name=source\nconnector.class=FileStreamSource\ntopic=lines\nfile="+in)
	sink := writeFile(t, `{"name":"sink","config":{"connector.class":"FileStreamSink","topics":"lines","file":"`+out+`"}}`)
	paused := writeFile(t, `{"name":"paused","initial_state":"PAUSED","config":{"connector.class":"FileStreamSource","topic":"x","file":"`+in+`"}}`)
	props := onLoopback(t, "bootstrap.servers", broker.Bootstrap)
	w := newWorker(t, props, source, sink, paused)
	stop := start(t, w.Run)
	await(t, "the worker is ready", func() bool { status, _ := get(t, w.URL()+"/health"); return status == 200 })
	if _, body := get(t, w.URL()+"/connectors"); body != `["paused","sink","source"]` {
		t.Errorf("connectors %s", body)
	}
	await(t, "the lines arrive", func() bool { raw, _ := os.ReadFile(out); return string(raw) == "one\ntwo\n" })
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if raw, err := os.ReadFile(props["offset.storage.file.filename"]); err != nil || len(raw) == 0 {
		t.Errorf("no offsets were saved: %v", err)
	}
	if status, _ := get(t, w.URL()+"/"); status != 0 {
		t.Error("the port is still answered after the end")
	}
}

func TestConnectorOfTheCommandLineThatFails(t *testing.T) {
	t.Parallel()
	broker := brokertest.Start(t)
	good := writeFile(t, "name=good\nconnector.class=FileStreamSource\ntopic=t\nfile=/absent/file")
	for name, tc := range map[string]struct{ text, want string }{
		"unknown class": {"name=bad\nconnector.class=NoSuch", "Failed to find any class that implements Connector and which name matches NoSuch"},
		"invalid":       {"name=bad\nconnector.class=FileStreamSource", `Missing required configuration "topic" which has no default value.`},
		"twice":         {"name=good\nconnector.class=FileStreamSource\ntopic=t", "Connector good already exists"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := writeFile(t, tc.text)
			err := newWorker(t, onLoopback(t, "bootstrap.servers", broker.Bootstrap), good, bad).Run(t.Context())
			if !errors.Is(err, ErrConnector) || !strings.Contains(err.Error(), bad) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Run: %v; want the file and %q", err, tc.want)
			}
		})
	}
}

func TestWorkerWithoutKafka(t *testing.T) {
	t.Parallel()
	w := newWorker(t, onLoopback(t))
	stop := start(t, w.Run)
	await(t, "the worker is ready", func() bool { status, _ := get(t, w.URL()+"/health"); return status == 200 })
	var root map[string]string
	if _, body := get(t, w.URL()+"/"); json.Unmarshal([]byte(body), &root) != nil || root["version"] == "" || root["kafka_cluster_id"] != "" {
		t.Errorf("GET /: %s; want an answer without a cluster id", body)
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestWorkerID(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		changes []string
		want    string // PORT stands for the one that was taken
	}{
		{"address", nil, "127.0.0.1:PORT"},
		{"all interfaces", []string{"listeners", "http://:0"}, net.JoinHostPort(host, "PORT")},
		{"advertised host", []string{"rest.advertised.host.name", "worker.example"}, "worker.example:PORT"},
		{"advertised port", []string{"rest.advertised.port", "80"}, "127.0.0.1:80"},
		{"both", []string{"listeners", "http://:0", "rest.advertised.host.name", "worker.example", "rest.advertised.port", "80"}, "worker.example:80"},
	} {
		w := newWorker(t, onLoopback(t, tc.changes...))
		port := strconv.Itoa(w.server.Addr().Port)
		if got, want := w.workerID(), strings.Replace(tc.want, "PORT", port, 1); got != want {
			t.Errorf("%s: worker id %s, want %s", tc.name, got, want)
		}
		if got, want := w.URL(), "http://127.0.0.1:"+port; got != want {
			t.Errorf("%s: URL %s, want %s", tc.name, got, want)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.Run(ctx); err != nil {
			t.Errorf("%s: Run: %v", tc.name, err)
		}
	}
}

func TestStartThatFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tc := range []struct {
		name    string
		changes []string
		files   []string
		want    string
	}{
		{"port", []string{"listeners", "http://" + taken.Addr().String()}, nil, "Stop the program that uses the port"},
		{"offset file", []string{"offset.storage.file.filename", writeFile(t, "these are not offsets")}, nil, "offset file"},
		{"offset folder", []string{"offset.storage.file.filename", t.TempDir()}, nil, "director"},
		{"connector file", nil, []string{"/absent/file"}, "/absent/file"},
	} {
		w, err := NewStandalone(onLoopback(t, tc.changes...), tc.files, slog.New(slog.DiscardHandler))
		if w != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, %v; want %q", tc.name, w, err, tc.want)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if Version() == "" || len(commit()) != 16 {
		t.Errorf("version %q, commit %q", Version(), commit())
	}
}
