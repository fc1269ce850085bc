package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// mender takes records back that a broker refused for a reason that passes, and sends them again, in order:
//
//   - MESSAGE_TOO_LARGE, when a topic's max.message.bytes was lowered: with smaller batches;
//   - unknown topic, when a topic was deleted, and perhaps made again.
//
// franz-go fails all records that are buffered for a partition together with the first. Until the mender has shut the gate a
// few later ones may still get through; they are kept back too and sent again, so that the last copy of every record is in
// order. That is what a restart of the task would do, only with less of it.
type mender struct {
	p      *Producer
	active atomic.Bool

	mu    sync.Mutex // guards what follows
	held  []held
	sick  map[topicPartition]error // partitions of which a record is held, and why
	done  chan struct{}            // closed when the mending ends; nil without one
	stale map[string]struct{}      // topics whose limit a transaction found out to be old
}

type held struct {
	s   *Sender
	r   *kgo.Record
	err error // nil for a record that got through behind one that did not
}

type topicPartition struct {
	topic     string
	partition int32
}

// mendable says whether sending again can help.
func mendable(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
}

// settle decides about a record on franz-go's promise goroutine: pass it on, or hold it.
func (m *mender) settle(s *Sender, r *kgo.Record, err error) {
	if m.hold(s, r, err) {
		return
	}
	s.promise(r, err)
}

func (m *mender) hold(s *Sender, r *kgo.Record, err error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	tp := topicPartition{r.Topic, r.Partition}
	_, sick := m.sick[tp]
	switch {
	case err == nil && !sick:
		return false
	case err != nil && (m.p.ctx.Err() != nil || !mendable(err)):
		return false
	case m.p.set.transactional:
		m.noteStale(r.Topic, err)
		return false
	}
	m.held = append(m.held, held{s, r, err})
	if err != nil && !sick {
		m.fallSick(tp, err)
	}
	return true
}

// fallSick starts the mending with the first record that is held.
func (m *mender) fallSick(tp topicPartition, err error) {
	if m.sick == nil {
		m.sick = map[topicPartition]error{}
	}
	m.sick[tp] = err
	if m.done != nil {
		return
	}
	m.active.Store(true)
	m.done = make(chan struct{})
	m.p.log.Warn("records were refused; sending them again", "topic", tp.topic, "partition", tp.partition, "error", err)
	go m.run(m.p.ctx)
}

func (m *mender) noteStale(topic string, err error) {
	if !errors.Is(err, kerr.MessageTooLarge) {
		return
	}
	if m.stale == nil {
		m.stale = map[string]struct{}{}
	}
	m.stale[topic] = struct{}{}
}

func (m *mender) takeStale() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var topics []string
	for t := range m.stale {
		topics = append(topics, t)
	}
	m.stale = nil
	return topics
}

// wait returns a channel that is closed when the mending ends, or nil if there is none.
func (m *mender) wait() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.done
}

// run mends until nothing is held or ctx ends. Producer.Close waits for it.
//
// It purges topics only while nothing is buffered: franz-go may otherwise be about to write a batch whose records the purge
// takes away, and a broker does not answer a request without records.
func (m *mender) run(ctx context.Context) {
	client := m.p.Client()
	m.p.alone.Lock()
	defer m.p.alone.Unlock()
	m.p.gate.shut()
	defer m.p.gate.open()
	_ = client.Flush(ctx) // every record is settled, or ctx has ended
	for batch, why := m.take(); len(batch) > 0; batch, why = m.take() {
		if ctx.Err() != nil {
			m.giveUp(batch)
			continue
		}
		m.prepare(ctx, why)
		for _, h := range batch {
			m.resend(ctx, h)
		}
		_ = client.Flush(ctx)
	}
}

// take returns what is held, and ends the mending if that is nothing.
func (m *mender) take() ([]held, map[topicPartition]error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	batch, why := m.held, m.sick
	m.held, m.sick = nil, nil
	if len(batch) == 0 {
		m.active.Store(false)
		close(m.done)
		m.done = nil
	}
	return batch, why
}

func (m *mender) giveUp(batch []held) {
	for _, h := range batch {
		err := h.err
		if err != nil {
			err = kgo.ErrClientClosed
		}
		h.s.finish(h.r, err)
	}
}

// prepare makes franz-go forget the topics, whose partitions then get a new limit and a new id. Nothing of them is buffered.
func (m *mender) prepare(ctx context.Context, why map[topicPartition]error) {
	refused := map[string]bool{}
	for tp, err := range why {
		refused[tp.topic] = refused[tp.topic] || errors.Is(err, kerr.MessageTooLarge)
	}
	var topics []string
	for topic, tooLarge := range refused {
		topics = append(topics, topic)
		if tooLarge {
			limit := m.p.limits.renew(ctx, topic, true)
			m.p.log.Info("batches become smaller", "topic", topic, "bytes", limit)
		}
	}
	slices.Sort(topics)
	m.p.Client().PurgeTopicsFromProducing(topics...)
}

// resend sends a record that was held. One that is larger than a batch may be goes alone, and what becomes of it is final.
func (m *mender) resend(ctx context.Context, h held) {
	if limit := m.p.limits.of(ctx, h.r.Topic); size(h.r) > int(limit) || limit <= minBatch {
		err := m.p.Client().Flush(ctx)
		if err == nil {
			err = m.p.sendAlone(ctx, h.r)
		}
		h.s.finish(h.r, err)
		return
	}
	m.p.Client().Produce(h.r.Context, h.r, h.s.done)
}

// sendLarge sends a record that may be larger than a batch of its topic, and returns false if it is not after all. Whether it
// is too large, compressed as it will be, is for the broker to say.
func (p *Producer) sendLarge(ctx context.Context, s *Sender, r *kgo.Record) (sent bool) {
	if size(r) <= int(p.limits.of(ctx, r.Topic)) {
		return false
	}
	if n := size(r) - recordOverhead; n > int(p.set.maxRequest) {
		s.finish(r, errTooLarge(n, p.set.maxRequest))
		return true
	}
	if p.set.transactional {
		return false // a transaction has one producer; franz-go refuses the record
	}
	for !p.tryLarge(ctx, s, r) {
		if err := p.Flush(ctx); err != nil { // waits for the mending
			s.finish(r, err)
			break
		}
	}
	return true
}

// tryLarge sends a large record behind all earlier ones. It returns false if some of those have to be mended first.
func (p *Producer) tryLarge(ctx context.Context, s *Sender, r *kgo.Record) bool {
	p.alone.Lock()
	defer p.alone.Unlock()
	p.gate.shut()
	defer p.gate.open()
	if err := p.Client().Flush(ctx); err != nil {
		s.finish(r, err)
		return true
	}
	if p.mend.wait() != nil {
		return false
	}
	if size(r) <= int(p.limits.renew(ctx, r.Topic, false)) {
		p.Client().PurgeTopicsFromProducing(r.Topic)
		p.Client().Produce(ctx, r, s.done)
		return true
	}
	s.finish(r, p.sendAlone(ctx, r))
	return true
}

// sendAlone sends a record in a batch of its own, as large as a request may be. The caller holds alone and has shut the gate.
func (p *Producer) sendAlone(ctx context.Context, r *kgo.Record) error {
	client, err := p.single.get(append(slices.Clone(p.set.opts),
		kgo.ProducerBatchMaxBytes(p.limits.bounded(maxBatch)), kgo.ProducerLinger(0)))
	if err != nil {
		return err
	}
	err = client.ProduceSync(ctx, r).FirstErr()
	if errors.Is(err, kerr.MessageTooLarge) {
		return fmt.Errorf("a record of %d bytes does not fit into topic %s, whose %s is %d: %w",
			size(r)-recordOverhead, r.Topic, maxMessageKey, p.limits.read(ctx, r.Topic), kerr.MessageTooLarge)
	}
	return err
}

// lone is the client for records that go alone, made when there is one.
type lone struct {
	mu     sync.Mutex // guards the rest
	client *kgo.Client
	closed bool
}

func (l *lone) get(opts []kgo.Opt) (*kgo.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, kgo.ErrClientClosed
	}
	if l.client == nil {
		client, err := kgo.NewClient(opts...)
		if err != nil {
			return nil, fmt.Errorf("make a client for a large record: %w", err)
		}
		l.client = client
	}
	return l.client, nil
}

func (l *lone) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.client != nil {
		l.client.Close()
	}
}
