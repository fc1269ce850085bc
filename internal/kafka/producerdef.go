package kafka

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/config"
)

var (
	producerDef    = config.New()
	producerCommon = defineCommon(producerDef, 540_000, 32_768, true)

	acks          = producerDef.String("acks", config.Default("all"), config.OneOf("all", "-1", "0", "1"))
	linger        = producerDef.Long("linger.ms", config.Default(5), nonNegative)
	batchSize     = producerDef.Int("batch.size", config.Default(16_384), nonNegative)
	maxRequestKey = producerDef.Int("max.request.size", config.Default(1_048_576), nonNegative)
	bufferMemory  = producerDef.Long("buffer.memory", config.Default(defaultBuffer), nonNegative)
	compression   = producerDef.String("compression.type", config.Default("none"),
		config.OneOf("none", "gzip", "snappy", "lz4", "zstd"))
	gzipLevel   = producerDef.Int("compression.gzip.level", config.Default(-1), config.Validator(checkGzip))
	lz4Level    = producerDef.Int("compression.lz4.level", config.Default(9), config.Between(1, 17))
	zstdLevel   = producerDef.Int("compression.zstd.level", config.Default(3), config.Between(-131_072, 22))
	maxBlock    = producerDef.Long("max.block.ms", config.Default(60_000), nonNegative)
	delivery    = producerDef.Int("delivery.timeout.ms", config.Default(120_000), nonNegative)
	retries     = producerDef.Int("retries", config.Default(math.MaxInt32), config.Between(0, math.MaxInt32))
	inFlight    = producerDef.Int("max.in.flight.requests.per.connection", config.Default(5), config.AtLeast(1))
	idempotence = producerDef.Boolean("enable.idempotence", config.Default(true))
	txnID       = producerDef.String("transactional.id", optional, config.NonEmpty)
	txnTimeout  = producerDef.Int("transaction.timeout.ms", config.Default(60_000))
	twoPhase    = producerDef.Boolean("transaction.two.phase.commit.enable", config.Default(false))
	partitioner = producerDef.Class("partitioner.class", optional)
	ignoreKeys  = producerDef.Boolean("partitioner.ignore.keys", config.Default(false))
	adaptive    = producerDef.Boolean("partitioner.adaptive.partitioning.enable", config.Default(true))
	producerInt = producerDef.List("interceptor.classes", config.Default([]string{}))

	_ = producerDef.Long("partitioner.availability.timeout.ms", config.Default(0), nonNegative)
	_ = producerDef.Long("metadata.max.idle.ms", config.Default(300_000), config.AtLeast(5000))
	_ = producerDef.Class("key.serializer", optional)
	_ = producerDef.Class("value.serializer", optional)
)

var inertProducer = merge(inertCommon, map[string]string{
	batchSize.Name():                      "batches grow up to what max.request.size and the topic's max.message.bytes allow",
	"partitioner.availability.timeout.ms": "partitions without a leader are avoided at once",
	"metadata.max.idle.ms":                "a task keeps the metadata of all topics it produces to",
	"key.serializer":                      "records are bytes when they reach the client",
	"value.serializer":                    "records are bytes when they reach the client",
})

const (
	defaultBuffer  = 32 << 20
	defaultRecords = 50_000

	// minBatch and maxBatch are franz-go's bounds of a batch limit.
	minBatch = 512
	maxBatch = 1 << 30
	// maxWrite is what a broker accepts as one request by default.
	maxWrite = 100 << 20
	// produceBytes bounds a request with the batches of many partitions, which would otherwise take a buffer of a batch
	// limit each. Java bounds it by max.request.size.
	produceBytes = 4 << 20

	defaultPartitioner = "org.apache.kafka.clients.producer.internals.DefaultPartitioner"
	uniformPartitioner = "org.apache.kafka.clients.producer.UniformStickyPartitioner"
	roundRobin         = "org.apache.kafka.clients.producer.RoundRobinPartitioner"
)

func merge(a, b map[string]string) map[string]string {
	out := make(map[string]string, len(a)+len(b))
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

func checkGzip(key string, v any) error {
	const low, high, standard = 1, 9, -1
	if n, ok := v.(int32); ok && n != standard && (n < low || n > high) {
		return config.Invalid(key, v, "Value must be between 1 and 9 or equal to -1")
	}
	return nil
}

// producerSettings are a producer's properties as far as its own code needs them, and the options of its client.
type producerSettings struct {
	opts          []kgo.Opt
	notes         []Note
	maxRequest    int32         // bytes of a request
	maxBlock      time.Duration // how long Produce waits for a topic and for room in the buffer; 0 for ever
	backoff       func(int) time.Duration
	memory        int64 // bytes in the buffer
	records       int64 // records in the buffer
	transactional bool
}

// readProducer maps a producer's properties.
func readProducer(props map[string]string, log *slog.Logger) (*producerSettings, error) {
	s, err := parse(producerDef, props, inertProducer)
	if err != nil {
		return nil, err
	}
	v := s.Values
	p := &producerSettings{maxRequest: maxRequestKey.Of(v), backoff: producerCommon.backoff(s)}
	p.opts = append(producerCommon.options(s, log), kgo.AllowAutoTopicCreation(), kgo.BrokerMaxWriteBytes(max(produceBytes, p.maxRequest)),
		kgo.ProducerLinger(millis(linger.Of(v), 0, time.Minute)),
		kgo.ProduceRequestTimeout(producerCommon.request(s)),
		kgo.UnknownTopicRetries(unknownTries),
		kgo.RecordPartitioner(partitioned{inner: choosePartitioner(s)}),
		kgo.ProducerBatchCompression(codec(s)))
	p.opts = append(p.opts, p.bufferOptions(s)...)
	p.opts = append(p.opts, p.deliveryOptions(s)...)
	p.opts = append(p.opts, p.guarantees(s)...)
	if list := producerInt.Of(v); len(list) > 0 {
		s.refuse(producerInt.Name(), "names the Java class %s, which cannot run in this worker.", strings.Join(list, ", "))
	}
	p.notes = s.notes
	return p, s.err()
}

// bufferOptions bounds bytes by buffer.memory, and records by their number: 50,000 for Java's default memory, in proportion
// for another one.
func (p *producerSettings) bufferOptions(s *settings) []kgo.Opt {
	p.memory = min(max(bufferMemory.Of(s.Values), 1), math.MaxInt)
	p.records = int64(min(max(float64(p.memory)/defaultBuffer*defaultRecords, 1), 100*defaultRecords))
	return []kgo.Opt{kgo.MaxBufferedBytes(int(p.memory)), kgo.MaxBufferedRecords(int(p.records))}
}

// deliveryOptions maps the timeouts. Java's largest numbers mean for ever.
func (p *producerSettings) deliveryOptions(s *settings) []kgo.Opt {
	var opts []kgo.Opt
	if ms := delivery.Of(s.Values); ms != math.MaxInt32 {
		if least := linger.Of(s.Values) + int64(producerCommon.requestTimeout.Of(s.Values)); int64(ms) < least && s.given(delivery.Name()) {
			s.violates(delivery.Name(), "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms")
		}
		opts = append(opts, kgo.RecordDeliveryTimeout(max(time.Duration(ms)*time.Millisecond, time.Second)))
	}
	if n := retries.Of(s.Values); n != math.MaxInt32 {
		opts = append(opts, kgo.RecordRetries(int(n)))
	}
	if ms := maxBlock.Of(s.Values); ms <= math.MaxInt64/int64(time.Millisecond) {
		p.maxBlock = max(time.Duration(ms)*time.Millisecond, 1)
	}
	return opts
}

// mostInFlight is how many requests in flight an idempotent producer may have.
const mostInFlight = 5

// guarantees maps acks, idempotence and transactions.
func (p *producerSettings) guarantees(s *settings) []kgo.Opt {
	v := s.Values
	id, transactional := txnID.Lookup(v)
	p.transactional = transactional
	if twoPhase.Of(v) {
		s.refuse(twoPhase.Name(), "is true, and two-phase commit is not supported.")
	}
	if !idempotent(s) {
		return []kgo.Opt{
			kgo.RequiredAcks(requiredAcks(acks.Of(v))),
			kgo.DisableIdempotentWrite(),
			kgo.MaxProduceRequestsInflightPerBroker(int(inFlight.Of(v))),
		}
	}
	if s.given(inFlight.Name()) && inFlight.Of(v) != mostInFlight {
		s.note(inFlight.Name(), "an idempotent producer keeps the order with up to five requests in flight")
	}
	if !transactional {
		return nil
	}
	return []kgo.Opt{kgo.TransactionalID(id), kgo.TransactionTimeout(time.Duration(txnTimeout.Of(v)) * time.Millisecond)}
}

// idempotent says whether the producer is, with Java's rules for what excludes it: a default gives way, a wish is refused.
func idempotent(s *settings) bool {
	v := s.Values
	_, transactional := txnID.Lookup(v)
	all := acks.Of(v) == "all" || acks.Of(v) == "-1"
	if !s.given(idempotence.Name()) && !transactional {
		return all && inFlight.Of(v) <= mostInFlight && retries.Of(v) > 0
	}
	wanted := idempotence.Of(v)
	switch {
	case !wanted && transactional:
		s.violates(txnID.Name(), "Cannot set a transactional.id without also enabling idempotence.")
	case wanted && !all:
		s.violates(acks.Name(), "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.")
	case wanted && inFlight.Of(v) > mostInFlight:
		s.violates(inFlight.Name(), fmt.Sprintf("To use the idempotent producer, max.in.flight.requests.per.connection must be set to "+
			"at most %d. Current value is %d.", mostInFlight, inFlight.Of(v)))
	}
	return wanted
}

func requiredAcks(text string) kgo.Acks {
	switch text {
	case "0":
		return kgo.NoAck()
	case "1":
		return kgo.LeaderAck()
	default:
		return kgo.AllISRAcks()
	}
}

func codec(s *settings) kgo.CompressionCodec {
	switch v := s.Values; compression.Of(v) {
	case "gzip":
		return kgo.GzipCompression().WithLevel(int(gzipLevel.Of(v)))
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression().WithLevel(lz4Strength(int(lz4Level.Of(v))))
	case "zstd":
		return kgo.ZstdCompression().WithLevel(zstdStrength(int(zstdLevel.Of(v))))
	default:
		return kgo.NoCompression()
	}
}

// lz4Strength maps Java's level to the compressor's. Java's default, 9, is its fastest compressor and not a level of the
// thorough one.
func lz4Strength(level int) int {
	const standard, strongest, fast, first = 9, 9, 0, 1 << 8
	if level == standard {
		return fast
	}
	return first << min(level, strongest)
}

// zstdStrength maps zstd's levels to the four that the compressor has.
func zstdStrength(level int) int {
	switch {
	case level < 3:
		return 1
	case level < 6:
		return 2
	case level < 10:
		return 3
	default:
		return 4
	}
}

func choosePartitioner(s *settings) kgo.Partitioner {
	keys := !ignoreKeys.Of(s.Values)
	// Java moves on after batch.size bytes. Moving on that often would make for small batches here.
	stay := max(int(batchSize.Of(s.Values)), 64<<10)
	switch class, _ := partitioner.Lookup(s.Values); class {
	case "", defaultPartitioner:
		return kgo.UniformBytesPartitioner(stay, adaptive.Of(s.Values), keys, nil)
	case uniformPartitioner:
		return kgo.UniformBytesPartitioner(stay, adaptive.Of(s.Values), false, nil)
	case roundRobin:
		return kgo.RoundRobinPartitioner()
	default:
		s.refuse(partitioner.Name(), "names the Java class %s, which cannot run in this worker; leave it out or use %s.", class, roundRobin)
		return kgo.UniformBytesPartitioner(stay, true, keys, nil)
	}
}

// errTooLarge is Java's message for a record that cannot fit into any request.
func errTooLarge(size int, limit int32) error {
	return fmt.Errorf("The message is %d bytes when serialized which is larger than %d, which is the value of the %s configuration.",
		size, limit, maxRequestKey.Name())
}

// errNoTopic is Java's message for a topic that did not appear in time.
func errNoTopic(topic string, waited time.Duration) error {
	return errors.New("Topic " + topic + " not present in metadata after " + strconv.FormatInt(waited.Milliseconds(), 10) + " ms.")
}

// errNoRoom is Java's message for a buffer that stayed full.
func errNoRoom(need int64, waited time.Duration, total, free int64) error {
	return fmt.Errorf("Failed to allocate %d bytes within the configured max blocking time %d ms. Total memory: %d bytes. Available memory: %d bytes.",
		need, waited.Milliseconds(), total, max(free, 0))
}
