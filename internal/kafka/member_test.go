package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// signals collects what a member is told.
type signals struct {
	mu  sync.Mutex
	all []Signal
}

func (s *signals) note(sig Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sig)
}

func (s *signals) list() []Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

func (s *signals) await(t *testing.T, want ...Signal) {
	t.Helper()
	until(t, "the signals come", func() bool { return len(s.list()) >= len(want) })
	if diff := cmp.Diff(want, s.list()); diff != "" {
		t.Fatalf("signals (-want +got):\n%s", diff)
	}
}

func memberOptions(bootstrap, group string, s *signals) MemberOptions {
	return MemberOptions{
		Group: group, ClientID: "connect-worker:8083", Signal: s.note,
		Worker:  map[string]string{bootstrapKey: bootstrap, "retry.backoff.ms": "10", "retry.backoff.max.ms": "50"},
		Session: 10 * time.Second, Rebalance: 10 * time.Second, Heartbeat: 50 * time.Millisecond,
	}
}

// newMember makes a member whose heartbeats run until the test ends.
func newMember(t *testing.T, o MemberOptions) *Member {
	t.Helper()
	m, err := NewMember(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		m.Close()
	})
	return m
}

var spoken = []GroupProtocol{{"sessioned", []byte("s")}, {"compatible", []byte("c")}}

func join(t *testing.T, m *Member) Joined {
	t.Helper()
	j, err := m.Join(limited(t), spoken, "")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestMemberAlone(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	s := new(signals)
	m := newMember(t, memberOptions(bootstrap, unique(t), s))
	j := join(t, m)
	if !j.Leads() || j.Protocol != "sessioned" || !strings.HasPrefix(j.MemberID, "connect-worker:8083-") {
		t.Errorf("joined as %+v", j)
	}
	if diff := cmp.Diff(map[string][]byte{j.MemberID: []byte("s")}, j.Members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	got, err := m.Sync(limited(t), j, map[string][]byte{j.MemberID: []byte("mine")})
	if err != nil || string(got) != "mine" {
		t.Errorf("Sync: %q, %v", got, err)
	}
	again := join(t, m)
	if again.MemberID != j.MemberID || again.Generation <= j.Generation {
		t.Errorf("joined again as %+v after %+v", again, j)
	}
}

// A second member comes; the first learns of it from a heartbeat, joins again and assigns.
func TestMembersRebalance(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	group := unique(t)
	s1, s2 := new(signals), new(signals)
	first, second := newMember(t, memberOptions(bootstrap, group, s1)), newMember(t, memberOptions(bootstrap, group, s2))
	j1 := join(t, first)
	if _, err := first.Sync(limited(t), j1, map[string][]byte{j1.MemberID: []byte("all")}); err != nil {
		t.Fatal(err)
	}
	followed := make(chan string, 1)
	go func() {
		j2, err := second.Join(limited(t), spoken, "")
		if err != nil {
			followed <- err.Error()
			return
		}
		got, err := second.Sync(limited(t), j2, nil)
		if err != nil || j2.Leads() || j2.Members != nil {
			followed <- "followed as leader, or not at all"
			return
		}
		followed <- string(got)
	}()
	s1.await(t, SignalRejoin)
	j1 = join(t, first)
	if len(j1.Members) != 2 {
		t.Fatalf("the leader sees %d members, want 2", len(j1.Members))
	}
	assignments := map[string][]byte{}
	for id := range j1.Members {
		assignments[id] = []byte("a part")
	}
	if _, err := first.Sync(limited(t), j1, assignments); err != nil {
		t.Fatal(err)
	}
	if got := <-followed; got != "a part" {
		t.Fatalf("the follower got %q", got)
	}
	if err := second.Leave(limited(t), "the test is over"); err != nil {
		t.Fatal(err)
	}
	s1.await(t, SignalRejoin, SignalRejoin)
	if len(s2.list()) > 0 {
		t.Errorf("the follower was told %v", s2.list())
	}
}

// What heartbeats are answered decides whether the member keeps its id.
func TestMemberHeartbeatErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  *kerr.Error
		kept bool
	}{
		{kerr.RebalanceInProgress, true},
		{kerr.IllegalGeneration, true},
		{kerr.UnknownMemberID, false},
	} {
		t.Run(tt.err.Message, func(t *testing.T) {
			t.Parallel()
			b := onlyEmbedded(t)
			s := new(signals)
			o := memberOptions(b.Bootstrap, unique(t), s)
			o.Rebalance = 300 * time.Millisecond // what a join takes in a group that still has the member's old self
			m := newMember(t, o)
			j := join(t, m)
			b.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
				resp.ErrorCode = tt.err.Code
				return resp, nil, true
			})
			s.await(t, SignalRejoin)
			if again := join(t, m); (again.MemberID == j.MemberID) != tt.kept {
				t.Errorf("joined as %q, then as %q; want the same: %v", j.MemberID, again.MemberID, tt.kept)
			}
		})
	}
}

func TestMemberSyncErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  *kerr.Error
		kept bool
	}{
		{kerr.RebalanceInProgress, true},
		{kerr.IllegalGeneration, true},
		{kerr.UnknownMemberID, false},
	} {
		t.Run(tt.err.Message, func(t *testing.T) {
			t.Parallel()
			b := onlyEmbedded(t)
			o := memberOptions(b.Bootstrap, unique(t), new(signals))
			o.Rebalance = 300 * time.Millisecond
			m := newMember(t, o)
			j := join(t, m)
			b.ControlKey(int16(kmsg.SyncGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
				resp.ErrorCode = tt.err.Code
				return resp, nil, true
			})
			if _, err := m.Sync(limited(t), j, nil); !errors.Is(err, ErrRejoin) || !errors.Is(err, tt.err) {
				t.Errorf("Sync: %v", err)
			}
			if again := join(t, m); (again.MemberID == j.MemberID) != tt.kept {
				t.Errorf("joined as %q, then as %q; want the same: %v", j.MemberID, again.MemberID, tt.kept)
			}
		})
	}
}

// Answers that send elsewhere or ask for patience are not the caller's business.
func TestMemberRetries(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	m := newMember(t, memberOptions(b.Bootstrap, unique(t), new(signals)))
	codes := []*kerr.Error{kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.CoordinatorNotAvailable}
	var asked int
	b.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		asked++
		if len(codes) == 0 {
			return nil, nil, false
		}
		b.KeepControl()
		resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
		resp.ErrorCode = codes[0].Code
		codes = codes[1:]
		return resp, nil, true
	})
	join(t, m)
	if asked != 5 { // with the one that is given an id
		t.Errorf("%d attempts, want 5", asked)
	}
}

func TestMemberFatal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  *kerr.Error
		want string
	}{
		{kerr.GroupAuthorizationFailed, "Allow its principal Read on this group"},
		{kerr.InconsistentGroupProtocol, "connect.protocol"},
		{kerr.InvalidSessionTimeout, "session.timeout.ms=10000"},
		{kerr.InvalidGroupID, "Set group.id to another name"},
		{kerr.GroupMaxSizeReached, "group.max.size"},
		{kerr.UnknownServerError, "cannot join the group"},
	} {
		t.Run(tt.err.Message, func(t *testing.T) {
			t.Parallel()
			b := onlyEmbedded(t)
			group := unique(t)
			m := newMember(t, memberOptions(b.Bootstrap, group, new(signals)))
			b.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
				resp.ErrorCode = tt.err.Code
				return resp, nil, true
			})
			_, err := m.Join(limited(t), spoken, "")
			fatal, ok := errors.AsType[*FatalGroupError](err)
			if !ok || fatal.Group != group || !errors.Is(err, tt.err) {
				t.Fatalf("Join: %v", err)
			}
			for _, words := range []string{tt.want, group, "group.id"} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in %q", words, err)
				}
			}
		})
	}
}

// A group that does not answer for the session timeout counts as lost, until it answers again.
func TestMemberLostAndBack(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	s := new(signals)
	o := memberOptions(b.Bootstrap, unique(t), s)
	m := newMember(t, o)
	join(t, m)
	m.change(func(s *membership) { s.contact = time.Now().Add(-o.Session) }) // instead of waiting
	s.await(t, SignalLost, SignalBack)

	// With a Join that reaches nobody, it is the same.
	b.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		m.change(func(s *membership) { s.contact = time.Now().Add(-o.Session) })
		return nil, errors.New("no answer"), true
	})
	ctx, cancel := context.WithCancel(t.Context())
	joined := make(chan error)
	go func() {
		_, err := m.Join(ctx, spoken, "")
		joined <- err
	}()
	s.await(t, SignalLost, SignalBack, SignalLost)
	cancel()
	if err := <-joined; !errors.Is(err, context.Canceled) {
		t.Errorf("Join: %v", err)
	}
}

func TestMemberLeave(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	m := newMember(t, memberOptions(b.Bootstrap, unique(t), new(signals)))
	if err := m.Leave(limited(t), "nothing to leave"); err != nil {
		t.Errorf("Leave before a join: %v", err)
	}
	j := join(t, m)
	var req *kmsg.LeaveGroupRequest
	b.ControlKey(int16(kmsg.LeaveGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req = r.(*kmsg.LeaveGroupRequest)
		return nil, nil, false
	})
	if err := m.Leave(limited(t), "the consumer is being closed"); err != nil {
		t.Fatal(err)
	}
	if len(req.Members) != 1 || req.Members[0].MemberID != j.MemberID || *req.Members[0].Reason != "the consumer is being closed" {
		t.Errorf("left with %+v", req)
	}
	if again := join(t, m); again.MemberID == j.MemberID {
		t.Error("joined with the id of a member that has left")
	}
}

// A heartbeat that the group refuses for good ends Run.
func TestMemberHeartbeatFatal(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	m, err := NewMember(memberOptions(b.Bootstrap, unique(t), new(signals)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	join(t, m)
	b.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil, true
	})
	if _, ok := errors.AsType[*FatalGroupError](m.Run(limited(t))); !ok {
		t.Error("Run went on")
	}
}
