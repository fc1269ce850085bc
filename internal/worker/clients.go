package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/javaregex"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/store"
)

// newSource sets up a source task: its producer's configuration is checked here, its connections come with the first
// record.
func (w *Worker) newSource(t *task, p *connect.Plugin, conv pipeline.Converters, tol *pipeline.Tolerance, connectorProps, taskProps connect.Props) (body, error) {
	over, err := w.overrides(connectorProps, ProducerOverridePrefix)
	if err != nil {
		return nil, err
	}
	props := kafka.ProducerProps(w.Props, kafka.ProducerID(t.id.Connector, t.id.Task), over)
	producer, err := kafka.NewProducer(props, t.log)
	if err != nil {
		return nil, fmt.Errorf("configure the producer with producer.* of the worker and %s* of the connector: %w", ProducerOverridePrefix, err)
	}
	note(t.log, "producer", producer.Notes())
	return newSourceTask(t, sourceOptions{
		Task: p.Source().NewTask(), Props: taskProps, Pipe: pipeline.NewSource(conv, tol), Tolerance: tol,
		OpenOffsets: func(ctx context.Context) (store.Offsets, func(), error) {
			return w.offsetsOf(ctx, t.id.Connector, t.id.Task, connectorProps)
		},
		NewProducer: func(promise func(*kgo.Record, error)) (Producer, error) {
			return sender{producer.Sender(promise), producer}, nil
		},
		FlushInterval: w.FlushInterval, FlushTimeout: w.FlushTimeout,
	}), nil
}

// sender is a producer with the promise of a task's records.
type sender struct {
	*kafka.Sender
	producer *kafka.Producer
}

func (s sender) Flush(ctx context.Context) error { return s.producer.Flush(ctx) }
func (s sender) Close()                          { s.producer.Close() }

// newSink sets up a sink task: its consumer's configuration is checked here, and it joins its group when the task has
// started.
func (w *Worker) newSink(t *task, p *connect.Plugin, conv pipeline.Converters, tol *pipeline.Tolerance, connectorProps, taskProps connect.Props) (body, error) {
	if err := ValidateTopics(taskProps); err != nil {
		return nil, err
	}
	over, err := w.overrides(connectorProps, ConsumerOverridePrefix)
	if err != nil {
		return nil, err
	}
	props := kafka.ConsumerProps(w.Props, t.id.Connector, kafka.ConsumerID(t.id.Connector, t.id.Task), over)
	o := kafka.GroupOptions{Topics: Topics(taskProps), Log: t.log}
	if regex := strings.TrimSpace(taskProps[TopicsRegexKey]); regex != "" {
		re, err := javaregex.Compile(regex)
		if err != nil {
			return nil, err
		}
		o.Match = re.MatchWhole
	}
	s := newSinkTask(t, sinkOptions{
		Task: p.Sink().NewTask(), Props: taskProps, Pipe: pipeline.NewSink(conv, tol),
		FlushInterval: w.FlushInterval, FlushTimeout: w.FlushTimeout,
	})
	o.Events = kafka.Events{Assigned: s.assigned, Fetched: s.fetched, Revoked: s.revoked, Lost: s.lost}
	consumer, err := kafka.NewConsumer(props, o)
	if err != nil {
		return nil, fmt.Errorf("configure the consumer with consumer.* of the worker and %s* of the connector: %w", ConsumerOverridePrefix, err)
	}
	note(t.log, "consumer", consumer.Notes())
	s.consumer = consumer
	return s, nil
}

// note tells users once a task which of the keys they set have no effect.
func note(log *slog.Logger, client string, notes []kafka.Note) {
	for _, n := range notes {
		log.Info("a configuration key has no effect", "client", client, "key", n.Key, "because", n.Reason)
	}
}
