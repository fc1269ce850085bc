package topic

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
	"github.com/millrace-io/millrace/internal/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 20 * time.Second
	tick     = 2 * time.Millisecond
)

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := limited(t)
	for ticker := time.NewTicker(tick); !ok(); {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("still not so: %s", what)
		}
	}
}

// startBroker starts a broker with a topic t.
func startBroker(t *testing.T, partitions int32) *brokertest.Broker {
	t.Helper()
	return brokertest.Start(t, kfake.SeedTopics(partitions, "t"))
}

func worker(b *brokertest.Broker) map[string]string {
	return map[string]string{"bootstrap.servers": b.Bootstrap, "retry.backoff.max.ms": "100"}
}

// tailed is a store of the topic t.
type tailed interface {
	SetLog(Log)
	Apply([]kafka.LogRecord)
}

// start loads a store and runs it until the test ends; loaded, if not nil, is called between the two.
func start(t *testing.T, b *brokertest.Broker, s tailed, loaded func()) {
	t.Helper()
	log, err := kafka.NewLog(kafka.LogOptions{Topic: "t", ClientID: "test", Worker: worker(b), Apply: s.Apply})
	if err != nil {
		t.Fatal(err)
	}
	s.SetLog(log)
	t.Cleanup(log.Close)
	if err := log.Load(limited(t)); err != nil {
		t.Fatal(err)
	}
	if loaded != nil {
		loaded()
	}
	run(t, log.Run)
}

// run runs something until the test ends.
func run(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// produce writes records of any form.
func produce(t *testing.T, b *brokertest.Broker, records ...*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Bootstrap), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(limited(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// recorder is the topic's content in the order of its making, as far as that is known.
type recorder struct {
	mu      sync.Mutex
	records []string
	log     Log
}

func (r *recorder) SetLog(l Log) { r.log = l }

func (r *recorder) Apply(records []kafka.LogRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range records {
		text := string(x.Key) + " => tombstone"
		if x.Value != nil {
			text = string(x.Key) + " => " + string(x.Value)
		}
		r.records = append(r.records, text)
	}
}

// content reads what is in the topic.
func content(t *testing.T, b *brokertest.Broker) []string {
	t.Helper()
	r := new(recorder)
	start(t, b, r, nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.records
}

// warnings counts what is logged at that level or above.
type warnings struct {
	slog.Handler
	level slog.Level

	mu sync.Mutex
	n  int
}

func newWarnings(level slog.Level) *warnings {
	return &warnings{Handler: slog.DiscardHandler, level: level}
}

func (w *warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= w.level }

func (w *warnings) Handle(context.Context, slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return nil
}

func (w *warnings) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
