package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
	"github.com/millrace-io/millrace/internal/worker"
)

// Time limits of what stands between the worker and its end, or its next round.
const (
	flushTimeout  = 5 * time.Second
	leaveTimeout  = 3 * time.Second
	claimTimeout  = 30 * time.Second
	writeTimeout  = 30 * time.Second
	configTimeout = 90 * time.Second
)

// Leader sends what only the leader may do to the leader.
type Leader interface {
	// PutTasks sends the task configurations of a connector to the worker at url, signed with key unless that is nil.
	PutTasks(ctx context.Context, url, connector string, tasks []store.Config, key *store.SessionKey) error
}

// Options is what a cluster herder works with. Config and Status have been loaded and are being read before Run.
type Options struct {
	Core    CoreOptions
	Group   string // group.id
	Worker  *worker.Worker
	Plugins *plugin.Registry
	Member  *kafka.Member
	Config  *topic.Config
	Status  *topic.Status
	// Claimer takes the right to write privileged records; nil without transactions.
	Claimer interface {
		Claim(ctx context.Context) error
	}
	Leader Leader
	// Events is told of what the herder itself decides: RESTARTING.
	Events      event.Listener
	SyncTimeout time.Duration // worker.sync.timeout.ms
	// TrackTopics says that topics of connectors are tracked, and forgotten with their connector.
	TrackTopics bool
	Log         *slog.Logger
}

// Herder is a worker's part in its cluster. Its methods may be called from any goroutine.
type Herder struct {
	Options
	herder.Views
	valid *herder.Validator
	lanes herder.Lanes
	keys  keyRing

	core   *Core // of the loop
	inbox  *inbox
	queue  *queues[group.Item] // what is done to items
	failed failures            // items of this worker
	round  *queues[struct{}]   // requests to the coordinator
	joined kafka.Joined        // the last round, of the goroutine of round
	fatal  chan error
	ready  chan struct{} // closed with the first assignment

	life context.Context //nolint:containedctx // of background work, which outlives requests
	end  context.CancelFunc
	bg   sync.WaitGroup

	mu      sync.Mutex // guards the rest
	view    View
	changed chan struct{} // closed with the next change of view
	waiting map[int]chan<- error
	lastID  int
	ended   bool
	// unclaimed says that a privileged write has failed and that the config topic was not claimed since: whoever is to lead waits for that.
	unclaimed bool
}

// New returns a herder that has not joined its group. Its Configured and Signal have to be made the listeners of the config store
// and of the member; of the worker it makes itself one more listener.
func New(o Options) *Herder {
	h := &Herder{
		Options: o, Views: herder.NewViews(o.Plugins, o.Config, o.Status),
		valid: herder.NewValidator(o.Plugins, o.Group),
		core:  NewCore(o.Core), inbox: newInbox(), queue: newQueues[group.Item](), round: newQueues[struct{}](),
		fatal: make(chan error, 1), ready: make(chan struct{}), changed: make(chan struct{}), waiting: make(map[int]chan<- error),
	}
	h.Worker.Status = event.Tee(h.failed.listen, h.Worker.Status)
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

// Ready is closed when the worker has taken up its first assignment.
func (h *Herder) Ready() <-chan struct{} { return h.ready }

// Configured tells the herder what was read from the config topic. It does not block.
func (h *Herder) Configured(s *store.ConfigSnapshot, changes []store.ConfigChange) {
	h.keys.learn(s, time.Now())
	h.inbox.post(Configured{s, changes})
}

// Signal tells the herder what the member's heartbeats have found out. It does not block.
func (h *Herder) Signal(s kafka.Signal) {
	switch s {
	case kafka.SignalRejoin:
		h.inbox.post(RebalanceNeeded{})
	case kafka.SignalLost:
		h.inbox.post(CoordinatorLost{})
	case kafka.SignalBack:
		h.Log.Info("the group's coordinator answers again")
	}
}

// Run takes part in the group until ctx ends; then it stops everything, leaves the group and returns nil. It returns an error that ends the
// worker: the group cannot be used.
func (h *Herder) Run(ctx context.Context) error {
	beats, stopBeats := context.WithCancel(context.WithoutCancel(ctx))
	var beating sync.WaitGroup
	beating.Go(func() {
		if err := h.Member.Run(beats); err != nil {
			h.fail(err)
		}
	})
	err := h.loop(ctx)
	h.stop()
	stopBeats()
	beating.Wait()
	h.Member.Close()
	return err
}

func (h *Herder) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	h.step(Configured{Snapshot: h.Config.Snapshot()})
	for {
		timer.Stop()
		if next := h.core.Next(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-h.fatal:
			return err
		case <-timer.C:
			h.step(Tick{})
		case <-h.inbox.filled:
			for _, e := range h.inbox.take() {
				h.step(e)
			}
		}
	}
}

func (h *Herder) step(e Event) {
	effects := h.core.Step(time.Now(), e)
	claimed, ok := e.(Claimed)
	h.show(h.core.View(), ok && claimed.Err == nil)
	for _, f := range effects {
		h.Log.Debug("herder", "event", e, "effect", f)
		h.perform(f)
	}
}

// fail ends the worker.
func (h *Herder) fail(err error) {
	select {
	case h.fatal <- err:
	default: // it is ending already
	}
}

// stop hands everything back: what runs is stopped and its statuses are written before others are told by the leave.
func (h *Herder) stop() {
	h.mu.Lock()
	h.ended = true
	for id, answer := range h.waiting {
		answer <- errEnding
		delete(h.waiting, id)
	}
	h.mu.Unlock()
	h.end()
	h.bg.Wait()
	h.queue.wait()
	h.Worker.Shutdown()
	h.flushStatuses()
	h.round.wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	if err := h.Member.Leave(ctx, "the consumer is being closed"); err != nil {
		h.Log.Warn("the group could not be left; others take over when the session is over", "error", err)
	}
}

var errEnding = &herder.Error{Kind: herder.Unavailable, Message: "Worker is shutting down"}

// flushStatuses waits for the statuses to be written, but not for long: brokers may be away.
func (h *Herder) flushStatuses() {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := h.Status.Flush(ctx); err != nil && !errors.Is(err, context.Canceled) {
		h.Log.Warn("some statuses could not be written in time", "error", err)
	}
}

// background does work that ends with the herder.
func (h *Herder) background(work func(ctx context.Context)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.bg.Go(func() { work(h.life) })
	}
}

// show makes the core's state known to those who wait for it, and whether that follows from a claim.
func (h *Herder) show(v View, claimed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unclaimed = h.unclaimed && !claimed
	v.Leader = v.Leader && !h.unclaimed
	first := v.Ready && !h.view.Ready
	h.view = v
	close(h.changed)
	h.changed = make(chan struct{})
	if first {
		close(h.ready)
	}
}

// View returns the worker's present place in the group.
func (h *Herder) View() View {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.view
}

// Generation returns the generation of the group that this worker is in, for its statuses.
func (h *Herder) Generation() int { return int(h.View().Generation) }

// await waits until the view is as wished.
func (h *Herder) await(ctx context.Context, wish func(View) bool) (View, error) {
	for {
		h.mu.Lock()
		v, changed, ended := h.view, h.changed, h.ended
		h.mu.Unlock()
		switch {
		case ended:
			return v, errEnding
		case wish(v):
			return v, nil
		}
		select {
		case <-changed:
		case <-h.life.Done():
			return v, errEnding
		case <-ctx.Done():
			return v, &herder.Error{Kind: herder.Timeout, Message: "Request timed out. The worker is waiting for its group to finish a rebalance", Cause: ctx.Err()}
		}
	}
}
