package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
)

// ahead holds records that were taken from franz-go and not handed out yet. franz-go asks a broker for more when all that it
// has of that broker was taken, so taking everything at once has the next answer on its way while the task is busy with this
// one. The zero ahead is empty.
type ahead struct {
	mu    sync.Mutex // guards parts: events drop partitions while the task's goroutine is elsewhere
	parts []kgo.FetchTopicPartition
}

func (a *ahead) empty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.parts) == 0
}

// add appends what was fetched.
func (a *ahead) add(fetches kgo.Fetches) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 || p.Err != nil {
			a.parts = append(a.parts, p)
		}
	})
}

// next takes out at most n records, partition after partition, and the errors that stand before them.
func (a *ahead) next(n int) kgo.Fetches {
	a.mu.Lock()
	defer a.mu.Unlock()
	var topics []kgo.FetchTopic
	for n > 0 && len(a.parts) > 0 {
		part := a.parts[0]
		if rest := part.Records; len(rest) > n {
			part.Records = rest[:n:n]
			a.parts[0].Records = rest[n:]
		} else {
			a.parts[0] = kgo.FetchTopicPartition{} // for the collector
			a.parts = a.parts[1:]
		}
		n -= len(part.Records)
		topics = append(topics, kgo.FetchTopic{Topic: part.Topic, Partitions: []kgo.FetchPartition{part.FetchPartition}})
	}
	if len(a.parts) == 0 {
		a.parts = nil
	}
	return kgo.Fetches{{Topics: topics}}
}

// drop forgets what is held of partitions and returns, of each, the offset from which on it was.
func (a *ahead) drop(is func(connect.TopicPartition) bool) connect.Offsets {
	a.mu.Lock()
	defer a.mu.Unlock()
	dropped := connect.Offsets{}
	kept := a.parts[:0]
	for _, p := range a.parts {
		tp := connect.TopicPartition{Topic: p.Topic, Partition: p.Partition}
		if !is(tp) {
			kept = append(kept, p)
			continue
		}
		if _, ok := dropped[tp]; !ok && len(p.Records) > 0 {
			dropped[tp] = p.Records[0].Offset
		}
	}
	clear(a.parts[len(kept):])
	a.parts = kept
	return dropped
}

// among returns a function that tells whether a partition is one of these.
func among(parts map[string][]int32) func(connect.TopicPartition) bool {
	set := make(map[connect.TopicPartition]bool)
	for topic, ps := range parts {
		for _, p := range ps {
			set[connect.TopicPartition{Topic: topic, Partition: p}] = true
		}
	}
	return func(tp connect.TopicPartition) bool { return set[tp] }
}
