package group

import (
	"maps"
	"slices"

	"github.com/millrace-io/millrace/connect/javatext"
)

// kind tells connectors from tasks: they are balanced apart.
type kind int

const (
	connectorKind kind = iota
	taskKind
	kinds
)

func (i Item) kind() kind {
	if i.Task == ConnectorItem {
		return connectorKind
	}
	return taskKind
}

// set is a set of items.
type set map[Item]struct{}

func setOf(lists ...[]Item) set {
	size := 0
	for _, l := range lists {
		size += len(l)
	}
	s := make(set, size)
	for _, l := range lists {
		for _, i := range l {
			s[i] = struct{}{}
		}
	}
	return s
}

func (s set) has(i Item) bool { _, ok := s[i]; return ok }

// worker is a member during a round of the incremental cooperative assignor.
type worker struct {
	id      string
	own     [kinds][]Item // what it will have after the round, in the order it reported, additions last
	added   []Item        // the part of own that it is told to start
	revoked []Item        // what it is told to stop
}

// workersOf returns the members as they report themselves, in the order in which Java visits them. Any order would do;
// this one makes the same choices as a Java leader.
func workersOf(members map[string]Metadata, v Version) []*worker {
	ids := javatext.HashOrder(slices.Sorted(maps.Keys(members)))
	ws := make([]*worker, len(ids))
	for n, id := range ids {
		w := &worker{id: id}
		reported := members[id].owned(v)
		seen := make(set, len(reported))
		for _, i := range reported {
			if !seen.has(i) {
				seen[i] = struct{}{}
				w.own[i.kind()] = append(w.own[i.kind()], i)
			}
		}
		ws[n] = w
	}
	return ws
}

func (w *worker) empty() bool { return len(w.own[connectorKind])+len(w.own[taskKind]) == 0 }

// give assigns an item that nobody has.
func (w *worker) give(i Item) {
	w.own[i.kind()] = append(w.own[i.kind()], i)
	w.added = append(w.added, i)
}

// shed revokes the first n items of a kind.
func (w *worker) shed(k kind, n int) {
	w.revoked = append(w.revoked, w.own[k][:n]...)
	w.own[k] = w.own[k][n:]
}

// shedAll revokes the items for which it is told to.
func (w *worker) shedAll(unwanted func(Item) bool) {
	for k, items := range w.own {
		var kept []Item
		for _, i := range items {
			if unwanted(i) {
				w.revoked = append(w.revoked, i)
			} else {
				kept = append(kept, i)
			}
		}
		w.own[k] = kept
	}
}
