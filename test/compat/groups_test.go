package compat

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/internal/devbroker"
	"github.com/millrace-io/millrace/test/bed"
)

// TestGroups asks the embedded broker and a real one for all that Connect wants of a group, and expects the same of both.
func TestGroups(t *testing.T) {
	t.Parallel()
	t.Run("kafka", func(t *testing.T) {
		t.Parallel()
		checkGroups(t, groupCheck{bootstrap: bed.SharedBroker(t)})
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		b := newEmbedded(t, devbroker.Options{Dir: t.TempDir()}).start()
		checkGroups(t, groupCheck{bootstrap: b.Bootstrap(), embedded: true})
	})
}

func checkGroups(t *testing.T, broker groupCheck) {
	t.Helper()
	for _, check := range groupChecks() {
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			c := broker
			c.T = t
			check.run(c.beside())
		})
	}
}

type namedCheck struct {
	name string
	run  func(*groupCheck)
}

func groupChecks() []namedCheck {
	return []namedCheck{
		{"sessions", checkSessions}, // the long ones first, to have them run beside the others
		{"a member that does not join again", checkRebalanceTimeout},
		{"coordinator", checkCoordinator},
		{"a new member is given an id", checkMemberID},
		{"the leader sees its metadata", checkLeaderJoin},
		{"the leader's own assignment", checkLeaderSync},
		{"a second member", checkSecondMember},
		{"the protocol all members list", checkProtocolChoice},
		{"a follower waits for the leader", checkFollowerWaits},
		{"who is not assigned anything", checkEmptyAssignment},
		{"heartbeats", checkHeartbeats},
		{"a member joins while others wait for assignments", checkJoinDuringSync},
		{"the leader joins again", checkLeaderRejoins},
		{"a follower joins again", checkFollowerRejoins},
		{"a lost answer to a join", checkLostJoin},
		{"a lost answer to a sync", checkLostSync},
		{"the follower leaves", checkFollowerLeaves},
		{"the leader leaves", checkLeaderLeaves},
		{"a group that was empty", checkEmptyGroup},
		{"illegal generation", checkIllegalGeneration},
		{"unknown member", checkUnknownMember},
		{"unknown group", checkAbsentGroup},
		{"wrong protocol type", checkProtocolType},
		{"no common protocol", checkNoCommonProtocol},
		{"wrong protocol in a sync", checkSyncProtocol},
		{"session timeout out of bounds", checkSessionBounds},
		{"describe", checkDescribe},
		{"list", checkList},
		{"offsets", checkOffsets},
		{"delete", checkDelete},
	}
}

func checkCoordinator(c *groupCheck) {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys = []string{c.group}
	var got kmsg.FindCoordinatorResponseCoordinator
	bed.Poll(c, patience, "the coordinator", func() (bool, string) { // a new cluster first has to make the topic behind it
		resp, err := req.RequestWith(c.limit(), c.admin)
		if err != nil {
			c.Fatal(err)
		}
		got = resp.Coordinators[0]
		err = kerr.ErrorForCode(got.ErrorCode)
		if err != nil && !kerr.IsRetriable(err) {
			c.Fatal(err)
		}
		return err == nil, fmt.Sprint(err)
	})
	if address := net.JoinHostPort(got.Host, strconv.Itoa(int(got.Port))); got.Key != c.group || address != c.bootstrap {
		c.Errorf("the coordinator of %s is %s, want %s and %s", got.Key, address, c.group, c.bootstrap)
	}
}

func checkMemberID(c *groupCheck) {
	m := c.member(sessioned("one"))
	m.admit()
	if !strings.HasPrefix(m.id, groupClientID+"-") || len(m.id) < len(groupClientID)+30 {
		c.Errorf("the member id %q is not the client id with something unique behind it", m.id)
	}
	if got := c.describe(); len(got.Members) != 0 {
		c.Errorf("a member that was only given an id counts already: %+v", got)
	}
	if other := c.admitted("two"); other.id == m.id {
		c.Errorf("two members are given the id %q", m.id)
	}
	if resp := m.joined(m.join()); resp.MemberID != m.id {
		c.Errorf("the second join is answered for %q, want %q", resp.MemberID, m.id)
	}
}

func checkLeaderJoin(c *groupCheck) {
	m := c.admitted("one")
	got := m.joined(m.join())
	want := joined(m.id, 1, "sessioned", m.id, m)
	if diff := cmp.Diff(want, sight(got)); diff != "" {
		c.Errorf("answer to the join (-want +got):\n%s", diff)
	}
}

// joinView is what a member learns from the answer to its join.
type joinView struct {
	Member, Leader, Type, Protocol string
	Generation                     int32
	Metadata                       map[string]string // by member id, for the leader alone
}

func sight(resp *kmsg.JoinGroupResponse) joinView {
	v := joinView{
		Member: resp.MemberID, Leader: resp.LeaderID, Generation: resp.Generation, Type: *resp.ProtocolType, Protocol: *resp.Protocol,
		Metadata: map[string]string{},
	}
	for _, m := range resp.Members {
		v.Metadata[m.MemberID] = string(m.ProtocolMetadata)
	}
	return v
}

// joined is the view that a member should have; the leader's names the members that it sees.
func joined(id string, generation int32, protocol, leader string, sees ...*groupMember) joinView {
	v := joinView{id, leader, connectType, protocol, generation, map[string]string{}}
	for _, m := range sees {
		i := slices.IndexFunc(m.offers, func(o groupOffer) bool { return o.Name == protocol })
		v.Metadata[m.id] = m.offers[i].Metadata
	}
	return v
}

func checkLeaderSync(c *groupCheck) {
	m := c.admitted("one")
	m.joined(m.join())
	got := m.assign(map[string]string{m.id: "\x00\x02all of it"}).done()
	if *got.ProtocolType != connectType || *got.Protocol != "sessioned" || string(got.MemberAssignment) != "\x00\x02all of it" {
		c.Errorf("the answer to the sync is %s %s %q", *got.ProtocolType, *got.Protocol, got.MemberAssignment)
	}
	c.awaitState("Stable")
}

func checkSecondMember(c *groupCheck) {
	first, second := c.alone(), c.admitted("two")
	first.beats(nil) // an id alone starts no round
	join := second.join()
	first.awaitRebalance()
	if join.answered() {
		c.Error("the second member's join was answered before the first one had joined again")
	}
	c.want("state", stateError(c.describe().State, "PreparingRebalance"), nil)
	again := first.joined(first.join())
	if diff := cmp.Diff(joined(first.id, 2, "sessioned", first.id, first, second), sight(again)); diff != "" {
		c.Errorf("the leader's join (-want +got):\n%s", diff)
	}
	got := second.joined(join)
	if diff := cmp.Diff(joined(second.id, 2, "sessioned", first.id), sight(got)); diff != "" {
		c.Errorf("the follower's join (-want +got):\n%s", diff)
	}
	c.settle(first, second)
	first.beats(nil)
	second.beats(nil)
}

func stateError(got, want string) error {
	if got != want {
		return errors.New("the group is " + got + ", want " + want)
	}
	return nil
}

// checkProtocolChoice follows a group through the three modes of connect.protocol.
func checkProtocolChoice(c *groupCheck) {
	first := c.alone()
	compatible := c.member(sessioned("two")[1:])
	compatible.admit()
	c.round(first, compatible)
	if first.protocol != "compatible" || compatible.protocol != "compatible" {
		c.Errorf("the protocols are %s and %s, want compatible", first.protocol, compatible.protocol)
	}
	c.settle(first, compatible)
	eager := c.member(sessioned("three")[2:])
	eager.admit()
	c.round(first, compatible, eager)
	if first.protocol != "default" || eager.protocol != "default" {
		c.Errorf("the protocols are %s and %s, want default", first.protocol, eager.protocol)
	}
	c.settle(first, compatible, eager)
	c.want("leave", eager.leave(), nil)
	c.want("leave", compatible.leave(), nil)
	c.round(first)
	if first.protocol != "sessioned" {
		c.Errorf("the protocol of the member left over is %s, want sessioned", first.protocol)
	}
}

func checkFollowerWaits(c *groupCheck) {
	leader, follower := c.alone(), c.admitted("two")
	c.round(leader, follower)
	sync := follower.sync()
	for range 20 { // each takes as long as the answer to the sync would have taken
		leader.beats(nil)
	}
	if sync.answered() {
		c.Fatal("the follower's sync was answered before the leader's")
	}
	c.want("state", stateError(c.describe().State, "CompletingRebalance"), nil)
	leader.assign(map[string]string{leader.id: "a", follower.id: "b"}).done()
	if got := sync.assignment(); got != "b" {
		c.Errorf("the follower's assignment is %q, want b", got)
	}
}

func checkEmptyAssignment(c *groupCheck) {
	leader, follower := c.alone(), c.admitted("two")
	c.round(leader, follower)
	sync := follower.sync()
	if got := leader.assign(map[string]string{leader.id: "a", "somebody else": "c"}).assignment(); got != "a" {
		c.Errorf("the leader's assignment is %q, want a", got)
	}
	if got := sync.assignment(); got != "" {
		c.Errorf("the assignment of a follower that the leader left out is %q, want none", got)
	}
}

func checkHeartbeats(c *groupCheck) {
	m := c.admitted("one")
	m.joined(m.join())
	m.beats(nil) // workers send them from the answer to the join on
	m.sync().done()
	for range 3 {
		m.beats(nil)
	}
}

func checkJoinDuringSync(c *groupCheck) {
	leader, follower := c.alone(), c.admitted("two")
	c.round(leader, follower)
	sync := follower.sync()
	third := c.admitted("three") // not earlier: a real broker waits for those that have an id but have not joined
	join := third.join()
	sync.failed(kerr.RebalanceInProgress)
	leader.awaitRebalance()
	leader.sync().failed(kerr.RebalanceInProgress)
	again := []*groupAnswer[*kmsg.JoinGroupResponse]{leader.join(), follower.join()}
	leader.joined(again[0])
	follower.joined(again[1])
	third.joined(join)
	c.settle(leader, follower, third)
}

func checkLeaderRejoins(c *groupCheck) {
	leader, follower := c.pair()
	before := leader.generation
	join := leader.join() // with nothing new in it: that is how the leader asks for a round
	follower.awaitRebalance()
	id := follower.id
	follower.joined(follower.join())
	got := leader.joined(join)
	if got.Generation != before+1 || follower.generation != before+1 {
		c.Errorf("generations %d and %d, want %d", got.Generation, follower.generation, before+1)
	}
	if diff := cmp.Diff(joined(leader.id, before+1, "sessioned", leader.id, leader, follower), sight(got)); diff != "" {
		c.Errorf("the leader's join (-want +got):\n%s", diff)
	}
	if follower.id != id {
		c.Errorf("the follower's id %q became %q", id, follower.id)
	}
	c.settle(leader, follower)
}

func checkFollowerRejoins(c *groupCheck) {
	leader, follower := c.pair()
	before := follower.generation
	follower.joined(follower.join())
	if follower.generation != before {
		c.Errorf("a follower that joins with nothing new makes generation %d of %d", follower.generation, before)
	}
	if got := follower.sync().assignment(); got != assignmentOf(follower) {
		c.Errorf("its assignment is then %q, want %q", got, assignmentOf(follower))
	}
	leader.beats(nil)

	follower.offers = sessioned("new")
	join := follower.join()
	leader.awaitRebalance()
	got := leader.joined(leader.join())
	follower.joined(join)
	if diff := cmp.Diff(joined(leader.id, before+1, "sessioned", leader.id, leader, follower), sight(got)); diff != "" {
		c.Errorf("the leader's join (-want +got):\n%s", diff)
	}
	c.settle(leader, follower)
}

// checkLostJoin joins again as a member does whose connection broke before the answer came.
func checkLostJoin(c *groupCheck) {
	leader, follower := c.alone(), c.admitted("two")
	c.round(leader, follower)
	generation := follower.generation
	follower.joined(follower.join())
	if follower.generation != generation {
		c.Errorf("generation %d became %d", generation, follower.generation)
	}
	got := leader.joined(leader.join())
	if diff := cmp.Diff(joined(leader.id, generation, "sessioned", leader.id, leader, follower), sight(got)); diff != "" {
		c.Errorf("the leader's second join (-want +got):\n%s", diff)
	}
	c.settle(leader, follower)
}

func checkLostSync(c *groupCheck) {
	leader, follower := c.pair()
	for _, m := range []*groupMember{leader, follower} {
		if got := m.sync().assignment(); got != assignmentOf(m) {
			c.Errorf("the assignment is %q when asked for again, want %q", got, assignmentOf(m))
		}
	}
}

func checkFollowerLeaves(c *groupCheck) {
	leader, follower := c.pair()
	c.want("leave", follower.leave(), nil)
	follower.beats(kerr.UnknownMemberID)
	leader.awaitRebalance()
	got := leader.joined(leader.join())
	if diff := cmp.Diff(joined(leader.id, 3, "sessioned", leader.id, leader), sight(got)); diff != "" {
		c.Errorf("the leader's join (-want +got):\n%s", diff)
	}
	c.want("second leave", follower.leave(), kerr.UnknownMemberID)
}

func checkLeaderLeaves(c *groupCheck) {
	leader, follower := c.pair()
	c.want("leave", leader.leave(), nil)
	follower.awaitRebalance()
	got := follower.joined(follower.join())
	if diff := cmp.Diff(joined(follower.id, 3, "sessioned", follower.id, follower), sight(got)); diff != "" {
		c.Errorf("the new leader's join (-want +got):\n%s", diff)
	}
	c.settle(follower)
}

func checkEmptyGroup(c *groupCheck) {
	first := c.alone()
	c.want("leave", first.leave(), nil)
	c.awaitState("Empty")
	second := c.admitted("two")
	got := second.joined(second.join())
	if got.Generation <= first.generation {
		c.Errorf("generation %d follows %d", got.Generation, first.generation)
	}
	first.beats(kerr.UnknownMemberID)
	first.refused(first.join(), kerr.UnknownMemberID)
	c.settle(second)
}
