package group

import (
	"math"
	"time"
)

// Assignor divides connectors and tasks among the members of a group. A worker has one for its whole life and uses it
// whenever it leads, as the assignor of the cooperative versions (KIP-415) remembers from one round to the next who had
// what, and since when something is missing. It is for one goroutine at a time.
type Assignor struct {
	maxDelay time.Duration

	generation int32           // of the last cooperative round, -1 before it
	members    map[string]bool // of that round
	items      set             // what these members have since that round, with what it found lost
	revoked    set             // what that round took from them

	revoking bool // the last balancing took items from workers, and nothing has been balanced since
	streak   int  // how often in a row balancing wanted to do so again

	delay      time.Duration // that the last round told everybody; 0 if none
	due        time.Time     // when it ends; zero if there is none
	candidates []string      // members that came empty during the delay: they get what is lost, first come first served
}

// NewAssignor makes the assignor of a worker. maxDelay is scheduled.rebalance.max.delay.ms: how long the items of a member
// that left wait for its return, 0 to move them at once. It is taken in whole milliseconds, as many as an assignment can
// carry.
func NewAssignor(maxDelay time.Duration) *Assignor {
	const longest = math.MaxInt32 * time.Millisecond
	return &Assignor{maxDelay: millis(min(max(maxDelay, 0), longest)), generation: -1}
}

// Assign returns what each member is to be told in SyncGroup. With Eager everything is divided anew, and what is remembered
// for the other versions does not change. A round whose configuration is older than what a member has read is answered
// with [Mismatch].
func (a *Assignor) Assign(r Round) map[string]Assignment {
	switch {
	case r.Configured.Offset < MaxOffset(r.Members):
		return Mismatch(r)
	case r.Version == Eager:
		return eager(r)
	case len(r.Members) == 0:
		return nil
	}
	ws := workersOf(r.Members, r.Version)
	f := a.survey(r, ws)
	reassigned := a.handleLost(r.Now, f.lost, ws)
	a.balance(r.Now, f.configured, ws)
	for k := range kinds {
		place(ws, k, f.created[k], reassigned)
	}
	a.remember(r, ws, f.lost)
	return a.answer(r, ws)
}

// findings are what a round begins with.
type findings struct {
	configured [kinds]int    // how many there are
	created    [kinds][]Item // configured items that nobody has, and nobody had
	lost       []Item        // configured items that nobody has any more, connectors first
}

// survey compares what the members have with what they had and what is configured, and revokes what they must not keep.
func (a *Assignor) survey(r Round, ws []*worker) findings {
	if r.Completed != a.generation {
		// Others may have led since then, or what this worker decided did not reach the members: only they know.
		a.items = nil
	}
	active, duplicated := activeOf(ws)
	a.checkRevoked(active)

	var f findings
	var all [kinds][]Item
	all[connectorKind], all[taskKind] = r.Configured.items()
	configured := setOf(all[connectorKind], all[taskKind])
	for k, items := range all {
		f.configured[k] = len(items)
		for _, i := range items {
			switch {
			case active.has(i):
			case a.items.has(i):
				f.lost = append(f.lost, i)
			default:
				f.created[k] = append(f.created[k], i)
			}
		}
	}
	for _, w := range ws {
		w.shedAll(func(i Item) bool {
			deleted := a.items.has(i) && !configured.has(i)
			// Several members run a duplicate. All have to stop it before one can be given it in the next round.
			return deleted || duplicated.has(i)
		})
	}
	return f
}

// activeOf returns what the members have, and what more than one of them has.
func activeOf(ws []*worker) (active, duplicated set) {
	size := 0
	for _, w := range ws {
		size += len(w.own[connectorKind]) + len(w.own[taskKind])
	}
	active, duplicated = make(set, size), make(set)
	for _, w := range ws {
		for _, items := range w.own {
			for _, i := range items {
				if active.has(i) {
					duplicated[i] = struct{}{}
				}
				active[i] = struct{}{}
			}
		}
	}
	return active, duplicated
}

// checkRevoked looks whether the members gave up what the last round took from them. If not, they did not get their
// assignments, and what they report replaces what is remembered.
func (a *Assignor) checkRevoked(active set) {
	for i := range a.revoked {
		if active.has(i) {
			a.items = active
			break
		}
	}
	a.revoked = nil
}

// remember keeps what the next round needs to know.
func (a *Assignor) remember(r Round, ws []*worker, lost []Item) {
	a.generation = r.Generation
	a.members = make(map[string]bool, len(ws))
	held, revoked := [][]Item{lost}, make([][]Item, 0, len(ws))
	for _, w := range ws {
		a.members[w.id] = true
		held = append(held, w.own[connectorKind], w.own[taskKind])
		revoked = append(revoked, w.revoked)
	}
	a.items, a.revoked = setOf(held...), setOf(revoked...)
}

func (a *Assignor) answer(r Round, ws []*worker) map[string]Assignment {
	all := r.everyone(Assignment{Offset: r.Configured.Offset, Delay: a.delay})
	for _, w := range ws {
		to := all[w.id]
		to.Assigned, to.Revoked = w.added, w.revoked
		all[w.id] = to
	}
	return all
}

// millis rounds up to whole milliseconds, the unit of delays: a delay that is sent as 0 would never end.
func millis(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}
