package group

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Events of a recording.
const (
	joinRequest  = "JoinGroup request"
	joinResponse = "JoinGroup response"
	syncRequest  = "SyncGroup request"
	syncResponse = "SyncGroup response"
)

// delayTolerance is how far a delay may be from the recorded one. The notes of the recordings give them "± a few ms", as
// the logged time of a SyncGroup request is a little later than the time that the leader went by.
const delayTolerance = 10 * time.Millisecond

// TestGoldenAssignor leads as the Java workers did, and wants the same assignments.
func TestGoldenAssignor(t *testing.T) {
	t.Parallel()
	compared, skipped := 0, 0
	for _, c := range goldenRecording(t).Captures {
		p := player{t: t, capture: c, workers: make(map[int]*life)}
		for _, e := range c.Events {
			p.play(e)
		}
		t.Logf("%s: %d rounds compared, %d without the leader's history", c.Group, p.compared, p.skipped)
		compared += p.compared
		skipped += p.skipped
	}
	t.Logf("%d rounds compared, %d skipped", compared, skipped)
	if compared == 0 {
		t.Error("no round could be compared")
	}
}

// player goes through the events of a capture.
type player struct {
	t                 *testing.T
	capture           capture
	workers           map[int]*life // those that are known since they started
	compared, skipped int
}

// life is a worker from its start on.
type life struct {
	assignor  *Assignor
	completed int32
	joined    goldenEvent // the last answer to JoinGroup
}

func (p *player) play(e goldenEvent) {
	if e.Event == joinRequest && p.isBirth(e) {
		p.workers[e.Worker] = &life{
			assignor:  NewAssignor(time.Duration(p.capture.MaxDelay) * time.Millisecond),
			completed: -1,
		}
		return
	}
	w := p.workers[e.Worker]
	leads := e.Event == syncRequest && len(e.Assignments) > 0
	switch {
	case w == nil:
		if leads {
			p.skipped++
		}
	case e.Event == joinResponse:
		w.joined = e
	case e.Event == syncResponse:
		w.completed = w.joined.Generation
	case leads && w.joined.Generation != e.Generation:
		// The answer to its JoinGroup was not recorded, nor perhaps more.
		p.skipped++
		delete(p.workers, e.Worker)
	case leads:
		p.compared++
		p.compare(w, e)
	}
}

// isBirth says that a worker joins for the first time in its life: it has no member id, and owns nothing that it knows of.
func (p *player) isBirth(e goldenEvent) bool {
	if e.MemberID != "" || len(e.Protocols) == 0 {
		return false
	}
	m, err := ParseMetadata(unhex(p.t, e.Protocols[0].Hex))
	return err == nil && m.Allocation == nil
}

func (p *player) compare(w *life, e goldenEvent) {
	t, at := p.t, p.capture.Group+", "+e.Time
	want := make(map[string]Assignment)
	var offset int64
	for _, a := range e.Assignments {
		parsed, err := ParseAssignment(unhex(t, a.Hex))
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		want[a.MemberID] = parsed
		offset = parsed.Offset
	}
	got := p.assign(w, e, offset, want[e.MemberID].Error)
	if d := cmp.Diff(sorted(want), sorted(got), cmp.Comparer(nearly)); d != "" {
		t.Errorf("%s (-want +got):\n%s", at, d)
	}
}

func (p *player) assign(w *life, e goldenEvent, offset int64, code int16) map[string]Assignment {
	t := p.t
	version, ok := ByProtocol(w.joined.Protocol)
	if !ok {
		t.Fatalf("unknown protocol %q", w.joined.Protocol)
	}
	now, err := time.Parse("2006-01-02 15:04:05,000", e.Time)
	if err != nil {
		t.Fatal(err)
	}
	r := Round{
		Now:        now,
		Generation: e.Generation,
		Completed:  w.completed,
		Version:    version,
		LeaderID:   w.joined.Leader,
		Members:    make(map[string]Metadata),
		Configured: p.capture.configured(offset),
	}
	for _, m := range w.joined.Members {
		parsed, err := ParseMetadata(unhex(t, m.Hex))
		if err != nil {
			t.Fatal(err)
		}
		r.Members[m.MemberID] = parsed
	}
	r.LeaderURL = r.Members[r.LeaderID].URL
	if code == ConfigMismatch {
		return Mismatch(r)
	}
	return w.assignor.Assign(r)
}

// configured replays the config topic of a capture up to an offset. Its records are one session key where the protocol has
// them, and for each connector in turn the connector, its tasks, and the commit that makes them valid.
func (c capture) configured(offset int64) Configured {
	state := Configured{Offset: offset, Tasks: make(map[string]int)}
	next := int64(0)
	if c.Mode == Sessioned.String() {
		next++
	}
	for _, s := range c.Connectors {
		if next++; next <= offset {
			state.Tasks[s.Name] = 0
		}
		if next += int64(s.Tasks) + 1; next <= offset {
			state.Tasks[s.Name] = s.Tasks
		}
	}
	return state
}

// sorted orders the items of assignments, whose order means nothing.
func sorted(all map[string]Assignment) map[string]Assignment {
	out := make(map[string]Assignment, len(all))
	for id, a := range all {
		a.Assigned = slices.SortedFunc(slices.Values(a.Assigned), Item.Compare)
		a.Revoked = slices.SortedFunc(slices.Values(a.Revoked), Item.Compare)
		out[id] = a
	}
	return out
}

func nearly(a, b time.Duration) bool {
	if a == 0 || b == 0 {
		return a == b
	}
	return (a - b).Abs() <= delayTolerance
}

func TestCaptureConfigured(t *testing.T) {
	t.Parallel()
	setup := []goldenSetup{{"a", 3}, {"b", 2}}
	for _, c := range []struct {
		mode   string
		offset int64
		want   map[string]int
	}{
		{"sessioned", -1, map[string]int{}},
		{"sessioned", 1, map[string]int{}},
		{"sessioned", 2, map[string]int{"a": 0}},
		{"sessioned", 5, map[string]int{"a": 0}},
		{"sessioned", 6, map[string]int{"a": 3}},
		{"sessioned", 7, map[string]int{"a": 3, "b": 0}},
		{"sessioned", 10, map[string]int{"a": 3, "b": 2}},
		{"eager", 1, map[string]int{"a": 0}},
		{"eager", 8, map[string]int{"a": 3, "b": 0}},
		{"compatible", 9, map[string]int{"a": 3, "b": 2}},
	} {
		got := capture{Mode: c.mode, Connectors: setup}.configured(c.offset).Tasks
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s at %d (-want +got):\n%s", c.mode, c.offset, d)
		}
	}
}
