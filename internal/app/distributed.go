package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder/cluster"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/rest"
	"github.com/millrace-io/millrace/internal/run"
)

// Distributed is a worker that shares its connectors with the other workers of its group, and keeps everything in Kafka topics.
type Distributed struct {
	base
	keys   distributedKeys
	stores *topicStores
	herder *cluster.Herder

	// Hooks for those who start a worker from inside: after the topics have been read and before the group is joined, and
	// when the worker is ready. An error ends the worker.
	loaded, started func(context.Context) error
}

// NewDistributed checks the configuration and opens the listeners. Nothing runs and nothing is asked of Kafka before
// [Distributed.Run], which must be called to release them.
func NewDistributed(props map[string]string, log *slog.Logger) (*Distributed, error) {
	reg := plugin.Builtin()
	nothing := func(context.Context) error { return nil }
	d := &Distributed{keys: newDistributedKeys(reg), loaded: nothing, started: nothing}
	var err error
	if d.base, err = newBase(props, reg, d.keys.commonKeys, log); err != nil {
		return nil, err
	}
	if err = d.keys.check(d.values, d.props); err == nil {
		err = d.assemble()
	}
	if err != nil {
		d.cluster.admin.Close()
		if d.server != nil {
			d.server.Close()
		}
		return nil, err
	}
	return d, nil
}

func (d *Distributed) assemble() error {
	if err := d.listen(d.isReady); err != nil {
		return err
	}
	var err error
	if d.stores, err = newTopicStores(d); err != nil {
		return err
	}
	member, err := kafka.NewMember(kafka.MemberOptions{
		Group: d.keys.group.Of(d.values), ClientID: d.memberClientID(), Worker: d.props,
		Session: d.ms(d.keys.session), Rebalance: d.ms(d.keys.rebalance), Heartbeat: d.ms(d.keys.heartbeat),
		Log: d.log, Signal: func(s kafka.Signal) { d.herder.Signal(s) },
	})
	if err != nil {
		return fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	mode, err := group.ParseMode(d.keys.protocol.Of(d.values))
	if err != nil {
		return err
	}
	listen := event.Tee(d.stores.status.Listen, logStatus(d.log))
	w := d.newWorker(d.stores.offsets, listen)
	w.OwnOffsets = d.stores.own
	o := cluster.Options{
		Core: cluster.CoreOptions{
			URL: d.advertisedURL(), Mode: mode,
			MaxDelay: d.ms(d.keys.maxDelay), UnsyncBackoff: d.ms(d.keys.unsyncBackoff),
			KeyTTL: d.ms(d.keys.keyTTL), KeyAlgorithm: d.keys.keyAlgorithm.Of(d.values), KeyBytes: d.keys.keyBytes(d.values),
			Privileged: d.stores.transactor != nil,
		},
		Group: d.keys.group.Of(d.values), Worker: w, Plugins: d.plugins, Member: member,
		Config: d.stores.config, Status: d.stores.status, Leader: rest.NewPeer(d.keys.signatureAlgorithm.Of(d.values)),
		Events: listen, SyncTimeout: d.ms(d.keys.syncTimeout), TrackTopics: d.keys.trackTopics.Of(d.values), Log: d.log,
	}
	if d.stores.transactor != nil {
		o.Claimer = d.stores.transactor
	}
	d.herder = cluster.New(o)
	d.server.Herder = d.herder
	d.server.Internal = &rest.Internal{
		Leader: d.herder, Keys: d.herder.SessionKeys, Algorithms: d.keys.verificationAlgorithms.Of(d.values),
		Required: d.herder.SignedRequests,
	}
	return nil
}

// ms returns the value of a key that counts milliseconds.
func (d *Distributed) ms(k config.Key[int32]) time.Duration {
	return time.Duration(k.Of(d.values)) * time.Millisecond
}

func (d *Distributed) memberClientID() string {
	if id := d.keys.clientID.Of(d.values); id != "" {
		return id
	}
	return "connect-" + d.workerID()
}

// storeClientID is the client id of a client that works on the internal topics.
func (d *Distributed) storeClientID(use string) string {
	prefix := d.keys.group.Of(d.values) + "-"
	if id := d.keys.clientID.Of(d.values); id != "" {
		prefix += id + "-"
	}
	return prefix + use
}

// advertisedURL is where other workers reach this one, in the form in which the group knows it.
func (d *Distributed) advertisedURL() string { return "http://" + d.workerID() + "/" }

func (d *Distributed) isReady() bool {
	select {
	case <-d.herder.Ready():
		return true
	default:
		return false
	}
}

// Run runs the worker until ctx ends.
func (d *Distributed) Run(ctx context.Context) error {
	d.log.Info("Kafka version: "+connect.KafkaVersion, "millrace", Version())
	g := run.NewGroup(d.log)
	g.Add("cluster id", d.cluster.Run)
	g.Add("stores", d.stores.Run)
	g.Add("herder", d.runHerder)
	g.Add("rest", d.server.Run)
	g.Add("start", d.announce)
	return g.Run(ctx)
}

// runHerder joins the group when the topics have been read.
func (d *Distributed) runHerder(ctx context.Context) error {
	select {
	case <-d.stores.loaded:
		if err := d.loaded(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
		return d.herder.Run(ctx)
	case <-ctx.Done():
		return nil
	}
}

func (d *Distributed) announce(ctx context.Context) error {
	select {
	case <-d.herder.Ready():
		d.log.Info("Kafka Connect started", "rest", d.URL(), "group", d.keys.group.Of(d.values))
		if err := d.started(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil
}
