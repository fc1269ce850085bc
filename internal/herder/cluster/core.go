package cluster

import (
	"time"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/store"
)

// CoreOptions is what the core knows of its worker. Durations are those of the worker keys of similar names.
type CoreOptions struct {
	URL           string        // under which other workers reach this one
	Mode          group.Version // connect.protocol
	MaxDelay      time.Duration // scheduled.rebalance.max.delay.ms
	UnsyncBackoff time.Duration // worker.unsync.backoff.ms
	KeyTTL        time.Duration // inter.worker.key.ttl.ms; 0 rotates no key
	KeyAlgorithm  string        // inter.worker.key.generation.algorithm
	KeyBytes      int           // length of a key
	// Privileged says that the leader writes with transactions, for which it has to claim the config topic first.
	Privileged bool
}

// Core decides what this worker does in its group: when to join, what to assign as the leader, what to start, stop and
// restart, when to ask connectors for task configurations and where these go. It is a state machine without clock, I/O and
// goroutine: [Core.Step] takes one event and returns what is to be done. Whoever drives it carries out the effects in their
// order and hands their outcomes back as events. It must be used by one goroutine.
type Core struct {
	opts CoreOptions
	now  time.Time
	out  []Effect

	snapshot *store.ConfigSnapshot

	membership
	items
	session

	reconfigurations map[string]*reconfiguration
	tokens           int // of stops, counting up
}

// NewCore returns a core that has not joined and knows no configuration. Its first event has to be [Configured].
func NewCore(o CoreOptions) *Core {
	return &Core{
		opts:             o,
		snapshot:         store.NewConfigLog().Snapshot(),
		membership:       newMembership(o),
		items:            newItems(),
		reconfigurations: make(map[string]*reconfiguration),
	}
}

// Step takes in an event that happened at a time, and returns what is to be done, in order.
func (c *Core) Step(now time.Time, e Event) []Effect {
	c.now, c.out = now, nil
	e.apply(c)
	c.resolve()
	c.publishReady()
	c.retryDue()
	c.keepSession()
	c.join()
	return c.out
}

func (c *Core) do(e Effect) { c.out = append(c.out, e) }

// Next returns when the core wants to be told the time by a [Tick], zero if nothing is due.
func (c *Core) Next() time.Time {
	var next time.Time
	for _, t := range []time.Time{c.joinAt(), c.scheduled, c.nextRetry(), c.sessionDue()} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// due says whether a time has come; the zero time never does.
func (c *Core) due(t time.Time) bool { return !t.IsZero() && !c.now.Before(t) }

// View is what others may know of the core's state. It does not change.
type View struct {
	// Ready is set when the first assignment has been taken up, and stays.
	Ready bool
	// Settled says that the worker is a member with an assignment and no rebalance is going on that it knows of.
	Settled bool
	// Leader says that this worker may do what only the leader may.
	Leader     bool
	LeaderID   string // empty while unknown
	LeaderURL  string // empty while unknown
	Generation int32
	MemberID   string
	Version    group.Version
	// Members and Owners are known to the leader only.
	Members int
	Owners  map[group.Item]string // REST URL of the worker that runs an item
}

// View returns the state as it is now.
func (c *Core) View() View {
	v := View{
		Ready: c.ready, Settled: c.settled(), Leader: c.leads(),
		Generation: c.generation, MemberID: c.memberID, Version: c.version,
	}
	if c.assignment != nil {
		v.LeaderID, v.LeaderURL = c.assignment.LeaderID, c.assignment.LeaderURL
	}
	if v.Leader {
		v.Members, v.Owners = c.members, c.owners
	}
	return v
}
