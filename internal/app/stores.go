package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
	"github.com/millrace-io/millrace/internal/worker"
)

// ErrUnreachable marks the error of a worker that found no broker when it started.
var ErrUnreachable = errors.New("Kafka cannot be reached")

// topicStores are the three stores of a distributed worker with the topics behind them.
type topicStores struct {
	config     *topic.Config
	offsets    *topic.Offsets
	status     *topic.Status
	transactor *kafka.Transactor // nil without transactions

	admin     *kafka.Admin
	logs      [3]internalLog // in the order in which they are opened
	log       *slog.Logger
	bootstrap string
	cluster   *clusterID
	patience  time.Duration // with a Kafka that does not answer
	loaded    chan struct{} // closed when everything in the topics has been read
}

// internalLog is one of the topics and its reader.
type internalLog struct {
	topic kafka.InternalTopic
	*kafka.Log
}

func newTopicStores(d *Distributed) (*topicStores, error) {
	log := d.log
	s := &topicStores{log: log, bootstrap: d.props[bootstrapKey], cluster: d.cluster, patience: d.ms(d.keys.apiTimeout), loaded: make(chan struct{})}
	s.config = topic.NewConfig(topic.ConfigOptions{
		Log: log, Changed: func(c *store.ConfigSnapshot, changes []store.ConfigChange) { d.herder.Configured(c, changes) },
	})
	s.offsets = topic.NewOffsets(log)
	s.status = topic.NewStatus(topic.StatusOptions{
		WorkerID: d.workerID(), Generation: func() int { return d.herder.Generation() }, Log: log,
	})
	if err := s.open(d); err != nil {
		return nil, fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	return s, nil
}

// open makes the clients, which connect later.
func (s *topicStores) open(d *Distributed) (err error) {
	if s.admin, err = kafka.NewAdmin(kafka.AdminProps(d.props, d.storeClientID("shared-admin"), nil), d.log); err != nil {
		return err
	}
	support := strings.ToLower(d.keys.exactlyOnce.Of(d.values))
	for i, o := range []struct {
		use    topicUse
		client string
		apply  func([]kafka.LogRecord)
		set    func(topic.Log)
	}{
		{offsetUse, "offsets", s.offsets.Apply, s.offsets.SetLog},
		{statusUse, "statuses", s.status.Apply, s.status.SetLog},
		{configUse, "configs", s.config.Apply, s.config.SetLog},
	} {
		t := d.keys.topic(o.use, d.values, d.props)
		l, err := kafka.NewLog(kafka.LogOptions{
			Topic: t.Name, ClientID: d.storeClientID(o.client), Worker: d.props, Apply: o.apply, Log: d.log,
		})
		if err != nil {
			return err
		}
		o.set(l)
		s.logs[i] = internalLog{t, l}
	}
	if support != preparing {
		return nil
	}
	group := d.keys.group.Of(d.values)
	s.transactor, err = kafka.NewTransactor(d.props, d.storeClientID("configs-leader"), "connect-cluster-"+group, s.logs[2].topic.Name, d.log)
	if err == nil {
		s.config.SetPrivileged(s.transactor)
	}
	return err
}

// Run creates the topics that are missing, reads all of them, and goes on reading until ctx ends.
func (s *topicStores) Run(ctx context.Context) error {
	defer s.close()
	if err := s.reach(ctx); err != nil {
		return unlessEnded(ctx, err)
	}
	for _, l := range s.logs {
		if err := s.admin.EnsureCompacted(ctx, l.topic); err != nil {
			return unlessEnded(ctx, err)
		}
		if err := l.Load(ctx); err != nil {
			return unlessEnded(ctx, unreadable(l.topic, err))
		}
	}
	if config := s.logs[2]; config.Partitions() != 1 {
		return kafka.SinglePartitionError(config.topic.Name, config.Partitions())
	}
	s.config.Loaded()
	close(s.loaded)
	return s.follow(ctx)
}

// unreadable says of which topic an error is.
func unreadable(t kafka.InternalTopic, err error) error {
	return fmt.Errorf("Topic '%s' supplied via the '%s' property cannot be read: %w", t.Name, t.NameKey, err)
}

// reach waits for Kafka to answer, for as long as Connect does.
func (s *topicStores) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := s.cluster.await(ctx); err != nil {
		return fmt.Errorf("%w at %s within %s (%w): start it, or correct %s and, if the brokers ask for encryption or passwords, the worker's %s",
			ErrUnreachable, s.bootstrap, s.patience, err, bootstrapKey, "security.protocol, ssl.* and sasl.*")
	}
	return nil
}

// unlessEnded returns nil instead of an error that comes of the end of ctx.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// follow reads on until ctx ends or a reader cannot go on.
func (s *topicStores) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	parts := []func(context.Context) error{s.status.Run}
	for _, l := range s.logs {
		parts = append(parts, l.Run)
	}
	errs := make([]error, len(parts))
	for i, run := range parts {
		wg.Go(func() {
			errs[i] = run(ctx)
			cancel()
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *topicStores) close() {
	for _, l := range s.logs {
		l.Close()
	}
	if s.transactor != nil {
		s.transactor.Close()
	}
	s.admin.Close()
}

// own opens the offset store of a connector that has a topic of its own. Offsets from before stay in the worker's topic and are found
// there, unless that is the connector's, too.
func (s *topicStores) own(ctx context.Context, t worker.OwnTopic) (store.Offsets, func(), error) {
	admin, err := kafka.NewAdmin(t.Admin, s.log)
	if err != nil {
		return nil, nil, err
	}
	defer admin.Close()
	shared := s.logs[0].topic
	topicOf := shared
	topicOf.Name, topicOf.NameKey, topicOf.ReplicationKey = t.Topic, worker.OffsetsTopicKey, offsetUse.replicationKey()
	if err := admin.EnsureCompacted(ctx, topicOf); err != nil {
		return nil, nil, err
	}
	offsets := topic.NewOffsets(s.log)
	l, err := kafka.NewLog(kafka.LogOptions{Topic: t.Topic, Consumer: t.Consumer, Producer: t.Producer, Apply: offsets.Apply, Log: s.log})
	if err != nil {
		return nil, nil, err
	}
	offsets.SetLog(l)
	if err := l.Load(ctx); err != nil {
		l.Close()
		return nil, nil, unreadable(topicOf, err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var reading sync.WaitGroup
	reading.Go(func() {
		if err := l.Run(ctx); err != nil {
			s.log.Error("the offsets topic of a connector can be read no more", "connector", t.Connector, "topic", t.Topic, "error", err)
		}
	})
	done := func() {
		cancel()
		reading.Wait()
		l.Close()
	}
	if t.Topic == shared.Name && sameBrokers(t.Consumer[bootstrapKey], s.bootstrap) {
		return offsets, done, nil
	}
	return topic.NewMerged(offsets, s.offsets, s.log), done, nil
}

// sameBrokers says whether two lists name the same brokers, in any order.
func sameBrokers(a, b string) bool {
	list := func(s string) []string {
		parts := strings.Split(s, ",")
		for i, p := range parts {
			parts[i] = strings.TrimSpace(p)
		}
		slices.Sort(parts)
		return parts
	}
	return slices.Equal(list(a), list(b))
}
