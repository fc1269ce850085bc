package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// reader reads the topic of a [Log]. It makes its own fetch requests, because franz-go's consumer does not tell its position where
// there is nothing to hand out: after aborted records, or where compaction has emptied a batch.
type reader struct {
	topic     string
	committed bool
	fetch     fetchLimits
	backoff   func(int) time.Duration
	age       time.Duration // of what is known about leaders
	apply     func([]LogRecord)
	log       *slog.Logger

	opts   []kgo.Opt
	once   sync.Once
	client *kgo.Client // use conn
	unpack kgo.Decompressor

	mu       sync.Mutex // guards what follows
	position []int64    // by partition; as long as the topic has partitions
	changed  chan struct{}
	id       [16]byte // of the topic, zero if brokers do not say
}

// fetchLimits are a consumer's settings of a fetch.
type fetchLimits struct {
	wait                  time.Duration
	bytes, partitionBytes int32
}

func newReader(o LogOptions) (*reader, error) {
	props := maps.Clone(o.Consumer)
	if props == nil {
		props = unprefixed(o.Worker, map[string]string{clientIDKey: o.ClientID})
	}
	if o.ReadCommitted {
		props[isolation.Name()] = "read_committed"
	}
	s, err := parse(consumerDef, props, inertConsumer)
	if err != nil {
		return nil, err
	}
	v := s.Values
	r := &reader{
		topic:     o.Topic,
		committed: isolation.Of(v) == "read_committed",
		fetch: fetchLimits{
			wait:           max(time.Duration(fetchWait.Of(v))*time.Millisecond, minMetadataAge),
			bytes:          max(min(fetchMax.Of(v), fetchBudget), 1),
			partitionBytes: max(partitionMax.Of(v), 1),
		},
		backoff: consumerCommon.backoff(s),
		age:     millis(consumerCommon.metadataMaxAge.Of(v), minMetadataAge, maxMetadataAge),
		apply:   o.Apply,
		log:     o.Log,
		opts: append(consumerCommon.options(s, o.Log),
			kgo.BrokerMaxReadBytes(maxBatch),
			kgo.RetryTimeout(consumerCommon.request(s))),
		changed: make(chan struct{}),
		unpack:  kgo.DefaultDecompressor(),
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	return r, check(r.opts)
}

func (r *reader) conn() *kgo.Client {
	r.once.Do(func() {
		client, err := kgo.NewClient(r.opts...)
		if err != nil {
			panic(fmt.Sprintf("kafka: options that were checked are refused: %v", err))
		}
		r.client = client
	})
	return r.client
}

func (r *reader) close() { r.conn().Close() }

func (r *reader) partitions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.position)
}

// changes returns a channel that is closed when a position has moved.
func (r *reader) changes() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// passed says whether all positions have reached those offsets.
func (r *reader) passed(ends map[int32]int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, end := range ends {
		if int(p) >= len(r.position) || r.position[p] < end {
			return false
		}
	}
	return true
}

// leaders are the partitions by the broker that leads them.
type leaders map[int32][]int32

// nobody is the broker of partitions without a leader.
const nobody int32 = -1

func (l leaders) complete() bool { return len(l[nobody]) == 0 }

// look asks who leads the partitions, and takes note of new ones and of a topic that was made anew.
func (r *reader) look(ctx context.Context) (leaders, error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &r.topic
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, r.conn())
	if err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 {
		return nil, fmt.Errorf("a broker says nothing about topic %s", r.topic)
	}
	topic := resp.Topics[0]
	if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
		return nil, err
	}
	r.note(topic.TopicID, len(topic.Partitions))
	found := leaders{}
	for _, p := range topic.Partitions {
		leader := max(p.Leader, nobody)
		found[leader] = append(found[leader], p.Partition)
	}
	return found, nil
}

// note makes room for the partitions. All are read from their start, wherever that is.
func (r *reader) note(id [16]byte, partitions int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id != id && r.id != [16]byte{} {
		r.log.Warn("a topic of the worker was made anew; reading it from its start", "topic", r.topic)
		r.position = nil
	}
	r.id = id
	for len(r.position) < partitions {
		r.position = append(r.position, 0)
	}
}

// awaitTopic waits until the topic is known.
func (r *reader) awaitTopic(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, partitionWait)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		_, err := r.look(limited)
		if err == nil && r.partitions() > 0 {
			return nil
		}
		if errors.Is(err, kerr.TopicAuthorizationFailed) {
			return unread(err)
		}
		select {
		case <-time.After(pause):
		case <-limited.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("wait for topic %s: %w", r.topic, ctx.Err())
			}
			if err == nil {
				err = errors.New("it has no partitions")
			}
			return fmt.Errorf("it could not be found within %v: %w", partitionWait, err)
		}
	}
}

// unread explains that a topic may not be read.
func unread(err error) error {
	return fmt.Errorf("this worker lacks rights on it; allow its principal Describe and Read: %w", err)
}

// readable asks for what is not there, which a broker refuses to those who may not read. A topic with nothing in it would not show that
// otherwise, before it is too late.
func (r *reader) readable(ctx context.Context) error {
	found, err := r.look(ctx)
	if err != nil {
		return nil //nolint:nilerr // no answer to this question
	}
	for broker, partitions := range found {
		if broker == nobody {
			continue
		}
		req, _ := (&fetcher{r: r, broker: broker, partitions: partitions}).request()
		req.MaxWaitMillis, req.MinBytes = 0, 0
		resp, err := req.RequestWith(ctx, r.conn().Broker(int(broker)))
		if err != nil {
			continue
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); errors.Is(err, kerr.TopicAuthorizationFailed) {
					return unread(err)
				}
			}
		}
	}
	return nil
}

// What ListOffsets takes for a time.
const (
	atStart int64 = -2
	atEnd   int64 = -1
)

// ends returns where the partitions end for a reader that does not care for transactions. It tries until ctx ends; errors that do not
// pass are returned.
func (r *reader) ends(ctx context.Context) (map[int32]int64, error) {
	for tries := 1; ; tries++ {
		ends, err := r.list(ctx, atEnd, r.partitions())
		if err == nil {
			return ends, nil
		}
		if ctx.Err() == nil && final(err) {
			return nil, fmt.Errorf("find the end of topic %s: %w", r.topic, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("find the end of topic %s: %w", r.topic, errors.Join(ctx.Err(), err))
		case <-time.After(r.backoff(tries)):
		}
	}
}

// final says whether a broker has given an answer that trying again does not change.
func final(err error) bool {
	k, ok := errors.AsType[*kerr.Error](err)
	return ok && !k.Retriable
}

// list asks for offsets of the first partitions.
func (r *reader) list(ctx context.Context, at int64, partitions int) (map[int32]int64, error) {
	var all []int32
	for p := range partitions {
		all = append(all, int32(p)) //nolint:gosec // a number of partitions
	}
	return r.listOf(ctx, at, all...)
}

func (r *reader) listOf(ctx context.Context, at int64, partitions ...int32) (map[int32]int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = r.topic
	for _, p := range partitions {
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp = p, at
		t.Partitions = append(t.Partitions, part)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, r.conn())
	if err != nil {
		return nil, err
	}
	found := make(map[int32]int64, len(partitions))
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, err
			}
			found[p.Partition] = p.Offset
		}
	}
	if len(found) != len(partitions) {
		return nil, fmt.Errorf("only %d of %d partitions have told their offsets", len(found), len(partitions))
	}
	return found, nil
}
