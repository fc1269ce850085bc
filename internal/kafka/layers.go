package kafka

import (
	"maps"
	"strconv"
	"strings"
)

const (
	producerPrefix = "producer."
	consumerPrefix = "consumer."
	adminPrefix    = "admin."

	bootstrapKey = "bootstrap.servers"
	clientIDKey  = "client.id"
)

// ProducerProps returns the properties of a producer for a connector's records. Later wins: the base that Connect forces on
// such producers (at least once, in order, for ever), the worker's producer.* keys, overrides, which are the connector's
// producer.override.* keys without that prefix. Of the worker's other keys only bootstrap.servers counts: security settings
// have to be repeated below producer.
func ProducerProps(worker map[string]string, clientID string, overrides map[string]string) map[string]string {
	return layers(map[string]string{
		bootstrapKey:       worker[bootstrapKey],
		clientIDKey:        clientID,
		maxBlock.Name():    "9223372036854775807",
		idempotence.Name(): "false",
		acks.Name():        "all",
		inFlight.Name():    "1",
		delivery.Name():    "2147483647",
	}, below(worker, producerPrefix), overrides)
}

// ConsumerProps returns the properties of the consumer of a sink, as [ProducerProps] does: base, consumer.*, overrides.
// The group is connect-<connector> unless a later layer names another one.
func ConsumerProps(worker map[string]string, connector, clientID string, overrides map[string]string) map[string]string {
	return layers(map[string]string{
		bootstrapKey:       worker[bootstrapKey],
		clientIDKey:        clientID,
		groupID.Name():     "connect-" + connector,
		autoCommit.Name():  "false",
		offsetReset.Name(): earliest,
	}, below(worker, consumerPrefix), overrides)
}

// AdminProps returns the properties of an admin client: the worker's keys that belong to no other client, client id, admin.*,
// overrides. An empty client id leaves the worker's own.
func AdminProps(worker map[string]string, clientID string, overrides map[string]string) map[string]string {
	base := make(map[string]string, len(worker))
	for k, v := range worker {
		if !strings.HasPrefix(k, producerPrefix) && !strings.HasPrefix(k, consumerPrefix) && !strings.HasPrefix(k, adminPrefix) {
			base[k] = v
		}
	}
	if clientID != "" {
		base[clientIDKey] = clientID
	}
	return layers(base, below(worker, adminPrefix), overrides)
}

func layers(base map[string]string, over ...map[string]string) map[string]string {
	for _, m := range over {
		maps.Copy(base, m)
	}
	return base
}

// below returns the keys with the prefix, without it. The prefix alone is no key.
func below(props map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for k, v := range props {
		if key, ok := strings.CutPrefix(k, prefix); ok && key != "" {
			out[key] = v
		}
	}
	return out
}

// Client ids are Connect's: quotas and dashboards go by them.

// ProducerID is the client id of a source task's producer.
func ProducerID(connector string, task int) string {
	return "connector-producer-" + connector + "-" + strconv.Itoa(task)
}

// ConsumerID is the client id of a sink task's consumer, and of the reader of a task's own offsets topic.
func ConsumerID(connector string, task int) string {
	return "connector-consumer-" + connector + "-" + strconv.Itoa(task)
}

// AdminID is the client id of a task's admin client.
func AdminID(connector string, task int) string {
	return "connector-adminclient-" + connector + "-" + strconv.Itoa(task)
}

// DeadLetterProducerID is the client id of the producer of a sink task's dead letter queue.
func DeadLetterProducerID(connector string, task int) string {
	return "connector-dlq-producer-" + connector + "-" + strconv.Itoa(task)
}

// DeadLetterAdminID is the client id of the admin client that creates the dead letter queue.
func DeadLetterAdminID(connector string, task int) string {
	return "connector-dlq-adminclient-" + connector + "-" + strconv.Itoa(task)
}

// OffsetProducerID is the client id of the producer by which a source connector's offsets are altered.
func OffsetProducerID(connector string) string { return "connector-offset-producer-" + connector }

// WorkerAdminID is the client id of the admin client by which the worker reads and alters a connector's offsets and fences.
func WorkerAdminID(connector string) string { return "connector-worker-adminclient-" + connector }

// InstanceConsumerID is the client id of the reader of a connector instance's own offsets topic.
func InstanceConsumerID(connector string) string { return "connector-consumer-" + connector }

// InstanceAdminID is the client id of a connector instance's admin client.
func InstanceAdminID(connector string) string { return "connector-adminclient-" + connector }
