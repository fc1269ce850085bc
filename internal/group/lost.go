package group

import (
	"slices"
	"time"
)

// handleLost decides about items that a member had and nobody reports any more. It returns those to be placed like new
// ones, gives others to members that came while they waited, or starts or prolongs the wait.
func (a *Assignor) handleLost(now time.Time, lost []Item, ws []*worker) (reassigned []Item) {
	waiting := !a.due.IsZero()
	switch {
	case len(lost) == 0 && !(waiting && a.revoking):
		// Java starts a delay if a member leaves right after a revocation, although nothing is missing.
		a.endDelay()
		return nil
	case !waiting && a.nobodyLeft(ws):
		return lost // a member did not get its assignment
	case a.maxDelay == 0:
		return lost
	case waiting && !now.Before(a.due):
		reassigned = a.giveToCandidates(lost, ws)
		a.endDelay()
		a.revoking = false
		return reassigned
	}
	a.addCandidates(ws)
	a.delay = a.maxDelay
	if waiting {
		a.delay = min(millis(a.due.Sub(now)), a.maxDelay)
	}
	a.due = now.Add(a.delay)
	return nil
}

func (a *Assignor) endDelay() {
	a.candidates, a.due, a.delay = nil, time.Time{}, 0
}

// nobodyLeft says that all members of the last round are here.
func (a *Assignor) nobodyLeft(ws []*worker) bool {
	here := 0
	for _, w := range ws {
		if a.members[w.id] {
			here++
		}
	}
	return here == len(a.members)
}

// addCandidates notes the members that have nothing: they are new, or have returned.
func (a *Assignor) addCandidates(ws []*worker) {
	for _, w := range ws {
		if w.empty() && !slices.Contains(a.candidates, w.id) {
			a.candidates = append(a.candidates, w.id)
		}
	}
}

// giveToCandidates deals connectors, and from the first candidate again tasks, to those candidates that are still members.
// Without any it returns all items.
func (a *Assignor) giveToCandidates(lost []Item, ws []*worker) (left []Item) {
	var takers []*worker
	for _, id := range a.candidates {
		if at := slices.IndexFunc(ws, func(w *worker) bool { return w.id == id }); at >= 0 {
			takers = append(takers, ws[at])
		}
	}
	if len(takers) == 0 {
		return lost
	}
	var dealt [kinds]int
	for _, i := range lost {
		k := i.kind()
		takers[dealt[k]%len(takers)].give(i)
		dealt[k]++
	}
	return nil
}
