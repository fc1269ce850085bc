package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestBatchesFollowTheTopic: batch.size is soft in Java. Here batches fill up to what the topic takes.
func TestBatchesFollowTheTopic(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	for limit, want := range map[string]int{"": 1_000_000, "100000": 90_000, "8388608": 1_000_000} {
		configs := map[string]string{"max.message.bytes": limit}
		if limit == "" {
			configs = nil
		}
		topic := unique(t)
		createTopic(t, a, topic, 1, configs)
		p := connectProducer(t, bootstrap, map[string]string{"batch.size": "1000", "linger.ms": "1000"})
		sizes := watchBatches(p)
		recs := []*kgo.Record{record(topic, "the topic is known now, which is what batches wait for")}
		if err := p.ProduceSync(limited(t), recs...); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			recs = append(recs, record(topic, strings.Repeat("x", 30_000)))
		}
		if err := p.ProduceSync(limited(t), recs[1:]...); err != nil {
			t.Fatalf("limit %q: %v", limit, err)
		}
		written := sizes.await(t, len(recs))
		largest := 0
		for _, n := range written {
			largest = max(largest, n)
		}
		if most, _ := strconv.Atoi(limit); largest < want || limit != "" && largest > most {
			t.Errorf("limit %q: the largest of %d batches has %d bytes, want at least %d", limit, len(written), largest, want)
		}
	}
}

// TestRequestSizeBoundsBatches: the smaller of max.request.size and the topic's limit counts.
func TestRequestSizeBoundsBatches(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, map[string]string{"max.message.bytes": "4000000"})
	p := connectProducer(t, bootstrap, map[string]string{"max.request.size": "3000000", "linger.ms": "1000"})
	sizes := watchBatches(p)
	recs := []*kgo.Record{record(topic, "the topic is known now, which is what batches wait for")}
	if err := p.ProduceSync(limited(t), recs...); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		recs = append(recs, record(topic, strings.Repeat("x", 50_000)))
	}
	if err := p.ProduceSync(limited(t), recs[1:]...); err != nil {
		t.Fatal(err)
	}
	written := sizes.await(t, len(recs))
	if len(written) != 3 {
		t.Errorf("5 MB went in batches of %v, want two behind the first", written)
	}
}

// TestLimitLoweredWhileProducing: everything arrives, in order, in smaller batches.
func TestLimitLoweredWhileProducing(t *testing.T) {
	t.Parallel()
	for name, overrides := range map[string]map[string]string{
		"connect": {},
		// With several requests in flight, franz-go may write a batch just as it fails it, without its records. A broker does
		// not answer that, so the request has to time out.
		"idempotent": {"enable.idempotence": "true", "max.in.flight.requests.per.connection": "5", "request.timeout.ms": "1000"},
		"compressed": {"compression.type": "lz4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bootstrap := startBroker(t)
			a := admin(t, bootstrap)
			topic := newTopic(t, a, 1, nil)
			var log buffer
			p := connectProducerLog(t, bootstrap, overrides, textLog(&log))
			const enough, most = 20_000, 2_000_000
			refused := func() bool { return strings.Contains(log.String(), "batches become smaller") }
			sent, acked := pour(t, p, topic, func(i int) bool {
				if i == enough/2 {
					setTopic(t, a, topic, "max.message.bytes", "20000")
				}
				// Brokers take a moment to follow the change.
				return i < enough || i < most && i%1000 != 0 || i < most && !refused()
			})
			if acked != sent {
				t.Errorf("%d of %d records are acknowledged", acked, sent)
			}
			if got := lastCopies(read(t, bootstrap, topic)); !cmp.Equal(got, numbers(sent)) {
				t.Errorf("the topic holds %d distinct records of %d, or not in order", len(got), sent)
			}
			if !refused() {
				t.Error("no batch was refused: the test shows nothing")
			}
		})
	}
}

// pour sends numbered records of about 100 bytes that hardly compress while more says so. It returns how many it sent, and how
// many promises came without an error.
func pour(t *testing.T, p *Producer, topic string, more func(i int) bool) (sent, acked int) {
	t.Helper()
	var mu sync.Mutex
	s := p.Sender(func(r *kgo.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("record %.10s: %v", r.Value, err)
			return
		}
		acked++
	})
	ctx := limited(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for ; more(sent); sent++ {
		value := fmt.Appendf(nil, "%d ", sent)
		for range 12 {
			value = fmt.Appendf(value, "%x", rng.Uint32())
		}
		s.Produce(ctx, record(topic, string(value)))
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	return sent, acked
}

// lastCopies returns the numbers of the records, each where its last copy stands.
func lastCopies(values []string) []int {
	last := map[int]int{}
	for i, v := range values {
		n, _, _ := strings.Cut(v, " ")
		number, _ := strconv.Atoi(n)
		last[number] = i
	}
	var out []int
	for i, v := range values {
		n, _, _ := strings.Cut(v, " ")
		if number, _ := strconv.Atoi(n); last[number] == i {
			out = append(out, number)
		}
	}
	return out
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestSingleRecordTooLarge: it fails with a clear error, those around it do not.
func TestSingleRecordTooLarge(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, map[string]string{"max.message.bytes": "10000"})
	p := connectProducer(t, bootstrap, nil)
	results := map[string]error{}
	s := p.Sender(func(r *kgo.Record, err error) { results[string(r.Value[:1])] = err })
	ctx := limited(t)
	for _, v := range []string{"a", "b" + strings.Repeat("x", 20_000), "c", "d" + strings.Repeat("x", 2_000_000), "e"} {
		s.Produce(ctx, record(topic, v))
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"a", "c", "e"} {
		if results[v] != nil {
			t.Errorf("%s: %v", v, results[v])
		}
	}
	if err := results["b"]; !errors.Is(err, kerr.MessageTooLarge) || !strings.Contains(err.Error(), "does not fit into topic "+topic) {
		t.Errorf("b: %v", err)
	}
	want := "The message is 2000001 bytes when serialized which is larger than 1048576, which is the value of the max.request.size configuration."
	if err := results["d"]; err == nil || err.Error() != want {
		t.Errorf("d: %v, want %s", err, want)
	}
	if got := strings.Join(read(t, bootstrap, topic), " "); got != "a c e" {
		t.Errorf("the topic holds %.50q", got)
	}
}

// TestLargeRecordThatCompresses: only the broker knows that it is small enough, so it gets it to see.
func TestLargeRecordThatCompresses(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, map[string]string{"max.message.bytes": "10000"})
	p := connectProducer(t, bootstrap, map[string]string{"compression.type": "gzip"})
	var recs []*kgo.Record
	for _, v := range []string{"a", "b", "c"} {
		recs = append(recs, record(topic, v), record(topic, v+strings.Repeat("x", 100_000)))
	}
	if err := p.ProduceSync(limited(t), recs...); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range read(t, bootstrap, topic) {
		got = append(got, v[:1]+strconv.Itoa(len(v)))
	}
	if want := "a1 a100001 b1 b100001 c1 c100001"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestLimitRaised: a record that was too large for the topic fits after the topic was changed.
func TestLimitRaised(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	topic := newTopic(t, a, 1, map[string]string{"max.message.bytes": "10000"})
	p := connectProducer(t, bootstrap, nil)
	large := strings.Repeat("x", 20_000)
	if err := p.ProduceSync(limited(t), record(topic, large)); !errors.Is(err, kerr.MessageTooLarge) {
		t.Fatalf("before: %v", err)
	}
	setTopic(t, a, topic, "max.message.bytes", "30000")
	if err := p.ProduceSync(limited(t), record(topic, large)); err != nil {
		t.Errorf("after: %v", err)
	}
}

// TestBufferMemoryBoundsBytes: the producer takes no more than buffer.memory while nothing is acknowledged.
func TestBufferMemoryBoundsBytes(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	release := make(chan struct{})
	b.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.SleepControl(func() { <-release })
		return nil, nil, false
	})
	p := connectProducer(t, b.Bootstrap, map[string]string{"buffer.memory": "100000"})
	ctx := limited(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := p.Sender(func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
		for range 50 {
			s.Produce(ctx, record(topic, strings.Repeat("x", 10_000)))
		}
	}()
	// Counted are the records inside the buffer and the one that waits at its door.
	until(t, "the buffer is full", func() bool { return p.Client().BufferedProduceRecords() == 11 })
	if n := p.Client().BufferedProduceBytes(); n > 110_000 {
		t.Errorf("%d bytes are buffered, buffer.memory is 100000", n)
	}
	close(release)
	<-done
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestFullBufferWaitsMaxBlock: with a finite max.block.ms, the buffer is waited for that long.
func TestFullBufferWaitsMaxBlock(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	release := make(chan struct{})
	b.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.SleepControl(func() { <-release })
		return nil, nil, false
	})
	p := connectProducer(t, b.Bootstrap, map[string]string{"buffer.memory": "100", "max.block.ms": "50"})
	results := make(chan error, 2)
	s := p.Sender(func(_ *kgo.Record, err error) { results <- err })
	s.Produce(limited(t), record(topic, strings.Repeat("x", 90)))
	s.Produce(limited(t), record(topic, strings.Repeat("x", 90)))
	want := "Failed to allocate 90 bytes within the configured max blocking time 50 ms. Total memory: 100 bytes. Available memory: 10 bytes."
	if err := <-results; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	close(release)
	if err := <-results; err != nil {
		t.Errorf("the record in the buffer: %v", err)
	}
}

// TestUnknownTopicFails: a topic that does not appear within max.block.ms fails in Java's words.
func TestUnknownTopicFails(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	refuseCreation(b.ControlKey, b.KeepControl)
	p := connectProducer(t, b.Bootstrap, map[string]string{"max.block.ms": "300"})
	err := p.ProduceSync(limited(t), record("nowhere", "x"))
	if want := "Topic nowhere not present in metadata after 300 ms."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// refuseCreation makes the broker one that does not create topics by itself.
func refuseCreation(control func(int16, func(kmsg.Request) (kmsg.Response, error, bool)), keep func()) {
	control(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		keep()
		if m, ok := req.(*kmsg.MetadataRequest); ok {
			m.AllowAutoTopicCreation = false
		}
		return nil, nil, false
	})
}

// TestUnknownTopicAppears: without a bound, which is how Connect has it, and within one, records wait for their topic.
func TestUnknownTopicAppears(t *testing.T) {
	t.Parallel()
	for _, maxBlock := range []string{"9223372036854775807", "60000"} {
		t.Run(maxBlock, func(t *testing.T) {
			t.Parallel()
			b := onlyEmbedded(t)
			refuseCreation(b.ControlKey, b.KeepControl)
			var log buffer
			p := connectProducerLog(t, b.Bootstrap, map[string]string{
				"max.block.ms": maxBlock, "metadata.max.age.ms": "1000", "retry.backoff.ms": "10", "retry.backoff.max.ms": "20",
			}, textLog(&log))
			done := make(chan error, 1)
			ctx := limited(t)
			go func() { done <- p.ProduceSync(ctx, record("later", "1"), record("later", "2")) }()
			until(t, "the user is told", func() bool { return strings.Contains(log.String(), "waiting for a topic that does not exist") })
			createTopic(t, admin(t, b.Bootstrap), "later", 1, nil)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(read(t, b.Bootstrap, "later"), " "); got != "1 2" {
				t.Errorf("the topic holds %q", got)
			}
		})
	}
}

// TestTopicIsCreated: producing to a topic creates it where the broker does so for Java's clients.
func TestTopicIsCreated(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	p := connectProducer(t, bootstrap, nil)
	topic := unique(t)
	if err := p.ProduceSync(limited(t), record(topic, "x")); err != nil {
		t.Fatal(err)
	}
}

// TestTopicMadeAgain: a topic that is deleted and made again gets the records.
func TestTopicMadeAgain(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	topic := newTopic(t, a, 1, nil)
	p := connectProducer(t, bootstrap, map[string]string{"retry.backoff.ms": "10", "retry.backoff.max.ms": "20"})
	if err := p.ProduceSync(limited(t), record(topic, "old")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteTopics(limited(t), topic); err != nil {
		t.Fatal(err)
	}
	until(t, "the topic is gone", func() bool {
		m, err := a.ListTopics(limited(t), topic)
		return err == nil && !m.Has(topic)
	})
	createTopic(t, a, topic, 1, nil)
	if err := p.ProduceSync(limited(t), record(topic, "new")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(read(t, bootstrap, topic), " "); got != "new" {
		t.Errorf("the topic holds %q", got)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 8, nil)
	p := connectProducer(t, bootstrap, nil)
	for _, c := range []struct {
		key       string
		partition int32
		want      int32
	}{
		{"", 5, 5},
		{"key", 6, 6},
		// Java's murmur2 of these is -973932308, -790332482 and -985981536.
		{"21", AnyPartition, 4},
		{"foobar", AnyPartition, 6},
		{"a-little-bit-long-string", AnyPartition, 0},
	} {
		r := &kgo.Record{Topic: topic, Partition: c.partition, Value: []byte("v")}
		if c.key != "" {
			r.Key = []byte(c.key)
		}
		if err := p.ProduceSync(limited(t), r); err != nil {
			t.Fatal(err)
		}
		if r.Partition != c.want {
			t.Errorf("key %q to %d went to partition %d, want %d", c.key, c.partition, r.Partition, c.want)
		}
	}
	if err := p.ProduceSync(limited(t), &kgo.Record{Topic: topic, Partition: 8}); err == nil {
		t.Error("a partition that does not exist was accepted")
	}
}

func TestClientIDReachesTheBroker(t *testing.T) {
	t.Parallel()
	p := connectProducer(t, "127.0.0.1:1", map[string]string{"client.id": "mine"})
	if got := p.Client().OptValue(kgo.ClientID); got != "mine" {
		t.Errorf("client.id %v", got)
	}
}

func TestCloseFailsWhatIsLeft(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	refuseCreation(b.ControlKey, b.KeepControl)
	p := connectProducer(t, b.Bootstrap, nil)
	failed := make(chan error, 1)
	go p.Produce(t.Context(), record("nowhere", "x"), func(_ *kgo.Record, err error) { failed <- err })
	until(t, "the topic is waited for", p.used.Load)
	p.Close()
	if err := <-failed; !errors.Is(err, kgo.ErrClientClosed) {
		t.Errorf("while waiting for a topic: %v", err)
	}
	p.Close()
	p.Produce(t.Context(), record("nowhere", "x"), func(_ *kgo.Record, err error) { failed <- err })
	if err := <-failed; !errors.Is(err, kgo.ErrClientClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestUnusedProducer: a task that never sends opens no connection.
func TestUnusedProducer(t *testing.T) {
	t.Parallel()
	p := connectProducer(t, "127.0.0.1:1", nil)
	if err := p.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if p.used.Load() {
		t.Error("Flush made a client")
	}
}

func TestTransactionAfterLoweredLimit(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	topic := newTopic(t, a, 1, nil)
	p := connectProducer(t, bootstrap, map[string]string{
		"enable.idempotence": "true", "transactional.id": unique(t), "max.in.flight.requests.per.connection": "1",
	})
	ctx := limited(t)
	transaction := func() error {
		if err := p.BeginTransaction(ctx); err != nil {
			t.Fatal(err)
		}
		var recs []*kgo.Record
		for i := range 100 {
			recs = append(recs, record(topic, fmt.Sprintf("%d %s", i, strings.Repeat("x", 100))))
		}
		err := p.ProduceSync(ctx, recs...)
		if end := p.Client().EndTransaction(ctx, kgo.TransactionEndTry(err == nil)); end != nil {
			t.Fatal(end)
		}
		return err
	}
	if err := transaction(); err != nil {
		t.Fatal(err)
	}
	setTopic(t, a, topic, "max.message.bytes", "1000")
	until(t, "a batch is refused", func() bool {
		err := transaction() // brokers take a moment to follow the change
		if err != nil && !errors.Is(err, kerr.MessageTooLarge) {
			t.Fatal(err)
		}
		return err != nil
	})
	if err := transaction(); err != nil {
		t.Errorf("the transaction behind the refused one: %v", err)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	var g gate
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	shut := make(chan struct{})
	go func() {
		g.shut()
		close(shut)
	}()
	until(t, "the gate closes", func() bool { return g.closed.Load() != nil })
	select {
	case <-shut:
		t.Fatal("shut did not wait for the one inside")
	default:
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.enter(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("enter while shut: %v", err)
	}
	g.leave()
	<-shut
	entered := make(chan error, 1)
	go func() { entered <- g.enter(context.Background()) }()
	g.open()
	if err := <-entered; err != nil {
		t.Error(err)
	}
	g.leave()
}

func TestLimits(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	topic := newTopic(t, a, 1, map[string]string{"max.message.bytes": "5000"})
	p := connectProducer(t, bootstrap, nil)
	ctx := limited(t)
	steps := []struct {
		what string
		got  int32
		want int32
	}{
		{"first", p.limits.of(ctx, topic), 5000},
		{"refused though nothing changed", p.limits.renew(ctx, topic, true), 2500},
		{"refused again", p.limits.renew(ctx, topic, true), 1250},
		{"read without a change", p.limits.renew(ctx, topic, false), 1250},
		{"never below what franz-go takes", p.limits.bounded(1), 512},
		{"a topic that cannot be read", p.limits.of(ctx, "no-such-topic"), 1048576},
	}
	setTopic(t, a, topic, "max.message.bytes", "3000")
	steps = append(steps, struct {
		what string
		got  int32
		want int32
	}{"changed", p.limits.renew(ctx, topic, false), 3000})
	for _, s := range steps {
		if s.got != s.want {
			t.Errorf("%s: %d, want %d", s.what, s.got, s.want)
		}
	}
}

// BenchmarkProduce measures what the sender adds to franz-go: compare sender with client.
func BenchmarkProduce(b *testing.B) {
	bootstrap := startBroker(b)
	topic := newTopic(b, admin(b, bootstrap), 1, nil)
	value := bytes.Repeat([]byte("x"), 100)
	for _, way := range []string{"client", "sender", "producer"} {
		b.Run(way, func(b *testing.B) {
			p := connectProducer(b, bootstrap, nil)
			ctx := b.Context()
			promise := func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			}
			s := p.Sender(promise)
			client := p.Client()
			slab := make([]kgo.Record, 0, 2048)
			b.ReportAllocs()
			b.SetBytes(int64(len(value)))
			began := time.Now()
			for b.Loop() {
				if len(slab) == cap(slab) {
					slab = make([]kgo.Record, 0, cap(slab))
				}
				slab = append(slab, kgo.Record{Topic: topic, Partition: AnyPartition, Value: value, Context: ctx})
				r := &slab[len(slab)-1]
				switch way {
				case "client":
					client.Produce(ctx, r, promise)
				case "sender":
					s.Produce(ctx, r)
				default:
					p.Produce(ctx, r, promise)
				}
			}
			if err := p.Flush(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "rec/s")
		})
	}
}
