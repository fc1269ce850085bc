package kafka

import (
	"context"
	"maps"
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
	client  func() *kgo.Client
	request int32 // max.request.size

	last   atomic.Pointer[limit] // the one that was asked for last: most producers send to one topic
	topics atomic.Pointer[map[string]*limit]
	mu     sync.Mutex // held to replace the map
}

// limit is what is known of one topic. It does not change.
type limit struct {
	topic string
	read  int32 // what the cluster said last
	bytes int32 // what is used: less than read if even that was refused
}

func newLimits(request int32, client func() *kgo.Client) *limits {
	l := &limits{client: client, request: request}
	l.topics.Store(&map[string]*limit{})
	return l
}

// bounded is the batch limit of a topic that accepts n bytes, within what franz-go takes.
func (l *limits) bounded(n int64) int32 {
	return int32(max(min(n, int64(l.request), maxBatch), minBatch)) //nolint:gosec // bounded
}

// get returns what is known of a topic, nil for nothing. It is asked for every record.
func (l *limits) get(topic string) *limit {
	if now := l.last.Load(); now != nil && now.topic == topic {
		return now
	}
	now := (*l.topics.Load())[topic]
	if now != nil {
		l.last.Store(now)
	}
	return now
}

// forTopic is franz-go's question, asked at every metadata update by the goroutine that updates. Only the answer at the moment
// a partition becomes known counts. The empty topic is for checking options.
func (l *limits) forTopic(topic string) int32 {
	if topic == "" {
		return l.bounded(standardLimit)
	}
	return l.of(context.Background(), topic)
}

// of returns the limit of a topic that exists, and reads it the first time.
func (l *limits) of(ctx context.Context, topic string) int32 {
	if now := l.get(topic); now != nil {
		return now.bytes
	}
	n := l.read(ctx, topic)
	return l.set(limit{topic, n, n})
}

// renew reads the limit again. If that brings no smaller one although a batch was refused, it halves it, for the broker may
// count differently, or not tell; such a limit stays until the cluster says something new.
func (l *limits) renew(ctx context.Context, topic string, refused bool) int32 {
	n := l.read(ctx, topic)
	was := l.get(topic)
	use := n
	switch {
	case was == nil:
	case refused && n >= was.bytes:
		use = l.bounded(int64(was.bytes) / 2)
	case n == was.read:
		use = was.bytes
	}
	return l.set(limit{topic, n, use})
}

func (l *limits) set(to limit) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	topics := maps.Clone(*l.topics.Load())
	topics[to.topic] = &to
	l.topics.Store(&topics)
	l.last.Store(&to)
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
