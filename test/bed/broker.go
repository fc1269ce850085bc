package bed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// startLimit bounds the wait for a server's readiness, generously: the machine may be busy with other things.
const startLimit = 3 * time.Minute

// BrokerOptions describe an Apache Kafka cluster of combined nodes (broker and controller in one JVM). The zero value is one
// node in a temporary folder.
type BrokerOptions struct {
	Nodes      int               // 1 (the default) or 3
	Dir        string            // data and logs; a temporary folder that Close removes when empty
	Properties map[string]string // added to every node's server.properties; they win over the bed's own
	Heap       string            // of each node, as in -Xmx; "512m" when Fast, else "1g"
	Fast       bool              // quick start and small internal topics instead of peak speed: for tests, not for benchmarks
	FormatArgs []string          // more arguments of "StorageTool format", such as --add-scram
	Client     []kgo.Opt         // how the readiness check logs in, when Properties ask for TLS or SASL
}

// Broker is a cluster started by StartBroker or NewBroker. Nodes are numbered from 1, and methods that take nodes mean all of them when
// given none. Its methods are for one goroutine at a time.
type Broker struct {
	opts    BrokerOptions
	jars    Jars
	nodes   []*node
	scratch *scratch // nil when the caller chose the folder
}

// StartBroker starts a cluster and returns when every node answers and knows all the others. ctx bounds the start only;
// the cluster runs until Close, Stop or the end of this process.
func StartBroker(ctx context.Context, o BrokerOptions) (*Broker, error) {
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Heap == "" {
		o.Heap = defaultHeap(o.Fast)
	}
	jars, err := ResolveJars(ctx)
	if err != nil {
		return nil, err
	}
	b := &Broker{opts: o, jars: jars}
	if o.Dir == "" {
		if b.scratch, err = newScratch(); err != nil {
			return nil, err
		}
		b.opts.Dir = b.scratch.dir
	}
	if err := b.startFirst(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func defaultHeap(fast bool) string {
	if fast {
		return "512m"
	}
	return "1g"
}

func (b *Broker) startFirst(ctx context.Context) error {
	ports, err := freePorts(2 * b.opts.Nodes)
	if err != nil {
		return err
	}
	for i := range b.opts.Nodes {
		b.nodes = append(b.nodes, newNode(i+1, ports[2*i], ports[2*i+1], b.opts.Dir))
	}
	props := newClusterProperties(b.nodes, b.opts)
	cluster := newClusterID()
	for _, n := range b.nodes {
		if err := n.configure(props); err != nil {
			return err
		}
		if err := n.format(ctx, b.jars, cluster, b.opts.FormatArgs); err != nil {
			return err
		}
	}
	return b.start(ctx, b.nodes)
}

// start starts nodes together, because a controller quorum needs more than one, and waits until each knows all of them.
func (b *Broker) start(ctx context.Context, nodes []*node) error {
	for _, n := range nodes {
		proc, err := n.start(ctx, b.jars, b.opts)
		if err != nil {
			return err
		}
		n.proc = proc
	}
	for _, n := range nodes {
		err := n.proc.await(ctx, startLimit, func(ctx context.Context) error { return b.knows(ctx, n, nodes) })
		if err != nil {
			return err
		}
	}
	return nil
}

// knows asks n itself for the cluster's brokers and says which of nodes it lacks.
func (b *Broker) knows(ctx context.Context, n *node, nodes []*node) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(append(slices.Clone(b.opts.Client), kgo.SeedBrokers(n.address()), kgo.RequestRetries(0))...)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would mean all
	answer, err := cl.SeedBrokers()[0].Request(ctx, req)
	if err != nil {
		return fmt.Errorf("ask node %d for metadata: %w", n.id, err)
	}
	known := map[int32]bool{}
	for _, broker := range answer.(*kmsg.MetadataResponse).Brokers {
		known[broker.NodeID] = true
	}
	for _, other := range nodes {
		if !known[int32(other.id)] {
			return fmt.Errorf("node %d does not know node %d yet", n.id, other.id)
		}
	}
	return nil
}

// Bootstrap is a value for bootstrap.servers: the addresses of all nodes, running or not.
func (b *Broker) Bootstrap() string {
	var all []string
	for _, n := range b.nodes {
		all = append(all, n.address())
	}
	return strings.Join(all, ",")
}

// Address is the address of one node.
func (b *Broker) Address(node int) string { return b.nodes[node-1].address() }

// Process is the JVM of one node, the present one or the last.
func (b *Broker) Process(node int) *Process { return b.nodes[node-1].proc }

// Dir holds one folder a node with its configuration, log and data.
func (b *Broker) Dir() string { return b.opts.Dir }

// Log is the end of every node's log.
func (b *Broker) Log() string {
	var text strings.Builder
	for _, n := range b.nodes {
		if n.proc != nil {
			fmt.Fprintf(&text, "%s:\n%s\n", n.proc.Name(), n.proc.Tail(40))
		}
	}
	return text.String()
}

// Stop shuts nodes down gracefully and waits for their end. A cluster that loses its quorum on the way cannot shut down gracefully; what is
// left then is killed after ten seconds without an error.
func (b *Broker) Stop(nodes ...int) error {
	chosen := b.chosen(nodes)
	errs := make(chan error, len(chosen))
	for _, n := range chosen {
		go func() { errs <- n.proc.Stop() }()
	}
	var all []error
	for range chosen {
		all = append(all, <-errs)
	}
	if 2*len(chosen) > len(b.nodes) && len(b.nodes) > 1 {
		return nil
	}
	return errors.Join(all...)
}

// Kill ends nodes with SIGKILL.
func (b *Broker) Kill(nodes ...int) {
	for _, n := range b.chosen(nodes) {
		n.proc.Kill()
	}
}

// Restart stops nodes gracefully if they run, and starts them with the same data and ports. It returns when they answer.
func (b *Broker) Restart(ctx context.Context, nodes ...int) error {
	if err := b.Stop(nodes...); err != nil {
		return err
	}
	return b.start(ctx, b.chosen(nodes))
}

// Suspend freezes nodes: their connections stay open and nothing answers.
func (b *Broker) Suspend(nodes ...int) error { return b.each(nodes, (*Process).Suspend) }

// Resume wakes suspended nodes.
func (b *Broker) Resume(nodes ...int) error { return b.each(nodes, (*Process).Resume) }

// Close kills all nodes and removes the temporary folder, if the bed chose it.
func (b *Broker) Close() error {
	b.Kill()
	if b.scratch != nil {
		return b.scratch.remove()
	}
	return nil
}

func (b *Broker) each(nodes []int, f func(*Process) error) error {
	var errs []error
	for _, n := range b.chosen(nodes) {
		errs = append(errs, f(n.proc))
	}
	return errors.Join(errs...)
}

// chosen leaves out nodes that never started.
func (b *Broker) chosen(ids []int) []*node {
	var chosen []*node
	for _, n := range b.nodes {
		if n.proc != nil && (len(ids) == 0 || slices.Contains(ids, n.id)) {
			chosen = append(chosen, n)
		}
	}
	return chosen
}
