package connect

import (
	"context"
	"log/slog"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
)

// Plugin describes a connector. It is a plain value: a worker is given a list of them.
type Plugin struct {
	Class     string // the connector.class it answers to; its aliases are derived from it
	TaskClass string // the task.class written into task configurations
	Version   string
	Def       *config.Def            // parsing, validation, documentation, forms
	Source    func() SourceConnector // exactly one of Source and Sink is set
	Sink      func() SinkConnector
}

// Connector plans the work of its tasks.
type Connector interface {
	// Start is called once, before anything else. It may look at the outside world, but should not wait long.
	Start(ctx context.Context, c *ConnectorContext, p Props) error
	// TaskConfigs splits the work into at most limit task configurations.
	TaskConfigs(ctx context.Context, limit int) ([]Props, error)
	// Stop is called once after the last other call.
	Stop(ctx context.Context) error
}

// SourceConnector is a connector whose tasks produce records.
type SourceConnector interface {
	Connector
	NewTask() SourceTask
}

// SinkConnector is a connector whose tasks consume records.
type SinkConnector interface {
	Connector
	NewTask() SinkTask
}

// Monitor is a connector that watches its source or destination while it runs. The runtime owns the goroutine: it
// calls Run after Start and cancels ctx before Stop. An error fails the connector and leaves its tasks running.
type Monitor interface {
	Run(ctx context.Context) error
}

// Validator is a connector with checks beyond its Def. It returns a value with errors for each key concerned. It may
// open connections, within the deadline of ctx, and may be called on an instance that was never started.
type Validator interface {
	Validate(ctx context.Context, p Props) []config.Value
}

// Support answers what a connector can promise for a configuration.
type Support uint8

// The answers of [ExactlyOnce].
const (
	Unsupported Support = iota
	Supported
)

// ExactlyOnce is a source connector that knows whether it delivers exactly once with a configuration. One that does
// not implement it cannot be used with exactly.once.support=required.
type ExactlyOnce interface {
	ExactlyOnce(p Props) Support
}

// TxnDefiner is a source connector whose tasks can mark transaction boundaries in their batches.
type TxnDefiner interface {
	DefinesTransactions(p Props) bool
}

// SourceOffset is a source partition with an offset, both MAP values as they were stored; a null offset is a request
// to forget it.
type SourceOffset struct {
	Partition, Offset data.Value
}

// SourceOffsetAlterer is a source connector that checks or carries out changes of its offsets (KIP-875). It
// returns true if no more is needed than what the runtime stores. It may be called on an instance never started.
type SourceOffsetAlterer interface {
	AlterOffsets(ctx context.Context, p Props, offsets []SourceOffset) (bool, error)
}

// SinkOffsetAlterer is the same for sinks; a nil offset asks for the deletion of the group's offset.
type SinkOffsetAlterer interface {
	AlterOffsets(ctx context.Context, p Props, offsets map[TopicPartition]*int64) (bool, error)
}

// ConnectorRuntime is what a runtime provides behind a [ConnectorContext].
type ConnectorRuntime struct {
	Log                    *slog.Logger
	RequestReconfiguration func()
	RaiseError             func(error)
	Offsets                func(ctx context.Context, partitions []*SourcePartition) ([]data.Value, error)
}

// ConnectorContext is a connector's view of the runtime. Its methods may be called from any goroutine.
type ConnectorContext struct {
	rt         ConnectorRuntime
	partitions interner
}

// NewConnectorContext is for runtimes and test kits.
func NewConnectorContext(rt ConnectorRuntime) *ConnectorContext { return &ConnectorContext{rt: rt} }

// Log returns the connector's logger.
func (c *ConnectorContext) Log() *slog.Logger { return c.rt.Log }

// RequestReconfiguration asks the runtime to call TaskConfigs again, soon, on the connector's own goroutine.
func (c *ConnectorContext) RequestReconfiguration() { c.rt.RequestReconfiguration() }

// RaiseError fails the connector. Its tasks go on.
func (c *ConnectorContext) RaiseError(err error) { c.rt.RaiseError(err) }

// Partition returns the handle of a source partition; see [SourceTaskContext.Partition].
func (c *ConnectorContext) Partition(p map[string]any) *SourcePartition {
	return c.partitions.intern(p)
}

// Offsets returns the stored offset of each partition, a MAP, or null where none is stored. Sources only.
func (c *ConnectorContext) Offsets(ctx context.Context, partitions ...*SourcePartition) ([]data.Value, error) {
	return c.rt.Offsets(ctx, partitions)
}
