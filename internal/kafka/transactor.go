package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrFenced says that another worker has claimed the transactional id since.
var ErrFenced = errors.New("another worker has become the one that writes")

// errUnclaimed says that Claim was not called, or has to be again.
var errUnclaimed = errors.New("the right to write has not been claimed")

// abortWait bounds the abort of a transaction that went wrong.
const abortWait = 5 * time.Second

// Transactor writes what only the leader of a group of workers may write, in transactions of a transactional id that all workers of
// the group share: a claim fences whoever was the leader before. Its methods can be called by several goroutines; one writes at a time.
type Transactor struct {
	props map[string]string
	topic string
	log   *slog.Logger

	mu       sync.Mutex // guards producer, and is held for a whole transaction
	producer *Producer  // nil if not claimed
}

// NewTransactor checks the properties, of which those without a client's prefix count, and connects nothing. log may be nil.
func NewTransactor(worker map[string]string, clientID, transactionalID, topic string, log *slog.Logger) (*Transactor, error) {
	t := &Transactor{
		topic: topic,
		log:   discard(log),
		props: unprefixed(worker, map[string]string{
			clientIDKey:        clientID,
			txnID.Name():       transactionalID,
			idempotence.Name(): "true",
			acks.Name():        "all",
			inFlight.Name():    "5",
			maxBlock.Name():    "9223372036854775807",
			delivery.Name():    "2147483647",
		}),
	}
	set, err := readProducer(t.props, t.log)
	if err != nil {
		return nil, err
	}
	return t, check(set.opts)
}

// Claim takes the right to write: an earlier claim of any worker ends, and its open transaction is aborted. Claiming again is what
// a worker does that has become leader again, and after every error of Write.
func (t *Transactor) Claim(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop()
	p, err := NewProducer(t.props, t.log)
	if err != nil {
		return err
	}
	if _, _, err := p.Client().ProducerID(ctx); err != nil {
		p.Close()
		return fmt.Errorf("claim the right to write to topic %s: %w", t.topic, err)
	}
	t.producer = p
	return nil
}

// drop closes the producer, giving up what it was doing.
func (t *Transactor) drop() {
	if t.producer != nil {
		t.producer.Close()
		t.producer = nil
	}
}

// Write writes records in one transaction and returns the offset of the last one, which has the transaction's end behind it. With any
// error the claim is over, and whether the records are in the topic is not known; [ErrFenced] is in it if another worker has claimed.
func (t *Transactor) Write(ctx context.Context, records ...LogRecord) (lastOffset int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.producer == nil {
		return -1, fmt.Errorf("write to topic %s: %w", t.topic, errUnclaimed)
	}
	last, err := t.commit(ctx, records)
	if err != nil {
		if fenced(err) {
			err = fmt.Errorf("%w: %w", ErrFenced, err)
		} else {
			t.abort(ctx)
		}
		t.drop()
		return -1, fmt.Errorf("write to topic %s in a transaction: %w", t.topic, err)
	}
	return last, nil
}

// fenced says whether an error is what a broker tells those whose transactional id is somebody else's by now.
func fenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.InvalidProducerIDMapping)
}

func (t *Transactor) commit(ctx context.Context, records []LogRecord) (last int64, err error) {
	if err := t.producer.BeginTransaction(ctx); err != nil {
		return -1, err
	}
	sent := make([]*kgo.Record, 0, len(records))
	for _, r := range records {
		sent = append(sent, &kgo.Record{Topic: t.topic, Partition: AnyPartition, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value})
	}
	if err := t.producer.ProduceSync(ctx, sent...); err != nil {
		return -1, err
	}
	if err := t.producer.Client().EndTransaction(ctx, kgo.TryCommit); err != nil {
		return -1, err
	}
	last = -1
	for _, r := range sent {
		last = max(last, r.Offset)
	}
	return last, nil
}

// abort ends the transaction if that is quickly done, so that readers of committed records need not wait for it to time out.
func (t *Transactor) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWait)
	defer cancel()
	client := t.producer.Client()
	err := client.AbortBufferedRecords(ctx)
	if err == nil {
		err = client.EndTransaction(ctx, kgo.TryAbort)
	}
	if err != nil {
		t.log.Debug("a transaction could not be aborted; the next claim does it", "topic", t.topic, "error", err)
	}
}

// Close ends all connections. A transaction that is being written is waited for.
func (t *Transactor) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop()
}
