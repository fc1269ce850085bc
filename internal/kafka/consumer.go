package kafka

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/connect"
)

// Events are what a member of a group is told. They run one after the other on a goroutine of the client, and never between
// the return of [Consumer.Poll] and the next [Consumer.AllowRebalance] or Poll: there the caller has the partitions for
// itself. They may call every method of the consumer but Poll, AllowRebalance and Close. None is called with no partitions, and
// none once Close was called. Each may be nil.
type Events struct {
	// Assigned says which partitions came. Nothing of them has been read.
	Assigned func([]connect.TopicPartition)
	// Revoked says which partitions are about to go. Their offsets can still be committed. With an eager assignor, these are
	// all of them at every rebalance.
	Revoked func([]connect.TopicPartition)
	// Lost says which partitions went without warning, because the group has expelled this member or max.poll.interval.ms ran
	// out. Commits would be refused.
	Lost func([]connect.TopicPartition)
	// Fetched follows Assigned with the positions from which the partitions will be read: the committed offsets, or what
	// auto.offset.reset comes to; -1 where that could not be found out yet. Positions that it returns changed are used instead.
	Fetched func(connect.Offsets) connect.Offsets
}

// GroupOptions say what a member of a group reads.
type GroupOptions struct {
	Topics []string
	// Match, if not nil, selects topics by their name instead of Topics. An error excludes the topic and is logged.
	Match func(topic string) (bool, error)
	Events
	Log *slog.Logger // nil discards
}

// closeWait is how long Close waits for the group to be told.
const closeWait = 5 * time.Second

// Consumer is a member of a consumer group, for one goroutine that polls.
type Consumer struct {
	set    *consumerSettings
	opts   GroupOptions
	log    *slog.Logger
	start  kgo.Offset      // what franz-go begins with when nothing is committed
	ctx    context.Context //nolint:containedctx // of the client and the goroutines of the consumer, ended by Close
	stop   context.CancelFunc
	client *kgo.Client   // made by the first Poll
	built  chan struct{} // closed when client is set, which may be after its first event
	work   sync.WaitGroup

	// turn is held by whoever owns the partitions' state: an event, or the caller between Poll and AllowRebalance.
	turn    sync.Mutex
	ahead   ahead
	holding bool // whether the caller holds turn; only the caller's goroutine uses it
	closed  bool // guarded by turn

	deadline *time.Timer // of the processing of what Poll returned
	expelled atomic.Bool // the group was left because the deadline passed; the next partitions to go are lost

	failure atomic.Pointer[error] // found outside of Poll, which returns it
	joining joining
}

// NewConsumer checks the properties and makes a member that joins the group with its first Poll.
func NewConsumer(props map[string]string, o GroupOptions) (*Consumer, error) {
	o.Log = discard(o.Log)
	set, err := readConsumer(props, o.Log)
	if err != nil {
		return nil, err
	}
	c := &Consumer{set: set, opts: o, log: o.Log, start: set.startOffset(), built: make(chan struct{})}
	c.ctx, c.stop = context.WithCancel(context.Background())
	set.opts = append(set.opts,
		kgo.WithContext(c.ctx),
		kgo.WithHooks(&c.joining),
		kgo.OnPartitionsAssigned(c.assigned),
		kgo.OnPartitionsRevoked(c.revoked),
		kgo.OnPartitionsLost(c.lost),
		kgo.AdjustFetchOffsetsFn(c.fetched))
	if o.Match == nil {
		set.opts = append(set.opts, kgo.ConsumeTopics(o.Topics...))
		if set.create {
			// Not with a pattern: asking for a topic that was deleted would bring it back.
			set.opts = append(set.opts, kgo.AllowAutoTopicCreation())
		}
	}
	if err := check(set.opts); err != nil {
		return nil, err
	}
	return c, nil
}

// Notes lists the given keys that have no effect.
func (c *Consumer) Notes() []Note { return c.set.notes }

// MaxPollRecords is max.poll.records: the most that Poll returns.
func (c *Consumer) MaxPollRecords() int { return c.set.maxRecords }

// Client returns the franz-go client; it is nil before the first Poll. For the goroutine that polls, and for events.
func (c *Consumer) Client() *kgo.Client { return c.client }

func (c *Consumer) run() error {
	if c.client != nil {
		return nil
	}
	client, err := kgo.NewClient(c.set.opts...)
	if err != nil {
		return err
	}
	c.client = client
	close(c.built)
	if c.opts.Match != nil {
		c.work.Go(c.followTopics)
	}
	return nil
}

// Poll returns the next records, at most max.poll.records, or none when ctx ends. An error in the fetches is one that would
// fail the task in Java, too; others are dealt with here. Whoever holds on to the records for longer than max.poll.interval.ms,
// until AllowRebalance or the next Poll, loses the partitions.
func (c *Consumer) Poll(ctx context.Context) kgo.Fetches {
	c.AllowRebalance()
	if err := c.run(); err != nil {
		return kgo.NewErrFetch(err)
	}
	var fetches kgo.Fetches
	if c.ahead.empty() {
		fetches = c.client.PollFetches(ctx)
	}
	c.turn.Lock() // franz-go keeps events away only if there are records
	c.holding = true
	c.watch()
	if err := c.failure.Load(); err != nil {
		return kgo.NewErrFetch(*err)
	}
	c.ahead.add(c.sift(fetches))
	return c.ahead.next(c.set.maxRecords)
}

// AllowRebalance says that what Poll returned is done with: partitions may come and go until the next Poll returns.
func (c *Consumer) AllowRebalance() {
	if !c.holding {
		return
	}
	c.deadline.Stop()
	c.holding = false
	c.turn.Unlock()
	c.client.AllowRebalance()
}

// watch starts the clock of max.poll.interval.ms.
func (c *Consumer) watch() {
	if c.deadline == nil {
		c.deadline = time.AfterFunc(c.set.pollInterval, c.expel)
		return
	}
	c.deadline.Reset(c.set.pollInterval)
}

// expel leaves the group by a request of its own, as a Java member does when it was not polled in time. franz-go does not know:
// its next heartbeat is refused, upon which it loses all partitions and joins anew. It does not get that far before the
// caller is back, because the event has to wait for its turn.
func (c *Consumer) expel() {
	c.log.Warn("the task took longer than max.poll.interval.ms over the records of one poll; its partitions go to other members",
		"max.poll.interval.ms", c.set.pollInterval.Milliseconds())
	member, _ := c.client.GroupMetadata()
	if member == "" {
		return
	}
	c.expelled.Store(true)
	ctx, cancel := context.WithTimeout(c.ctx, closeWait)
	defer cancel()
	if err := c.leave(ctx, c.client, member); err != nil && c.ctx.Err() == nil {
		c.log.Warn("the consumer group could not be left", "error", err)
	}
}

func (c *Consumer) leave(ctx context.Context, client *kgo.Client, member string) error {
	var instance *string
	if c.set.instance != "" {
		instance = &c.set.instance
	}
	if c.set.classic {
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group, req.MemberID = c.set.group, member
		m := kmsg.NewLeaveGroupRequestMember()
		m.MemberID, m.InstanceID = member, instance
		m.Reason = kmsg.StringPtr("consumer poll timeout has expired.")
		req.Members = append(req.Members, m)
		_, err := req.RequestWith(ctx, client)
		return err
	}
	const leaving = -1
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch, req.InstanceID = c.set.group, member, leaving, instance
	_, err := req.RequestWith(ctx, client)
	return err
}

func (c *Consumer) assigned(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	c.expelled.Store(false)
	c.tell(c.opts.Assigned, parts)
}

func (c *Consumer) revoked(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	if c.expelled.Load() {
		c.tell(c.opts.Lost, parts)
		return
	}
	c.tell(c.opts.Revoked, parts)
}

func (c *Consumer) lost(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	c.tell(c.opts.Lost, parts)
}

// tell calls an event when it is its turn.
func (c *Consumer) tell(event func([]connect.TopicPartition), parts map[string][]int32) {
	<-c.built
	c.turn.Lock()
	defer c.turn.Unlock()
	c.ahead.drop(among(parts)) // of partitions that go, or that come and are read from where they are committed
	if c.closed || event == nil {
		return
	}
	var tps []connect.TopicPartition
	for topic, ps := range parts {
		for _, p := range ps {
			tps = append(tps, connect.TopicPartition{Topic: topic, Partition: p})
		}
	}
	if len(tps) > 0 {
		event(tps)
	}
}

// fetched is franz-go's question where to begin, between the assignment and the first fetch.
func (c *Consumer) fetched(ctx context.Context, found map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	<-c.built
	at := c.positions(ctx, found)
	c.turn.Lock()
	defer c.turn.Unlock()
	if c.closed {
		return found, nil
	}
	if c.opts.Fetched != nil {
		at = c.opts.Fetched(maps.Clone(at))
	}
	for tp, offset := range at {
		partitions := found[tp.Topic]
		was, ok := partitions[tp.Partition]
		if !ok || offset < 0 || was.EpochOffset().Offset == offset {
			continue
		}
		partitions[tp.Partition] = kgo.NewOffset().At(offset)
	}
	return found, nil
}

// Pause stops reading partitions. What was read ahead of them is dropped, and read again after Resume.
func (c *Consumer) Pause(parts map[string][]int32) {
	if len(parts) == 0 {
		return
	}
	c.client.PauseFetchPartitions(parts)
	if held := c.ahead.drop(among(parts)); len(held) > 0 {
		c.client.SetOffsets(epochOffsets(held))
	}
}

// Resume undoes Pause.
func (c *Consumer) Resume(parts map[string][]int32) {
	if len(parts) > 0 {
		c.client.ResumeFetchPartitions(parts)
	}
}

// Seek makes the next Poll go on at other offsets. Partitions that are not assigned are ignored. Within Assigned and Fetched it
// comes too early: there, change what Fetched returns.
func (c *Consumer) Seek(offsets connect.Offsets) {
	c.ahead.drop(func(tp connect.TopicPartition) bool {
		_, ok := offsets[tp]
		return ok
	})
	c.client.SetOffsets(epochOffsets(offsets))
}

// Commit commits offsets; done is called once, on a goroutine of the client. Commits are sent in the order of the calls.
func (c *Consumer) Commit(ctx context.Context, offsets connect.Offsets, done func(error)) {
	ctx = kgo.PreCommitFnContext(ctx, plainMetadata)
	c.client.CommitOffsets(ctx, epochOffsets(offsets),
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			done(commitError(resp, err))
		})
}

// CommitSync is Commit that waits.
func (c *Consumer) CommitSync(ctx context.Context, offsets connect.Offsets) error {
	result := make(chan error, 1)
	c.Commit(ctx, offsets, func(err error) { result <- err })
	return <-result
}

// Close leaves the group, unless the member is a static one, and ends everything the consumer started. It is called by the
// goroutine that polls. No event is called any more: commit before.
func (c *Consumer) Close() {
	if !c.holding {
		c.turn.Lock()
	}
	c.closed = true
	c.holding = false
	c.turn.Unlock()
	defer c.work.Wait()
	defer c.stop()
	if c.client == nil {
		return
	}
	if c.deadline != nil {
		c.deadline.Stop()
	}
	c.client.AllowRebalance()
	c.joining.settle(c.client)
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	if member, _ := c.client.GroupMetadata(); c.joining.waiting.Load() && member != "" && c.set.instance == "" {
		c.resign(ctx, member)
		return
	}
	if err := c.client.LeaveGroupContext(ctx); errors.Is(err, context.DeadlineExceeded) {
		c.log.Debug("the consumer group was not left in time", "error", err)
		c.stop() // or Close waits for a broker that does not answer
	}
	c.client.Close()
}

// resign ends a consumer that waits for a round to end. franz-go would wait, too, for as long as the session of a member that is gone, and
// then not tell the group, which would wait for this member next.
func (c *Consumer) resign(ctx context.Context, member string) {
	c.stop()
	c.client.Close()
	client, err := kgo.NewClient(c.set.plain...)
	if err != nil {
		c.log.Debug("the consumer group cannot be left", "error", err)
		return
	}
	defer client.Close()
	if err := c.leave(ctx, client, member); err != nil {
		c.log.Debug("the consumer group was not left", "error", err)
	}
}

func epochOffsets(offsets connect.Offsets) map[string]map[int32]kgo.EpochOffset {
	out := map[string]map[int32]kgo.EpochOffset{}
	for tp, offset := range offsets {
		if out[tp.Topic] == nil {
			out[tp.Topic] = map[int32]kgo.EpochOffset{}
		}
		out[tp.Topic][tp.Partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	return out
}
