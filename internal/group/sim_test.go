package group

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// sim is a group of workers that do what they are told at once, with a broker that keeps the leader as long as it is a
// member. All that they tell each other goes through the bytes of the protocol.
type sim struct {
	version    Version
	maxDelay   time.Duration
	now        time.Time
	generation int32
	configured Configured
	workers    []*simWorker // in the order in which they joined; the first leads
	last       map[string]Assignment
	lastRound  Round
	faults     []string // items that were given to one worker while another had them
}

type simWorker struct {
	id         string
	assignor   *Assignor
	completed  int32
	allocation *Assignment
	deaf       bool // the next assignment does not reach it
}

func newSim(v Version, maxDelay time.Duration) *sim {
	return &sim{
		version: v, maxDelay: maxDelay, now: time.UnixMilli(1_000_000),
		configured: Configured{Tasks: make(map[string]int)},
	}
}

// configure sets the tasks of a connector, or with -1 deletes it.
func (s *sim) configure(connector string, tasks int) {
	s.configured.Offset++
	s.configured.Tasks = maps.Clone(s.configured.Tasks)
	s.configured.Tasks[connector] = tasks
	if tasks < 0 {
		delete(s.configured.Tasks, connector)
	}
}

func (s *sim) join(id string) {
	s.workers = append(s.workers, &simWorker{id: id, assignor: NewAssignor(s.maxDelay), completed: -1})
}

func (s *sim) leave(id string) {
	s.workers = slices.DeleteFunc(s.workers, func(w *simWorker) bool { return w.id == id })
}

func (s *sim) find(id string) *simWorker {
	at := slices.IndexFunc(s.workers, func(w *simWorker) bool { return w.id == id })
	if at < 0 {
		return nil
	}
	return s.workers[at]
}

// round lets everybody join, the leader assign, and those that are not deaf obey. It returns whether somebody had to stop
// something or could not start, and so asks for another round.
func (s *sim) round() (again bool, err error) {
	leader := s.workers[0]
	s.generation++
	r := Round{
		Now: s.now, Generation: s.generation, Completed: leader.completed, Version: s.version,
		LeaderID: leader.id, Members: make(map[string]Metadata), Configured: s.configured,
	}
	for _, w := range s.workers {
		m := Metadata{Version: s.version, URL: "http://" + w.id + "/", Offset: s.configured.Offset, Allocation: w.allocation}
		if r.Members[w.id], err = ParseMetadata(m.Append(nil)); err != nil {
			return false, err
		}
	}
	r.LeaderURL = r.Members[leader.id].URL
	s.lastRound, s.last = r, make(map[string]Assignment)
	for id, a := range leader.assignor.Assign(r) {
		if s.last[id], err = ParseAssignment(a.Append(nil)); err != nil {
			return false, err
		}
	}
	s.checkOwners()
	for _, w := range s.workers {
		again = w.obey(s.last[w.id], s.generation) || again
	}
	return again, nil
}

// checkOwners notes what is given to a worker that another has not stopped.
func (s *sim) checkOwners() {
	holder := make(map[Item]string)
	if s.version != Eager {
		for _, w := range s.workers {
			for _, i := range w.items() {
				holder[i] = w.id
			}
		}
	}
	for _, w := range s.workers {
		for _, i := range s.last[w.id].Assigned {
			if by, ok := holder[i]; ok {
				s.faults = append(s.faults, fmt.Sprintf("round %d gave %s to %s while %s had it", s.generation, i, w.id, by))
			}
			holder[i] = w.id
		}
	}
}

func (w *simWorker) items() []Item {
	if w.allocation == nil {
		return nil
	}
	return w.allocation.Assigned
}

func (w *simWorker) obey(a Assignment, generation int32) (again bool) {
	if w.deaf {
		w.deaf = false
		return true
	}
	w.completed = generation
	if a.Error != NoError {
		return true
	}
	again = len(a.Revoked) > 0
	if a.Version != Eager {
		revoked := setOf(a.Revoked)
		kept := slices.DeleteFunc(slices.Clone(w.items()), revoked.has)
		a.Assigned = append(kept, a.Assigned...)
		a.Revoked = nil
	}
	w.allocation = &a
	return again
}

// settle plays rounds until nobody asks for another, waiting for the end of each delay. It returns how many it took.
func (s *sim) settle() (rounds int, err error) {
	const enough = 100
	for rounds < enough {
		again, err := s.round()
		if err != nil {
			return rounds, err
		}
		rounds++
		delay := s.delay()
		if !again && delay == 0 {
			return rounds, nil
		}
		s.now = s.now.Add(delay)
	}
	return rounds, fmt.Errorf("still not settled after %d rounds", rounds)
}

// delay is what the last round told everybody.
func (s *sim) delay() time.Duration {
	for _, a := range s.last {
		return a.Delay
	}
	return 0
}

// atRest says what is wrong with the group when nothing is going on: items that are not run exactly once, or that are run
// and not configured, and loads that differ by more than one.
func (s *sim) atRest() []string {
	wrong := slices.Clone(s.faults)
	runs := make(map[Item]int)
	var loads [kinds][]int
	for _, w := range s.workers {
		var load [kinds]int
		for _, i := range w.items() {
			runs[i]++
			load[i.kind()]++
		}
		for k, n := range load {
			loads[k] = append(loads[k], n)
		}
	}
	connectors, tasks := s.configured.items()
	for _, i := range append(connectors, tasks...) {
		if runs[i] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s runs %d times", i, runs[i]))
		}
		delete(runs, i)
	}
	for i := range runs {
		wrong = append(wrong, fmt.Sprintf("%s runs and is not configured", i))
	}
	for k, n := range loads {
		if slices.Max(n)-slices.Min(n) > 1 {
			wrong = append(wrong, fmt.Sprintf("loads of kind %d are %v", k, n))
		}
	}
	return append(wrong, s.ownersDiffer()...)
}

// ownersDiffer compares what [Owners] says with what the workers have.
func (s *sim) ownersDiffer() []string {
	want := make(map[Item]string)
	for _, w := range s.workers {
		for _, i := range w.items() {
			want[i] = "http://" + w.id + "/"
		}
	}
	if got := Owners(s.lastRound, s.last); !maps.Equal(want, got) {
		return []string{fmt.Sprintf("owners are %v, want %v", got, want)}
	}
	return nil
}
