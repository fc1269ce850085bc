package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

// TestMain lets the tests start this program as its own children, as the command does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArg {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		code := exitCode(runChild(ctx, os.Args[2:]))
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestBareLoops(t *testing.T) {
	t.Parallel()
	const lines = 20_000
	for name, partitions := range map[string]int32{"one partition": 1, "many partitions": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokertest.Start(t, kfake.SeedTopics(partitions, "lines"))
			dir := t.TempDir()
			in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
			if err := writeLines(in, lines, lineBytes); err != nil {
				t.Fatal(err)
			}
			source := job{Name: "source", Bootstrap: b.Bootstrap, File: in, Topic: "lines", Lines: lines}
			sink := job{Name: "sink", Sink: true, Bootstrap: b.Bootstrap, File: out, Topic: "lines", Lines: lines}
			loop := &bareLoop{}
			t.Cleanup(loop.close)
			for _, j := range []job{source, sink} {
				if _, err := loop.ready(t.Context(), j); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(loop.begin(t.Context(), j), loop.end(t.Context(), j)); err != nil {
					t.Fatal(err)
				}
				if len(loop.options) < 10 {
					t.Errorf("options %v", loop.options)
				}
			}
			size, err := fileSize(out)
			if want := int64(lines * (lineBytes + 1)); err != nil || size != want {
				t.Errorf("%d bytes came out, want %d (%v)", size, want, err)
			}
			if err := sameContent(in, out); partitions == 1 && err != nil {
				t.Error(err)
			}
		})
	}
}

func TestChildThatFails(t *testing.T) {
	t.Parallel()
	_, err := startSelf(t.Context(), "no such role", job{})
	if err == nil || !strings.Contains(err.Error(), `no role named "no such role"`) {
		t.Errorf("the error %v does not say what is wrong", err)
	}
	loop := &bareLoop{}
	t.Cleanup(loop.close)
	j := job{Name: "source", Bootstrap: "127.0.0.1:1", File: filepath.Join(t.TempDir(), "absent")}
	if _, err := loop.ready(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(loop.begin(t.Context(), j), loop.end(t.Context(), j))
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("the error %v does not say what is wrong", err)
	}
}

func TestJSONChild(t *testing.T) {
	t.Parallel()
	o := jsonJob{File: filepath.Join(t.TempDir(), "records"), Records: jsonBatch}
	if err := writeRecords(o.File); err != nil {
		t.Fatal(err)
	}
	var sides []*child
	for range 2 {
		c, err := startSelf(t.Context(), jsonRole, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.kill)
		sides = append(sides, c)
	}
	if err := sameJSON(sides[0], sides[1]); err != nil {
		t.Error(err)
	}
	sides[0].tell(goWord)
	if said, err := sides[0].read(doneWord); err != nil || len(said) > 0 {
		t.Errorf("said %q, %v", said, err)
	}
	for _, c := range sides {
		if err := c.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestArrive(t *testing.T) {
	t.Parallel()
	n := int64(0)
	count := func(context.Context) (int64, error) { n += 4; return n, nil }
	fine := func(context.Context) error { return nil }
	if err := arrive(t.Context(), 10, count, fine); err != nil || n != 12 {
		t.Errorf("ended at %d with %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := arrive(ctx, 100, count, fine); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	err := arrive(t.Context(), 100, func(context.Context) (int64, error) { return 0, nil }, func(context.Context) error { return broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestNextLook(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		elapsed time.Duration
		n, want int64
		look    time.Duration
	}{
		{time.Second, 0, 100, firstLook},
		{time.Second, 10, 1000, lastLook},
		{time.Second, 80, 100, 62500 * time.Microsecond},
		{time.Second, 999, 1000, firstLook},
	} {
		if got := nextLook(tt.elapsed, tt.n, tt.want); got != tt.look {
			t.Errorf("%d of %d after %v: %v, want %v", tt.n, tt.want, tt.elapsed, got, tt.look)
		}
	}
}

func TestSameContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := write("a", "one\ntwo\n")
	if err := sameContent(a, write("b", "one\ntwo\n")); err != nil {
		t.Errorf("equal files: %v", err)
	}
	for _, text := range []string{"", "one\n", "one\ntwo\nthree\n", "one\ntwx\n"} {
		if sameContent(a, write("c", text)) == nil {
			t.Errorf("%q is not different", text)
		}
	}
}

func TestWriteLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lines")
	if err := writeLines(path, 50, 20); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if len(lines) != 51 || lines[0] != "0 abcdefghijklmnopqr\n" || lines[49] != "49 mnopqrstuvwxyz012\n" {
		t.Errorf("%d lines, first %q, last %q", len(lines)-1, lines[0], lines[49])
	}
}

func TestLastConfig(t *testing.T) {
	t.Parallel()
	const log = "[1] INFO ProducerConfig values: \n\tacks = 1\n\tclient.id = connector-producer-a-0\n (x.ProducerConfig)\n" +
		"[2] INFO ConsumerConfig values: \n\tacks = no\n\tclient.id = connector-producer-b-0\n (x.ConsumerConfig)\n" +
		"[3] INFO ProducerConfig values: \n\tacks = -1\n\tclient.id = connector-producer-c-0\n\tempty = \n (x.ProducerConfig)\n" +
		"[4] INFO ProducerConfig values: \n\tacks = 0\n\tclient.id = other\n (x.ProducerConfig)\n"
	want := map[string]string{"acks": "-1", "client.id": "connector-producer-c-0", "empty": ""}
	if diff := cmp.Diff(want, lastConfig(log, "ProducerConfig", "connector-producer-")); diff != "" {
		t.Error(diff)
	}
	if got := lastConfig(log, "ProducerConfig", "connector-consumer-"); got != nil {
		t.Errorf("found %v", got)
	}
}
