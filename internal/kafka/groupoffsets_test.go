package kafka

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
)

func newAdmin(t *testing.T, bootstrap string) *Admin {
	t.Helper()
	a, err := NewAdmin(map[string]string{bootstrapKey: bootstrap}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func TestGroupOffsets(t *testing.T) {
	t.Parallel()
	a := newAdmin(t, startBroker(t))
	ctx, topic := limited(t), unique(t)
	group := "connect-" + topic
	if _, err := a.Client().CreateTopic(ctx, 2, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	first, second := connect.TopicPartition{Topic: topic, Partition: 0}, connect.TopicPartition{Topic: topic, Partition: 1}
	for _, step := range []struct {
		what string
		do   func() error
		want connect.Offsets
	}{
		{"nothing", func() error { return nil }, connect.Offsets{}},
		{"set, beyond the end", func() error { return a.SetGroupOffsets(ctx, group, connect.Offsets{first: 7, second: 0}) }, connect.Offsets{first: 7, second: 0}},
		{"set one", func() error { return a.SetGroupOffsets(ctx, group, connect.Offsets{first: 3}) }, connect.Offsets{first: 3, second: 0}},
		{"remove one", func() error { return a.RemoveGroupOffsets(ctx, group, []connect.TopicPartition{second}) }, connect.Offsets{first: 3}},
		{"remove what is gone", func() error { return a.RemoveGroupOffsets(ctx, group, []connect.TopicPartition{second}) }, connect.Offsets{first: 3}},
		{"delete the group", func() error { return a.RemoveGroup(ctx, group) }, connect.Offsets{}},
		{"delete it again", func() error { return a.RemoveGroup(ctx, group) }, connect.Offsets{}},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		got, err := a.GroupOffsets(ctx, group)
		if diff := cmp.Diff(step.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", step.what, err, diff)
		}
	}
	unknown := connect.TopicPartition{Topic: topic + "-unknown"}
	if err := a.SetGroupOffsets(ctx, group, connect.Offsets{unknown: 1}); err == nil || errors.Is(err, ErrGroupInUse) {
		t.Errorf("offset of an unknown topic: %v", err)
	}
}

func TestGroupOffsetsInUse(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := newAdmin(t, bootstrap)
	ctx, topic := limited(t), unique(t)
	if _, err := a.Client().CreateTopic(ctx, 1, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	tp := connect.TopicPartition{Topic: topic}
	if err := a.SetGroupOffsets(ctx, topic, connect.Offsets{tp: 0}); err != nil {
		t.Fatal(err)
	}
	assigned := make(chan struct{}, 1)
	member, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(topic), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			select {
			case assigned <- struct{}{}:
			default:
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	select {
	case <-assigned:
	case <-ctx.Done():
		t.Fatal("the member was assigned nothing")
	}
	for what, err := range map[string]error{
		"set":    a.SetGroupOffsets(ctx, topic, connect.Offsets{tp: 1}),
		"remove": a.RemoveGroupOffsets(ctx, topic, []connect.TopicPartition{tp}),
		"delete": a.RemoveGroup(ctx, topic),
	} {
		if !errors.Is(err, ErrGroupInUse) {
			t.Errorf("%s: %v, want ErrGroupInUse", what, err)
		}
	}
}

func TestConsumerGroup(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		worker, overrides map[string]string
		want              string
	}{
		{nil, nil, "connect-c"},
		{map[string]string{"group.id": "cluster", "consumer.group.id": "all"}, nil, "all"},
		{map[string]string{"consumer.group.id": "all"}, map[string]string{"group.id": "own"}, "own"},
	} {
		if got := ConsumerGroup(tc.worker, "c", tc.overrides); got != tc.want {
			t.Errorf("%v, %v: %s, want %s", tc.worker, tc.overrides, got, tc.want)
		}
	}
}
