package kafka

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	maxMessageKey = "max.message.bytes"

	// standardLimit is assumed of topics whose configuration may not be read: a broker's default.
	standardLimit = 1_048_588
	// describeWait bounds a look at a topic's configuration. franz-go's metadata stands still meanwhile.
	describeWait = 5 * time.Second
	// recordOverhead is the most that a record adds to the sizes of its parts, with a batch around it.
	recordOverhead = 96
	// headerOverhead is the most that a header adds.
	headerOverhead = 10
)

// size is what the record takes as a batch of its own, at most and uncompressed.
func size(r *kgo.Record) int {
	n := recordOverhead + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += headerOverhead + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}

// limits knows how large a batch may be for each topic: as large as the topic and max.request.size allow. Java keeps to
// batch.size, which it may exceed for a single record; franz-go has one limit that no record may exceed, so this has to be the
// true one.
type limits struct {
	client   func() *kgo.Client
	request  int32        // max.request.size
	smallest atomic.Int64 // of all topics; a record below it fits everywhere

	mu     sync.Mutex // guards topics
	topics map[string]limit
}

// limit is what is known of one topic.
type limit struct {
	read  int32 // what the cluster said last
	bytes int32 // what is used: less than read if even that was refused
}

func newLimits(request int32, client func() *kgo.Client) *limits {
	l := &limits{client: client, request: request, topics: map[string]limit{}}
	l.smallest.Store(int64(l.bounded(standardLimit)))
	return l
}

// bounded is the batch limit of a topic that accepts n bytes, within what franz-go takes.
func (l *limits) bounded(n int64) int32 {
	return int32(max(min(n, int64(l.request), maxBatch), minBatch)) //nolint:gosec // bounded
}

// forTopic is franz-go's question, asked at every metadata update by the goroutine that updates. Only the answer at the moment
// a partition becomes known counts. The empty topic is for checking options.
func (l *limits) forTopic(topic string) int32 {
	if topic == "" {
		return l.bounded(standardLimit)
	}
	return l.of(context.Background(), topic)
}

// of returns the limit of a topic, and reads it the first time.
func (l *limits) of(ctx context.Context, topic string) int32 {
	l.mu.Lock()
	now, ok := l.topics[topic]
	l.mu.Unlock()
	if ok {
		return now.bytes
	}
	n := l.read(ctx, topic)
	return l.set(topic, limit{n, n})
}

// known says whether the topic has been seen.
func (l *limits) known(topic string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.topics[topic]
	return ok
}

// renew reads the limit again. If that brings no smaller one although a batch was refused, it halves it, for the broker may
// count differently, or not tell; such a limit stays until the cluster says something new.
func (l *limits) renew(ctx context.Context, topic string, refused bool) int32 {
	n := l.read(ctx, topic)
	l.mu.Lock()
	was, ok := l.topics[topic]
	l.mu.Unlock()
	use := n
	switch {
	case !ok:
	case refused && n >= was.bytes:
		use = l.bounded(int64(was.bytes) / 2)
	case n == was.read:
		use = was.bytes
	}
	return l.set(topic, limit{n, use})
}

func (l *limits) set(topic string, to limit) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = to
	least := l.bounded(standardLimit)
	for _, t := range l.topics {
		least = min(least, t.bytes)
	}
	l.smallest.Store(int64(least))
	return to.bytes
}

// read asks the cluster for the topic's max.message.bytes, which includes the broker's default. If it may or can not be read,
// it assumes what brokers come with.
func (l *limits) read(ctx context.Context, topic string) int32 {
	ctx, cancel := context.WithTimeout(ctx, describeWait)
	defer cancel()
	req := kmsg.NewPtrDescribeConfigsRequest()
	res := kmsg.NewDescribeConfigsRequestResource()
	res.ResourceType = kmsg.ConfigResourceTypeTopic
	res.ResourceName = topic
	res.ConfigNames = []string{maxMessageKey}
	req.Resources = append(req.Resources, res)
	resp, err := req.RequestWith(ctx, l.client())
	if err != nil {
		return l.bounded(standardLimit)
	}
	for _, r := range resp.Resources {
		for _, c := range r.Configs {
			if c.Name != maxMessageKey || c.Value == nil {
				continue
			}
			if n, err := strconv.ParseInt(*c.Value, 10, 64); err == nil {
				return l.bounded(n)
			}
		}
	}
	return l.bounded(standardLimit)
}
