// Package connect is the SDK for connectors, converters and transforms: Kafka Connect's contracts in Go.
//
// A connector plans work ([Connector.TaskConfigs]) and its tasks do it. Tasks move batches: a source task fills a
// [Batch] that the runtime owns, a sink task is given a slice of records. The runtime owns everything else: threads,
// offsets, retries, converters, transforms, rebalances.
//
// Mandatory interfaces have three methods. All other abilities are optional interfaces, found once when a task or
// connector starts; state them with an assertion such as
//
//	var _ connect.Flusher = (*task)(nil)
//
// so that a change of a signature does not silently switch the ability off:
//
//	source task       Acker, Committer
//	sink task         Partitioned, Flusher, PreCommitter
//	connector         Monitor, Validator, ExactlyOnce, TxnDefiner
//	source connector  SourceOffsetAlterer
//	sink connector    SinkOffsetAlterer
//	converter, transform, predicate  io.Closer
//
// # Goroutines
//
// All calls of one task come one after the other; only Acked and Commit may overlap Poll, and those two never overlap
// each other. When a task is to stop, the context of the running call is cancelled, and Stop is called after it has
// returned. A context that is cancelled is the only interruption there is: whatever blocks must watch it.
//
// # Errors
//
// An error made by [Retriable] or [RetryAfter] asks the runtime to call again with the same work. Any other
// error fails the task. A panic is caught at the boundary and fails the task in the same way.
package connect
