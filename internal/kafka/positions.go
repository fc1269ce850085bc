package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/connect"
)

// startOffset is what franz-go reports for a partition without a committed offset.
func (c *consumerSettings) startOffset() kgo.Offset {
	switch c.reset {
	case earliest:
		return kgo.NewOffset().AtStart()
	case latest:
		return kgo.NewOffset().AtEnd()
	case noReset:
		return kgo.NewOffset().AtCommitted()
	default:
		return kgo.LookbackOffset(c.lookBack)
	}
}

// positions turns what was found for the partitions into offsets; those without a committed one are looked up by
// auto.offset.reset. franz-go would do the latter by itself, but not tell, and would ignore a Seek until a record was polled.
func (c *Consumer) positions(ctx context.Context, found map[string]map[int32]kgo.Offset) connect.Offsets {
	at := connect.Offsets{}
	missing := map[string]bool{}
	for topic, partitions := range found {
		for p, o := range partitions {
			tp := connect.TopicPartition{Topic: topic, Partition: p}
			if o == c.start {
				at[tp] = -1
				missing[topic] = true
				continue
			}
			at[tp] = o.EpochOffset().Offset
		}
	}
	if len(missing) == 0 {
		return at
	}
	if c.set.reset == noReset {
		c.fail(errUndefined(at))
		return at
	}
	c.lookUp(ctx, at, missing)
	return at
}

// lookUp fills in positions that are -1. Those that cannot be found out stay: franz-go goes on asking.
func (c *Consumer) lookUp(ctx context.Context, at connect.Offsets, missing map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, c.set.apiTimeout)
	defer cancel()
	var topics []string
	for t := range missing {
		topics = append(topics, t)
	}
	listed, err := c.list(ctx, topics)
	if err != nil {
		c.log.Debug("the positions of new partitions are not known yet", "error", err)
	}
	for tp, offset := range at {
		if o, ok := listed.Lookup(tp.Topic, tp.Partition); ok && offset < 0 && o.Err == nil {
			at[tp] = o.Offset
		}
	}
}

func (c *Consumer) list(ctx context.Context, topics []string) (kadm.ListedOffsets, error) {
	admin := kadm.NewClient(c.client)
	switch {
	case c.set.reset == earliest:
		return admin.ListStartOffsets(ctx, topics...)
	case c.set.reset == latest && c.set.committed:
		return admin.ListCommittedOffsets(ctx, topics...)
	case c.set.reset == latest:
		return admin.ListEndOffsets(ctx, topics...)
	default:
		return admin.ListOffsetsAfterMilli(ctx, time.Now().Add(-c.set.lookBack).UnixMilli(), topics...)
	}
}

// fail keeps the first error for Poll.
func (c *Consumer) fail(err error) { c.failure.CompareAndSwap(nil, &err) }

// errUndefined is Java's message for partitions without a committed offset and auto.offset.reset=none.
func errUndefined(at connect.Offsets) error {
	var names []string
	for tp, offset := range at {
		if offset < 0 {
			names = append(names, fmt.Sprintf("%s-%d", tp.Topic, tp.Partition))
		}
	}
	slices.Sort(names)
	return errors.New("Undefined offset with no reset policy for partitions: [" + strings.Join(names, ", ") + "]")
}

// sift takes the errors out of fetches that a Java consumer would not throw from its poll.
func (c *Consumer) sift(fetches kgo.Fetches) kgo.Fetches {
	clean := true
	fetches.EachError(func(string, int32, error) { clean = false })
	if clean {
		return fetches
	}
	var out kgo.Fetches
	for _, f := range fetches {
		out = append(out, c.siftOne(f))
	}
	return out
}

func (c *Consumer) siftOne(f kgo.Fetch) kgo.Fetch {
	var topics []kgo.FetchTopic
	for _, t := range f.Topics {
		kept := t
		kept.Partitions = nil
		for _, p := range t.Partitions {
			p.Err = c.grave(t.Topic, p.Partition, p.Err)
			if p.Err != nil || len(p.Records) > 0 {
				kept.Partitions = append(kept.Partitions, p)
			}
		}
		if len(kept.Partitions) > 0 {
			topics = append(topics, kept)
		}
	}
	return kgo.Fetch{Topics: topics}
}

// grave returns err if the task has to fail because of it, in Java's words where it has some.
func (c *Consumer) grave(topic string, partition int32, err error) error {
	if err == nil || ended(err) {
		return nil
	}
	if loss, ok := errors.AsType[*kgo.ErrDataLoss](err); ok {
		c.log.Warn("records are gone that were not read yet; going on where auto.offset.reset says", "error", loss)
		return nil
	}
	if session, ok := errors.AsType[*kgo.ErrGroupSession](err); ok {
		return c.graveSession(session)
	}
	switch {
	case err.Error() == noCommitted:
		return nil // reported in full by positions
	case errors.Is(err, kerr.OffsetOutOfRange) && c.set.reset == noReset:
		return fmt.Errorf("Offsets out of range with no configured reset policy for partitions: {%s-%d}: %w", topic, partition, err)
	case kerr.IsRetriable(err):
		c.log.Debug("a partition cannot be read now", "topic", topic, "partition", partition, "error", err)
		return nil
	}
	return err
}

// noCommitted is the text of franz-go's error for a partition without a committed offset. There is no value to compare with.
const noCommitted = "partition has no prior committed offset"

// fatalSessions are the answers to a member that no further attempt changes.
var fatalSessions = []error{
	kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.InconsistentGroupProtocol, kerr.GroupMaxSizeReached,
	kerr.FencedInstanceID, kerr.InvalidSessionTimeout, kerr.InvalidGroupID, kerr.UnsupportedAssignor, kerr.SaslAuthenticationFailed,
	kerr.UnreleasedInstanceID,
}

func (c *Consumer) graveSession(err *kgo.ErrGroupSession) error {
	for _, fatal := range fatalSessions {
		if errors.Is(err, fatal) {
			return err
		}
	}
	c.log.Debug("the consumer group is joined anew", "error", err)
	return nil
}

// plainMetadata makes a commit carry no metadata, as Connect's does.
func plainMetadata(req *kmsg.OffsetCommitRequest) error {
	none := ""
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			req.Topics[i].Partitions[j].Metadata = &none
		}
	}
	return nil
}

// commitError returns the first error of a commit.
func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("commit the offset of %s-%d: %w", t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}
