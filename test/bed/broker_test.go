package bed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func newClient(t *testing.T, bootstrap string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(strings.Split(bootstrap, ",")...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func createTopic(t *testing.T, cl *kgo.Client, topic string, replicas int16) {
	t.Helper()
	if _, err := kadm.NewClient(cl).CreateTopic(t.Context(), 1, replicas, nil, topic); err != nil {
		t.Fatalf("create %s: %v", topic, err)
	}
}

func produce(t *testing.T, cl *kgo.Client, topic, value string) {
	t.Helper()
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatalf("produce %s to %s: %v", value, topic, err)
	}
}

// consume returns the first n values of a topic.
func consume(t *testing.T, bootstrap, topic string, n int) []string {
	t.Helper()
	cl := newClient(t, bootstrap, kgo.ConsumeTopics(topic))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var values []string
	for len(values) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("consume %s after %q: %v", topic, values, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func TestBrokerKeepsItsDataAcrossKills(t *testing.T) {
	Require(t)
	t.Parallel()
	LockJVM(t)
	b := NewBroker(t, BrokerOptions{Fast: true, Properties: map[string]string{"auto.create.topics.enable": "false"}})
	topic := Name(t, "kept")
	cl := newClient(t, b.Bootstrap())
	createTopic(t, cl, topic, 1)
	produce(t, cl, topic, "before")

	b.Kill()
	if b.Process(1).Running() {
		t.Error("the node runs after Kill")
	}
	bootstrap := b.Bootstrap()
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Bootstrap() != bootstrap {
		t.Errorf("address %s after the restart, want %s", b.Bootstrap(), bootstrap)
	}
	produce(t, cl, topic, "after")
	if got := fmt.Sprint(consume(t, b.Bootstrap(), topic, 2)); got != "[before after]" {
		t.Errorf("the topic has %s, want [before after]", got)
	}

	if err := b.Suspend(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := newClient(t, b.Bootstrap()).Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping of a suspended broker: %v, want no answer", err)
	}
	if err := b.Resume(); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, topic, "resumed")
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
}

func TestThreeNodes(t *testing.T) {
	Require(t)
	t.Parallel()
	LockJVM(t)
	b := NewBroker(t, BrokerOptions{Nodes: 3, Fast: true, Heap: "256m"})
	topic := Name(t, "replicated")
	cl := newClient(t, b.Bootstrap())
	createTopic(t, cl, topic, 3)
	produce(t, cl, topic, "three")
	b.Kill(2)
	produce(t, cl, topic, "two")
	if err := b.Restart(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, topic, "three again")
	if got := fmt.Sprint(consume(t, b.Address(2), topic, 3)); got != "[three two three again]" {
		t.Errorf("the topic has %s, want all three records", got)
	}
}

func TestBrokerThatCannotStartShowsItsLog(t *testing.T) {
	Require(t)
	t.Parallel()
	LockJVM(t)
	b, err := StartBroker(t.Context(), BrokerOptions{Fast: true, Properties: map[string]string{"log.segment.bytes": "nonsense"}})
	if err == nil {
		t.Error(b.Close())
		t.Fatal("the broker started with a nonsensical configuration")
	}
	for _, want := range []string{"broker-1 ended with code 1", "nonsense for configuration log.segment.bytes"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
}

// TestServe also takes its broker for a standalone worker, to save the start of another.
func TestServe(t *testing.T) {
	Require(t)
	LockJVM(t)
	dir := t.TempDir()
	t.Setenv(StateDirVariable, dir)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, dir, t.Logf) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})

	bootstrap := SharedBroker(t)
	topic := Name(t, "lines")
	input := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(input, []byte("one\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	standalone := NewJavaWorker(t, WorkerOptions{
		Mode: Standalone, Bootstrap: bootstrap, Fast: true, Heap: "256m",
		Properties: map[string]string{
			"key.converter":   "org.apache.kafka.connect.storage.StringConverter",
			"value.converter": "org.apache.kafka.connect.storage.StringConverter",
		},
		Connectors: []map[string]string{{
			"name": "lines", "connector.class": "FileStreamSource", "tasks.max": "1", "file": input, "topic": topic,
		}},
	})
	if got := fmt.Sprint(consume(t, bootstrap, topic, 2)); got != "[one two]" {
		t.Errorf("the connector read %s, want [one two]", got)
	}
	if !strings.Contains(standalone.Log(), "[lines|task-0]") {
		t.Error("the worker's log lacks the context of its task")
	}
	if err := standalone.Stop(); err != nil {
		t.Error(err)
	}

	url := SharedJavaWorker(t)
	if err := answers(t.Context(), url); err != nil {
		t.Error(err)
	}
	if again := SharedJavaWorker(t); again != url {
		t.Errorf("asked again: %s, want the same worker %s", again, url)
	}
	cancel()
	Poll(t, limit, "the shared worker to end", func() (bool, string) {
		resp, err := http.Get(url)
		if err != nil {
			return true, ""
		}
		return false, errors.Join(resp.Body.Close(), errors.New(resp.Status)).Error()
	})
}
