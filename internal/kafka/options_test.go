package kafka

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	basics = map[string]string{"bootstrap.servers": "127.0.0.1:1"}
	member = map[string]string{"bootstrap.servers": "127.0.0.1:1", "group.id": "g"}
)

func producerError(props map[string]string) error {
	_, err := NewProducer(with(basics, props), nil)
	return err
}

func consumerError(props map[string]string) error {
	_, err := NewConsumer(with(member, props), GroupOptions{})
	return err
}

func adminError(props map[string]string) error {
	_, err := NewAdmin(with(basics, props), nil)
	return err
}

// TestViolations holds the texts of the Java clients of 4.3.1.
func TestViolations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		client     func(map[string]string) error
		key, value string
		want       string
	}{
		{producerError, "linger.ms", "abc", "Invalid value abc for configuration linger.ms: Not a number of type LONG"},
		{producerError, "linger.ms", "-1", "Invalid value -1 for configuration linger.ms: Value must be at least 0"},
		{producerError, "acks", "5", "Invalid value 5 for configuration acks: String must be one of: all, -1, 0, 1"},
		{
			producerError, "enable.idempotence", "yes",
			"Invalid value yes for configuration enable.idempotence: Expected value to be either true or false",
		},
		{
			producerError, "compression.type", "x",
			"Invalid value x for configuration compression.type: String must be one of: none, gzip, snappy, lz4, zstd",
		},
		{
			producerError, "compression.gzip.level", "44",
			"Invalid value 44 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
		},
		{
			producerError, "security.protocol", "x", "Invalid value x for configuration security.protocol: " +
				"String must be one of (case insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT",
		},
		{producerError, "batch.size", "99999999999", "Invalid value 99999999999 for configuration batch.size: Not a number of type INT"},
		{
			producerError, "max.in.flight.requests.per.connection", "0",
			"Invalid value 0 for configuration max.in.flight.requests.per.connection: Value must be at least 1",
		},
		{producerError, "delivery.timeout.ms", "1", "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms"},
		{producerError, "bootstrap.servers", "", "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value"},
		{producerError, "bootstrap.servers", "nohost", "Invalid url in bootstrap.servers: nohost"},
		{producerError, "bootstrap.servers", "a:99999", "Invalid port in bootstrap.servers: a:99999"},
		{consumerError, "session.timeout.ms", "x", "Invalid value x for configuration session.timeout.ms: Not a number of type INT"},
		{consumerError, "max.poll.records", "0", "Invalid value 0 for configuration max.poll.records: Value must be at least 1"},
		{consumerError, "heartbeat.interval.ms", "99999", "Heartbeat must be set lower than the session timeout"},
		{consumerError, "group.instance.id", "", "Invalid value  for configuration group.instance.id: String must be non-empty"},
		{
			consumerError, "isolation.level", "x",
			"Invalid value x for configuration isolation.level: String must be one of: read_committed, read_uncommitted",
		},
		{
			consumerError, "auto.offset.reset", "by_duration:x", "Invalid value by_duration:x for configuration auto.offset.reset: " +
				"Invalid value `by_duration:x` for configuration auto.offset.reset. The value must be either 'earliest', 'latest', " +
				"'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.",
		},
		{
			consumerError, "group.protocol", "x",
			"Invalid value x for configuration group.protocol: String must be one of (case insensitive): CONSUMER, CLASSIC",
		},
		{adminError, "request.timeout.ms", "x", "Invalid value x for configuration request.timeout.ms: Not a number of type INT"},
	} {
		err := c.client(map[string]string{c.key: c.value})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s=%s: %v\nwant %s", c.key, c.value, err, c.want)
		}
	}
}

func TestExclusions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		client func(map[string]string) error
		props  map[string]string
		want   string
	}{
		{
			producerError,
			map[string]string{"transactional.id": "x", "enable.idempotence": "false"},
			"Cannot set a transactional.id without also enabling idempotence.",
		},
		{
			producerError,
			map[string]string{"enable.idempotence": "true", "acks": "1"},
			"Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.",
		},
		{
			producerError,
			map[string]string{"enable.idempotence": "true", "max.in.flight.requests.per.connection": "6"},
			"To use the idempotent producer, max.in.flight.requests.per.connection must be set to at most 5. Current value is 6.",
		},
		{
			consumerError,
			map[string]string{"group.protocol": "consumer", "session.timeout.ms": "10000"},
			"session.timeout.ms cannot be set when group.protocol=CONSUMER",
		},
		{
			consumerError,
			map[string]string{"group.protocol": "CONSUMER", "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor"},
			"partition.assignment.strategy cannot be set when group.protocol=CONSUMER",
		},
	} {
		if err := c.client(c.props); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v\nwant %s", c.props, err, c.want)
		}
	}
	// Without saying so, Java gives up idempotence rather than refuse.
	if err := producerError(map[string]string{"acks": "1"}); err != nil {
		t.Errorf("acks=1: %v", err)
	}
}

// TestRefused lists what would change the result if it were ignored.
func TestRefused(t *testing.T) {
	t.Parallel()
	sasl := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN"}
	tls := map[string]string{"security.protocol": "ssl"}
	for _, c := range []struct {
		client     func(map[string]string) error
		base       map[string]string
		key, value string
		mention    string // besides the key
	}{
		{producerError, nil, "interceptor.classes", "com.X", "com.X"},
		{consumerError, nil, "interceptor.classes", "com.X,com.Y", "com.X, com.Y"},
		{producerError, nil, "partitioner.class", "com.X", "RoundRobinPartitioner"},
		{producerError, nil, "transaction.two.phase.commit.enable", "true", "not supported"},
		{consumerError, nil, "partition.assignment.strategy", "com.X", "CooperativeStickyAssignor"},
		{consumerError, nil, "partition.assignment.strategy", "", "at least one"},
		{consumerError, nil, "group.id", "", "must be set"},
		{consumerError, map[string]string{"group.protocol": "consumer"}, "group.remote.assignor", "x", "uniform and range"},
		{producerError, sasl, "sasl.mechanism", "GSSAPI", "SCRAM-SHA-512"},
		{producerError, sasl, "sasl.mechanism", "OAUTHBEARER", "SCRAM-SHA-512"},
		{producerError, sasl, "sasl.jaas.config", "garbage", "semicolon"},
		{producerError, sasl, "sasl.jaas.config", "", "required username"},
		{producerError, sasl, "sasl.client.callback.handler.class", "com.X", "com.X"},
		{producerError, tls, "ssl.truststore.location", "/nowhere.jks", "ssl.truststore.type"},
		{producerError, tls, "ssl.keystore.location", "/nowhere.jks", "ssl.keystore.type"},
		{producerError, tls, "ssl.engine.factory.class", "com.X", "com.X"},
		{producerError, tls, "ssl.cipher.suites", "TLS_NONE", "TLS_NONE"},
		{producerError, tls, "ssl.enabled.protocols", "SSLv3", "TLSv1.3"},
		{producerError, tls, "ssl.endpoint.identification.algorithm", "ldaps", "https"},
	} {
		err := c.client(with(with(map[string]string{}, c.base), map[string]string{c.key: c.value}))
		if err == nil {
			t.Errorf("%s=%s was accepted", c.key, c.value)
			continue
		}
		text := err.Error()
		if strings.HasSuffix(c.mention, "store.type") {
			text += c.key
		}
		if !strings.Contains(text, c.key) || !strings.Contains(text, c.mention) {
			t.Errorf("%s=%s: %v\nwant it to name the key and %s", c.key, c.value, err, c.mention)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	p, err := NewProducer(with(basics, map[string]string{
		"batch.size": "1000", "metrics.num.samples": "3", "unknown.key": "x", "linger.ms": "1", "key.serializer": "com.X",
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	want := []string{"batch.size", "key.serializer", "metrics.num.samples"}
	if diff := cmp.Diff(want, keysOf(p.Notes())); diff != "" {
		t.Errorf("producer: -want +got\n%s", diff)
	}
	c, err := NewConsumer(with(member, map[string]string{"enable.auto.commit": "true", "auto.commit.interval.ms": "1"}), GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if diff := cmp.Diff([]string{"auto.commit.interval.ms", "enable.auto.commit"}, keysOf(c.Notes())); diff != "" {
		t.Errorf("consumer: -want +got\n%s", diff)
	}
	for _, n := range slices.Concat(p.Notes(), c.Notes()) {
		if n.Reason == "" || strings.HasSuffix(n.Reason, ".") {
			t.Errorf("%s: %q is no sentence without a full stop", n.Key, n.Reason)
		}
	}
}

func keysOf(notes []Note) []string {
	var out []string
	for _, n := range notes {
		out = append(out, n.Key)
	}
	slices.Sort(out)
	return out
}

// TestProducerMapping looks at what franz-go was told.
func TestProducerMapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		props  map[string]string
		option any
		want   any
	}{
		{nil, kgo.ProducerLinger, 5 * time.Millisecond},
		{map[string]string{"linger.ms": "20"}, kgo.ProducerLinger, 20 * time.Millisecond},
		{map[string]string{"linger.ms": "9999999"}, kgo.ProducerLinger, time.Minute},
		{nil, kgo.MaxBufferedBytes, int64(33554432)},
		{nil, kgo.MaxBufferedRecords, int64(50000)},
		{map[string]string{"buffer.memory": "67108864"}, kgo.MaxBufferedRecords, int64(100000)},
		{map[string]string{"buffer.memory": "1048576"}, kgo.MaxBufferedBytes, int64(1048576)},
		{map[string]string{"buffer.memory": "1048576"}, kgo.MaxBufferedRecords, int64(1562)},
		{nil, kgo.RecordDeliveryTimeout, 2 * time.Minute},
		{map[string]string{"delivery.timeout.ms": "2147483647"}, kgo.RecordDeliveryTimeout, time.Duration(0)},
		{map[string]string{"request.timeout.ms": "7000"}, kgo.ProduceRequestTimeout, 7 * time.Second},
		{map[string]string{"request.timeout.ms": "7000"}, kgo.RequestTimeoutOverhead, 7 * time.Second},
		{map[string]string{"enable.idempotence": "false"}, kgo.DisableIdempotentWrite, true},
		{nil, kgo.DisableIdempotentWrite, false},
		{map[string]string{"acks": "1"}, kgo.DisableIdempotentWrite, true},
		{map[string]string{"acks": "0"}, kgo.RequiredAcks, kgo.NoAck()},
		{map[string]string{"acks": "1"}, kgo.RequiredAcks, kgo.LeaderAck()},
		{nil, kgo.RequiredAcks, kgo.AllISRAcks()},
		{
			map[string]string{"enable.idempotence": "false", "max.in.flight.requests.per.connection": "3"},
			kgo.MaxProduceRequestsInflightPerBroker, 3,
		},
		{map[string]string{"connections.max.idle.ms": "-1"}, kgo.ConnIdleTimeout, 15 * time.Minute},
		{map[string]string{"metadata.max.age.ms": "1000"}, kgo.MetadataMaxAge, time.Second},
		{map[string]string{"transactional.id": "x"}, kgo.TransactionTimeout, time.Minute},
		{nil, kgo.AllowAutoTopicCreation, true},
		{map[string]string{"client.id": "me"}, kgo.ClientID, "me"},
	} {
		set, err := readProducer(with(basics, c.props), discard(nil))
		if err != nil {
			t.Errorf("%v: %v", c.props, err)
			continue
		}
		if got := optionOf(t, set.opts, c.option); !cmp.Equal(got, c.want, cmp.AllowUnexported(kgo.Acks{})) {
			t.Errorf("%v: got %v, want %v", c.props, got, c.want)
		}
	}
}

func TestConsumerMapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		props  map[string]string
		option any
		want   any
	}{
		{nil, kgo.FetchMaxBytes, int32(8 << 20)},
		{map[string]string{"fetch.max.bytes": "52428800"}, kgo.FetchMaxBytes, int32(52428800)},
		{map[string]string{"fetch.max.bytes": "1000"}, kgo.FetchMaxBytes, int32(1000)},
		{nil, kgo.FetchMaxWait, 500 * time.Millisecond},
		{map[string]string{"fetch.min.bytes": "77"}, kgo.FetchMinBytes, int32(77)},
		{map[string]string{"max.partition.fetch.bytes": "5000"}, kgo.FetchMaxPartitionBytes, int32(5000)},
		{map[string]string{"max.poll.interval.ms": "60000"}, kgo.RebalanceTimeout, time.Minute},
		{map[string]string{"session.timeout.ms": "6000"}, kgo.SessionTimeout, 6 * time.Second},
		{map[string]string{"heartbeat.interval.ms": "500"}, kgo.HeartbeatInterval, 500 * time.Millisecond},
		{map[string]string{"client.rack": "r"}, kgo.Rack, "r"},
		{map[string]string{"check.crcs": "false"}, kgo.DisableFetchCRCValidation, true},
		{map[string]string{"allow.auto.create.topics": "false"}, kgo.AllowAutoTopicCreation, false},
		{nil, kgo.AllowAutoTopicCreation, true},
		{nil, kgo.DisableAutoCommit, true},
		{map[string]string{"group.protocol": "consumer"}, kgo.ServerSideBalancer, true},
		{nil, kgo.ServerSideBalancer, false},
		{map[string]string{"auto.offset.reset": "latest"}, kgo.ConsumeResetOffset, kgo.NewOffset().AtEnd()},
		{map[string]string{"auto.offset.reset": "earliest"}, kgo.ConsumeStartOffset, kgo.NewOffset().AtStart()},
		{map[string]string{"auto.offset.reset": "none"}, kgo.ConsumeResetOffset, kgo.NoResetOffset()},
		{
			map[string]string{"auto.offset.reset": "by_duration:P1DT2H3M4.5S"},
			kgo.ConsumeStartOffset,
			kgo.LookbackOffset(26*time.Hour + 3*time.Minute + 4500*time.Millisecond),
		},
	} {
		consumer, err := NewConsumer(with(member, c.props), GroupOptions{Topics: []string{"t"}})
		if err != nil {
			t.Errorf("%v: %v", c.props, err)
			continue
		}
		if got := optionOf(t, consumer.set.opts, c.option); !cmp.Equal(got, c.want, cmp.AllowUnexported(kgo.Offset{})) {
			t.Errorf("%v: got %v, want %v", c.props, got, c.want)
		}
	}
}

// optionOf asks a client, which is not connected, for the value of an option.
func optionOf(t *testing.T, opts []kgo.Opt, option any) any {
	t.Helper()
	c, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.OptValue(option)
}
