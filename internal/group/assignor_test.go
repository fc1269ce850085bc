package group

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bigGroup is a group at rest: 100 workers with 20,000 tasks of 1,000 connectors.
func bigGroup(tb testing.TB, v Version) *sim {
	tb.Helper()
	s := newSim(v, 5*time.Minute)
	for n := range 1000 {
		s.configure(fmt.Sprintf("connector-%d", n), 20)
	}
	for n := range 100 {
		s.join(fmt.Sprintf("connect-10.0.0.%d:8083-7f0c", n))
	}
	settle(tb, s)
	return s
}

func settle(tb testing.TB, s *sim) (rounds int) {
	tb.Helper()
	rounds, err := s.settle()
	if err != nil {
		tb.Fatal(err)
	}
	for _, w := range s.atRest() {
		tb.Error(w)
	}
	return rounds
}

// TestSimulationOfALargeGroup lets a worker leave, its items wait, and the worker come back.
func TestSimulationOfALargeGroup(t *testing.T) {
	t.Parallel()
	for _, v := range []Version{Eager, Compatible, Sessioned} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			s := bigGroup(t, v)
			s.leave(s.workers[50].id)
			left := settle(t, s)
			s.join("connect-10.0.0.100:8083-7f0c")
			returned := settle(t, s)
			if want := map[Version][2]int{Eager: {1, 1}, Compatible: {2, 2}, Sessioned: {2, 2}}[v]; left != want[0] || returned != want[1] {
				t.Errorf("%d rounds after a worker left and %d after one came, want %v", left, returned, want)
			}
		})
	}
}

// TestSimulationOfOneByOne starts the workers of a group one after the other.
func TestSimulationOfOneByOne(t *testing.T) {
	t.Parallel()
	s := newSim(Sessioned, time.Minute)
	for n := range 20 {
		s.configure(fmt.Sprintf("c%d", n), n)
	}
	for n := range 12 {
		s.join(fmt.Sprintf("w%d", n))
		settle(t, s)
	}
}

// TestSimulationOfRandomEvents checks the invariants after workers came and left, assignments were lost, and connectors
// changed, at any moment.
func TestSimulationOfRandomEvents(t *testing.T) {
	t.Parallel()
	for seed := range uint64(600) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		v := []Version{Eager, Compatible, Sessioned}[rnd.IntN(3)]
		maxDelay := []time.Duration{0, time.Second, 5 * time.Minute}[rnd.IntN(3)]
		if wrong := playRandom(newSim(v, maxDelay), rnd); len(wrong) > 0 {
			t.Errorf("seed %d, %v, delay %v: %v", seed, v, maxDelay, wrong)
		}
	}
}

func playRandom(s *sim, rnd *rand.Rand) (wrong []string) {
	s.join("w0")
	for n := range 1 + rnd.IntN(40) {
		event(s, rnd, n)
		if rnd.IntN(2) == 0 {
			if _, err := s.round(); err != nil {
				return []string{err.Error()}
			}
		}
	}
	// A new leader learns in one round what there was, and acts on what is deleted in the next.
	for range 2 {
		if _, err := s.settle(); err != nil {
			return []string{err.Error()}
		}
	}
	return s.atRest()
}

func event(s *sim, rnd *rand.Rand, n int) {
	someone := s.workers[rnd.IntN(len(s.workers))]
	switch rnd.IntN(6) {
	case 0, 1:
		s.join(fmt.Sprintf("w%d", n+1))
	case 2:
		if len(s.workers) > 1 {
			s.leave(someone.id)
		}
	case 3:
		s.configure(fmt.Sprintf("c%d", rnd.IntN(5)), rnd.IntN(8)-1)
	case 4:
		someone.deaf = true
	case 5:
		s.now = s.now.Add(time.Duration(rnd.Int64N(int64(2*s.maxDelay) + 1)))
	}
}

func TestMismatch(t *testing.T) {
	t.Parallel()
	r := Round{
		Version: Compatible, LeaderID: "a", LeaderURL: "http://a/",
		Members:    map[string]Metadata{"a": {URL: "http://a/", Offset: 3}, "b": {URL: "http://b/", Offset: 5}},
		Configured: Configured{Offset: 4, Tasks: map[string]int{"c": 1}},
	}
	told := Assignment{Version: Compatible, Error: ConfigMismatch, LeaderID: "a", LeaderURL: "http://a/", Offset: 5}
	want := map[string]Assignment{"a": told, "b": told}
	if d := cmp.Diff(want, Mismatch(r)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for _, v := range []Version{Eager, Compatible} {
		r.Version, told.Version = v, v
		want := map[string]Assignment{"a": told, "b": told}
		if d := cmp.Diff(want, NewAssignor(0).Assign(r)); d != "" {
			t.Errorf("%v with a configuration that is too old (-want +got):\n%s", v, d)
		}
	}
}

func TestAssignNobody(t *testing.T) {
	t.Parallel()
	for _, v := range []Version{Eager, Compatible} {
		got := NewAssignor(0).Assign(Round{Version: v, Configured: Configured{Tasks: map[string]int{"c": 1}}})
		if len(got) != 0 {
			t.Errorf("%v: %v", v, got)
		}
	}
}

// TestAssignRepeated has a member that reports an item twice: it is not one that two members run.
func TestAssignRepeated(t *testing.T) {
	t.Parallel()
	c := Item{"c", ConnectorItem}
	r := Round{
		Version: Compatible, LeaderID: "w", Completed: -1,
		Members:    map[string]Metadata{"w": {Allocation: &Assignment{Assigned: []Item{c, c}}}},
		Configured: Configured{Tasks: map[string]int{"c": 0}},
	}
	want := map[string]Assignment{"w": {Version: Compatible, LeaderID: "w"}}
	if d := cmp.Diff(want, NewAssignor(0).Assign(r)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestMaxOffset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		offsets []int64
		want    int64
	}{{nil, -1}, {[]int64{-1, -1}, -1}, {[]int64{7}, 7}, {[]int64{0, 9, 4}, 9}} {
		members := make(map[string]Metadata)
		for n, o := range c.offsets {
			members[fmt.Sprint(n)] = Metadata{Offset: o}
		}
		if got := MaxOffset(members); got != c.want {
			t.Errorf("of %v: %d, want %d", c.offsets, got, c.want)
		}
	}
}

func TestOwners(t *testing.T) {
	t.Parallel()
	a0, a1, b := Item{"a", 0}, Item{"a", 1}, Item{"b", ConnectorItem}
	r := Round{Version: Sessioned, Members: map[string]Metadata{
		"w1": {URL: "http://w1/", Allocation: &Assignment{Assigned: []Item{a0, a1}}},
		"w2": {URL: "http://w2", Allocation: &Assignment{Assigned: []Item{a1}}},
	}}
	assigned := map[string]Assignment{"w1": {Revoked: []Item{a1}}, "w2": {Assigned: []Item{b}}}
	want := map[Item]string{a0: "http://w1/", a1: "http://w2", b: "http://w2"}
	if d := cmp.Diff(want, Owners(r, assigned)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	r.Version = Eager
	want = map[Item]string{b: "http://w2"}
	if d := cmp.Diff(want, Owners(r, assigned)); d != "" {
		t.Errorf("eager (-want +got):\n%s", d)
	}
}

// TestBackoff is for a group with the default delay of 5 minutes, and others.
func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		streak      int
		limit, want time.Duration
	}{
		{1, 5 * time.Minute, 40 * time.Millisecond},
		{2, 5 * time.Minute, 1600 * time.Millisecond},
		{3, 5 * time.Minute, 64 * time.Second},
		{4, 5 * time.Minute, 5 * time.Minute},
		{1000, NewAssignor(1<<63 - 1 - time.Millisecond).maxDelay, (1<<31 - 1) * time.Millisecond},
		{1, 30 * time.Millisecond, 30 * time.Millisecond},
		{3, 0, 0},
	} {
		if got := backoff(c.streak, c.limit); got != c.want {
			t.Errorf("%d in a row, at most %v: %v, want %v", c.streak, c.limit, got, c.want)
		}
	}
}

// TestDelayOfFractions wants delays that do not become 0 in the protocol while they last.
func TestDelayOfFractions(t *testing.T) {
	t.Parallel()
	s := newSim(Compatible, time.Second)
	s.configure("c", 2)
	s.join("w1")
	s.join("w2")
	settle(t, s)
	s.leave("w2")
	if _, err := s.round(); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(time.Second - time.Microsecond)
	if _, err := s.round(); err != nil {
		t.Fatal(err)
	}
	if got := s.delay(); got != time.Millisecond {
		t.Errorf("the delay is %v, want 1ms", got)
	}
}

// BenchmarkAssign is a round of a large group at rest.
func BenchmarkAssign(b *testing.B) {
	for _, v := range []Version{Eager, Sessioned} {
		b.Run(v.String(), func(b *testing.B) {
			s := bigGroup(b, v)
			settle(b, s)
			leader, r := s.workers[0], s.lastRound
			r.Completed = r.Generation
			b.ReportAllocs()
			for b.Loop() {
				leader.assignor.Assign(r)
			}
		})
	}
}

// BenchmarkMembership is the time until a large group is at rest again after a worker left and another came.
func BenchmarkMembership(b *testing.B) {
	s := bigGroup(b, Sessioned)
	b.ReportAllocs()
	n := 100
	for b.Loop() {
		s.leave(s.workers[50].id)
		settle(b, s)
		s.join(fmt.Sprintf("connect-10.0.0.%d:8083-7f0c", n))
		settle(b, s)
		n++
	}
}
