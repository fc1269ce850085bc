package system

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/test/bed"
)

// startCase is a start of a distributed worker that cannot come to anything.
type startCase struct {
	name    string
	changes map[string]string
	before  func(b *startBroker, props map[string]string) // makes what stands in the way
	code    int
	want    []string // in the sentence; $group stands for group.id
}

// startBroker is what tests do to a broker before a worker starts.
type startBroker struct {
	*testing.T
	address string
	*kadm.Client
}

func newStartBroker(t *testing.T, address string) *startBroker {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return &startBroker{t, address, kadm.NewClient(cl)}
}

// topic creates a topic.
func (b *startBroker) topic(name string, partitions int32, policy string) {
	b.Helper()
	_, err := b.CreateTopic(b.Context(), partitions, 1, map[string]*string{"cleanup.policy": &policy}, name)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		b.Fatal(err)
	}
}

// consume keeps a consumer in a group for the length of the test.
func (b *startBroker) consume(group string, opts ...kgo.Opt) {
	b.Helper()
	topic := bed.Name(b, "consumed")
	b.topic(topic, 1, "delete")
	joined := make(chan struct{})
	cl, err := kgo.NewClient(append(opts,
		kgo.SeedBrokers(b.address), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { close(joined) }))...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cl.Close)
	select {
	case <-joined:
	case <-b.Context().Done():
		b.Fatal("the consumer has not joined its group")
	}
}

// distributedProps returns a distributed worker's configuration with changes; an empty value removes a key.
func distributedProps(t *testing.T, bootstrap string, changes map[string]string) map[string]string {
	t.Helper()
	props := bed.DistributedProperties(bed.Name(t, "start"))
	maps.Copy(props, map[string]string{
		"bootstrap.servers": bootstrap, "listeners": "http://127.0.0.1:0",
		"key.converter":             "org.apache.kafka.connect.storage.StringConverter",
		"value.converter":           "org.apache.kafka.connect.storage.StringConverter",
		"offset.storage.partitions": "1", "status.storage.partitions": "1",
	})
	for k, v := range changes {
		if props[k] = strings.ReplaceAll(v, "$group", props["group.id"]); v == "" {
			delete(props, k)
		}
	}
	return props
}

// check starts a worker and expects its end, with one sentence for whoever has started it.
func (c startCase) check(t *testing.T, address string) {
	t.Helper()
	b := newStartBroker(t, address)
	props := distributedProps(t, address, c.changes)
	if c.before != nil {
		c.before(b, props)
	}
	w := bed.Millrace(t, "distributed", properties(t, props))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	code, err := w.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if code != c.code {
		t.Errorf("exit code %d, want %d", code, c.code)
	}
	var said []string
	for line := range strings.Lines(w.Output()) {
		if strings.HasPrefix(line, "millrace: ") {
			said = append(said, line)
		}
	}
	if len(said) != 1 || !strings.HasSuffix(w.Output(), said[0]) {
		t.Fatalf("the worker has said %q, want one line, the last", said)
	}
	for _, want := range c.want {
		if want = strings.ReplaceAll(want, "$group", props["group.id"]); !strings.Contains(said[0], want) {
			t.Errorf("the sentence lacks %q:\n%s", want, said[0])
		}
	}
}

func checkStarts(t *testing.T, address string, cases []startCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t, address)
		})
	}
}

// Short limits for what is tried again for a while.
func soon(more map[string]string) map[string]string {
	limits := map[string]string{"default.api.timeout.ms": "1500", "request.timeout.ms": "1000"}
	maps.Copy(limits, more)
	return limits
}

// TestDistributedRefusedAtStart checks that a worker that cannot work ends at once. Its words are those that people search for,
// and the keys those that they have to change.
func TestDistributedRefusedAtStart(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	cases := []startCase{
		{
			name: "config topic with two partitions", code: 1,
			before: func(b *startBroker, props map[string]string) { b.topic(props["config.storage.topic"], 2, "compact") },
			want: []string{"Topic '$group-configs' supplied via the 'config.storage.topic' property is required to have a single partition " +
				"in order to guarantee consistency of connector configurations, but found 2 partitions."},
		},
		{
			name: "replicas for more brokers", code: 1, changes: soon(map[string]string{"offset.storage.replication.factor": ""}),
			want: []string{"Topic '$group-offsets' supplied via the 'offset.storage.topic' property", "3 replicas", "1 broker(s)", "'offset.storage.replication.factor'"},
		},
		{
			name: "unknown setting of a topic", code: 1, changes: map[string]string{"status.storage.retention": "1"},
			want: []string{"'$group-status' supplied via the 'status.storage.topic' property", "Unknown topic config name: retention", "remove 'status.storage.retention'"},
		},
		{
			name: "wrong setting of a topic", code: 1, changes: map[string]string{"offset.storage.segment.bytes": "many"},
			want: []string{"'$group-offsets' supplied via the 'offset.storage.topic' property", "Invalid value many for configuration segment.bytes", "Correct or remove 'offset.storage.segment.bytes'"},
		},
		{
			name: "name that topics cannot have", code: 1, changes: map[string]string{"config.storage.topic": "my configs"},
			want: []string{"'my configs' supplied via the 'config.storage.topic' property", "Set 'config.storage.topic' to another name"},
		},
		{
			name: "session that brokers do not accept", code: 1, changes: map[string]string{"session.timeout.ms": "7200000"},
			want: []string{"'$group'", "session.timeout.ms=7200000", "group.max.session.timeout.ms"},
		},
		{
			name: "group of a consumer", code: 1,
			before: func(b *startBroker, props map[string]string) { b.consume(props["group.id"]) },
			want:   []string{"'$group'", "group.id", "consumer group"},
		},
		{
			name: "group of a consumer of KIP-848", code: 1,
			before: func(b *startBroker, props map[string]string) { b.consume(props["group.id"], kgo.ServerSideBalancer()) },
			want:   []string{"'$group'", "group.id", "consumer group"},
		},
		{
			name: "topic with two uses", code: 2, changes: map[string]string{"status.storage.topic": "$group-configs"},
			want: []string{"status.storage.topic", "$group-configs", "config.storage.topic"},
		},
		{
			name: "no group", code: 2, changes: map[string]string{"group.id": ""},
			want: []string{`Missing required configuration "group.id" which has no default value.`},
		},
		{
			name: "port in use", code: 2, changes: map[string]string{"listeners": "http://" + taken.Addr().String()},
			want: []string{"cannot listen on http://" + taken.Addr().String(), "listeners="},
		},
		{
			name: "no broker", code: 2, changes: soon(map[string]string{"bootstrap.servers": "127.0.0.1:1"}),
			want: []string{"Kafka cannot be reached at 127.0.0.1:1 within 1.5s", "connection refused", "bootstrap.servers"},
		},
		{
			name: "another protocol than the brokers'", code: 2, changes: soon(map[string]string{"security.protocol": "SSL"}),
			want: []string{"Kafka cannot be reached at ", "bootstrap.servers", "security.protocol"},
		},
		{
			name: "less time for all tries than for one", code: 2, changes: map[string]string{"default.api.timeout.ms": "1000", "request.timeout.ms": "1500"},
			want: []string{"The specified value of default.api.timeout.ms must be no smaller than the value of request.timeout.ms."},
		},
	}
	for use, purpose := range map[string]string{
		"config": "connector configurations", "offset": "source connector offsets", "status": "connector and task statuses",
	} {
		key := use + ".storage.topic"
		for _, policy := range []string{"delete", "compact,delete"} {
			cases = append(cases, startCase{
				name: fmt.Sprintf("%s topic with %s", use, policy), code: 1,
				before: func(b *startBroker, props map[string]string) { b.topic(props[key], 1, policy) },
				want: []string{"Topic '$group-" + use, " supplied via the '" + key + "' property is required to have 'cleanup.policy=compact' to guarantee " +
					"consistency and durability of " + purpose + ", but found the topic currently has 'cleanup.policy=" + policy + "'."},
			})
		}
	}
	checkStarts(t, bed.SharedBroker(t), cases)
}

// anonymous is the principal of clients that do not log in.
const anonymous = "User:ANONYMOUS"

func (b *startBroker) acl(rule *kadm.ACLBuilder) {
	b.Helper()
	results, err := b.CreateACLs(b.Context(), rule.ResourcePatternType(kadm.ACLPatternLiteral))
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			b.Fatal(r.Err)
		}
	}
}

// deny takes rights away. All others stay, which they would not by themselves: rights that nobody has ruled on are everybody's.
func (b *startBroker) deny(on func() *kadm.ACLBuilder, rights ...kadm.ACLOperation) {
	b.Helper()
	b.acl(on().Allow(anonymous).Operations(kadm.OpAll))
	b.acl(on().Deny(anonymous).Operations(rights...))
}

func (b *startBroker) denyTopic(name string, rights ...kadm.ACLOperation) {
	b.Helper()
	b.deny(func() *kadm.ACLBuilder { return kadm.NewACLs().Topics(name) }, rights...)
}

func (b *startBroker) denyGroup(name string, rights ...kadm.ACLOperation) {
	b.Helper()
	b.deny(func() *kadm.ACLBuilder { return kadm.NewACLs().Groups(name) }, rights...)
}

// TestRightsAtStart checks what a worker says that lacks rights on a broker.
func TestRightsAtStart(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	bed.LockJVM(t)
	broker := bed.NewBroker(t, bed.BrokerOptions{Fast: true, Properties: map[string]string{
		"authorizer.class.name":          "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"allow.everyone.if.no.acl.found": "true",
	}})
	address := broker.Bootstrap()
	newStartBroker(t, address).deny(func() *kadm.ACLBuilder { return kadm.NewACLs().Clusters() }, kadm.OpCreate)
	onTopic := func(exists bool, rights ...kadm.ACLOperation) func(*startBroker, map[string]string) {
		return func(b *startBroker, props map[string]string) {
			b.Helper()
			if exists {
				b.topic(props["config.storage.topic"], 1, "compact")
			}
			b.denyTopic(props["config.storage.topic"], rights...)
		}
	}
	const named = "opic '$group-configs' supplied via the 'config.storage.topic' property"
	cases := []startCase{
		{
			name: "topic that may not be created", code: 1, changes: soon(nil), before: onTopic(false, kadm.OpCreate),
			want: []string{named + " does not exist", "may not create it", "'cleanup.policy=compact'", "Create"},
		},
		{name: "topic that may not be seen", code: 1, before: onTopic(true, kadm.OpDescribe), want: []string{named, "Describe"}},
		{name: "topic without any right", code: 1, before: onTopic(true, kadm.OpAll), want: []string{named, "Describe", "Read"}},
		{name: "topic that may not be read", code: 1, before: onTopic(true, kadm.OpRead), want: []string{named, "Read"}},
		{
			name: "group that may not be joined", code: 1,
			before: func(b *startBroker, props map[string]string) { b.denyGroup(props["group.id"], kadm.OpRead) },
			want:   []string{"group '$group'", "group.id", "Read"},
		},
		{
			name: "group that may not be seen", code: 1,
			before: func(b *startBroker, props map[string]string) { b.denyGroup(props["group.id"], kadm.OpDescribe) },
			want:   []string{"group '$group'", "group.id", "Read"},
		},
	}
	checkStarts(t, address, cases)
	t.Run("topic whose policy may not be seen", func(t *testing.T) {
		t.Parallel()
		b := newStartBroker(t, address)
		props := distributedProps(t, address, map[string]string{"listeners": ""})
		onTopic(true, kadm.OpDescribeConfigs)(b, props)
		w := bed.NewMillraceWorker(t, address, props)
		if want := "cleanup.policy of a topic of the worker cannot be read"; !strings.Contains(w.Output(), want) {
			t.Errorf("the log lacks %q", want)
		}
		ended(t, w)
	})
}

// ended expects a worker to end well when it is told to.
func ended(t *testing.T, w *bed.MillraceWorker) {
	t.Helper()
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	if code := w.ExitCode(); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}

// TestWaitingForKafka checks that a worker can be asked, and stopped, while it waits for what it needs to start.
func TestWaitingForKafka(t *testing.T) {
	bed.Require(t)
	t.Parallel()
	for _, tc := range []struct {
		name, bootstrap, sign string
		changes               map[string]string
	}{
		{name: "no broker", bootstrap: bed.Address(bed.Port(t)), sign: "cannot reach Kafka"},
		{
			name: "too few brokers", bootstrap: bed.SharedBroker(t), sign: "'config.storage.replication.factor'",
			changes: map[string]string{"config.storage.replication.factor": "2"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			changes := map[string]string{"listeners": ""}
			maps.Copy(changes, tc.changes)
			w := bed.StartMillraceWorker(t, tc.bootstrap, distributedProps(t, tc.bootstrap, changes))
			bed.Poll(t, patience, "the log to say what is missing", func() (bool, string) {
				return strings.Contains(w.Output(), tc.sign), w.Tail(5)
			})
			if code, answer := w.Call(http.MethodGet, "/", nil); code != http.StatusOK || !strings.Contains(answer, `"kafka_cluster_id":`) {
				t.Errorf("GET / answers %d %s", code, answer)
			}
			code, answer := w.Call(http.MethodGet, "/health", nil)
			if want := `{"status":"starting","message":"Worker is still starting up.`; code != http.StatusServiceUnavailable || !strings.HasPrefix(answer, want) {
				t.Errorf("GET /health answers %d %s, want 503 %s", code, answer, want)
			}
			ended(t, w)
		})
	}
}
