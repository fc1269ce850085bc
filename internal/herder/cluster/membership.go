package cluster

import (
	"fmt"
	"time"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/store"
)

// phase is where the worker stands in its group.
type phase uint8

const (
	idle    phase = iota // not in a round; joins as soon as nothing holds it
	joining              // [Join] is under way
	leading              // joined as the leader, catching up with the members before assigning
	syncing              // [Sync] is under way
	settled              // has an assignment
	away                 // left the group, because the config topic could not be read
)

// Pauses before a worker joins again after a round that came to nothing, and after finding its config topic shorter than
// the group's.
const (
	firstJoinPause   = 100 * time.Millisecond
	maxJoinPause     = 5 * time.Second
	firstBehindPause = 250 * time.Millisecond
	maxBehindPause   = 30 * time.Second
	leastAway        = time.Second
)

// A worker begins rounds for what it has read from the config topic when it wishes, but a few at once and then not more often than this: a
// crowd of changes shares rounds, each of which costs everybody in the group.
const (
	roundPause = 100 * time.Millisecond
	roundBurst = 4
)

// maxUnread is how many reads of the config topic may fail before a cooperative worker gives up what it runs.
const maxUnread = 5

// membership is the worker's part in the group.
type membership struct {
	phase    phase
	assignor *group.Assignor
	version  group.Version // in use; before the first round, the one that the worker wishes

	generation int32 // of the last round joined, -1 before
	completed  int32 // of the last round that was completed, -1 before
	memberID   string
	members    int                   // in the last round, if we led it
	round      Joined                // while leading
	joinedWith *store.ConfigSnapshot // which the last Join told of
	owners     map[group.Item]string

	assignment *group.Assignment // the last one; nil before the first and after the coordinator was lost
	resolved   bool              // the assignment has been taken up
	ready      bool              // one has ever been
	scheduled  time.Time         // when to join again after a delayed rebalance

	wanted    string    // why to join again whatever the offsets say; empty if there is no reason
	needed    int64     // config offset that an assignment has to cover
	notBefore time.Time // before which not to join, or, away, not to try to return
	paced     time.Time // until when rounds have been begun, at one a roundPause
	failures  int       // rounds in a row that came to nothing
	behind    int       // assignments in a row beyond the end of the config topic
	unread    int       // failed reads of the config topic in a row
	reading   bool      // ReadToEnd is under way
}

func newMembership(o CoreOptions) membership {
	return membership{
		assignor: group.NewAssignor(o.MaxDelay), version: o.Mode,
		generation: -1, completed: -1, needed: -1, wanted: "the worker has started",
	}
}

// leads says whether this worker may act as the leader. While its group is in a round nobody else can have become leader if it was
// alone, because the coordinator keeps a leader that takes part.
func (c *Core) leads() bool {
	a := c.assignment
	if a == nil || a.Error != group.NoError || a.LeaderID != c.memberID || c.phase == away || c.phase == idle {
		return false
	}
	return (c.phase == settled || c.members == 1) && (!c.opts.Privileged || c.claimed)
}

func (c *Core) settled() bool {
	return c.phase == settled && c.resolved && !c.wantsJoin()
}

func (c *Core) wantsJoin() bool {
	return c.phase == idle || c.wanted != "" || c.assignment == nil || c.needed > c.assignment.Offset
}

// joinAt returns when a pause ends; zero if there is none.
func (c *Core) joinAt() time.Time {
	switch c.phase {
	case idle, settled, away:
		if at := c.mayJoin(); c.wantsJoin() && c.now.Before(at) {
			return at
		}
	default:
	}
	return time.Time{}
}

// mayJoin returns the time before which the worker does not join.
func (c *Core) mayJoin() time.Time {
	if c.wanted != "" || c.assignment == nil {
		return c.notBefore // somebody waits for it
	}
	if at := c.paced.Add(-(roundBurst - 1) * roundPause); at.After(c.notBefore) {
		return at
	}
	return c.notBefore
}

// join begins a round if one is wanted and nothing stands against it: what was revoked or reconfigured has to be at rest first,
// so that no two workers run the same task.
func (c *Core) join() {
	if c.due(c.scheduled) {
		c.scheduled = time.Time{}
		c.wanted = "the delay of the last rebalance is over"
	}
	if c.phase != idle && c.phase != settled || !c.wantsJoin() || c.now.Before(c.mayJoin()) || c.reading || len(c.halting) > 0 {
		return
	}
	if c.version == group.Eager && (c.assignment == nil || c.assignment.Error == group.NoError) && c.stop(c.all()) {
		return
	}
	if c.paced.Before(c.now) {
		c.paced = c.now
	}
	c.paced = c.paced.Add(roundPause)
	c.phase, c.wanted, c.scheduled, c.joinedWith = joining, "", time.Time{}, c.snapshot
	var protocols []group.Metadata
	for _, v := range c.opts.Mode.Protocols() {
		protocols = append(protocols, group.Metadata{Version: v, URL: c.opts.URL, Offset: c.snapshot.Offset(), Allocation: c.allocation(v)})
	}
	c.do(Join{protocols})
}

// allocation is what the worker tells the leader it owns: the last assignment with all that has come and gone since.
func (c *Core) allocation(v group.Version) *group.Assignment {
	if v == group.Eager || c.version == group.Eager || c.assignment == nil {
		return nil
	}
	a := *c.assignment
	a.Version, a.Assigned, a.Revoked = v, sorted(c.owned), nil
	return &a
}

func (e Joined) apply(c *Core) {
	c.generation, c.memberID, c.version = e.Generation, e.MemberID, e.Version
	c.failures, c.notBefore = 0, time.Time{}
	if e.LeaderID != e.MemberID {
		c.phase, c.members, c.owners = syncing, 0, nil
		c.do(Sync{})
		return
	}
	c.phase, c.round, c.members = leading, e, len(e.Members)
	if c.leaderSnapshot().Offset() < group.MaxOffset(e.Members) {
		c.read()
		return
	}
	c.assign()
}

// leaderSnapshot returns what to assign from: what all joined with, if this worker knew as much as any. Alone it can do with the latest,
// which spares a round.
func (c *Core) leaderSnapshot() *store.ConfigSnapshot {
	if c.members == 1 || c.joinedWith.Offset() < group.MaxOffset(c.round.Members) {
		return c.snapshot
	}
	return c.joinedWith
}

// assign distributes the work. If even the topic's end is older than what a member has seen, all are told so.
func (c *Core) assign() {
	from := c.leaderSnapshot()
	r := group.Round{
		Now: c.now, Generation: c.generation, Completed: c.completed, Version: c.version,
		LeaderID: c.memberID, LeaderURL: c.opts.URL, Members: c.round.Members, Configured: configured(from),
	}
	c.phase = syncing
	if from.Offset() < group.MaxOffset(r.Members) {
		c.do(Sync{group.Mismatch(r)})
		return
	}
	assignments := c.assignor.Assign(r)
	c.owners = group.Owners(r, assignments)
	c.do(Sync{assignments})
}

func configured(s *store.ConfigSnapshot) group.Configured {
	out := group.Configured{Offset: s.Offset(), Tasks: make(map[string]int)}
	for _, name := range s.Names() {
		state, _ := s.Connector(name)
		out.Tasks[name] = len(state.Tasks)
	}
	return out
}

func (e Synced) apply(c *Core) {
	a := e.Assignment
	c.phase, c.completed = settled, c.generation
	c.assignment, c.resolved = &a, false
	if a.Delay > 0 {
		c.scheduled = c.now.Add(a.Delay)
	}
	c.adopt(a)
	if a.LeaderID != c.memberID {
		c.claimed = false
		return
	}
	if a.Error == group.NoError {
		c.do(ForgetStatuses{c.snapshot})
	}
}

// adopt makes an assignment's items the worker's own. What is revoked stops now; the group waits for this worker to join again
// without it.
func (c *Core) adopt(a group.Assignment) {
	if c.version == group.Eager {
		c.owned = set(a.Assigned)
		var gone []group.Item
		for item := range c.started {
			if _, ok := c.owned[item]; !ok {
				gone = append(gone, item)
			}
		}
		c.stop(gone)
		return
	}
	for _, item := range a.Revoked {
		delete(c.owned, item)
	}
	for _, item := range a.Assigned {
		c.owned[item] = struct{}{}
	}
	if len(a.Revoked) > 0 {
		c.stop(a.Revoked)
		c.wanted = "items were revoked"
	}
}

// resolve takes up an assignment once the config topic has been read as far as the leader had.
func (c *Core) resolve() {
	switch {
	case c.phase == away && !c.reading && !c.now.Before(c.notBefore):
		c.read()
	case c.phase != settled || c.resolved || c.reading:
	case c.snapshot.Offset() < c.assignment.Offset:
		c.read()
	case c.assignment.Error != group.NoError:
		c.resolved = true
		c.fallBehind("the leader has not read the config topic as far as a member of the group has")
	default:
		c.resolved, c.ready = true, true
		c.behind, c.unread = 0, 0
		c.startOwned()
	}
}

func (c *Core) read() {
	if !c.reading {
		c.reading = true
		c.do(ReadToEnd{})
	}
}

func (e CaughtUp) apply(c *Core) {
	if !c.reading {
		return
	}
	c.reading = false
	switch {
	case c.phase == leading:
		c.assign()
	case c.phase == away && e.Err == nil:
		c.phase, c.notBefore, c.unread = idle, time.Time{}, 0
	case c.phase == away:
		c.stayAway(e.Err)
	case c.phase != settled || c.resolved:
	case e.Err != nil:
		c.leave(e.Err)
	case c.snapshot.Offset() < c.assignment.Offset:
		c.resolved = true
		c.fallBehind(fmt.Sprintf("the config topic ends at offset %d, but the group's leader has read it up to %d: do all workers of this group read the same topic, with the same exactly.once.source.support?",
			c.snapshot.Offset(), c.assignment.Offset))
	}
}

// fallBehind joins again later and later as long as the config topic is not what the group says it is. The worker stays a member
// meanwhile.
func (c *Core) fallBehind(why string) {
	pause := min(firstBehindPause<<min(c.behind, 10), maxBehindPause)
	c.behind++
	c.wanted, c.notBefore = why, c.now.Add(pause)
	c.do(Note{Problem: c.behind > 1, Text: why + "; joining again in " + pause.String()})
}

// leave leaves the group for a while, because the config topic cannot be read: others should have the work.
func (c *Core) leave(err error) {
	c.phase, c.wanted, c.scheduled = away, "the config topic can be read again", time.Time{}
	c.do(Leave{"the config topic could not be read in time"})
	c.stayAway(err)
}

func (c *Core) stayAway(err error) {
	c.unread++
	pause := c.opts.UnsyncBackoff
	if c.version != group.Eager {
		left := maxUnread - (c.unread-1)%maxUnread
		if c.unread > 1 && left == maxUnread {
			c.giveUpAll()
		}
		pause = max(c.opts.MaxDelay/10/time.Duration(left), leastAway)
	}
	c.notBefore = c.now.Add(pause)
	c.do(Note{Problem: true, Text: fmt.Sprintf("the config topic could not be read (%v); trying again in %s", err, pause)})
}

func (e Unjoined) apply(c *Core) {
	c.phase, c.wanted = idle, e.Reason
	if c.failures++; c.failures > 1 {
		c.notBefore = c.now.Add(min(firstJoinPause<<min(c.failures-2, 10), maxJoinPause))
	}
	c.do(Note{Text: "joining again: " + e.Reason})
}

func (RebalanceNeeded) apply(c *Core) {
	if c.phase == settled {
		c.wanted, c.notBefore = "the group is rebalancing", time.Time{}
	}
}

// Others may run our items by now, and when the coordinator is back it has forgotten us.
func (CoordinatorLost) apply(c *Core) {
	if c.phase == away {
		return
	}
	c.giveUpAll()
	c.wanted = "the coordinator was lost"
	if c.phase == settled {
		c.phase = idle
	}
	c.do(Note{Problem: true, Text: "the group's coordinator has not answered for the session timeout: stopping all connectors and tasks until it does"})
}

func (Tick) apply(*Core) {}
