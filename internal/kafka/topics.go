package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	cleanupPolicyKey = "cleanup.policy"
	compact          = "compact"

	// Endings of the worker keys about an internal topic, whose beginnings are alike.
	topicSuffix       = ".topic"
	replicationSuffix = ".replication.factor"
)

// policyTries is how often the policy of a topic is asked for that is said to exist.
const policyTries = 5

// InternalTopic describes one of the worker's own topics.
type InternalTopic struct {
	Name    string
	NameKey string // the property that names the topic, such as config.storage.topic
	Purpose string // what is in it, such as "connector configurations"

	// ReplicationKey is the property that sets Replication; if empty, it is NameKey with another ending.
	ReplicationKey string

	Partitions  int32             // -1 for the broker's default
	Replication int16             // -1 for the broker's default
	Configs     map[string]string // of a topic that is created; cleanup.policy is always compact
}

func (t InternalTopic) replicationKey() string {
	if t.ReplicationKey != "" {
		return t.ReplicationKey
	}
	return strings.TrimSuffix(t.NameKey, topicSuffix) + replicationSuffix
}

// settings are the properties that Configs come from.
func (t InternalTopic) settings() string {
	prefix := strings.TrimSuffix(t.replicationKey(), replicationSuffix) + "."
	var keys []string
	for _, k := range slices.Sorted(maps.Keys(t.Configs)) {
		keys = append(keys, "'"+prefix+k+"'")
	}
	return strings.Join(keys, ", ")
}

// remedy is what to do about an answer that stands; empty where that is not known.
func (t InternalTopic) remedy(err error) string {
	switch {
	case errors.Is(err, kerr.InvalidConfig) && len(t.Configs) > 0:
		return ". Correct or remove " + t.settings()
	case errors.Is(err, kerr.InvalidTopicException):
		return fmt.Sprintf(". Set '%s' to another name", t.NameKey)
	case errors.Is(err, kerr.PolicyViolation):
		return fmt.Sprintf(". Create the topic with '%s=%s' as the cluster's policy demands, or change the worker's properties that begin with '%s.'",
			cleanupPolicyKey, compact, strings.TrimSuffix(t.replicationKey(), replicationSuffix))
	}
	return ""
}

// EnsureCompacted creates the topic if it is not there, and otherwise refuses it unless its cleanup.policy is compact and nothing
// else. What may pass, such as too few brokers that have registered so far, is tried again every retry.backoff.ms until
// default.api.timeout.ms have gone by. Replication and number of partitions of a topic that exists are not looked at, nor is a policy that
// this worker may not read. Every error is fatal for the worker and says what to change.
func (a *Admin) EnsureCompacted(ctx context.Context, t InternalTopic) error {
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	var said string
	for tries := 1; ; tries++ {
		created, err := a.create(limited, t)
		switch {
		case created:
			a.log.Info("created a topic of the worker", "topic", t.Name, "purpose", t.Purpose)
			return nil
		case err == nil:
			return a.checkPolicy(ctx, t)
		case ctx.Err() != nil:
			return fmt.Errorf("create topic %s: %w", t.Name, ctx.Err())
		case !passes(err):
			return err
		}
		if said != err.Error() && limited.Err() == nil {
			said = err.Error()
			a.log.Warn(said+". Trying again for a while.", "topic", t.Name, "timeout", a.timeout)
		}
		select {
		case <-time.After(a.backoff(tries)):
		case <-limited.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("create topic %s: %w", t.Name, ctx.Err())
			}
			if said != "" && errors.Is(err, context.DeadlineExceeded) {
				return errors.New(said) // the last attempt was cut short
			}
			return err
		}
	}
}

// passing is an error that may go away by itself.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

func passes(err error) bool {
	_, ok := errors.AsType[passing](err)
	return ok
}

// create tries once. Neither created nor an error means that the topic is there or can only be hoped for.
func (a *Admin) create(ctx context.Context, t InternalTopic) (created bool, err error) {
	configs := map[string]*string{}
	for k, v := range t.Configs {
		configs[k] = &v
	}
	policy := compact
	configs[cleanupPolicyKey] = &policy
	resp, err := a.Client().CreateTopic(ctx, t.Partitions, t.Replication, configs, t.Name)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, kerr.TopicAlreadyExists), errors.Is(err, kerr.UnsupportedVersion):
		return false, nil
	case errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TopicAuthorizationFailed):
		return false, a.mustExist(ctx, t, err)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return false, passing{a.tooFewBrokers(ctx, t)}
	}
	detail := resp.ErrMessage
	if detail != "" {
		detail = " (" + detail + ")"
	}
	err = fmt.Errorf("Error while attempting to create/find topic '%s' supplied via the '%s' property: %w%s%s",
		t.Name, t.NameKey, err, detail, t.remedy(err))
	if k, ok := errors.AsType[*kerr.Error](err); !ok || k.Retriable {
		return false, passing{err} // no answer, or a broker that asks for patience
	}
	return false, err
}

// tooFewBrokers explains INVALID_REPLICATION_FACTOR.
func (a *Admin) tooFewBrokers(ctx context.Context, t InternalTopic) error {
	const text = "Topic '%s' supplied via the '%s' property could not be created with %d replicas%s. " +
		"Start more brokers, or set '%s' to a number that the cluster has"
	have := ""
	if brokers, err := a.Client().ListBrokers(ctx); err == nil {
		have = fmt.Sprintf(", as the cluster has %d broker(s)", len(brokers))
	}
	return fmt.Errorf(text, t.Name, t.NameKey, t.Replication, have, t.replicationKey())
}

// mustExist decides what it means that the topic may not be created: nothing if it exists. A broker would not create it by itself
// either, for that takes the same right.
func (a *Admin) mustExist(ctx context.Context, t InternalTopic, refused error) error {
	topics, err := a.Client().ListTopics(ctx, t.Name)
	if err == nil {
		err = topics[t.Name].Err
	}
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("Topic '%s' supplied via the '%s' property cannot be used, as this worker lacks rights on it. "+
			"Allow its principal Describe, DescribeConfigs, Read and Write on the topic, and Create if it does not exist: %w",
			t.Name, t.NameKey, refused)
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return passing{fmt.Errorf("Topic '%s' supplied via the '%s' property does not exist, and this worker may not create it. "+
			"Create it with '%s=%s', or allow the worker's principal Create on the topic or the cluster: %w",
			t.Name, t.NameKey, cleanupPolicyKey, compact, refused)}
	case err != nil:
		return passing{fmt.Errorf("Error while attempting to create/find topic '%s' supplied via the '%s' property: %w", t.Name, t.NameKey, err)}
	}
	return nil
}

// checkPolicy refuses a topic from which the broker would delete what is old.
func (a *Admin) checkPolicy(ctx context.Context, t InternalTopic) error {
	policy, err := a.policy(ctx, t.Name)
	for tries := 1; kerr.IsRetriable(err) && tries < policyTries; tries++ { // brokers hear of a new topic one after the other
		select {
		case <-time.After(a.backoff(tries)):
		case <-ctx.Done():
		}
		policy, err = a.policy(ctx, t.Name)
	}
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("check topic %s: %w", t.Name, ctx.Err())
		}
		a.log.Info("the cleanup.policy of a topic of the worker cannot be read; it should be compact", "topic", t.Name, "error", err)
		return nil
	}
	set := map[string]bool{}
	for name := range strings.SplitSeq(policy, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			set[name] = true
		}
	}
	if len(set) == 0 || len(set) == 1 && set[compact] {
		return nil
	}
	found := strings.Join(slices.Sorted(maps.Keys(set)), ",")
	return fmt.Errorf("Topic '%s' supplied via the '%s' property is required to have '%s=%s' to guarantee consistency and durability of %s, "+
		"but found the topic currently has '%s=%s'. The cluster would lose %s. Set '%s=%s' on the topic, or name another topic by '%s'.",
		t.Name, t.NameKey, cleanupPolicyKey, compact, t.Purpose,
		cleanupPolicyKey, found, t.Purpose, cleanupPolicyKey, compact, t.NameKey)
}

func (a *Admin) policy(ctx context.Context, topic string) (string, error) {
	all, err := a.Client().DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return "", err
	}
	one, err := all.On(topic, nil)
	if err != nil {
		return "", err
	}
	if one.Err != nil {
		return "", one.Err
	}
	i := slices.IndexFunc(one.Configs, func(c kadm.Config) bool { return c.Key == cleanupPolicyKey })
	if i < 0 {
		return "", errors.New("the broker does not tell")
	}
	return one.Configs[i].MaybeValue(), nil
}

// SinglePartitionError refuses a config topic with n partitions.
func SinglePartitionError(topic string, n int) error {
	return fmt.Errorf("Topic '%s' supplied via the 'config.storage.topic' property is required to have a single partition in order to "+
		"guarantee consistency of connector configurations, but found %d partitions.", topic, n)
}
