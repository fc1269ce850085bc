package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/javatext"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// Fields of the offsets of sinks in the REST interface.
const (
	kafkaTopic     = "kafka_topic"
	kafkaPartition = "kafka_partition"
	kafkaOffset    = "kafka_offset"
)

// consumerGroup is the consumer group of a sink with a client that can change it.
type consumerGroup struct {
	connector, id string
	admin         *kafka.Admin
}

// groupOf returns the group of a sink. Its client has to be closed.
func (w *Worker) groupOf(name string, props connect.Props) (consumerGroup, error) {
	consumer, err := w.overrides(props, ConsumerOverridePrefix)
	if err != nil {
		return consumerGroup{}, err
	}
	over, err := w.overrides(props, AdminOverridePrefix)
	if err != nil {
		return consumerGroup{}, err
	}
	admin, err := kafka.NewAdmin(kafka.AdminProps(w.Props, kafka.WorkerAdminID(name), over), w.Log.With("connector", name))
	if err != nil {
		return consumerGroup{}, fmt.Errorf("configure the admin client with the worker's keys and %s* of the connector: %w", AdminOverridePrefix, err)
	}
	return consumerGroup{name, kafka.ConsumerGroup(w.Props, name, consumer), admin}, nil
}

func (w *Worker) sinkOffsets(ctx context.Context, name string, props connect.Props) ([]store.PartitionOffset, error) {
	g, err := w.groupOf(name, props)
	if err != nil {
		return nil, err
	}
	defer g.admin.Close()
	committed, err := g.admin.GroupOffsets(ctx, g.id)
	if err != nil {
		return nil, connect.NewError("Failed to retrieve consumer group offsets for sink connector "+name, err)
	}
	var out []store.PartitionOffset
	for _, tp := range sortedPartitions(committed) {
		partition, offset := data.NewMap(2), data.NewMap(1)
		partition.Put(data.String(kafkaPartition), data.Int32(tp.Partition))
		partition.Put(data.String(kafkaTopic), data.String(tp.Topic))
		offset.Put(data.String(kafkaOffset), data.Int64(committed[tp]))
		out = append(out, store.PartitionOffset{Partition: partition.Value(), Offset: offset.Value()})
	}
	return out, nil
}

func (w *Worker) alterSink(ctx context.Context, p *connect.Plugin, name string, props connect.Props, offsets []store.PartitionOffset) (string, error) {
	wanted, err := parseSinkOffsets(offsets)
	if err != nil {
		return "", err
	}
	g, err := w.groupOf(name, props)
	if err != nil {
		return "", err
	}
	defer g.admin.Close()
	complete, err := consultSink(ctx, p, name, props, wanted)
	if err == nil {
		err = g.alter(ctx, wanted)
	}
	return alter.done(complete), err
}

func (w *Worker) resetSink(ctx context.Context, p *connect.Plugin, name string, props connect.Props) (string, error) {
	g, err := w.groupOf(name, props)
	if err != nil {
		return "", err
	}
	defer g.admin.Close()
	committed, err := g.admin.GroupOffsets(ctx, g.id)
	if err != nil {
		return "", connect.NewError("Failed to list offsets prior to resetting offsets for sink connector "+name, err)
	}
	removed := make(map[connect.TopicPartition]*int64, len(committed))
	for tp := range committed {
		removed[tp] = nil
	}
	complete, err := consultSink(ctx, p, name, props, removed)
	if err == nil {
		err = g.failed(reset, g.admin.RemoveGroup(ctx, g.id))
	}
	return reset.done(complete), err
}

func consultSink(ctx context.Context, p *connect.Plugin, name string, props connect.Props, offsets map[connect.TopicPartition]*int64) (complete bool, err error) {
	return consult(name, func() (bool, error) {
		alterer, ok := p.Sink().(connect.SinkOffsetAlterer)
		if !ok {
			return false, nil
		}
		return alterer.AlterOffsets(ctx, props, maps.Clone(offsets))
	})
}

// alter sets and removes offsets, the two side by side.
func (g consumerGroup) alter(ctx context.Context, offsets map[connect.TopicPartition]*int64) error {
	set := make(connect.Offsets)
	var remove []connect.TopicPartition
	for _, tp := range sortedPartitions(offsets) {
		switch at := offsets[tp]; {
		case at == nil:
			remove = append(remove, tp)
		case *at < 0:
			return connect.NewError("Failed to modify offsets for sink connector "+g.connector, errors.New("Invalid negative offset"))
		default:
			set[tp] = *at
		}
	}
	var setErr, removeErr error
	var wg sync.WaitGroup
	if len(set) > 0 {
		wg.Go(func() { setErr = g.admin.SetGroupOffsets(ctx, g.id, set) })
	}
	if len(remove) > 0 {
		wg.Go(func() { removeErr = g.admin.RemoveGroupOffsets(ctx, g.id, remove) })
	}
	wg.Wait()
	return g.failed(alter, errors.Join(setErr, removeErr))
}

// failed says to users why a group could not be changed.
func (g consumerGroup) failed(c change, err error) error {
	if err == nil {
		return nil
	}
	message := "Failed to " + c.infinitive + " consumer group offsets for connector " + g.connector
	if !errors.Is(err, kafka.ErrGroupInUse) {
		return connect.NewError(message, err)
	}
	return connect.NewError(message+" either because its tasks haven't stopped completely yet or the connector was resumed before the request to "+
		c.infinitive+" its offsets could be successfully completed. If the connector is in a stopped state, this operation can be safely retried. If it "+
		"doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks.", nil)
}

// parseSinkOffsets reads offsets of a sink; nil is one to remove. Numbers may be strings.
func parseSinkOffsets(entries []store.PartitionOffset) (map[connect.TopicPartition]*int64, error) {
	out := make(map[connect.TopicPartition]*int64, len(entries))
	for _, e := range entries {
		tp, err := parseSinkPartition(e.Partition)
		if err != nil {
			return nil, err
		}
		if out[tp], err = parseSinkOffset(e.Offset); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseSinkPartition(v data.Value) (tp connect.TopicPartition, err error) {
	if v.Kind() != data.KindMap {
		return tp, BadOffsetsError("The partition for a sink connector offset cannot be null or missing")
	}
	topic, hasTopic := v.Map().Get(data.String(kafkaTopic))
	partition, hasPartition := v.Map().Get(data.String(kafkaPartition))
	switch {
	case !hasTopic || !hasPartition:
		return tp, BadOffsetsError("The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'")
	case topic.Kind() != data.KindString:
		return tp, BadOffsetsError("Kafka topic names must be valid strings and may not be null")
	case partition.IsNull():
		return tp, BadOffsetsError("Kafka partitions must be valid numbers and may not be null")
	}
	n, ok := javatext.ParseInt(textOf(partition), 32)
	if !ok {
		return tp, BadOffsetsError("Failed to parse the following Kafka partition value in the provided offsets: '" + textOf(partition) +
			"'. Partition values for sink connectors need to be integers.")
	}
	return connect.TopicPartition{Topic: topic.Str(), Partition: int32(n)}, nil
}

func parseSinkOffset(v data.Value) (*int64, error) {
	if v.IsNull() {
		return nil, nil //nolint:nilnil // nil is the offset of a partition whose offset is to be removed
	}
	var offset data.Value
	ok := v.Kind() == data.KindMap
	if ok {
		offset, ok = v.Map().Get(data.String(kafkaOffset))
	}
	if !ok {
		return nil, BadOffsetsError("The offset for a sink connector should either be null or contain the key 'kafka_offset'")
	}
	n, ok := javatext.ParseInt(textOf(offset), 64)
	if !ok {
		return nil, BadOffsetsError("Failed to parse the following Kafka offset value in the provided offsets: '" + textOf(offset) +
			"'. Offset values for sink connectors need to be integers.")
	}
	return &n, nil
}

// textOf returns a value of a request as Java prints it; objects and arrays as JSON.
func textOf(v data.Value) string {
	switch v.Kind() {
	case data.KindString:
		return v.Str()
	case data.KindInt64:
		return strconv.FormatInt(v.Int64(), 10)
	case data.KindFloat64:
		return javatext.Float64(v.Float64())
	default:
		text, err := json.AppendSchemaless(nil, v)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
}
