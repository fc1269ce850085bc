package kafka

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
)

// numbered sends n records to each of the partitions; a value says which partition it went to.
func numbered(t *testing.T, bootstrap, topic string, partitions, n int) {
	t.Helper()
	var recs []*kgo.Record
	for p := range partitions {
		for i := range n {
			recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(p), Value: fmt.Appendf(nil, "%c%d", 'a'+p, i)}) //nolint:gosec // few
		}
	}
	if err := connectProducer(t, bootstrap, nil).ProduceSync(limited(t), recs...); err != nil {
		t.Fatal(err)
	}
}

func TestPollsAreLimitedAndInOrder(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 2, nil)
	const each, limit = 50, 7
	numbered(t, bootstrap, topic, 2, each)
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"max.poll.records": fmt.Sprint(limit)})
	ctx := limited(t)
	next := map[int32]int64{}
	for total := 0; total < 2*each && ctx.Err() == nil; {
		f := s.Poll(ctx)
		if n := f.NumRecords(); n > limit {
			t.Errorf("a poll returned %d records, want at most %d", n, limit)
		}
		f.EachRecord(func(r *kgo.Record) {
			if r.Offset != next[r.Partition] {
				t.Errorf("partition %d: offset %d, want %d", r.Partition, r.Offset, next[r.Partition])
			}
			next[r.Partition] = r.Offset + 1
			total++
		})
		s.AllowRebalance()
	}
	s.Close()
}

func TestSeekForgetsWhatWasReadAhead(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	numbered(t, bootstrap, topic, 1, 4)
	s := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, map[string]string{"max.poll.records": "1"})
	ctx := limited(t)
	for s.got() != "a0 a1" && ctx.Err() == nil {
		s.step(ctx)
	}
	s.Seek(connect.Offsets{{Topic: topic}: 3})
	s.step(ctx)
	for s.got() == "a0 a1" && ctx.Err() == nil {
		s.step(ctx)
	}
	s.Seek(connect.Offsets{{Topic: topic}: 0})
	const want = "a0 a1 a3 a0 a1 a2 a3"
	for len(s.got()) < len(want) && ctx.Err() == nil {
		s.step(ctx)
	}
	if got := s.got(); got != want {
		t.Errorf("records %q, want %q", got, want)
	}
	s.Close()
}

// lettersOwned returns the letters with which values of the member's partitions begin.
func (s *sink) lettersOwned(topic string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	letters := ""
	for p, letter := range []string{"a", "b"} {
		if s.assigned[connect.TopicPartition{Topic: topic, Partition: int32(p)}] { //nolint:gosec // few
			letters += letter
		}
	}
	return letters
}

// What was read ahead of a partition must not be delivered once the partition has gone to another member.
func TestReadAheadGoesWithItsPartition(t *testing.T) {
	t.Parallel()
	for _, assignor := range []string{"RangeAssignor", "CooperativeStickyAssignor"} {
		t.Run(assignor, func(t *testing.T) {
			t.Parallel()
			bootstrap := startBroker(t)
			topic := newTopic(t, admin(t, bootstrap), 2, nil)
			numbered(t, bootstrap, topic, 2, 20)
			overrides := map[string]string{"max.poll.records": "1", "partition.assignment.strategy": assignorPackage + assignor}
			first := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides)
			ctx := limited(t)
			for first.got() == "" && ctx.Err() == nil {
				first.step(ctx)
			}
			second := newSink(t, bootstrap, topic, GroupOptions{Topics: []string{topic}}, overrides)
			second.start(t)
			until(t, "each owns one", func() bool { return first.owns() == 1 && second.owns() == 1 })
			kept := first.lettersOwned(topic)
			before := len(strings.Fields(first.got()))
			for !strings.HasSuffix(first.got(), kept+"19") && ctx.Err() == nil {
				first.step(ctx)
			}
			for range 3 {
				first.step(ctx)
			}
			for _, v := range strings.Fields(first.got())[before:] {
				if !strings.HasPrefix(v, kept) {
					t.Errorf("%s was delivered after its partition had gone: %s", v, first.got())
				}
			}
			until(t, "the second member reads the other partition from its beginning", func() bool {
				return len(strings.Fields(second.got())) == 20
			})
			first.Close()
		})
	}
}
