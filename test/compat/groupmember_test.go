package compat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/test/bed"
)

const (
	connectType   = "connect" // the protocol type of Connect's groups
	groupClientID = "connect-127.0.0.1:8083"

	// shortestSession is the least that a broker with its default group.min.session.timeout.ms accepts.
	shortestSession = 6 * time.Second
	// longTimeout is for the members of checks that are not about time: they never send a heartbeat they do not need.
	longTimeout = 2 * time.Minute
)

// groupCheck is one check on one broker: a group of its own and the members that take part.
type groupCheck struct {
	*testing.T
	bootstrap string
	embedded  bool // the broker is the embedded one
	group     string
	admin     *kgo.Client
}

// beside makes a check of another group in the same test.
func (c *groupCheck) beside() *groupCheck {
	c.Helper()
	other := *c
	other.group, other.admin = bed.Name(c, "group"), groupClient(c.T, c.bootstrap)
	return &other
}

func groupClient(t *testing.T, bootstrap string) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ClientID(groupClientID))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

// groupMember is a member of a group that is spoken for by hand: each request is built here, and no library knows of the membership.
// Its client is its own, because a broker answers the requests of one connection one after the other.
type groupMember struct {
	c          *groupCheck
	client     *kgo.Client
	id         string // empty until the broker gives one
	generation int32
	protocol   string        // the one that the broker chose
	kind       string        // the protocol type
	offers     []groupOffer  // in order of preference
	session    time.Duration // until the broker gives up a silent member
	rebalance  time.Duration // until it goes on without those that have not joined again
}

// groupOffer is a protocol that a member lists when it joins.
type groupOffer struct{ Name, Metadata string }

// sessioned are the protocols that a worker with connect.protocol=sessioned lists. The metadata is opaque to the broker: the mark
// stands for it, with a byte that is no text.
func sessioned(mark string) []groupOffer {
	return []groupOffer{{"sessioned", "\x00\x02" + mark}, {"compatible", "\x00\x01" + mark}, {"default", "\x00\x00" + mark}}
}

// member makes a member that has not joined yet.
func (c *groupCheck) member(offers []groupOffer) *groupMember {
	c.Helper()
	return &groupMember{
		c: c, client: groupClient(c.T, c.bootstrap), kind: connectType, offers: offers, session: longTimeout, rebalance: longTimeout,
	}
}

// admitted makes a member and gets it an id, without the join that makes it count.
func (c *groupCheck) admitted(mark string) *groupMember {
	c.Helper()
	m := c.member(sessioned(mark))
	m.admit()
	return m
}

// alone is the leader of a stable group of one.
func (c *groupCheck) alone() *groupMember {
	c.Helper()
	m := c.admitted("one")
	m.joined(m.join())
	m.sync().done()
	return m
}

// pair is a stable group of two, the leader first.
func (c *groupCheck) pair() (leader, follower *groupMember) {
	c.Helper()
	leader, follower = c.alone(), c.admitted("two")
	c.round(leader, follower)
	c.settle(leader, follower)
	return leader, follower
}

// round brings these members together in one round of which the first is the leader: whoever is new joins, the others hear of it and join
// again.
func (c *groupCheck) round(members ...*groupMember) {
	c.Helper()
	pending := map[*groupMember]*groupAnswer[*kmsg.JoinGroupResponse]{}
	for _, m := range members {
		if m.generation == 0 {
			pending[m] = m.join()
		}
	}
	for _, m := range members {
		if m.generation > 0 {
			m.awaitRebalance()
			pending[m] = m.join()
		}
	}
	for _, m := range members {
		if got := m.joined(pending[m]); got.LeaderID != members[0].id || got.Generation != members[0].generation {
			c.Fatalf("generation %d led by %s, want %d led by %s", got.Generation, got.LeaderID, members[0].generation, members[0].id)
		}
	}
}

// settle ends a round by an assignment from the first member to all; each gets its own id.
func (c *groupCheck) settle(members ...*groupMember) {
	c.Helper()
	plan := map[string]string{}
	for _, m := range members {
		plan[m.id] = assignmentOf(m)
	}
	leader := members[0].assign(plan)
	for _, m := range members[1:] {
		if got := m.sync().assignment(); got != assignmentOf(m) {
			c.Errorf("a follower's assignment is %q, want %q", got, assignmentOf(m))
		}
	}
	if got := leader.assignment(); got != assignmentOf(members[0]) {
		c.Errorf("the leader's assignment is %q, want %q", got, assignmentOf(members[0]))
	}
}

func assignmentOf(m *groupMember) string { return "\x00\x02for " + m.id }

// groupAnswer is a request under way.
type groupAnswer[R kmsg.Response] struct {
	m    *groupMember
	what string
	come chan struct{} // closed once resp and err are set
	resp R
	err  error
}

// ask sends a request in the background. It ends with the test at the latest.
func ask[R kmsg.Response](m *groupMember, what string, request func(context.Context, kmsg.Requestor) (R, error)) *groupAnswer[R] {
	a := &groupAnswer[R]{m: m, what: what, come: make(chan struct{})}
	ctx, cancel := context.WithTimeout(m.c.Context(), patience)
	var work sync.WaitGroup
	work.Go(func() {
		defer close(a.come)
		a.resp, a.err = request(ctx, m.client)
	})
	m.c.Cleanup(func() {
		cancel()
		work.Wait()
	})
	return a
}

// wait returns the answer.
func (a *groupAnswer[R]) wait() R {
	a.m.c.Helper()
	<-a.come
	if a.err != nil {
		a.m.c.Fatalf("%s: %v", a.what, a.err)
	}
	return a.resp
}

// answered reports whether the answer has come.
func (a *groupAnswer[R]) answered() bool {
	select {
	case <-a.come:
		return true
	default:
		return false
	}
}

// join sends a join request with the member's present id.
func (m *groupMember) join() *groupAnswer[*kmsg.JoinGroupResponse] {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.ProtocolType = m.c.group, m.id, m.kind
	req.SessionTimeoutMillis = int32(m.session.Milliseconds())
	req.RebalanceTimeoutMillis = int32(m.rebalance.Milliseconds())
	for _, o := range m.offers {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = o.Name, []byte(o.Metadata)
		req.Protocols = append(req.Protocols, p)
	}
	return ask(m, "join", req.RequestWith)
}

// joined takes the answer to a join that must have worked, and remembers generation and protocol.
func (m *groupMember) joined(a *groupAnswer[*kmsg.JoinGroupResponse]) *kmsg.JoinGroupResponse {
	m.c.Helper()
	resp := a.wait()
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		m.c.Fatalf("join: %v", err)
	}
	m.generation, m.protocol = resp.Generation, *resp.Protocol
	return resp
}

// refused takes the answer to a join that must not work.
func (m *groupMember) refused(a *groupAnswer[*kmsg.JoinGroupResponse], want error) {
	m.c.Helper()
	m.c.want("join", kerr.ErrorForCode(a.wait().ErrorCode), want)
}

// admit gets an id by the first of a new member's two joins.
func (m *groupMember) admit() {
	m.c.Helper()
	resp := m.join().wait()
	m.c.want("first join", kerr.ErrorForCode(resp.ErrorCode), kerr.MemberIDRequired)
	m.id = resp.MemberID
}

// syncAnswer is the answer to a sync.
type syncAnswer struct {
	*groupAnswer[*kmsg.SyncGroupResponse]
}

// sync asks for the member's assignment.
func (m *groupMember) sync() syncAnswer { return m.assign(nil) }

// assign hands out assignments by member id, as the leader does, and asks for the member's own.
func (m *groupMember) assign(plan map[string]string) syncAnswer {
	return syncAnswer{ask(m, "sync", m.syncRequest(plan).RequestWith)}
}

func (m *groupMember) syncRequest(plan map[string]string) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = m.c.group, m.id, m.generation
	req.ProtocolType, req.Protocol = &m.kind, &m.protocol
	for id, assignment := range plan {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, []byte(assignment)
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return req
}

// done takes the answer to a sync that must have worked.
func (a syncAnswer) done() *kmsg.SyncGroupResponse {
	a.m.c.Helper()
	resp := a.wait()
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		a.m.c.Fatalf("sync: %v", err)
	}
	return resp
}

func (a syncAnswer) assignment() string {
	a.m.c.Helper()
	return string(a.done().MemberAssignment)
}

// failed takes the answer to a sync that must not work.
func (a syncAnswer) failed(want error) {
	a.m.c.Helper()
	a.m.c.want("sync", kerr.ErrorForCode(a.wait().ErrorCode), want)
}

// heartbeat returns what the broker says to a heartbeat; nil means all is well.
func (m *groupMember) heartbeat() error {
	m.c.Helper()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = m.c.group, m.id, m.generation
	return kerr.ErrorForCode(ask(m, "heartbeat", req.RequestWith).wait().ErrorCode)
}

// beats asserts what the broker says to a heartbeat.
func (m *groupMember) beats(want error) {
	m.c.Helper()
	m.c.want("heartbeat", m.heartbeat(), want)
}

// awaitRebalance sends heartbeats until one tells of a round.
func (m *groupMember) awaitRebalance() {
	m.c.Helper()
	bed.Poll(m.c, patience, "a heartbeat that tells of a rebalance", func() (bool, string) {
		err := m.heartbeat()
		if err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
			m.c.Fatalf("heartbeat: %v", err)
		}
		return err != nil, "all is well"
	})
}

// leave leaves the group and returns what the broker says of the member.
func (m *groupMember) leave() error {
	m.c.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group = m.c.group
	l := kmsg.NewLeaveGroupRequestMember()
	l.MemberID = m.id
	req.Members = append(req.Members, l)
	resp := ask(m, "leave", req.RequestWith).wait()
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return err
	}
	if len(resp.Members) != 1 || resp.Members[0].MemberID != m.id {
		m.c.Fatalf("the answer to a leave is about %+v", resp.Members)
	}
	return kerr.ErrorForCode(resp.Members[0].ErrorCode)
}

func (c *groupCheck) want(what string, got, want error) {
	c.Helper()
	if !errors.Is(got, want) {
		c.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// limit bounds a request of the check itself.
func (c *groupCheck) limit() context.Context {
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	c.Cleanup(cancel)
	return ctx
}

// describe asks for the group's state.
func (c *groupCheck) describe() kmsg.DescribeGroupsResponseGroup {
	c.Helper()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{c.group}
	resp, err := req.RequestWith(c.limit(), c.admin)
	if err != nil {
		c.Fatal(err)
	}
	if len(resp.Groups) != 1 || resp.Groups[0].Group != c.group {
		c.Fatalf("description of %+v", resp.Groups)
	}
	g := resp.Groups[0]
	slices.SortFunc(g.Members, func(a, b kmsg.DescribeGroupsResponseGroupMember) int { return cmp.Compare(a.MemberID, b.MemberID) })
	return g
}

func (c *groupCheck) memberIDs() []string {
	c.Helper()
	var ids []string
	for _, m := range c.describe().Members {
		ids = append(ids, m.MemberID)
	}
	return ids
}

func (c *groupCheck) awaitState(want string) {
	c.Helper()
	bed.Poll(c, patience, "the group to be "+want, func() (bool, string) {
		got := c.describe().State
		return got == want, got
	})
}

// list asks for the names of the groups of these states and types that are this check's; nil means any.
func (c *groupCheck) list(states, types []string) []kmsg.ListGroupsResponseGroup {
	c.Helper()
	req := kmsg.NewPtrListGroupsRequest()
	req.StatesFilter, req.TypesFilter = states, types
	resp, err := req.RequestWith(c.limit(), c.admin)
	if err := errors.Join(err, kerr.ErrorForCode(resp.ErrorCode)); err != nil {
		c.Fatal(err)
	}
	return slices.DeleteFunc(resp.Groups, func(g kmsg.ListGroupsResponseGroup) bool { return g.Group != c.group })
}

// remove deletes the group and returns what the broker says.
func (c *groupCheck) remove() error {
	c.Helper()
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{c.group}
	resp, err := req.RequestWith(c.limit(), c.admin)
	if err != nil {
		c.Fatal(err)
	}
	if len(resp.Groups) != 1 || resp.Groups[0].Group != c.group {
		c.Fatalf("deletion of %+v", resp.Groups)
	}
	return kerr.ErrorForCode(resp.Groups[0].ErrorCode)
}

// topic makes a topic and returns it with its id.
func (c *groupCheck) topic() kadm.TopicDetail {
	c.Helper()
	name := bed.Name(c, "committed")
	admin := kadm.NewClient(c.admin)
	if _, err := admin.CreateTopic(c.limit(), 1, 1, nil, name); err != nil {
		c.Fatal(err)
	}
	var topic kadm.TopicDetail
	bed.Poll(c, patience, "the topic's id", func() (bool, string) {
		all, err := admin.ListTopics(c.limit(), name)
		if err != nil {
			c.Fatal(err)
		}
		topic = all[name]
		return topic.Err == nil && topic.ID != kadm.TopicID{}, fmt.Sprint(topic.ID, topic.Err)
	})
	return topic
}
