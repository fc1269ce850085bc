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

// unknownTries is how many looks for a missing topic franz-go takes before it gives the records back and [mender] takes over:
// it says so once and, should the topic have been deleted and made again, sends them to the new one.
const unknownTries = 8

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

// Sender returns a sender that calls promise once for every record, in order for each partition and never twice at a time. An
// error is final: what can be mended was. The promise must not block and must not send.
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
	if p.set.awaitTopics {
		if err := p.await(ctx, r.Topic); err != nil {
			s.promise(r, err)
			return
		}
	}
	if int64(size(r)) > p.limits.smallest.Load() && p.sendLarge(ctx, s, r) {
		return
	}
	if p.set.maxBlock > 0 {
		if err := p.awaitRoom(ctx, r); err != nil {
			s.promise(r, err)
			return
		}
	}
	if err := p.gate.enter(ctx); err != nil {
		s.promise(r, err)
		return
	}
	p.Client().Produce(ctx, r, s.done)
	p.gate.leave()
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
			return nil
		}
		select {
		case <-mending:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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

// await waits until the topic exists, for max.block.ms at most. Looking for it creates it, if the cluster creates topics.
func (p *Producer) await(ctx context.Context, topic string) error {
	if p.limits.known(topic) {
		return nil
	}
	began := time.Now()
	if p.set.maxBlock > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.set.maxBlock, errNoTopic(topic, p.set.maxBlock))
		defer cancel()
	}
	for {
		found, err := p.look(ctx, topic)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if found {
			p.limits.of(ctx, topic)
			return nil
		}
		select {
		case <-time.After(min(p.set.retryIn, time.Since(began)+time.Millisecond)):
		case <-ctx.Done():
			return context.Cause(ctx)
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
