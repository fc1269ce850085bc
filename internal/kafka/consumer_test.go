package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/connect"
)

// sink polls a consumer on a goroutine of its own and keeps what it was told and given.
type sink struct {
	*Consumer
	hold chan struct{} // while not closed or nil, a poll's records are held on to

	mu       sync.Mutex
	values   []string
	events   []string
	fetched  connect.Offsets
	err      error
	assigned map[connect.TopicPartition]bool
}

func (s *sink) note(what string, tps []connect.TopicPartition, own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, tp := range tps {
		names = append(names, fmt.Sprint(tp.Partition))
		if own {
			s.assigned[tp] = true
		} else {
			delete(s.assigned, tp)
		}
	}
	slices.Sort(names)
	s.events = append(s.events, what+" "+strings.Join(names, ","))
}

func (s *sink) handlers() Events {
	return Events{
		Assigned: func(tps []connect.TopicPartition) { s.note("assigned", tps, true) },
		Revoked:  func(tps []connect.TopicPartition) { s.note("revoked", tps, false) },
		Lost:     func(tps []connect.TopicPartition) { s.note("lost", tps, false) },
		Fetched: func(o connect.Offsets) connect.Offsets {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.fetched == nil {
				s.fetched = connect.Offsets{}
			}
			for tp, at := range o {
				s.fetched[tp] = at
			}
			return o
		},
	}
}

// newSink makes a member of a group as a sink task has one; start has to follow.
func newSink(t *testing.T, bootstrap, group string, o GroupOptions, overrides map[string]string) *sink {
	t.Helper()
	s := &sink{assigned: map[connect.TopicPartition]bool{}}
	own := s.handlers()
	if o.Fetched == nil {
		o.Fetched = own.Fetched
	}
	o.Assigned, o.Revoked, o.Lost = own.Assigned, own.Revoked, own.Lost
	props := ConsumerProps(map[string]string{bootstrapKey: bootstrap}, group, "test", with(map[string]string{
		"heartbeat.interval.ms": "100", "retry.backoff.ms": "10", "retry.backoff.max.ms": "50",
	}, overrides))
	c, err := NewConsumer(props, o)
	if err != nil {
		t.Fatal(err)
	}
	s.Consumer = c
	return s
}

// start polls until the test ends or the returned function is called.
func (s *sink) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil && s.step(ctx) {
		}
		s.Close()
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	t.Cleanup(stop)
	return stop
}

func (s *sink) step(ctx context.Context) bool {
	turn, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	f := s.Poll(turn)
	defer s.AllowRebalance()
	s.mu.Lock()
	f.EachRecord(func(r *kgo.Record) { s.values = append(s.values, string(r.Value)) })
	s.err = f.Err()
	s.mu.Unlock()
	if s.hold != nil && f.NumRecords() > 0 {
		<-s.hold
	}
	return s.err == nil
}

func (s *sink) owns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.assigned)
}

func (s *sink) got() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.values, " ")
}

func (s *sink) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

func (s *sink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func send(t *testing.T, bootstrap, topic string, values ...string) {
	t.Helper()
	p := connectProducer(t, bootstrap, nil)
	var recs []*kgo.Record
	for _, v := range values {
		recs = append(recs, record(topic, v))
	}
	if err := p.ProduceSync(limited(t), recs...); err != nil {
		t.Fatal(err)
	}
}

func TestConsume(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	topic := newTopic(t, a, 1, nil)
	send(t, bootstrap, topic, "1", "2", "3")
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"max.poll.records": "2"})
	tp := connect.TopicPartition{Topic: topic}
	polls := 0
	for ctx := limited(t); s.got() != "1 2 3"; polls++ {
		before := len(s.values)
		s.step(ctx)
		if n := len(s.values) - before; n > 2 {
			t.Errorf("a poll returned %d records, max.poll.records is 2", n)
		}
		if ctx.Err() != nil {
			t.Fatalf("got %q", s.got())
		}
	}
	if diff := cmp.Diff(connect.Offsets{tp: 0}, s.fetched); diff != "" {
		t.Errorf("positions: -want +got\n%s", diff)
	}
	if err := s.CommitSync(limited(t), connect.Offsets{tp: 2}); err != nil {
		t.Fatal(err)
	}
	committed, err := a.FetchOffsets(limited(t), "connect-"+topic)
	if err != nil {
		t.Fatal(err)
	}
	if o, _ := committed.Lookup(topic, 0); o.At != 2 || o.Metadata != "" || o.LeaderEpoch != -1 {
		t.Errorf("committed %+v, want offset 2 and nothing else, as Connect commits", o.Offset)
	}
	s.Seek(connect.Offsets{tp: 1})
	for ctx := limited(t); s.got() != "1 2 3 2 3" && ctx.Err() == nil; {
		s.step(ctx)
	}
	if got := s.got(); got != "1 2 3 2 3" {
		t.Errorf("after Seek to 1: %q", got)
	}
	s.Close()

	again := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, nil)
	again.start(t)
	until(t, "the uncommitted record comes again", func() bool { return again.got() == "3" })
	if diff := cmp.Diff(connect.Offsets{tp: 2}, again.fetched); diff != "" {
		t.Errorf("positions after a commit: -want +got\n%s", diff)
	}
}

// TestSeekBeforeFirstRecord: franz-go forgets a seek of a partition that has neither a committed offset nor a record read.
func TestSeekBeforeFirstRecord(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	send(t, bootstrap, topic, "1", "2", "3")
	tp := connect.TopicPartition{Topic: topic}
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"auto.offset.reset": "latest"})
	s.start(t)
	until(t, "the partition is assigned", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.fetched[tp] == 3
	})
	until(t, "the seek is followed", func() bool {
		s.Seek(connect.Offsets{tp: 1})
		return strings.HasPrefix(s.got(), "2 3")
	})
}

// TestFetchedChangesPositions: what Fetched returns is where reading begins.
func TestFetchedChangesPositions(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	send(t, bootstrap, topic, "1", "2", "3")
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}, Events: Events{
		Fetched: func(o connect.Offsets) connect.Offsets {
			for tp := range o {
				o[tp] = 2
			}
			return o
		},
	}}, nil)
	s.start(t)
	until(t, "the third record is read", func() bool { return s.got() == "3" })
}

func TestPause(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	send(t, bootstrap, topic, "1", "2", "3")
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"max.poll.records": "1"})
	ctx := limited(t)
	for s.got() == "" && ctx.Err() == nil {
		s.step(ctx)
	}
	part := map[string][]int32{topic: {0}}
	s.Pause(part) // two records are read ahead by now
	for range 3 {
		s.step(ctx)
	}
	if got := s.got(); got != "1" {
		t.Errorf("while paused: %q", got)
	}
	s.Resume(part)
	for s.got() != "1 2 3" && ctx.Err() == nil {
		s.step(ctx)
	}
	if got := s.got(); got != "1 2 3" {
		t.Errorf("after Resume: %q", got)
	}
	s.Close()
}

func TestAutoOffsetReset(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	for _, c := range []struct {
		reset string
		at    int64
		want  string
	}{{"earliest", 0, "old young new"}, {"latest", 2, "new"}, {"by_duration:PT1H", 1, "young new"}} {
		topic := newTopic(t, a, 1, nil)
		old := record(topic, "old")
		old.Timestamp = time.Now().Add(-2 * time.Hour)
		if err := connectProducer(t, bootstrap, nil).ProduceSync(limited(t), old); err != nil {
			t.Fatal(err)
		}
		send(t, bootstrap, topic, "young")
		s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"auto.offset.reset": c.reset})
		stop := s.start(t)
		until(t, "the position is known", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.fetched) == 1
		})
		if at := s.fetched[connect.TopicPartition{Topic: topic}]; at != c.at {
			t.Errorf("%s: the position is %d, want %d", c.reset, at, c.at)
		}
		send(t, bootstrap, topic, "new")
		until(t, c.reset+": the new record is read", func() bool { return strings.HasSuffix(s.got(), "new") })
		if got := s.got(); got != c.want {
			t.Errorf("%s: %q, want %q", c.reset, got, c.want)
		}
		stop()
	}
}

func TestNoOffsetReset(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 2, nil)
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"auto.offset.reset": "none"})
	s.start(t)
	want := fmt.Sprintf("Undefined offset with no reset policy for partitions: [%s-0, %s-1]", topic, topic)
	until(t, "the poll fails", func() bool { return s.failure() != nil })
	if got := s.failure().Error(); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestOffsetOutOfRange: a committed offset that is gone is followed by what auto.offset.reset says.
func TestOffsetOutOfRange(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	for reset, want := range map[string]string{"earliest": "1 2", "none": ""} {
		topic := newTopic(t, a, 1, nil)
		send(t, bootstrap, topic, "1", "2")
		var offsets kadm.Offsets
		offsets.AddOffset(topic, 0, 100, -1)
		if err := a.CommitAllOffsets(limited(t), "connect-"+topic, offsets); err != nil {
			t.Fatal(err)
		}
		s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"auto.offset.reset": reset})
		stop := s.start(t)
		if want == "" {
			until(t, "the poll fails", func() bool { return s.failure() != nil })
			if err := s.failure(); !errors.Is(err, kerr.OffsetOutOfRange) ||
				!strings.Contains(err.Error(), "Offsets out of range with no configured reset policy for partitions: {"+topic+"-0}") {
				t.Errorf("%s: %v", reset, err)
			}
		} else {
			until(t, reset+": the records are read", func() bool { return s.got() == want })
		}
		stop()
	}
}

func TestIsolationLevel(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	p := connectProducer(t, bootstrap, map[string]string{
		"enable.idempotence": "true", "transactional.id": topic, "max.in.flight.requests.per.connection": "1",
	})
	ctx := limited(t)
	for _, end := range []struct {
		value  string
		commit kgo.TransactionEndTry
	}{{"aborted", kgo.TryAbort}, {"committed", kgo.TryCommit}} {
		if err := p.BeginTransaction(ctx); err != nil {
			t.Fatal(err)
		}
		if err := p.ProduceSync(ctx, record(topic, end.value)); err != nil {
			t.Fatal(err)
		}
		if err := p.Client().EndTransaction(ctx, end.commit); err != nil {
			t.Fatal(err)
		}
	}
	for level, want := range map[string]string{"read_committed": "committed", "read_uncommitted": "aborted committed"} {
		s := newSink(t, bootstrap, unique(t), GroupOptions{Topics: []string{topic}}, map[string]string{"isolation.level": level})
		stop := s.start(t)
		until(t, level+": the committed record is read", func() bool { return strings.HasSuffix(s.got(), "committed") })
		if got := s.got(); got != want {
			t.Errorf("%s: %q, want %q", level, got, want)
		}
		stop()
	}
}

// TestAssignorsOffered: Java's list, in its order, is what a member offers by default.
func TestAssignorsOffered(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]string{
		"": {"range", "cooperative-sticky"},
		"org.apache.kafka.clients.consumer.StickyAssignor, org.apache.kafka.clients.consumer.RoundRobinAssignor": {"sticky", "roundrobin"},
	} {
		b := onlyEmbedded(t)
		topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
		offered := make(chan *kmsg.JoinGroupRequest, 100)
		b.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
			offered <- req.(*kmsg.JoinGroupRequest)
			return nil, nil, false
		})
		overrides := map[string]string{"max.poll.interval.ms": "12345", "session.timeout.ms": "6789"}
		if list != "" {
			overrides["partition.assignment.strategy"] = list
		}
		s := newSink(t, b.Bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides)
		stop := s.start(t)
		join := <-offered
		var got []string
		for _, p := range join.Protocols {
			got = append(got, p.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got\n%s", list, diff)
		}
		if join.RebalanceTimeoutMillis != 12345 || join.SessionTimeoutMillis != 6789 {
			t.Errorf("rebalance timeout %d, session timeout %d; want max.poll.interval.ms 12345 and session.timeout.ms 6789",
				join.RebalanceTimeoutMillis, join.SessionTimeoutMillis)
		}
		stop()
	}
}

// TestRangeIsEager: by default a second member makes the first give up everything, as Java's does.
func TestRangeIsEager(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 2, nil)
	first := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, nil)
	first.start(t)
	until(t, "the first member owns both", func() bool { return first.owns() == 2 })
	second := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, nil)
	second.start(t)
	until(t, "each owns one", func() bool { return first.owns() == 1 && second.owns() == 1 })
	if got := first.told()[:2]; !cmp.Equal(got, []string{"assigned 0,1", "revoked 0,1"}) {
		t.Errorf("the first member was told %v", got)
	}
}

// TestCooperative: with the cooperative assignor alone, only what moves is revoked.
func TestCooperative(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 2, nil)
	overrides := map[string]string{"partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}
	first := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides)
	first.start(t)
	until(t, "the first member owns both", func() bool { return first.owns() == 2 })
	second := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides)
	second.start(t)
	until(t, "each owns one", func() bool { return first.owns() == 1 && second.owns() == 1 })
	for _, e := range first.told() {
		if e == "revoked 0,1" {
			t.Errorf("the first member was told %v", first.told())
		}
	}
}

func TestServerSideGroup(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 2, nil)
	send(t, bootstrap, topic, "1")
	overrides := map[string]string{"group.protocol": "consumer", "group.remote.assignor": "range"}
	props := ConsumerProps(map[string]string{bootstrapKey: bootstrap}, topic, "test", overrides)
	s := &sink{assigned: map[connect.TopicPartition]bool{}}
	c, err := NewConsumer(props, GroupOptions{Topics: []string{topic}, Events: s.handlers()})
	if err != nil {
		t.Fatal(err)
	}
	s.Consumer = c
	s.start(t)
	until(t, "the record is read", func() bool { return s.got() == "1" && s.owns() == 2 })
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{"connect-" + topic}
	resp, err := req.RequestWith(limited(t), s.Client())
	if err != nil {
		t.Fatal(err)
	}
	if g := resp.Groups[0]; g.ErrorCode != 0 || g.AssignorName != "range" {
		t.Errorf("the group is described as %+v", g)
	}
}

// TestMaxPollInterval: who holds on to records for too long loses the partitions, to others at once and, when it polls again,
// by being told so. It is not told that they are revoked, and gets new ones afterwards.
func TestMaxPollInterval(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			bootstrap := startBroker(t, kfake.BrokerConfigs(map[string]string{"group.consumer.heartbeat.interval.ms": "100"}))
			topic := newTopic(t, admin(t, bootstrap), 1, nil)
			send(t, bootstrap, topic, "1")
			overrides := map[string]string{"max.poll.interval.ms": "400", "group.protocol": protocol}
			group := func(member *sink) *sink {
				props := ConsumerProps(map[string]string{bootstrapKey: bootstrap}, topic, "test", overrides)
				if protocol == "classic" {
					props["heartbeat.interval.ms"] = "100"
				}
				c, err := NewConsumer(props, GroupOptions{Topics: []string{topic}, Events: member.handlers()})
				if err != nil {
					t.Fatal(err)
				}
				member.Consumer = c
				return member
			}
			slow := group(&sink{assigned: map[connect.TopicPartition]bool{}, hold: make(chan struct{})})
			slow.start(t)
			until(t, "the slow member has the record", func() bool { return slow.got() == "1" })
			quick := group(&sink{assigned: map[connect.TopicPartition]bool{}})
			stop := quick.start(t)
			until(t, "the other member has it, too", func() bool { return quick.got() == "1" })
			if got := slow.told(); !cmp.Equal(got, []string{"assigned 0"}) {
				t.Errorf("while it was busy, the slow member was told %v", got)
			}
			close(slow.hold)
			until(t, "the slow member learns of it", func() bool { return len(slow.told()) > 1 })
			if got := slow.told()[1]; got != "lost 0" {
				t.Errorf("the slow member was told %q", got)
			}
			stop()
			until(t, "the slow member is back", func() bool { return slow.owns() == 1 })
		})
	}
}

// TestEventsKeepTheirTurn: between a poll, also one without records, and AllowRebalance nothing is told.
func TestEventsKeepTheirTurn(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, nil)
	defer s.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.Poll(ended) // starts the member
	until(t, "the group is joined", func() bool {
		_, generation := s.Client().GroupMetadata()
		return generation >= 0
	})
	if got := s.told(); len(got) > 0 {
		t.Errorf("told %v before its turn", got)
	}
	s.AllowRebalance()
	until(t, "the assignment is told", func() bool { return len(s.told()) == 1 })
}

// TestStaticMember: a member with group.instance.id comes back to its partitions without a rebalance.
func TestStaticMember(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 2, nil)
	overrides := func(name string) map[string]string { return map[string]string{"group.instance.id": name} }
	stays := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides("a"))
	stays.start(t)
	until(t, "the first member owns both and leads", func() bool { return stays.owns() == 2 })
	goes := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides("b"))
	stop := goes.start(t)
	until(t, "each owns one", func() bool { return stays.owns() == 1 && goes.owns() == 1 })
	before := stays.told()
	stop()
	back := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides("b"))
	back.start(t)
	until(t, "the member is back", func() bool { return back.owns() == 1 })
	if diff := cmp.Diff(before, stays.told()); diff != "" {
		t.Errorf("the other member noticed: -before +after\n%s", diff)
	}
}

// TestTopicIsCreatedForConsumers: consuming creates a topic unless allow.auto.create.topics says otherwise.
func TestTopicIsCreatedForConsumers(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	exists := func(topic string) bool {
		m, err := a.ListTopics(limited(t), topic)
		return err == nil && m.Has(topic)
	}
	wanted, unwanted := unique(t), unique(t)+"-not"
	newSink(t, bootstrap, unwanted, GroupOptions{Topics: []string{unwanted}}, map[string]string{"allow.auto.create.topics": "false"}).start(t)
	newSink(t, bootstrap, wanted, GroupOptions{Topics: []string{wanted}}, nil).start(t)
	until(t, "the topic is created", func() bool { return exists(wanted) })
	if exists(unwanted) {
		t.Error("the other topic was created, too")
	}
}

// TestPattern: topics join within metadata.max.age.ms, leave when they are deleted, and internal ones stay out.
func TestPattern(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := admin(t, bootstrap)
	prefix := unique(t)
	createTopic(t, a, prefix+"-a", 1, nil)
	createTopic(t, a, prefix+"-no", 1, nil)
	send(t, bootstrap, prefix+"-a", "1")
	send(t, bootstrap, prefix+"-no", "never")
	var log buffer
	s := newSink(t, bootstrap, prefix, GroupOptions{Log: textLog(&log), Match: func(topic string) (bool, error) {
		if strings.HasSuffix(topic, "-odd") {
			return true, errors.New("cannot match")
		}
		return strings.HasPrefix(topic, prefix+"-") && !strings.HasSuffix(topic, "-no") || strings.HasPrefix(topic, "__"), nil
	}}, map[string]string{"metadata.max.age.ms": "100"})
	s.start(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	until(t, "the first topic is read", func() bool { return s.got() == "1" })
	createTopic(t, a, prefix+"-odd", 1, nil)
	createTopic(t, a, prefix+"-b", 1, nil)
	send(t, bootstrap, prefix+"-b", "2")
	until(t, "the new topic is read", func() bool { return strings.HasSuffix(s.got(), "2") })
	topics := func() string {
		got := s.Client().GetConsumeTopics()
		slices.Sort(got)
		return strings.Join(got, " ")
	}
	if got, want := topics(), prefix+"-a "+prefix+"-b"; got != want {
		t.Errorf("consumed are %s, want %s", got, want)
	}
	if _, err := a.DeleteTopics(limited(t), prefix+"-a"); err != nil {
		t.Fatal(err)
	}
	until(t, "the deleted topic is left", func() bool { return topics() == prefix+"-b" })
}

// TestSift: what Java deals with inside its poll does not reach the task.
func TestSift(t *testing.T) {
	t.Parallel()
	c, err := NewConsumer(member, GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, test := range []struct {
		err  error
		want bool
	}{
		{context.DeadlineExceeded, false},
		{kgo.ErrClientClosed, false},
		{&kgo.ErrDataLoss{Topic: "t"}, false},
		{kerr.UnknownTopicOrPartition, false},
		{&kgo.ErrGroupSession{Err: kerr.UnknownMemberID}, false},
		{&kgo.ErrGroupSession{Err: kerr.IllegalGeneration}, false},
		{&kgo.ErrGroupSession{Err: kerr.FencedInstanceID}, true},
		{&kgo.ErrGroupSession{Err: kerr.GroupAuthorizationFailed}, true},
		{&kgo.ErrGroupSession{Err: kerr.InconsistentGroupProtocol}, true},
		{kerr.TopicAuthorizationFailed, true},
		{errors.New("a batch cannot be decompressed"), true},
	} {
		f := c.sift(kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "t", Partitions: []kgo.FetchPartition{
			{Partition: 0, Err: test.err},
			{Partition: 1, Records: []*kgo.Record{{Value: []byte("v")}}},
		}}}}})
		if f.NumRecords() != 1 {
			t.Errorf("%v: the records are gone", test.err)
		}
		if got := f.Err() != nil; got != test.want {
			t.Errorf("%v: reported %v, want %v", test.err, got, test.want)
		}
	}
}

func TestCloseWithoutBroker(t *testing.T) {
	t.Parallel()
	c, err := NewConsumer(member, GroupOptions{Topics: []string{"t"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if f := c.Poll(ctx); f.Err() != nil {
		t.Errorf("poll without a broker: %v", f.Err())
	}
	c.Close()
}
