package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetched is what a broker had of one partition.
type fetched struct {
	partition  int32
	from, next int64 // where it was asked for, and where to go on
	records    []LogRecord
}

// arrival is an answer of a broker on its way to the goroutine that applies it.
type arrival struct {
	id      [16]byte // of the topic that was asked for
	parts   []fetched
	applied chan<- struct{}
}

// fetcher reads the partitions that one broker leads.
type fetcher struct {
	r          *reader
	broker     int32
	partitions []int32
	stop       context.CancelFunc
}

// ending is the end of a fetcher.
type ending struct {
	f   *fetcher
	err error
}

// run reads until enough says so after a batch was applied, nil for never, or until ctx ends, which is an error only if enough was
// waited for. One goroutine for each broker that leads partitions fetches; this one applies and keeps the fetchers in step with the leaders.
func (r *reader) run(ctx context.Context, enough func() bool) error {
	if enough != nil && enough() {
		return nil
	}
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	s := &reading{
		r: r, running: map[int32]*fetcher{},
		arrivals: make(chan arrival), ends: make(chan ending), found: make(chan leaders), again: make(chan struct{}, 1),
	}
	wg.Go(func() { s.scout(ctx) })
	for {
		select {
		case a := <-s.arrivals:
			r.take(a.id, a.parts)
			a.applied <- struct{}{}
			if enough != nil && enough() {
				return nil
			}
		case found := <-s.found:
			s.adjust(ctx, found, &wg)
		case e := <-s.ends:
			if err := s.end(e, enough != nil); err != nil {
				return err
			}
		case <-caller.Done():
			if enough != nil {
				return caller.Err()
			}
			return nil
		}
	}
}

// reading is one run of a reader.
type reading struct {
	r        *reader
	arrivals chan arrival
	ends     chan ending
	found    chan leaders
	again    chan struct{}      // asks the scout to look again
	running  map[int32]*fetcher // by broker; for the goroutine of run
	said     string             // the last trouble in the log
}

// calm is how long nothing may have gone wrong for a look at the leaders not to be put off.
const calm = 10 * time.Second

// scout finds out who leads the partitions: at first, when asked to, and every metadata.max.age.ms.
func (s *reading) scout(ctx context.Context) {
	var (
		tries int
		last  time.Time // of a look that was not the first or due
		told  string
	)
	for ctx.Err() == nil {
		found, err := s.r.look(ctx)
		told = s.tell(ctx, err, told)
		if err == nil {
			select {
			case s.found <- found:
			case <-ctx.Done():
			}
		}
		if err == nil && found.complete() {
			select {
			case <-time.After(s.r.age):
				continue
			case <-s.again:
			case <-ctx.Done():
			}
		}
		// Not at once: leaders move in bursts, and a broker that refuses does so quickly.
		if time.Since(last) > calm {
			tries = 0
		}
		tries++
		select {
		case <-time.After(s.r.backoff(tries)):
		case <-ctx.Done():
		}
		last = time.Now()
	}
}

// tell logs trouble once, given and returning what was said last. Brokers that are away are in the log already.
func (s *reading) tell(ctx context.Context, err error, told string) string {
	switch {
	case ctx.Err() != nil || unreachable(err):
		return told
	case err == nil && told != "":
		s.r.log.Info("a topic of the worker can be read again", "topic", s.r.topic)
		return ""
	case err == nil || told == err.Error():
		return told
	}
	s.r.log.Warn("a topic of the worker cannot be read at the moment; trying again", "topic", s.r.topic, "error", err)
	return err.Error()
}

// adjust makes the fetchers those of the leaders. A fetcher that is told to stop may still have an answer under way; [reader.take] drops it.
func (s *reading) adjust(ctx context.Context, found leaders, wg *sync.WaitGroup) {
	for broker, f := range s.running {
		if !slices.Equal(f.partitions, found[broker]) {
			f.stop()
			delete(s.running, broker)
		}
	}
	for broker, partitions := range found {
		if broker == nobody || s.running[broker] != nil {
			continue
		}
		ctx, stop := context.WithCancel(ctx)
		f := &fetcher{r: s.r, broker: broker, partitions: partitions, stop: stop}
		s.running[broker] = f
		wg.Go(func() {
			defer stop()
			err := f.run(ctx, s.arrivals)
			select {
			case s.ends <- ending{f, err}:
			case <-ctx.Done():
			}
		})
	}
}

// end takes note of a fetcher's end and has the leaders looked up. It returns errors that end a first reading.
func (s *reading) end(e ending, loading bool) error {
	if s.running[e.f.broker] != e.f {
		return nil
	}
	delete(s.running, e.f.broker)
	if loading && errors.Is(e.err, kerr.TopicAuthorizationFailed) {
		return unread(e.err)
	}
	s.r.log.Debug("a broker's partitions of a topic of the worker are looked for", "topic", s.r.topic, "broker", e.f.broker, "error", e.err)
	if final(e.err) && s.said != e.err.Error() {
		s.said = e.err.Error()
		s.r.log.Error("a topic of the worker cannot be read at the moment; trying again", "topic", s.r.topic, "error", e.err)
	}
	select {
	case s.again <- struct{}{}:
	default:
	}
	return nil
}

// take applies what was fetched, unless the position has moved meanwhile, and then moves the positions.
func (r *reader) take(id [16]byte, parts []fetched) {
	r.mu.Lock()
	if r.id != id {
		parts = nil
	}
	parts = slices.DeleteFunc(parts, func(f fetched) bool {
		return int(f.partition) >= len(r.position) || r.position[f.partition] != f.from
	})
	r.mu.Unlock()
	var records []LogRecord
	for _, f := range parts {
		if records == nil {
			records = f.records
			continue
		}
		records = append(records, f.records...)
	}
	if len(records) > 0 {
		r.apply(records)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id != id {
		return
	}
	for _, f := range parts {
		r.position[f.partition] = f.next
	}
	if len(parts) > 0 {
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// run fetches until something is wrong or ctx ends.
func (f *fetcher) run(ctx context.Context, arrivals chan<- arrival) error {
	applied := make(chan struct{}, 1)
	for {
		req, from := f.request()
		resp, err := req.RequestWith(ctx, f.r.conn().Broker(int(f.broker)))
		if err != nil {
			return err
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
			return err
		}
		parts, err := f.read(ctx, resp, from)
		if len(parts) > 0 {
			select {
			case arrivals <- arrival{req.Topics[0].TopicID, parts, applied}:
			case <-ctx.Done():
				return ctx.Err()
			}
			<-applied
		}
		if err != nil {
			return err
		}
	}
}

// request asks for everything from the positions on.
func (f *fetcher) request() (*kmsg.FetchRequest, map[int32]int64) {
	r := f.r
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(r.fetch.wait.Milliseconds()) //nolint:gosec // from an int32
	req.MinBytes = 1
	req.MaxBytes = r.fetch.bytes
	if r.committed {
		req.IsolationLevel = 1
	}
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = r.topic
	from := make(map[int32]int64, len(f.partitions))
	r.mu.Lock()
	defer r.mu.Unlock()
	topic.TopicID = r.id
	for _, p := range f.partitions {
		if int(p) >= len(r.position) {
			continue // made anew with fewer
		}
		part := kmsg.NewFetchRequestTopicPartition()
		part.Partition, part.FetchOffset, part.PartitionMaxBytes = p, r.position[p], r.fetch.partitionBytes
		topic.Partitions = append(topic.Partitions, part)
		from[p] = r.position[p]
	}
	req.Topics = append(req.Topics, topic)
	return req, from
}

// read takes an answer apart. The error is the first of a partition; what others have is good.
func (f *fetcher) read(ctx context.Context, resp *kmsg.FetchResponse, from map[int32]int64) (parts []fetched, first error) {
	for t := range resp.Topics {
		for p := range resp.Topics[t].Partitions {
			part := &resp.Topics[t].Partitions[p]
			at, ok := from[part.Partition]
			if !ok {
				continue
			}
			got, err := f.r.decode(ctx, part, at)
			if err != nil && first == nil {
				first = fmt.Errorf("partition %d: %w", part.Partition, err)
			}
			if got.next != at {
				parts = append(parts, got)
			}
		}
	}
	return parts, first
}

// decode reads the batches of one partition. Without an error, the position is behind everything that the broker has sent, whether or not
// there were records in it.
func (r *reader) decode(ctx context.Context, part *kmsg.FetchResponseTopicPartition, from int64) (fetched, error) {
	got := fetched{partition: part.Partition, from: from, next: from}
	if kerr.ErrorForCode(part.ErrorCode) == kerr.OffsetOutOfRange { //nolint:errorlint // a sentinel
		start, err := r.listOf(ctx, atStart, part.Partition)
		if err != nil {
			return got, err
		}
		got.next = start[part.Partition]
		if from > 0 {
			r.log.Warn("a topic of the worker has lost what was to be read next; reading what it has from the start",
				"topic", r.topic, "partition", part.Partition, "offset", from, "start", got.next)
		}
		if got.next == from {
			return got, kerr.OffsetOutOfRange
		}
		return got, nil
	}
	level := kgo.ReadUncommitted()
	if r.committed {
		level = kgo.ReadCommitted()
	}
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: from, IsolationLevel: level, Topic: r.topic, Partition: part.Partition,
	}, part, r.unpack, nil)
	got.next = next
	got.records = make([]LogRecord, 0, len(fp.Records))
	for _, rec := range fp.Records {
		got.records = append(got.records, logRecord(rec))
	}
	if fp.Err == nil && next == from && len(part.RecordBatches) > 0 {
		return got, errors.New("the broker's batches lead nowhere")
	}
	return got, fp.Err
}

// logRecord copies a record, so that keeping one does not keep the whole fetch.
func logRecord(r *kgo.Record) LogRecord {
	out := LogRecord{Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp}
	both := make([]byte, 0, len(r.Key)+len(r.Value))
	both = append(append(both, r.Key...), r.Value...)
	n := len(r.Key)
	if r.Key != nil {
		out.Key = both[:n:n]
	}
	if r.Value != nil {
		out.Value = both[n:]
	}
	return out
}
