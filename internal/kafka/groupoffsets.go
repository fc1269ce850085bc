package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace-io/millrace/connect"
)

// ErrGroupInUse marks the error of a change to the offsets of a consumer group that still has members.
var ErrGroupInUse = errors.New("the consumer group has members")

// ConsumerGroup returns the group that [ConsumerProps] gives to the consumers of a sink.
func ConsumerGroup(worker map[string]string, connector string, overrides map[string]string) string {
	return ConsumerProps(worker, connector, "", overrides)[groupID.Name()]
}

// GroupOffsets returns what a consumer group has committed: for each partition the offset of the next record. A group that does not
// exist has committed nothing.
func (a *Admin) GroupOffsets(ctx context.Context, group string) (connect.Offsets, error) {
	fetched, err := a.Client().FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return connect.Offsets{}, nil
	}
	if err == nil {
		err = fetched.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("read the offsets of group %s: %w", group, err)
	}
	out := make(connect.Offsets)
	fetched.Each(func(o kadm.OffsetResponse) {
		if o.At >= 0 {
			out[connect.TopicPartition{Topic: o.Topic, Partition: o.Partition}] = o.At
		}
	})
	return out, nil
}

// SetGroupOffsets commits offsets for a consumer group without members, which need not exist. When it returns an error, some may have been
// committed.
func (a *Admin) SetGroupOffsets(ctx context.Context, group string, offsets connect.Offsets) error {
	var commit kadm.Offsets
	for tp, at := range offsets {
		commit.Add(kadm.Offset{Topic: tp.Topic, Partition: tp.Partition, At: at, LeaderEpoch: -1})
	}
	err := a.Client().CommitAllOffsets(ctx, group, commit)
	return groupError("set offsets of group "+group, err, kerr.UnknownMemberID)
}

// RemoveGroupOffsets forgets the offsets of partitions that no member of the group consumes. When it returns an error, some may have been
// forgotten.
func (a *Admin) RemoveGroupOffsets(ctx context.Context, group string, partitions []connect.TopicPartition) error {
	var set kadm.TopicsSet
	for _, tp := range partitions {
		set.Add(tp.Topic, tp.Partition)
	}
	removed, err := a.Client().DeleteOffsets(ctx, group, set)
	if err == nil {
		err = removed.Error()
	}
	return groupError("remove offsets of group "+group, err, kerr.GroupSubscribedToTopic, kerr.NonEmptyGroup)
}

// RemoveGroup deletes a consumer group without members, with its offsets. It is no error if there is none.
func (a *Admin) RemoveGroup(ctx context.Context, group string) error {
	_, err := a.Client().DeleteGroup(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil
	}
	return groupError("delete group "+group, err, kerr.NonEmptyGroup)
}

// groupError says what was being done, and marks the answers by which the broker refuses because of members.
func groupError(what string, err error, inUse ...error) error {
	if err == nil {
		return nil
	}
	for _, refusal := range inUse {
		if errors.Is(err, refusal) {
			return fmt.Errorf("%s: %w: %w", what, ErrGroupInUse, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
