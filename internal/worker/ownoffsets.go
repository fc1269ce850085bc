package worker

import (
	"context"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// OwnTopic is a topic that a source connector keeps its offsets in, instead of the worker's (KIP-618), with the complete
// properties of the clients that work on it.
type OwnTopic struct {
	Connector, Topic          string
	Admin, Consumer, Producer map[string]string
}

// OwnOffsets opens the offset store of a connector with a topic of its own, and creates the topic if it is missing. The function returned
// closes the store.
type OwnOffsets func(ctx context.Context, t OwnTopic) (store.Offsets, func(), error)

// offsetsOf returns the offset store of a source connector, for its instance, if task is [event.NoTask], or one of its tasks. It is given
// back with the function returned.
func (w *Worker) offsetsOf(ctx context.Context, name string, task int, props connect.Props) (store.Offsets, func(), error) {
	topic := props[OffsetsTopicKey]
	if topic == "" || w.OwnOffsets == nil {
		return w.Offsets, func() {}, nil
	}
	producerID, consumerID, adminID := kafka.OffsetProducerID(name), kafka.InstanceConsumerID(name), kafka.InstanceAdminID(name)
	if task != event.NoTask {
		producerID, consumerID, adminID = kafka.ProducerID(name, task), kafka.ConsumerID(name, task), kafka.AdminID(name, task)
	}
	t := OwnTopic{Connector: name, Topic: topic}
	for _, client := range []struct {
		prefix, id string
		make       func(id string, over map[string]string) map[string]string
		props      *map[string]string
	}{
		{ProducerOverridePrefix, producerID, func(id string, over map[string]string) map[string]string {
			return kafka.ProducerProps(w.Props, id, over)
		}, &t.Producer},
		{ConsumerOverridePrefix, consumerID, func(id string, over map[string]string) map[string]string {
			return kafka.ConsumerProps(w.Props, name, id, over)
		}, &t.Consumer},
		{AdminOverridePrefix, adminID, func(id string, over map[string]string) map[string]string { return kafka.AdminProps(w.Props, id, over) }, &t.Admin},
	} {
		over, err := w.overrides(props, client.prefix)
		if err != nil {
			return nil, nil, err
		}
		*client.props = client.make(client.id, over)
	}
	return w.OwnOffsets(ctx, t)
}
