// Package guarded opens kfake, the Kafka broker written as a test fake, with the settings that make it fit to hold a developer's
// data. It is the one place where those settings are chosen; the embedded broker and the tests' broker both come from here.
package guarded

import (
	"errors"
	"log/slog"
	"net"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// Options say where a cluster keeps its data and how it is reached.
type Options struct {
	Dir       string // folder of the data; empty keeps everything in memory
	Fsync     bool   // write through to the disk at every produce
	ClusterID string // used for a new folder; an existing folder keeps its own
	Log       *slog.Logger
	Listen    func(network, address string) (net.Listener, error) // its Addr is what clients are told
}

// Cluster is one running broker.
type Cluster struct {
	*kfake.Cluster
	log *bridge
}

// Open starts a cluster of one broker, reading Dir if it holds data. The extra options come last and so win.
func Open(o Options, extra ...kfake.Opt) (*Cluster, error) {
	log := &bridge{log: o.Log}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.DefaultNumPartitions(1),
		kfake.AllowAutoTopicCreation(),
		kfake.ClusterID(o.ClusterID),
		kfake.MaxVersions(versions()),
		kfake.BrokerConfigs(configs()),
		kfake.WithLogger(log),
		kfake.ListenFn(o.Listen),
	}
	if o.Dir != "" {
		opts = append(opts, kfake.DataDir(o.Dir))
	}
	if o.Fsync {
		opts = append(opts, kfake.SyncWrites())
	}
	c, err := kfake.NewCluster(append(opts, extra...)...)
	if err != nil {
		return nil, err
	}
	return &Cluster{Cluster: c, log: log}, nil
}

// Watch adds the guards that look at requests. It uses kfake's control functions for Metadata, CreateTopics, AlterConfigs,
// IncrementalAlterConfigs, Heartbeat and SyncGroup, which therefore nobody else may control.
func (c *Cluster) Watch() {
	observe(c.Cluster, kmsg.Metadata, c.createDurably)
	answer(c.Cluster, kmsg.Heartbeat, c.unknownMember)
	answer(c.Cluster, kmsg.SyncGroup, c.unknownMember)
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs} {
		observe(c.Cluster, key, c.warnOfRetention)
	}
}

// Close saves the state and stops the broker. The error says that the state could not be saved: kfake itself only logs that.
func (c *Cluster) Close() error {
	c.log.collect()
	c.Cluster.Close()
	return errors.Join(c.log.collected()...)
}

// versions announces every API of the newest Kafka release but for two that Java's admin client cannot read. CreateTopics stops
// at version 4: from version 5 on kfake describes the new topic's configs with source -1, which is refused ("id should be
// positive, id: -1"). DescribeTopicPartitions is not announced, upon which Java asks for metadata: kfake answers it with null
// eligible replicas, which end a describeTopics, and with it a source task that creates topics, by a NullPointerException.
//
// kversion.Tip is no alternative to Stable: it can be older, and with a Produce below version 12 every Java transaction fails
// with INVALID_TXN_STATE, because kfake announces transaction.version=2.
func versions() *kversion.Versions {
	v := kversion.Stable()
	v.SetMaxKeyVersion(int16(kmsg.CreateTopics), 4)
	v.SetMaxKeyVersion(int16(kmsg.DescribeTopicPartitions), -1)
	return v
}

// configs are the broker settings that differ from kfake's.
func configs() map[string]string {
	return map[string]string{
		// kfake applies time retention to compacted topics too, which would delete week-old connector configs and offsets,
		// and one record with an old timestamp takes every record before it along.
		"log.retention.ms": "-1",
		// A segment is read as a whole when the folder is opened: small ones keep the start quick and its memory low.
		"log.segment.bytes": "16777216",
		// Offsets of a worker that was switched off over the holidays are still wanted.
		"offsets.retention.minutes": "2147483647",
	}
}
