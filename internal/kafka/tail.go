package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
)

// LogRecord is a record of an internal topic. A nil Value is a tombstone.
type LogRecord struct {
	// Partition and Offset say where a record was read. They mean nothing in a record that is to be written: the key decides
	// about the partition, by the hash that all Kafka clients share.
	Partition  int32
	Offset     int64
	Timestamp  time.Time // zero in a record to be written: now
	Key, Value []byte
}

// LogOptions describe a [Log].
type LogOptions struct {
	Topic, ClientID string
	// Worker are the worker's properties. Those without a client's prefix configure the clients of the log; producer.*,
	// consumer.* and admin.* are for connectors.
	Worker map[string]string
	// Consumer and Producer, if they are given, are the complete properties of the log's clients instead of ClientID and Worker: those
	// of a connector that has a topic of its own.
	Consumer, Producer map[string]string
	// ReadCommitted hides records of aborted transactions, and holds back everything behind a transaction that is open.
	ReadCommitted bool
	// Apply gets the records of each fetch, in order for each partition: during Load on its caller's goroutine, then on that
	// of Run, never twice at a time. Slices, keys and values are Apply's afterwards and are never used again.
	Apply func([]LogRecord)
	Log   *slog.Logger // nil discards
}

// ErrLogEnded is the answer to those who wait for a reader that has ended.
var ErrLogEnded = errors.New("the reader of the topic has ended")

// Log is a compacted topic that the worker keeps its state in: read from the start to the end at first, then for ever. It belongs
// to no group and commits nothing.
//
// A position is the offset that is fetched next. It moves past whatever a broker has there, also past the ends of transactions, aborted
// records and what compaction has left empty, so that waiting for an end offset always ends.
//
// Load, Run and Close are for one goroutine, in this order; everything else can be called by several goroutines at once.
type Log struct {
	read  *reader
	write *writer
	log   *slog.Logger

	ended chan struct{} // closed when Run returns

	mu   sync.Mutex    // guards next
	next *look         // at the end offsets, not begun yet; nil if nobody waits for one
	wake chan struct{} // holds a token when there is a next look
}

// look is a look at the end offsets that several callers wait for.
type look struct {
	waiting int           // callers; guarded by the log's mu
	done    chan struct{} // closed when what follows is set
	ends    map[int32]int64
	err     error
}

// NewLog checks the properties and makes a log that is not connected yet.
func NewLog(o LogOptions) (*Log, error) {
	o.Log = discard(o.Log)
	read, err := newReader(o)
	if err != nil {
		return nil, err
	}
	write, err := newWriter(o)
	if err != nil {
		return nil, err
	}
	return &Log{read: read, write: write, log: o.Log, ended: make(chan struct{}), wake: make(chan struct{}, 1)}, nil
}

// unprefixed returns the worker's keys that belong to no client of connectors, with more on top.
func unprefixed(worker map[string]string, more map[string]string) map[string]string {
	out := make(map[string]string, len(worker)+len(more))
	for k, v := range worker {
		if !strings.HasPrefix(k, producerPrefix) && !strings.HasPrefix(k, consumerPrefix) && !strings.HasPrefix(k, adminPrefix) {
			out[k] = v
		}
	}
	maps.Copy(out, more)
	return out
}

const (
	// partitionWait is how long Load waits for the topic to be known.
	partitionWait = 30 * time.Second
	// endsWait is how long Load tries to find out where the topic ends.
	endsWait = 15 * time.Minute
	// firstPause and longestPause are between looks for the topic.
	firstPause, longestPause = 100 * time.Millisecond, time.Second
)

// Load waits up to 30 s for the topic, then reads everything that is there: Apply has seen it when Load returns nil. Where the topic
// ends is asked without regard to transactions, as Connect does; so with ReadCommitted a transaction that is open holds Load up
// until it ends, at the latest after its transaction.timeout.ms. Brokers that go away meanwhile are waited for until ctx ends.
// All errors but that of ctx say that the worker cannot work with the topic, and leave it to the caller to name it.
func (l *Log) Load(ctx context.Context) error {
	if err := l.read.awaitTopic(ctx); err != nil {
		return err
	}
	endsCtx, cancel := context.WithTimeout(ctx, endsWait)
	defer cancel()
	ends, err := l.read.ends(endsCtx)
	if err != nil {
		return err
	}
	if l.read.passed(ends) {
		return l.read.readable(ctx)
	}
	begun := time.Now()
	if err := l.read.run(ctx, func() bool { return l.read.passed(ends) }); err != nil {
		return err
	}
	l.log.Debug("a topic of the worker is read", "topic", l.read.topic, "took", time.Since(begun))
	return nil
}

// Partitions is the number of partitions of the topic. It is known after Load and grows with the topic.
func (l *Log) Partitions() int { return l.read.partitions() }

// Run reads until ctx ends, which is no error. Brokers that are away and a topic that is gone are logged and waited for; a topic that was
// made anew is read from its start.
func (l *Log) Run(ctx context.Context) error {
	defer close(l.ended)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { l.look(ctx) })
	return l.read.run(ctx, nil)
}

// look answers ReadToEnd.
func (l *Log) look(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		l.mu.Lock()
		now := l.next
		l.next = nil
		wanted := now.waiting > 0
		l.mu.Unlock()
		if !wanted {
			continue
		}
		now.ends, now.err = l.read.ends(ctx)
		if ctx.Err() != nil {
			now.err = ErrLogEnded
		}
		close(now.done)
	}
}

// ReadToEnd waits until Apply has seen everything that was in the topic when it was called. Callers that come while others are being
// answered share the next look at the end offsets. It needs Run. While brokers are away it waits until ctx ends. Where the topic ends
// is asked as [Log.Load] says: with ReadCommitted it waits for the end of open transactions.
func (l *Log) ReadToEnd(ctx context.Context) error {
	l.mu.Lock()
	if l.next == nil {
		l.next = &look{done: make(chan struct{})}
		l.wake <- struct{}{} // there is room: a token is there only if there is a look
	}
	mine := l.next
	mine.waiting++
	l.mu.Unlock()
	select {
	case <-mine.done:
	case <-ctx.Done():
		l.mu.Lock()
		mine.waiting--
		l.mu.Unlock()
		return fmt.Errorf("find the end of topic %s: %w", l.read.topic, ctx.Err())
	case <-l.ended:
		return ErrLogEnded
	}
	if mine.err != nil {
		return mine.err
	}
	return l.await(ctx, mine.ends)
}

// await waits until all positions have reached those offsets.
func (l *Log) await(ctx context.Context, ends map[int32]int64) error {
	for {
		changed := l.read.changes()
		if l.read.passed(ends) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("read topic %s to its end: %w", l.read.topic, ctx.Err())
		case <-l.ended:
			return ErrLogEnded
		}
	}
}

// Write sends records in order, in one batch for each partition where they fit, and waits until all in-sync replicas have them. What may
// pass is tried again until ctx ends; whether the records are in the topic is not known after that.
func (l *Log) Write(ctx context.Context, records ...LogRecord) error {
	_, err := l.write.write(ctx, records)
	return err
}

// WriteAndRead is Write that also waits until Apply has seen the records. It needs Run. With ReadCommitted it waits
// for the end of transactions that began before.
func (l *Log) WriteAndRead(ctx context.Context, records ...LogRecord) error {
	ends, err := l.write.write(ctx, records)
	if err != nil {
		return err
	}
	return l.await(ctx, ends)
}

// Send sends a record, once: an error is not tried again, for the caller knows best whether the record still matters. It never blocks.
// done is called once on a goroutine of the log, in order for each partition, and must not block; it may be nil. The order of a Send
// and a Write is not defined.
func (l *Log) Send(record LogRecord, done func(error)) { l.write.send(record, done) }

// Flush waits until done was called for everything sent before.
func (l *Log) Flush(ctx context.Context) error { return l.write.flush(ctx) }

// Close ends all connections. What is being written is given up; Flush first.
func (l *Log) Close() {
	l.write.close()
	l.read.close()
}
