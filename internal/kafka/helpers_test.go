package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

// realBroker is the environment variable that makes the tests use a running broker instead of the embedded one.
const realBroker = "MILLRACE_TEST_BOOTSTRAP"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startBroker returns the address of a broker. The options are for the embedded one.
func startBroker(t testing.TB, opts ...kfake.Opt) string {
	t.Helper()
	if b := os.Getenv(realBroker); b != "" {
		return b
	}
	return brokertest.Start(t, opts...).Bootstrap
}

// onlyEmbedded starts the embedded broker for tests that need to control it.
func onlyEmbedded(t *testing.T) *brokertest.Broker {
	t.Helper()
	if os.Getenv(realBroker) != "" {
		t.Skip("needs the embedded broker")
	}
	return brokertest.Start(t)
}

func limited(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := limited(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited too long until %s", what)
		case <-tick.C:
		}
	}
}

func admin(t testing.TB, bootstrap string) *kadm.Client {
	t.Helper()
	a, err := NewAdmin(map[string]string{bootstrapKey: bootstrap}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a.Client()
}

// unique returns a name that no other test, nor another run on the same cluster, uses.
func unique(t testing.TB) string {
	return strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")) + fmt.Sprintf("-%x", time.Now().UnixNano())
}

func newTopic(t testing.TB, a *kadm.Client, partitions int32, configs map[string]string) string {
	t.Helper()
	name := unique(t)
	createTopic(t, a, name, partitions, configs)
	return name
}

func createTopic(t testing.TB, a *kadm.Client, name string, partitions int32, configs map[string]string) {
	t.Helper()
	values := map[string]*string{}
	for k, v := range configs {
		values[k] = &v
	}
	if _, err := a.CreateTopic(limited(t), partitions, 1, values, name); err != nil {
		t.Fatal(err)
	}
}

func setTopic(t *testing.T, a *kadm.Client, topic, key, value string) {
	t.Helper()
	resp, err := a.AlterTopicConfigs(limited(t), []kadm.AlterConfig{{Name: key, Value: &value}}, topic)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp[0].Err; err != nil {
		t.Fatal(err)
	}
}

// connectProducer makes a producer as a source task has one.
func connectProducer(t testing.TB, bootstrap string, overrides map[string]string) *Producer {
	t.Helper()
	return connectProducerLog(t, bootstrap, overrides, nil)
}

func connectProducerLog(t testing.TB, bootstrap string, overrides map[string]string, log *slog.Logger) *Producer {
	t.Helper()
	p, err := NewProducer(ProducerProps(map[string]string{bootstrapKey: bootstrap}, "test", overrides), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func record(topic, value string) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: AnyPartition, Value: []byte(value)}
}

// read returns the values of the topic's partition 0 from the start to the end.
func read(t testing.TB, bootstrap, topic string) []string {
	t.Helper()
	ctx := limited(t)
	ends, err := admin(t, bootstrap).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(topic, 0)
	c, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got []string
	for next := int64(0); next < end.Offset; {
		f := c.PollFetches(ctx)
		if err := f.Err(); err != nil {
			t.Fatal(err)
		}
		f.EachRecord(func(r *kgo.Record) {
			got = append(got, string(r.Value))
			next = r.Offset + 1
		})
	}
	return got
}

// batches is a hook that notes how large the batches of a producer are.
type batches struct {
	mu      sync.Mutex
	records int
	sizes   []int // bytes, uncompressed
}

func (b *batches) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records += m.NumRecords
	b.sizes = append(b.sizes, m.UncompressedBytes)
}

// await returns the sizes when the batches hold so many records.
func (b *batches) await(t *testing.T, records int) (sizes []int) {
	t.Helper()
	until(t, "all batches are noted", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		sizes = b.sizes
		return b.records >= records
	})
	return sizes
}

// watchBatches installs the hook before the producer's first use.
func watchBatches(p *Producer) *batches {
	b := new(batches)
	p.set.opts = append(p.set.opts, kgo.WithHooks(b, newReachability(p.log)))
	return b
}

type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func textLog(b *buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func with(base map[string]string, more map[string]string) map[string]string {
	out := maps.Clone(base)
	maps.Copy(out, more)
	return out
}
