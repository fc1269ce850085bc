package bed

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// quorumGrace is how long a node of several gets to shut down: without a quorum it would try for minutes.
const quorumGrace = 10 * time.Second

// node is one combined broker and controller.
type node struct {
	id, port, controller int
	dir                  string
	proc                 *Process // nil before the first start
}

func newNode(id, port, controller int, parent string) *node {
	return &node{id: id, port: port, controller: controller, dir: filepath.Join(parent, "node-"+strconv.Itoa(id))}
}

func (n *node) address() string { return Address(n.port) }
func (n *node) data() string    { return filepath.Join(n.dir, "data") }
func (n *node) config() string  { return filepath.Join(n.dir, "server.properties") }

// newClusterProperties are those that all nodes share.
func newClusterProperties(nodes []*node, o BrokerOptions) map[string]string {
	var voters []string
	for _, n := range nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", n.id, Address(n.controller)))
	}
	replicas, inSync := strconv.Itoa(len(nodes)), strconv.Itoa((len(nodes)+1)/2)
	props := map[string]string{
		"process.roles":                                    "broker,controller",
		"controller.quorum.voters":                         strings.Join(voters, ","),
		"controller.listener.names":                        "CONTROLLER",
		"default.replication.factor":                       replicas,
		"offsets.topic.replication.factor":                 replicas,
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    inSync,
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            inSync,
		"group.initial.rebalance.delay.ms":                 "0",
	}
	if o.Fast {
		props = merge(props, fastBroker())
	}
	return merge(props, o.Properties)
}

// fastBroker keeps internal topics and buffers small, because 50 partitions each take seconds to make on a busy machine, and notices
// dead nodes early: a killed node is not let in again before its old session is over. Members of groups may have sessions as short as
// tests that kill them want.
func fastBroker() map[string]string {
	return map[string]string{
		"offsets.topic.num.partitions":                 "4",
		"transaction.state.log.num.partitions":         "4",
		"share.coordinator.state.topic.num.partitions": "1",
		"log.cleaner.dedupe.buffer.size":               "16777216",
		"broker.session.timeout.ms":                    "4000",
		"broker.heartbeat.interval.ms":                 "500",
		"group.min.session.timeout.ms":                 "100",
	}
}

// configure makes the node's folder with its server.properties.
func (n *node) configure(cluster map[string]string) error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of node %d: %w", n.id, err)
	}
	own := map[string]string{
		"node.id":              strconv.Itoa(n.id),
		"log.dirs":             n.data(),
		"listeners":            fmt.Sprintf("PLAINTEXT://%s,CONTROLLER://%s", n.address(), Address(n.controller)),
		"advertised.listeners": "PLAINTEXT://" + n.address(),
	}
	if err := writeProperties(n.config(), merge(own, cluster)); err != nil {
		return fmt.Errorf("configure node %d: %w", n.id, err)
	}
	return nil
}

// format prepares an empty data folder. What the tool would write is known unless it gets arguments.
func (n *node) format(ctx context.Context, jars Jars, cluster string, args []string) error {
	if len(args) > 0 {
		return formatWithTool(ctx, jars, n, cluster, args)
	}
	if err := os.MkdirAll(n.data(), 0o755); err != nil {
		return fmt.Errorf("make the data folder of node %d: %w", n.id, err)
	}
	snapshot, err := os.ReadFile(jars.bootstrap())
	if err != nil {
		return fmt.Errorf("read the formatted metadata: %w", err)
	}
	if err := os.WriteFile(filepath.Join(n.data(), "bootstrap.checkpoint"), snapshot, 0o644); err != nil {
		return fmt.Errorf("format node %d: %w", n.id, err)
	}
	err = writeProperties(filepath.Join(n.data(), "meta.properties"), map[string]string{
		"version": "1", "cluster.id": cluster, "node.id": strconv.Itoa(n.id), "directory.id": newClusterID(),
	})
	if err != nil {
		return fmt.Errorf("format node %d: %w", n.id, err)
	}
	return nil
}

func formatWithTool(ctx context.Context, jars Jars, n *node, cluster string, args []string) error {
	args = append([]string{"format", "-t", cluster, "-c", n.config()}, args...)
	if _, err := jars.run(ctx, "kafka.tools.StorageTool", args...); err != nil {
		return fmt.Errorf("format node %d: %w", n.id, err)
	}
	return nil
}

// newClusterID is a random UUID in Kafka's text form, which must not begin with a dash: tools take that for an option.
func newClusterID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func (n *node) start(ctx context.Context, jars Jars, o BrokerOptions) (*Process, error) {
	v := jvm{
		name: "broker-" + strconv.Itoa(n.id), dir: n.dir, heap: o.Heap, fast: o.Fast,
		class: "kafka.Kafka", args: []string{n.config()},
		pattern: "[%d] %p %m (%c)%n",
	}
	if o.Nodes > 1 {
		v.grace = quorumGrace
	}
	return v.start(ctx, jars)
}
