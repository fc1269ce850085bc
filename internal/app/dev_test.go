package app

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// startDev runs the development mode on free ports until the function returned is called.
func startDev(t *testing.T, dir string) (guide DevGuide, stop func() error) {
	t.Helper()
	ready := make(chan DevGuide, 1)
	d, err := NewDev(DevOptions{DataDir: dir, Ready: func(g DevGuide) { ready <- g }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	stop = start(t, d.Run)
	await(t, "the demo runs", func() bool { return len(ready) == 1 })
	return <-ready, stop
}

func contents(path string) string {
	raw, _ := os.ReadFile(path)
	return string(raw)
}

func appendLine(t *testing.T, path, line string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line + "\n"); err != nil {
		t.Fatal(err)
	}
}

func TestDevMovesLinesAndGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	g, stop := startDev(t, dir)
	await(t, "the first lines arrive", func() bool { return contents(g.Output) == demoText })
	appendLine(t, g.Input, "one more")
	await(t, "another line arrives", func() bool { return contents(g.Output) == demoText+"one more\n" })
	if status, body := get(t, g.REST+"/connectors"); status != 200 || body != `["demo-sink","demo-source"]` {
		t.Errorf("connectors: %d %s", status, body)
	}
	if g.DataDir != dir || g.Topic != "demo" || g.Kafka == "" || filepath.Dir(g.Input) != dir {
		t.Errorf("guide %+v", g)
	}
	if err := stop(); err != nil {
		t.Fatalf("Run: %v", err)
	}

	appendLine(t, g.Input, "while it was down")
	g, stop = startDev(t, dir)
	await(t, "the line written meanwhile arrives", func() bool { return strings.HasSuffix(contents(g.Output), "while it was down\n") })
	if got, want := contents(g.Output), demoText+"one more\nwhile it was down\n"; got != want {
		t.Errorf("output %q, want every line once: %q", got, want)
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestDevRefusesAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, stop := startDev(t, dir)
	second, err := NewDev(DevOptions{DataDir: dir, Ready: func(DevGuide) { t.Error("the second one is ready") }, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = second.Run(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
		t.Errorf("the second instance: %v; want one sentence with the folder", err)
	}
	if err := stop(); err != nil {
		t.Errorf("the first instance: %v", err)
	}
}

func TestDevThatCannotStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, text, _ := net.SplitHostPort(taken.Addr().String())
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "")
	for _, tc := range []struct {
		name    string
		options DevOptions
		want    string
	}{
		{"REST port", DevOptions{DataDir: t.TempDir(), Port: port}, "choose another port with --port"},
		{"Kafka port", DevOptions{DataDir: t.TempDir(), KafkaPort: port}, "choose another port with --kafka-port"},
		{"folder is a file", DevOptions{DataDir: file}, "--data-dir"},
		{"folder below a file", DevOptions{DataDir: filepath.Join(file, "x")}, "--data-dir"},
	} {
		tc.options.Log = slog.New(slog.DiscardHandler)
		if _, err := NewDev(tc.options); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
