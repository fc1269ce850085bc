package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// unknownTries is how many looks for a topic that is gone franz-go takes before it gives the records back and [mender]
	// takes over: should the topic have been made again, it sends them to the new one.
	unknownTries = 8
	// sayMissing is the number of looks for a new topic after which the user is told.
	sayMissing = 5
)

// Producer sends records with the guarantees of Java's producer. It opens no connection before its first use, and all its
// methods can be called by several goroutines at once.
type Producer struct {
	set    *producerSettings
	log    *slog.Logger
	limits *limits
	gate   gate
	mend   mender

	// ctx ends with Close; it stops the mending.
	ctx  context.Context //nolint:containedctx // of the goroutine that mends, whose owner is the producer
	stop context.CancelFunc

	once   sync.Once
	client *kgo.Client
	used   atomic.Bool // client is there
	alone  sync.Mutex  // held by whoever has the gate shut
	single lone
}

// NewProducer checks the properties and makes a producer that is not connected yet. log may be nil.
func NewProducer(props map[string]string, log *slog.Logger) (*Producer, error) {
	log = discard(log)
	set, err := readProducer(props, log)
	if err != nil {
		return nil, err
	}
	p := &Producer{set: set, log: log}
	p.limits = newLimits(set.maxRequest, p.Client)
	p.mend.p = p
	p.ctx, p.stop = context.WithCancel(context.Background())
	set.opts = append(set.opts, kgo.ProducerBatchMaxBytesFn(p.limits.forTopic))
	if err := check(set.opts); err != nil {
		return nil, err
	}
	return p, nil
}

// Notes lists the given keys that have no effect.
func (p *Producer) Notes() []Note { return p.set.notes }

// Client returns the franz-go client, for requests and transactions. Records go through a [Sender], else they do without
// what it adds.
func (p *Producer) Client() *kgo.Client {
	p.once.Do(func() {
		client, err := kgo.NewClient(p.set.opts...)
		if err != nil {
			panic(fmt.Sprintf("kafka: options that were checked are refused: %v", err))
		}
		p.client = client
		p.used.Store(true)
	})
	return p.client
}

// Sender sends records that share a promise. Making one is what keeps sending free of allocations.
type Sender struct {
	p       *Producer
	promise func(*kgo.Record, error)
	done    func(*kgo.Record, error) // s.settle, made once
}

// Sender returns a sender that calls promise once for every record: on a goroutine of the producer, never twice at a time, in
// order for each partition. An error is final: what can be mended was. The promise must not block and must not send.
func (p *Producer) Sender(promise func(*kgo.Record, error)) *Sender {
	s := &Sender{p: p, promise: promise}
	s.done = s.settle
	return s
}

// Produce sends one record. It blocks while the buffer is full, while an earlier record is being mended, and for max.block.ms
// while the topic does not exist. The record belongs to the producer until its promise was called; its Partition says where it
// goes, or AnyPartition.
func (p *Producer) Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error)) {
	p.Sender(promise).Produce(ctx, r)
}

// Produce is described at [Producer.Produce].
func (s *Sender) Produce(ctx context.Context, r *kgo.Record) {
	p := s.p
	if r.Context == nil {
		r.Context = ctx
	}
	limit := p.limits.get(r.Topic)
	if limit == nil {
		var err error
		if limit, err = p.await(ctx, r.Topic); err != nil {
			s.finish(r, err)
			return
		}
	}
	if size(r) > int(limit.bytes) && p.sendLarge(ctx, s, r) {
		return
	}
	if p.set.maxBlock > 0 {
		if err := p.awaitRoom(ctx, r); err != nil {
			s.finish(r, err)
			return
		}
	}
	if err := p.gate.enter(ctx); err != nil {
		s.finish(r, err)
		return
	}
	p.Client().Produce(ctx, r, s.done)
	p.gate.leave()
}

// finish calls the promise of a record that is not in franz-go's hands, in line with the promises of those that are.
func (s *Sender) finish(r *kgo.Record, err error) {
	result := *r
	s.p.inLine(r, func() {
		*r = result // franz-go takes it for a failure and sets fields
		s.promise(r, err)
	})
}

// inLine calls f on franz-go's promise goroutine, behind all promises that are due by now. A record without a topic is what
// franz-go hands to its promise at once.
func (p *Producer) inLine(r *kgo.Record, f func()) {
	r.Topic = ""
	p.Client().TryProduce(context.Background(), r, func(*kgo.Record, error) { f() })
}

// settle is the promise that franz-go calls.
func (s *Sender) settle(r *kgo.Record, err error) {
	if err == nil && !s.p.mend.active.Load() {
		s.promise(r, nil)
		return
	}
	s.p.mend.settle(s, r, err)
}

// ProduceSync sends records and waits for them. It returns the first error.
func (p *Producer) ProduceSync(ctx context.Context, records ...*kgo.Record) error {
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	wg.Add(len(records))
	s := p.Sender(func(_ *kgo.Record, err error) {
		if err != nil {
			once.Do(func() { first = err })
		}
		wg.Done()
	})
	for _, r := range records {
		s.Produce(ctx, r)
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	wg.Wait()
	return first
}

// Flush waits until the promises of all records sent so far were called, or ctx ends.
func (p *Producer) Flush(ctx context.Context) error {
	if !p.used.Load() {
		return nil
	}
	for {
		if err := p.Client().Flush(ctx); err != nil {
			return err
		}
		mending := p.mend.wait()
		if mending == nil {
			break
		}
		select {
		case <-mending:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	called := make(chan struct{}) // franz-go's Flush does not wait for the promises of finish
	p.inLine(new(kgo.Record), func() { close(called) })
	<-called
	return nil
}

// Close gives up the records that are not acknowledged, with [kgo.ErrClientClosed], and ends all connections. Flush first.
func (p *Producer) Close() {
	p.stop()
	p.Client().Close()
	p.single.close()
	if mending := p.mend.wait(); mending != nil {
		<-mending
	}
}

// BeginTransaction begins a transaction. Topics that refused a batch in an earlier one get their new limit here, where nothing
// is in flight.
func (p *Producer) BeginTransaction(ctx context.Context) error {
	for _, topic := range p.mend.takeStale() {
		p.limits.renew(ctx, topic, true)
		p.Client().PurgeTopicsFromProducing(topic)
	}
	return p.Client().BeginTransaction()
}

// await waits until the topic exists, for max.block.ms at most, as Java's send does. Looking for it creates it, if the cluster
// creates topics.
func (p *Producer) await(ctx context.Context, topic string) (*limit, error) {
	if p.set.maxBlock > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.set.maxBlock, errNoTopic(topic, p.set.maxBlock))
		defer cancel()
	}
	for tries := 1; ; tries++ {
		found, err := p.look(ctx, topic)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case p.ctx.Err() != nil:
			return nil, kgo.ErrClientClosed
		case err != nil:
			return nil, err
		case found:
			p.limits.of(ctx, topic)
			return p.limits.get(topic), nil
		case tries == sayMissing:
			p.log.Warn("waiting for a topic that does not exist", "topic", topic)
		}
		select {
		case <-time.After(p.set.backoff(tries)):
		case <-ctx.Done():
		case <-p.ctx.Done():
		}
	}
}

// look asks for the topic once. Errors that pass are none.
func (p *Producer) look(ctx context.Context, topic string) (found bool, err error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	req.AllowAutoTopicCreation = true
	resp, err := req.RequestWith(ctx, p.Client())
	if err != nil || len(resp.Topics) == 0 {
		return false, nil //nolint:nilerr // the cluster cannot be reached, which is not for ever
	}
	err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	if kerr.IsRetriable(err) {
		return false, nil
	}
	return err == nil, err
}

// awaitRoom waits until the buffer takes the record, for max.block.ms at most. Without that bound franz-go waits by itself.
func (p *Producer) awaitRoom(ctx context.Context, r *kgo.Record) error {
	client := p.Client()
	need := int64(size(r) - recordOverhead)
	room := func() bool {
		return client.BufferedProduceRecords() < p.set.records && client.BufferedProduceBytes()+need <= p.set.memory
	}
	if room() {
		return nil
	}
	deadline := time.NewTimer(p.set.maxBlock)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !room() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return errNoRoom(need, p.set.maxBlock, p.set.memory, p.set.memory-client.BufferedProduceBytes())
		}
	}
	return nil
}
