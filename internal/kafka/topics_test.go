package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func sharedAdmin(t *testing.T, bootstrap string, log *buffer) *Admin {
	t.Helper()
	a, err := NewAdmin(AdminProps(map[string]string{
		bootstrapKey: bootstrap, apiTimeoutKey: "1000", "retry.backoff.ms": "10", "retry.backoff.max.ms": "50",
	}, "test-shared-admin", nil), textLog(log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func configTopic(name string) InternalTopic {
	return InternalTopic{
		Name: name, NameKey: "config.storage.topic", Purpose: "connector configurations", Partitions: 1, Replication: 1,
	}
}

func TestEnsureCompacted(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := sharedAdmin(t, bootstrap, new(buffer))
	topic := configTopic(unique(t))
	topic.Configs = map[string]string{"segment.bytes": "2000000"}
	if err := a.EnsureCompacted(limited(t), topic); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"cleanup.policy": "compact", "segment.bytes": "2000000"} {
		if got := topicConfig(t, a, topic.Name, key); got != want {
			t.Errorf("%s=%s, want %s", key, got, want)
		}
	}
	if err := a.EnsureCompacted(limited(t), topic); err != nil {
		t.Errorf("a topic that is there: %v", err)
	}
}

func topicConfig(t *testing.T, a *Admin, topic, key string) string {
	t.Helper()
	all, err := a.Client().DescribeTopicConfigs(limited(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all[0].Configs {
		if c.Key == key {
			return c.MaybeValue()
		}
	}
	return ""
}

func TestEnsureCompactedChecksPolicy(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	a := sharedAdmin(t, bootstrap, new(buffer))
	for policy, want := range map[string]string{
		"compact":        "",
		"delete":         "cleanup.policy=delete",
		"compact,delete": "cleanup.policy=compact,delete",
	} {
		t.Run(policy, func(t *testing.T) {
			topic := configTopic(newTopic(t, a.Client(), 1, map[string]string{"cleanup.policy": policy}))
			err := a.EnsureCompacted(limited(t), topic)
			if want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			words := "Topic '" + topic.Name + "' supplied via the 'config.storage.topic' property is required to have " +
				"'cleanup.policy=compact' to guarantee consistency and durability of connector configurations, but found the topic " +
				"currently has '" + want + "'."
			if err == nil || !strings.HasPrefix(err.Error(), words) {
				t.Errorf("got  %v\nwant %s", err, words)
			}
		})
	}
}

// A policy that may not be read is none that is wrong.
func TestEnsureCompactedWithoutPolicy(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	log := new(buffer)
	a := sharedAdmin(t, b.Bootstrap, log)
	topic := configTopic(newTopic(t, a.Client(), 1, map[string]string{"cleanup.policy": "delete"}))
	b.ControlKey(int16(kmsg.DescribeConfigs), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, r := range req.(*kmsg.DescribeConfigsRequest).Resources {
			rr := kmsg.NewDescribeConfigsResponseResource()
			rr.ResourceName, rr.ResourceType, rr.ErrorCode = r.ResourceName, r.ResourceType, kerr.TopicAuthorizationFailed.Code
			resp.Resources = append(resp.Resources, rr)
		}
		return resp, nil, true
	})
	if err := a.EnsureCompacted(limited(t), topic); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "cannot be read") {
		t.Errorf("nothing about it in the log:\n%s", log)
	}
}

// answerCreate makes the broker answer a number of CreateTopics requests with an error, for ever if the number is negative.
func answerCreate(b interface {
	ControlKey(int16, func(kmsg.Request) (kmsg.Response, error, bool))
	KeepControl()
}, times int, answer *kerr.Error,
) {
	b.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		if times == 0 {
			return nil, nil, false
		}
		times--
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.(*kmsg.CreateTopicsRequest).Topics {
			rt := kmsg.NewCreateTopicsResponseTopic()
			rt.Topic, rt.ErrorCode = t.Topic, answer.Code
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
}

func TestEnsureCompactedRetries(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	log := new(buffer)
	a := sharedAdmin(t, b.Bootstrap, log)
	answerCreate(b, 3, kerr.InvalidReplicationFactor)
	if err := a.EnsureCompacted(limited(t), configTopic(unique(t))); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "config.storage.replication.factor"); n != 1 {
		t.Errorf("the key to change is in %d lines, want 1:\n%s", n, log)
	}
}

func TestEnsureCompactedErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer *kerr.Error
		exists bool
		want   []string // nil for success
	}{
		{"too few brokers", kerr.InvalidReplicationFactor, false, []string{"config.storage.replication.factor", "1 broker", "1 replicas"}},
		{"may not create what is missing", kerr.TopicAuthorizationFailed, false, []string{"config.storage.topic", "Create"}},
		{"may not create what is there", kerr.ClusterAuthorizationFailed, true, nil},
		{"old broker", kerr.UnsupportedVersion, true, nil},
		{"bad setting", kerr.InvalidConfig, false, []string{"config.storage.topic", "INVALID_CONFIG"}},
		{"patience", kerr.RequestTimedOut, false, []string{"config.storage.topic", "REQUEST_TIMED_OUT"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := onlyEmbedded(t)
			a := sharedAdmin(t, b.Bootstrap, new(buffer))
			topic := configTopic(unique(t))
			if tt.exists {
				createTopic(t, a.Client(), topic.Name, 1, map[string]string{"cleanup.policy": "compact"})
			}
			answerCreate(b, -1, tt.answer)
			err := a.EnsureCompacted(limited(t), topic)
			if tt.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, words := range append(tt.want, topic.Name) {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in: %v", words, err)
				}
			}
		})
	}
}

func TestEnsureCompactedEndsWithContext(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	a := sharedAdmin(t, b.Bootstrap, new(buffer))
	answerCreate(b, -1, kerr.InvalidReplicationFactor)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := a.EnsureCompacted(ctx, configTopic(unique(t))); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestSinglePartitionError(t *testing.T) {
	t.Parallel()
	const want = "Topic 'c' supplied via the 'config.storage.topic' property is required to have a single partition in order to guarantee " +
		"consistency of connector configurations, but found 2 partitions."
	if got := SinglePartitionError("c", 2).Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
