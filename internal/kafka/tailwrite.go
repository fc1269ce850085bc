package kafka

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// writer writes to the topic of a [Log]. It has two clients, each made when it is needed: one that tries for ever, and one that
// tries once.
type writer struct {
	topic    string
	producer *Producer

	opts   []kgo.Opt
	once   sync.Once
	sender *kgo.Client // use single
}

func newWriter(o LogOptions) (*writer, error) {
	props := maps.Clone(o.Producer)
	if props == nil {
		props = unprefixed(o.Worker, map[string]string{clientIDKey: o.ClientID})
	}
	maps.Copy(props, map[string]string{
		maxBlock.Name():    "9223372036854775807",
		idempotence.Name(): "false",
		acks.Name():        "all",
		inFlight.Name():    "1",
	})
	delete(props, txnID.Name())
	producer, err := NewProducer(merge(props, map[string]string{delivery.Name(): "2147483647"}), o.Log)
	if err != nil {
		return nil, err
	}
	once, err := readProducer(merge(props, map[string]string{retries.Name(): "0"}), o.Log)
	if err != nil {
		return nil, err
	}
	return &writer{topic: o.Topic, producer: producer, opts: once.opts}, check(once.opts)
}

func (w *writer) record(r LogRecord) *kgo.Record {
	return &kgo.Record{Topic: w.topic, Partition: AnyPartition, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
}

// write returns the offsets behind the records, by partition.
func (w *writer) write(ctx context.Context, records []LogRecord) (map[int32]int64, error) {
	if len(records) == 0 {
		return nil, ctx.Err()
	}
	p := &pending{left: len(records), done: make(chan struct{}), ends: map[int32]int64{}}
	s := w.producer.Sender(p.settle)
	for _, r := range records {
		s.Produce(ctx, w.record(r))
	}
	if err := p.await(ctx, w.producer); err != nil {
		return nil, fmt.Errorf("write to topic %s: %w", w.topic, err)
	}
	return p.ends, nil
}

// pending are records that are being written.
type pending struct {
	done chan struct{} // closed when none is left

	mu   sync.Mutex // guards what follows
	left int
	err  error // the first
	ends map[int32]int64
}

func (p *pending) settle(r *kgo.Record, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.ends[r.Partition] = max(p.ends[r.Partition], r.Offset+1)
	} else if p.err == nil {
		p.err = err
	}
	if p.left--; p.left == 0 {
		close(p.done)
	}
}

// await waits for the records. Flushing is only to have them sent at once: it would also wait for everybody else's.
func (p *pending) await(ctx context.Context, producer *Producer) error {
	flushing, stop := context.WithCancel(ctx)
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		_ = producer.Flush(flushing)
	}()
	defer func() {
		stop()
		<-flushed
	}()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// single returns the client that tries once.
func (w *writer) single() *kgo.Client {
	w.once.Do(func() {
		client, err := kgo.NewClient(w.opts...)
		if err != nil {
			panic(fmt.Sprintf("kafka: options that were checked are refused: %v", err))
		}
		w.sender = client
	})
	return w.sender
}

func (w *writer) send(r LogRecord, done func(error)) {
	w.single().TryProduce(context.Background(), w.record(r), func(_ *kgo.Record, err error) {
		if done == nil {
			return
		}
		if err != nil {
			err = fmt.Errorf("write to topic %s: %w", w.topic, err)
		}
		done(err)
	})
}

func (w *writer) flush(ctx context.Context) error {
	if err := w.single().Flush(ctx); err != nil {
		return fmt.Errorf("wait for records on their way to topic %s: %w", w.topic, err)
	}
	return nil
}

func (w *writer) close() {
	w.producer.Close()
	w.single().Close()
}
