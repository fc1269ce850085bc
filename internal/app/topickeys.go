package app

import (
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/kafka"
)

// topicUse is what one of the worker's own topics is for, and the first word of the keys about it.
type topicUse string

const (
	configUse topicUse = "config"
	offsetUse topicUse = "offset"
	statusUse topicUse = "status"
)

// Keys for numbers of partitions; the first of them is ignored.
const (
	configPartitionsKey = "config.storage.partitions"
	offsetPartitionsKey = "offset.storage.partitions"
	statusPartitionsKey = "status.storage.partitions"
)

// topicUses are all uses.
var topicUses = []topicUse{configUse, offsetUse, statusUse}

// Endings of keys about a topic. What ends otherwise is a setting for the creation of the topic.
const (
	nameEnding        = "topic"
	partitionsEnding  = "partitions"
	replicationEnding = "replication.factor"
	policyEnding      = "cleanup.policy"
)

func (u topicUse) prefix() string         { return string(u) + ".storage." }
func (u topicUse) nameKey() string        { return u.prefix() + nameEnding }
func (u topicUse) replicationKey() string { return u.prefix() + replicationEnding }

// plural is the word for the clients of the topic, and for the topic itself where its name is not given.
func (u topicUse) plural() string {
	if u == statusUse {
		return "statuses"
	}
	return string(u) + "s"
}

// purpose is what is in the topic, in Connect's words.
func (u topicUse) purpose() string {
	switch u {
	case configUse:
		return "connector configurations"
	case offsetUse:
		return "source connector offsets"
	default:
		return "connector and task statuses"
	}
}

// ignoredDistributed are keys of the kind of ignored in distributed workers.
var ignoredDistributed = map[string]string{
	configPartitionsKey:               "the topic of the configurations always has one partition",
	configUse.prefix() + policyEnding: alwaysCompacted,
	offsetUse.prefix() + policyEnding: alwaysCompacted,
	statusUse.prefix() + policyEnding: alwaysCompacted,
	offsetFileKey:                     "a distributed worker keeps offsets in a topic",
}

const alwaysCompacted = "the worker's topics are always compacted"

// topic describes the topic for a use by the values and the properties they were read from.
func (k *distributedKeys) topic(use topicUse, v config.Values, props map[string]string) kafka.InternalTopic {
	t := kafka.InternalTopic{NameKey: use.nameKey(), Purpose: use.purpose(), ReplicationKey: use.replicationKey(), Partitions: 1, Configs: map[string]string{}}
	switch use {
	case configUse:
		t.Name, t.Replication = k.configTopic.Of(v), k.configReplication.Of(v)
	case offsetUse:
		t.Name, t.Replication, t.Partitions = k.offsetTopic.Of(v), k.offsetReplication.Of(v), k.offsetPartitions.Of(v)
	case statusUse:
		t.Name, t.Replication, t.Partitions = k.statusTopic.Of(v), k.statusReplication.Of(v), k.statusPartitions.Of(v)
	}
	for key, value := range props {
		setting, ok := strings.CutPrefix(key, use.prefix())
		if ok && setting != "" && !k.def.Has(key) && ignoredDistributed[key] == "" {
			t.Configs[setting] = value
		}
	}
	return t
}

// topicViolations refuses a topic with two uses.
func (k *distributedKeys) topicViolations(v config.Values) (errs config.Errors) {
	first := map[string]topicUse{}
	for _, use := range topicUses {
		name := k.topic(use, v, nil).Name
		if other, taken := first[name]; taken {
			errs = append(errs, config.Invalid(use.nameKey(), name, "the topic is also "+other.nameKey()+", and each use needs a topic of its own"))
			continue
		}
		first[name] = use
	}
	return errs
}

// nearSetting returns the key that was probably meant by one that would otherwise be a setting of a topic that Kafka does not
// know. It is empty if key is none such.
func nearSetting(def *config.Def, key string) string {
	if !def.Has(groupKey) {
		return ""
	}
	for _, use := range topicUses {
		setting, ok := strings.CutPrefix(key, use.prefix())
		endings := []string{nameEnding, partitionsEnding, replicationEnding, policyEnding}
		if !ok || slices.Contains(endings, setting) {
			continue
		}
		if near := config.Nearest(setting, endings); len(near) > 0 {
			return use.prefix() + near[0]
		}
	}
	return ""
}
