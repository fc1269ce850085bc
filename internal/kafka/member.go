package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MemberOptions describe a [Member].
type MemberOptions struct {
	Group, ClientID string
	// Worker are the worker's properties, of which those without a client's prefix count.
	Worker map[string]string
	// Session is session.timeout.ms, Rebalance rebalance.timeout.ms and Heartbeat heartbeat.interval.ms.
	Session, Rebalance, Heartbeat time.Duration
	// Signal is called on the goroutine of Run and must not block.
	Signal func(Signal)
	Log    *slog.Logger // nil discards
}

// Signal is what a member learns between joins.
type Signal int

const (
	// SignalRejoin asks for a Join: others have begun a round, or the group does not know the member or its generation any more. What runs
	// may go on running. It comes once for each Join.
	SignalRejoin Signal = iota + 1
	// SignalLost says that the group has not answered for the session timeout, so that it has likely given the member's work to others.
	SignalLost
	// SignalBack follows SignalLost when the group has answered, be it to a heartbeat or to a Join.
	SignalBack
)

// String returns a word for the log.
func (s Signal) String() string {
	switch s {
	case SignalRejoin:
		return "rejoin"
	case SignalLost:
		return "lost"
	case SignalBack:
		return "back"
	default:
		return strconv.Itoa(int(s))
	}
}

// ErrRejoin is in errors after which one simply joins again.
var ErrRejoin = errors.New("the group wants its members to join again")

// ProtocolType is what workers call their kind of group in the requests of the classic protocol.
const protocolType = "connect"

// GroupProtocol is a protocol that a member can speak, with what it tells the leader in it.
type GroupProtocol struct {
	Name     string
	Metadata []byte
}

// Joined is the answer to a join.
type Joined struct {
	Generation                   int32
	MemberID, LeaderID, Protocol string
	Members                      map[string][]byte // metadata by member id; nil unless this member leads
}

// Leads says whether this member has to assign.
func (j Joined) Leads() bool { return j.MemberID == j.LeaderID }

// Member is a member of a group of workers. One goroutine runs Run, another one calls Join, Sync and Leave; Close comes after both.
//
// There are heartbeats from the answer to a Join on, also while a Sync waits, and none while a Join does: the group does
// not expire members whose join it holds.
type Member struct {
	o       MemberOptions
	log     *slog.Logger
	opts    []kgo.Opt
	backoff func(int) time.Duration
	once    sync.Once
	client  *kgo.Client // use conn

	mu    sync.Mutex // guards state
	state membership
	wake  chan struct{} // tells Run that state has changed
}

// membership is what a member knows of itself.
type membership struct {
	id         string // given by the group; empty for a new member
	generation int32  // of the last join, -1 if there is none to beat for
	round      int    // counts joins and leaves, to recognise answers to heartbeats of an earlier one
	joining    bool   // a JoinGroup request is on its way
	signalled  bool   // SignalRejoin was given since the last join
	contact    time.Time
}

const noGeneration int32 = -1

// held says whether a JoinGroup request that failed was held by the coordinator till then: the connection was open for a while, and the
// other side closed it.
func (m *Member) held(since time.Time, err error) bool {
	return time.Since(since) > m.o.Heartbeat && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
}

// NewMember checks the properties and makes a member that is not connected yet.
func NewMember(o MemberOptions) (*Member, error) {
	// Worker is the one client whose request.timeout.ms is 40 s unless it is set.
	const workerRequest = "40000"
	key := adminCommon.requestTimeout.Name()
	props := unprefixed(merge(map[string]string{key: workerRequest}, o.Worker), map[string]string{clientIDKey: o.ClientID})
	s, err := parse(adminDef, props, inertAdmin)
	if err != nil {
		return nil, err
	}
	o.Log = discard(o.Log)
	m := &Member{o: o, log: o.Log, backoff: adminCommon.backoff(s), wake: make(chan struct{}, 1)}
	m.state.generation = noGeneration
	// franz-go waits for the answer to a JoinGroup for rebalance.timeout.ms and this; Java for that and 5 s, or for
	// request.timeout.ms if it is longer.
	const least = 10 * time.Second
	m.opts = append(adminCommon.options(s, o.Log),
		kgo.RequestTimeoutOverhead(max(adminCommon.request(s)-o.Rebalance, least)),
		kgo.RequestRetries(0)) // Join and the heartbeats have to know about every attempt
	if err := s.err(); err != nil {
		return nil, err
	}
	return m, check(m.opts)
}

func (m *Member) conn() *kgo.Client {
	m.once.Do(func() {
		client, err := kgo.NewClient(m.opts...)
		if err != nil {
			panic(fmt.Sprintf("kafka: options that were checked are refused: %v", err))
		}
		m.client = client
	})
	return m.client
}

// Close ends all connections. It does not leave the group.
func (m *Member) Close() { m.conn().Close() }

// change changes the state and tells Run.
func (m *Member) change(f func(*membership)) {
	m.mu.Lock()
	f(&m.state)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Member) now() membership {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// Join joins, or joins again, and waits until the round is complete, for rebalance.timeout.ms at most and longer if the coordinator
// has to be looked for; that it does until ctx ends. The reason is for the broker's log. Errors are ctx's, one with
// [ErrRejoin] in it, or a [*FatalGroupError].
func (m *Member) Join(ctx context.Context, protocols []GroupProtocol, reason string) (Joined, error) {
	m.change(func(s *membership) {
		s.generation = noGeneration
		s.round++
	})
	req := m.joinRequest(protocols, reason)
	for {
		req.MemberID = m.now().id
		var resp *kmsg.JoinGroupResponse
		err := m.ask(ctx, "join", func() error {
			begun := time.Now()
			m.change(func(s *membership) { s.joining = true })
			var err error
			if resp, err = req.RequestWith(ctx, m.conn()); err == nil {
				err = kerr.ErrorForCode(resp.ErrorCode)
			}
			m.change(func(s *membership) {
				s.joining = false
				if answered(err) || m.held(begun, err) {
					s.contact = time.Now()
				}
			})
			return err
		})
		if errors.Is(err, kerr.MemberIDRequired) {
			m.change(func(s *membership) { s.id = resp.MemberID })
			continue
		}
		if err != nil {
			return Joined{}, err
		}
		return m.joined(resp), nil
	}
}

func (m *Member) joinRequest(protocols []GroupProtocol, reason string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group = m.o.Group
	req.SessionTimeoutMillis = int32(m.o.Session.Milliseconds())     //nolint:gosec // from an int32
	req.RebalanceTimeoutMillis = int32(m.o.Rebalance.Milliseconds()) //nolint:gosec // from an int32
	req.ProtocolType = protocolType
	req.Reason = &reason
	for _, p := range protocols {
		gp := kmsg.NewJoinGroupRequestProtocol()
		gp.Name, gp.Metadata = p.Name, p.Metadata
		req.Protocols = append(req.Protocols, gp)
	}
	return req
}

func (m *Member) joined(resp *kmsg.JoinGroupResponse) Joined {
	m.change(func(s *membership) {
		s.id, s.generation = resp.MemberID, resp.Generation
		s.round++
		s.signalled = false
		s.contact = time.Now()
	})
	j := Joined{Generation: resp.Generation, MemberID: resp.MemberID, LeaderID: resp.LeaderID}
	if resp.Protocol != nil {
		j.Protocol = *resp.Protocol
	}
	if j.Leads() {
		j.Members = make(map[string][]byte, len(resp.Members))
		for _, member := range resp.Members {
			j.Members[member.MemberID] = member.ProtocolMetadata
		}
	}
	return j
}

// Sync hands in the assignments, which are nil unless this member leads, and returns this member's own one. Errors are as
// those of Join.
func (m *Member) Sync(ctx context.Context, j Joined, assignments map[string][]byte) ([]byte, error) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.Generation, req.MemberID = m.o.Group, j.Generation, j.MemberID
	kind := protocolType
	req.ProtocolType, req.Protocol = &kind, &j.Protocol
	for id, assignment := range assignments {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, assignment
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	var resp *kmsg.SyncGroupResponse
	err := m.ask(ctx, "sync", func() error {
		var err error
		if resp, err = req.RequestWith(ctx, m.conn()); err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if answered(err) {
			m.change(func(s *membership) { s.contact = time.Now() })
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp.MemberAssignment, nil
}

// Leave leaves the group and ends the heartbeats; without a membership it does nothing. It tries until ctx ends. The reason is for
// the broker's log.
func (m *Member) Leave(ctx context.Context, reason string) error {
	var id string
	m.change(func(s *membership) {
		id = s.id
		*s = membership{generation: noGeneration, round: s.round + 1}
	})
	if id == "" {
		return nil
	}
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = m.o.Group, id
	leaving := kmsg.NewLeaveGroupRequestMember()
	leaving.MemberID, leaving.Reason = id, &reason
	req.Members = append(req.Members, leaving)
	err := m.ask(ctx, "leave", func() error {
		resp, err := req.RequestWith(ctx, m.conn())
		if err != nil {
			return err
		}
		code := resp.ErrorCode
		if code == 0 && len(resp.Members) > 0 {
			code = resp.Members[0].ErrorCode
		}
		return kerr.ErrorForCode(code)
	})
	if errors.Is(err, kerr.UnknownMemberID) {
		return nil
	}
	return err
}

// ask makes a request until there is an answer other than to wait or to look for the coordinator elsewhere, or ctx ends.
func (m *Member) ask(ctx context.Context, what string, request func() error) error {
	told := false
	for tries := 1; ; tries++ {
		err := request()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s group %s: %w", what, m.o.Group, ctx.Err())
		case errors.Is(err, kgo.ErrClientClosed):
			return fmt.Errorf("%s group %s: %w", what, m.o.Group, err)
		case settled(err):
			return m.verdict(what, err)
		}
		if !told && !unreachable(err) && tries > 1 {
			told = true
			m.log.Warn("the coordinator of the group gives no answer; trying again", "group", m.o.Group, "error", err)
		}
		select {
		case <-time.After(m.backoff(tries)):
		case <-ctx.Done():
		}
	}
}
