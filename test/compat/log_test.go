package compat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/test/bed"
)

// tail is a topic of the worker as kafka.Log reads it.
type tail struct {
	*kafka.Log
	mu   sync.Mutex // guards seen
	seen []string
}

func (l *tail) apply(records []kafka.LogRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		l.seen = append(l.seen, fmt.Sprintf("%s=%s", r.Key, r.Value))
	}
}

func (l *tail) texts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.seen...)
}

func limited(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func newTail(t testing.TB, bootstrap, topic string, committed bool) *tail {
	t.Helper()
	l := new(tail)
	var err error
	l.Log, err = kafka.NewLog(kafka.LogOptions{
		Topic: topic, ClientID: "test-configs", ReadCommitted: committed, Apply: l.apply,
		Worker: map[string]string{"bootstrap.servers": bootstrap},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// loaded loads the log and runs it until the test ends.
func loaded(t testing.TB, l *tail) *tail {
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
	return l
}

func client(t testing.TB, bootstrap string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(bootstrap))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func compactedTopic(t testing.TB, bootstrap string, partitions int32) string {
	t.Helper()
	name, policy := bed.Name(t, "internal"), "compact"
	_, err := kadm.NewClient(client(t, bootstrap)).
		CreateTopic(limited(t), partitions, 1, map[string]*string{"cleanup.policy": &policy}, name)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func kv(key, value string) kafka.LogRecord {
	return kafka.LogRecord{Key: []byte(key), Value: []byte(value)}
}

// TestLogPassesTransactions has topics end in the marker of a transaction, with and without records that nobody may see in front
// of it: positions must get behind them.
func TestLogPassesTransactions(t *testing.T) {
	t.Parallel()
	bootstrap := bed.SharedBroker(t)
	for _, committed := range []bool{false, true} {
		for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			t.Run(fmt.Sprintf("committed=%v,commit=%v", committed, bool(end)), func(t *testing.T) {
				t.Parallel()
				topic := compactedTopic(t, bootstrap, 1)
				running := loaded(t, newTail(t, bootstrap, topic, committed))
				c := client(t, bootstrap, kgo.TransactionalID(topic))
				if err := c.BeginTransaction(); err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					r := &kgo.Record{Topic: topic, Key: []byte("k"), Value: fmt.Append(nil, i)}
					if err := c.ProduceSync(limited(t), r).FirstErr(); err != nil {
						t.Fatal(err)
					}
				}
				if committed { // what is open is waited for
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					defer cancel()
					if err := running.ReadToEnd(ctx); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("with a transaction open: %v", err)
					}
				}
				if err := c.EndTransaction(limited(t), end); err != nil {
					t.Fatal(err)
				}
				want := []string{"k=0", "k=1", "k=2"}
				if committed && !bool(end) {
					want = []string{}
				}
				if err := running.ReadToEnd(limited(t)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, running.texts()); diff != "" {
					t.Errorf("tailed (-want +got):\n%s", diff)
				}
				fresh := newTail(t, bootstrap, topic, committed)
				if err := fresh.Load(limited(t)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, fresh.texts()); diff != "" {
					t.Errorf("loaded (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestLogBeginsWhereTheTopicBegins has nothing left of the topic but its offsets.
func TestLogBeginsWhereTheTopicBegins(t *testing.T) {
	t.Parallel()
	bootstrap := bed.SharedBroker(t)
	topic := bed.Name(t, "internal")
	a := kadm.NewClient(client(t, bootstrap))
	if _, err := a.CreateTopic(limited(t), 1, 1, nil, topic); err != nil { // records of a compacted one cannot be deleted
		t.Fatal(err)
	}
	l := newTail(t, bootstrap, topic, true)
	if err := l.Write(limited(t), kv("a", "1"), kv("b", "1")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteRecords(limited(t), kadm.Offsets{topic: {0: {Topic: topic, At: 2}}}); err != nil {
		t.Fatal(err)
	}
	loaded(t, l)
	if err := l.WriteAndRead(limited(t), kv("c", "1")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"c=1"}, l.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLogFollowsNewTopic deletes a topic and makes it again while it is read.
func TestLogFollowsNewTopic(t *testing.T) {
	t.Parallel()
	bootstrap := bed.SharedBroker(t)
	topic := compactedTopic(t, bootstrap, 1)
	l := loaded(t, newTail(t, bootstrap, topic, false))
	if err := l.WriteAndRead(limited(t), kv("old", "1")); err != nil {
		t.Fatal(err)
	}
	a := kadm.NewClient(client(t, bootstrap))
	if _, err := a.DeleteTopic(limited(t), topic); err != nil {
		t.Fatal(err)
	}
	bed.Poll(t, patience, "the topic to be made anew", func() (bool, string) {
		_, err := a.CreateTopic(limited(t), 2, 1, nil, topic)
		return err == nil, fmt.Sprint(err)
	})
	w := newTail(t, bootstrap, topic, false)
	if err := w.Write(limited(t), kv("a", "1"), kv("b", "1"), kv("c", "1"), kv("d", "1")); err != nil {
		t.Fatal(err)
	}
	bed.Poll(t, patience, "the new topic to be read", func() (bool, string) {
		seen := l.texts()
		return len(seen) == 5, strings.Join(seen, " ")
	})
}

// TestLogSurvivesBroker stops the only broker while a log reads and writes.
func TestLogSurvivesBroker(t *testing.T) {
	t.Parallel()
	bed.LockJVM(t)
	broker := bed.NewBroker(t, bed.BrokerOptions{Fast: true})
	topic := compactedTopic(t, broker.Bootstrap(), 3)
	l := loaded(t, newTail(t, broker.Bootstrap(), topic, true))
	if err := l.WriteAndRead(limited(t), kv("k", "1")); err != nil {
		t.Fatal(err)
	}
	broker.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := l.ReadToEnd(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ReadToEnd without a broker: %v", err)
	}
	written := make(chan error)
	go func() { written <- l.WriteAndRead(limited(t), kv("k", "2")) }()
	if err := broker.Restart(limited(t)); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if err := l.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if got := l.texts(); got[len(got)-1] != "k=2" {
		t.Errorf("read %v", got)
	}
}

// TestTransactorFences has two leaders that both think they are the one.
func TestTransactorFences(t *testing.T) {
	t.Parallel()
	bootstrap := bed.SharedBroker(t)
	topic := compactedTopic(t, bootstrap, 1)
	leader := func() *kafka.Transactor {
		x, err := kafka.NewTransactor(map[string]string{"bootstrap.servers": bootstrap}, "leader", "connect-cluster-"+topic, topic, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(x.Close)
		if err := x.Claim(limited(t)); err != nil {
			t.Fatal(err)
		}
		return x
	}
	old := leader()
	for _, want := range []int64{0, 2} { // each transaction has its end in between
		if last, err := old.Write(limited(t), kv("k", "old")); err != nil || last != want {
			t.Fatalf("offset %d, %v; want %d", last, err, want)
		}
	}
	next := leader()
	if _, err := old.Write(limited(t), kv("k", "zombie")); !errors.Is(err, kafka.ErrFenced) {
		t.Errorf("the old leader: %v, want %v", err, kafka.ErrFenced)
	}
	if _, err := next.Write(limited(t), kv("k", "new"), kv("l", "new")); err != nil {
		t.Error(err)
	}
	if err := old.Claim(limited(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := old.Write(limited(t), kv("k", "again")); err != nil {
		t.Error(err)
	}
	l := newTail(t, bootstrap, topic, true)
	if err := l.Load(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k=old", "k=old", "k=new", "l=new", "k=again"}, l.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestInternalTopics creates and checks topics as a worker does at its start.
func TestInternalTopics(t *testing.T) {
	t.Parallel()
	bootstrap := bed.SharedBroker(t)
	a, err := kafka.NewAdmin(map[string]string{
		"bootstrap.servers": bootstrap, "default.api.timeout.ms": "3000", "request.timeout.ms": "3000",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	for _, tt := range []struct {
		name     string
		existing string // its cleanup.policy
		change   func(*kafka.InternalTopic)
		want     []string
	}{
		{name: "created"},
		{name: "compacted", existing: "compact"},
		{name: "deleting", existing: "delete", want: []string{"'cleanup.policy=compact'", "currently has 'cleanup.policy=delete'"}},
		{name: "both", existing: "compact,delete", want: []string{"currently has 'cleanup.policy=compact,delete'"}},
		{
			name: "replication", change: func(t *kafka.InternalTopic) { t.Replication = 3 },
			want: []string{"status.storage.replication.factor", "1 broker(s)"},
		},
		{
			name: "setting", change: func(t *kafka.InternalTopic) { t.Configs = map[string]string{"segment.bytes": "many"} },
			want: []string{"status.storage.topic", "INVALID_CONFIG", "segment.bytes"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			topic := kafka.InternalTopic{
				Name: bed.Name(t, "internal"), NameKey: "status.storage.topic", Purpose: "connector and task statuses", Partitions: 5, Replication: 1,
			}
			if tt.change != nil {
				tt.change(&topic)
			}
			if tt.existing != "" {
				_, err := a.Client().CreateTopic(limited(t), 1, 1, map[string]*string{"cleanup.policy": &tt.existing}, topic.Name)
				if err != nil {
					t.Fatal(err)
				}
			}
			err := a.EnsureCompacted(limited(t), topic)
			if len(tt.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, words := range append(tt.want, topic.Name, "status.storage.topic") {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in: %v", words, err)
				}
			}
		})
	}
}

// TestMemberOfWrongGroup joins groups of consumers, of either protocol.
func TestMemberOfWrongGroup(t *testing.T) {
	t.Parallel()
	bootstrap := bed.SharedBroker(t)
	topic := compactedTopic(t, bootstrap, 1)
	for name, opts := range map[string][]kgo.Opt{
		"classic":     nil,
		"server side": {kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer())},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group := bed.Name(t, "group")
			assigned := make(chan struct{}, 10)
			consumer := client(t, bootstrap, append(opts, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
				kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { assigned <- struct{}{} }))...)
			ctx, cancel := context.WithCancel(t.Context())
			polled := make(chan struct{})
			go func() {
				defer close(polled)
				consumer.PollFetches(ctx)
			}()
			defer func() {
				cancel()
				<-polled
			}()
			select {
			case <-assigned:
			case <-limited(t).Done():
				t.Fatal("the consumer got no partitions")
			}
			fatalJoin(t, bootstrap, group, 10*time.Second, kerr.InconsistentGroupProtocol, "connect.protocol")
		})
	}
	t.Run("session timeout", func(t *testing.T) {
		t.Parallel()
		fatalJoin(t, bootstrap, bed.Name(t, "group"), time.Millisecond, kerr.InvalidSessionTimeout, "group.min.session.timeout.ms")
	})
	t.Run("no name", func(t *testing.T) {
		t.Parallel()
		fatalJoin(t, bootstrap, "", 10*time.Second, kerr.InvalidGroupID, "Set group.id")
	})
}

func fatalJoin(t *testing.T, bootstrap, group string, session time.Duration, want *kerr.Error, words string) {
	t.Helper()
	m, err := kafka.NewMember(kafka.MemberOptions{
		Group: group, ClientID: "connect-worker", Worker: map[string]string{"bootstrap.servers": bootstrap}, Signal: func(kafka.Signal) {},
		Session: session, Rebalance: 10 * time.Second, Heartbeat: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = m.Join(limited(t), []kafka.GroupProtocol{{Name: "sessioned", Metadata: []byte("x")}}, "")
	if _, ok := errors.AsType[*kafka.FatalGroupError](err); !ok || !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
		t.Errorf("Join: %v; want %v with %q", err, want, words)
	}
}

// TestMembersRebalance has two members on a real coordinator: the one hears of the other by a heartbeat, leads, and hears of its leaving.
func TestMembersRebalance(t *testing.T) {
	t.Parallel()
	bootstrap, group := bed.SharedBroker(t), bed.Name(t, "group")
	told := make(chan kafka.Signal, 100)
	leader, follower := beatingMember(t, bootstrap, group, told), beatingMember(t, bootstrap, group, make(chan kafka.Signal, 100))
	round := func(m *kafka.Member) (kafka.Joined, string) {
		j, err := m.Join(limited(t), []kafka.GroupProtocol{{Name: "sessioned", Metadata: []byte("x")}}, "")
		if err != nil {
			t.Error(err)
			return j, ""
		}
		assignments := map[string][]byte{}
		for id := range j.Members {
			assignments[id] = []byte("for " + id)
		}
		got, err := m.Sync(limited(t), j, assignments)
		if err != nil {
			t.Error(err)
		}
		return j, string(got)
	}
	alone, _ := round(leader)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if j, got := round(follower); j.Leads() || got != "for "+j.MemberID {
			t.Errorf("the follower joined as %+v and got %q", j, got)
		}
	}()
	rejoin := func(members int) {
		select {
		case sig := <-told:
			if sig != kafka.SignalRejoin {
				t.Fatalf("told %v, want %v", sig, kafka.SignalRejoin)
			}
		case <-limited(t).Done():
			t.Fatal("told nothing")
		}
		j, got := round(leader)
		if len(j.Members) != members || j.MemberID != alone.MemberID || got != "for "+j.MemberID {
			t.Errorf("the leader joined as %+v and got %q, want %d members", j, got, members)
		}
	}
	rejoin(2)
	<-done
	if err := follower.Leave(limited(t), "the consumer is being closed"); err != nil {
		t.Fatal(err)
	}
	rejoin(1)
	if err := leader.Leave(limited(t), "the consumer is being closed"); err != nil {
		t.Fatal(err)
	}
}

// beatingMember makes a member whose heartbeats run until the test ends.
func beatingMember(t *testing.T, bootstrap, group string, told chan<- kafka.Signal) *kafka.Member {
	t.Helper()
	m, err := kafka.NewMember(kafka.MemberOptions{
		Group: group, ClientID: "connect-worker", Worker: map[string]string{"bootstrap.servers": bootstrap},
		Signal:  func(s kafka.Signal) { told <- s },
		Session: 10 * time.Second, Rebalance: 20 * time.Second, Heartbeat: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		m.Close()
	})
	return m
}

func BenchmarkLog(b *testing.B) {
	bootstrap := bed.SharedBroker(b)
	l := loaded(b, newTail(b, bootstrap, compactedTopic(b, bootstrap, 1), true))
	b.Run("WriteAndRead", func(b *testing.B) {
		for b.Loop() {
			if err := l.WriteAndRead(b.Context(), kv("k", "v")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ReadToEnd", func(b *testing.B) {
		for b.Loop() {
			if err := l.ReadToEnd(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
