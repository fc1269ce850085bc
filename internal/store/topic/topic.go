// Package topic has the stores of a distributed worker: connector configurations, source offsets and statuses on compacted Kafka
// topics, in the records of the reference, so that both can share a cluster.
//
// Each store is fed by the reader of its topic and writes through it. Store and reader need each other: make the store, make the
// reader with the store's Apply, give the reader to the store with SetLog, and only then load the topic.
package topic

import (
	"context"

	"github.com/millrace-io/millrace/internal/kafka"
)

// Log is the tailed topic of a store, a [kafka.Log].
type Log interface {
	// ReadToEnd returns when everything has been applied that was in the topic at the time of the call.
	ReadToEnd(ctx context.Context) error
	// Write writes records in order and returns when all of them are durable.
	Write(ctx context.Context, records ...kafka.LogRecord) error
	// WriteAndRead writes records and returns when they have been applied.
	WriteAndRead(ctx context.Context, records ...kafka.LogRecord) error
	// Send writes a record without waiting and without retries. Records arrive in the order of the calls; done gets the
	// outcome, from any goroutine.
	Send(record kafka.LogRecord, done func(error))
	// Flush waits for the outcome of what was sent.
	Flush(ctx context.Context) error
}

var _ Log = (*kafka.Log)(nil)

func record(key string, value []byte) kafka.LogRecord {
	return kafka.LogRecord{Key: []byte(key), Value: value}
}
