package kafka

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

// seen collects what a log applies.
type seen struct {
	mu      sync.Mutex
	records []LogRecord
}

func (s *seen) apply(rs []LogRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, rs...)
}

// texts are "key=value" in the order of reading, with - for a tombstone.
func (s *seen) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{}
	for _, r := range s.records {
		value := "-"
		if r.Value != nil {
			value = string(r.Value)
		}
		out = append(out, string(r.Key)+"="+value)
	}
	return out
}

func kv(key, value string) LogRecord { return LogRecord{Key: []byte(key), Value: []byte(value)} }

// newLog makes a log that is closed with the test.
func newLog(t testing.TB, bootstrap, topic string, more func(*LogOptions)) (*Log, *seen) {
	t.Helper()
	s := new(seen)
	o := LogOptions{
		Topic: topic, ClientID: "test-configs", Apply: s.apply,
		Worker: map[string]string{bootstrapKey: bootstrap, "retry.backoff.max.ms": "200"},
	}
	if more != nil {
		more(&o)
	}
	l, err := NewLog(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, s
}

// startLog loads a log and runs it until the test ends.
func startLog(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Load(limited(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestLogLoadsAndTails(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 3, map[string]string{"cleanup.policy": "compact"})
	first, _ := newLog(t, bootstrap, topic, nil)
	if err := first.Write(limited(t), kv("a", "1"), kv("b", "1"), kv("c", "1"), LogRecord{Key: []byte("b")}); err != nil {
		t.Fatal(err)
	}

	l, s := newLog(t, bootstrap, topic, nil)
	if err := l.Load(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a=1", "b=-", "b=1", "c=1"}, slices.Sorted(slices.Values(s.texts()))); diff != "" {
		t.Fatalf("after Load (-want +got):\n%s", diff)
	}
	if got := l.Partitions(); got != 3 {
		t.Errorf("Partitions() = %d, want 3", got)
	}

	tail, st := newLog(t, bootstrap, topic, nil)
	startLog(t, tail)
	before := len(st.texts())
	if err := first.Write(limited(t), kv("a", "2")); err != nil {
		t.Fatal(err)
	}
	if err := tail.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a=2"}, st.texts()[before:]); diff != "" {
		t.Errorf("after ReadToEnd (-want +got):\n%s", diff)
	}
	if err := tail.WriteAndRead(limited(t), kv("a", "3"), kv("a", "4")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a=2", "a=3", "a=4"}, st.texts()[before:]); diff != "" {
		t.Errorf("after WriteAndRead (-want +got):\n%s", diff)
	}
}

// The partition of a key is that of every Kafka client.
func TestLogPartitionsByKey(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 5, nil)
	l, s := newLog(t, bootstrap, topic, nil)
	startLog(t, l)
	keys := []string{"status-connector-a", "status-task-a-0", "status-task-a-1", "x", ""}
	for i, k := range keys {
		if err := l.WriteAndRead(limited(t), kv(k, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	hash := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
	for _, r := range s.records {
		if want := hash.Partition(&kgo.Record{Key: r.Key}, 5); int(r.Partition) != want {
			t.Errorf("key %q is on partition %d, want %d", r.Key, r.Partition, want)
		}
	}
	if len(s.records) != len(keys) {
		t.Errorf("%d records, want %d", len(s.records), len(keys))
	}
}

// A transaction ends with a marker that is no record; an aborted one leaves records that nobody may see.
func TestLogPassesTransactions(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	for _, committed := range []bool{false, true} {
		for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			t.Run(fmt.Sprintf("committed=%v,commit=%v", committed, end), func(t *testing.T) {
				t.Parallel()
				topic := newTopic(t, admin(t, bootstrap), 1, nil)
				running, s := newLog(t, bootstrap, topic, func(o *LogOptions) { o.ReadCommitted = committed })
				startLog(t, running)
				transaction(t, bootstrap, topic, end, "1")
				want := []string{"k=1"}
				if committed && end == kgo.TryAbort {
					want = []string{}
				}
				if err := running.ReadToEnd(limited(t)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, s.texts()); diff != "" {
					t.Errorf("tailed (-want +got):\n%s", diff)
				}
				fresh, s := newLog(t, bootstrap, topic, func(o *LogOptions) { o.ReadCommitted = committed })
				if err := fresh.Load(limited(t)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, s.texts()); diff != "" {
					t.Errorf("loaded (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// transaction writes values under the key k and ends the transaction.
func transaction(t testing.TB, bootstrap, topic string, end kgo.TransactionEndTry, values ...string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(unique(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if err := c.ProduceSync(limited(t), &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.EndTransaction(limited(t), end); err != nil {
		t.Fatal(err)
	}
}

func TestLogBeginsWhereTheTopicBegins(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	topic := newTopic(t, a, 1, nil)
	w, _ := newLog(t, bootstrap, topic, nil)
	if err := w.Write(limited(t), kv("a", "1"), kv("b", "1")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteRecords(limited(t), kadm.Offsets{topic: {0: {Topic: topic, At: 2}}}); err != nil {
		t.Fatal(err)
	}
	l, s := newLog(t, bootstrap, topic, nil)
	startLog(t, l)
	if err := l.WriteAndRead(limited(t), kv("c", "1")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c=1"}, s.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLogWithoutTopic(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	l, _ := newLog(t, bootstrap, unique(t), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := l.Load(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Load: %v, want the end of its context", err)
	}
}

// A topic that is deleted and made again is read from its start.
func TestLogSurvivesNewTopic(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	a := admin(t, b.Bootstrap)
	topic := newTopic(t, a, 1, nil)
	l, s := newLog(t, b.Bootstrap, topic, nil)
	startLog(t, l)
	if err := l.WriteAndRead(limited(t), kv("old", "1")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteTopic(limited(t), topic); err != nil {
		t.Fatal(err)
	}
	createTopic(t, a, topic, 2, nil)
	w, _ := newLog(t, b.Bootstrap, topic, nil)
	if err := w.Write(limited(t), kv("a", "1"), kv("b", "1"), kv("c", "1"), kv("d", "1")); err != nil {
		t.Fatal(err)
	}
	until(t, "the new topic is read", func() bool { return len(s.texts()) == 5 })
	if err := l.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if got := l.Partitions(); got != 2 {
		t.Errorf("Partitions() = %d, want 2", got)
	}
}

func TestLogEndsWithContext(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	l, _ := newLog(t, b.Bootstrap, topic, nil)
	startLog(t, l)
	b.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		return nil, errors.New("no answer"), true
	})
	b.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		return nil, errors.New("no answer"), true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := l.ReadToEnd(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ReadToEnd: %v", err)
	}
	if err := l.Write(ctx, kv("a", "1")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Write: %v", err)
	}
}

// Callers that come while a look at the end is under way share the next one, which sees what was written before they came.
func TestLogSharesLooks(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	l, s := newLog(t, b.Bootstrap, topic, nil)
	startLog(t, l)
	if err := l.WriteAndRead(limited(t), kv("k", "1")); err != nil {
		t.Fatal(err)
	}
	var looks atomic.Int32
	begun, answer := make(chan struct{}), make(chan struct{})
	b.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		if looks.Add(1) == 1 {
			close(begun)
			b.SleepControl(func() { <-answer })
		}
		return nil, nil, false
	})
	const callers = 20
	results := make(chan error)
	read := func() {
		err := l.ReadToEnd(limited(t))
		if got := len(s.texts()); err == nil && got < 2 {
			err = fmt.Errorf("%d records were read, want 2", got)
		}
		results <- err
	}
	first := make(chan error)
	go func() { first <- l.ReadToEnd(limited(t)) }()
	<-begun
	if err := l.Write(limited(t), kv("k", "2")); err != nil {
		t.Fatal(err)
	}
	for range callers {
		go read()
	}
	until(t, "all wait for the next look", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.next != nil && l.next.waiting == callers
	})
	close(answer)
	if err := <-first; err != nil {
		t.Error(err)
	}
	for range callers {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := looks.Load(); got != 2 {
		t.Errorf("%d looks, want 2", got)
	}
}

func TestLogSend(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	l, s := newLog(t, b.Bootstrap, topic, nil)
	startLog(t, l)

	var mu sync.Mutex
	var outcomes []error
	done := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		outcomes = append(outcomes, err)
	}
	want := []string{}
	for i := range 100 {
		l.Send(kv("k", fmt.Sprint(i)), done)
		want = append(want, fmt.Sprintf("k=%d", i))
	}
	if err := l.Flush(limited(t)); err != nil {
		t.Fatal(err)
	}
	if got := len(outcomes); got != 100 || slices.ContainsFunc(outcomes, func(err error) bool { return err != nil }) {
		t.Fatalf("%d outcomes: %v", got, outcomes)
	}
	if err := l.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// An error that a retry would mend is the caller's.
	var tries int
	b.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		tries++
		return refuse(req.(*kmsg.ProduceRequest), kerr.NotEnoughReplicas.Code), nil, true
	})
	l.Send(kv("k", "late"), done)
	if err := l.Flush(limited(t)); err != nil {
		t.Fatal(err)
	}
	if err := outcomes[len(outcomes)-1]; !errors.Is(err, kerr.NotEnoughReplicas) || tries != 1 {
		t.Errorf("after %d tries: %v, want %v after one", tries, err, kerr.NotEnoughReplicas)
	}
}

// refuse answers a produce request with an error for every partition.
func refuse(req *kmsg.ProduceRequest, code int16) *kmsg.ProduceResponse {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// A write waits for what a Send gives up on.
func TestLogWriteRetries(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	l, s := newLog(t, b.Bootstrap, topic, nil)
	startLog(t, l)
	var tries int
	b.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		if tries++; tries > 3 {
			return nil, nil, false
		}
		return refuse(req.(*kmsg.ProduceRequest), kerr.NotEnoughReplicas.Code), nil, true
	})
	if err := l.WriteAndRead(limited(t), kv("a", "1"), kv("b", "2"), kv("a", "3")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a=1", "b=2", "a=3"}, s.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if tries != 4 {
		t.Errorf("%d produce requests, want 4: all records in one", tries)
	}
}

// Partitions are read from all brokers that lead some, also after they have moved.
func TestLogFollowsLeaders(t *testing.T) {
	t.Parallel()
	if os.Getenv(realBroker) != "" {
		t.Skip("needs the embedded broker")
	}
	const brokers = 3
	b := brokertest.Start(t, kfake.NumBrokers(brokers))
	topic := newTopic(t, admin(t, b.Bootstrap), 6, nil)
	l, s := newLog(t, b.Bootstrap, topic, nil)
	startLog(t, l)
	want := 0
	for round := range brokers {
		for i := range 12 {
			if err := l.WriteAndRead(limited(t), kv(fmt.Sprint("k", i), "v")); err != nil {
				t.Fatal(err)
			}
			want++
		}
		for p := range int32(6) {
			if err := b.MoveTopicPartition(topic, p, int32(round)); err != nil { //nolint:gosec // small
				t.Fatal(err)
			}
		}
	}
	if err := l.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if got := len(s.texts()); got != want {
		t.Errorf("%d records, want %d", got, want)
	}
}

func BenchmarkLogWriteAndRead(b *testing.B) {
	bootstrap := startBroker(b)
	topic := newTopic(b, admin(b, bootstrap), 1, nil)
	l, _ := newLog(b, bootstrap, topic, nil)
	startLog(b, l)
	ctx := context.Background()
	for b.Loop() {
		if err := l.WriteAndRead(ctx, kv("k", "v")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogReadToEnd(b *testing.B) {
	bootstrap := startBroker(b)
	topic := newTopic(b, admin(b, bootstrap), 5, nil)
	l, _ := newLog(b, bootstrap, topic, nil)
	startLog(b, l)
	ctx := context.Background()
	for b.Loop() {
		if err := l.ReadToEnd(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
