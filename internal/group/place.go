package group

import (
	"cmp"
	"slices"
	"strings"
)

// place gives items of kind k, first the created ones and then those of the others that are of that kind, to the workers
// with the fewest of them.
func place(ws []*worker, k kind, created, others []Item) {
	items := slices.Clone(created)
	for _, i := range others {
		if i.kind() == k {
			items = append(items, i)
		}
	}
	byLoad := slices.SortedFunc(slices.Values(ws), func(v, w *worker) int {
		return cmp.Or(cmp.Compare(len(v.own[k]), len(w.own[k])), strings.Compare(v.id, w.id))
	})
	for len(items) > 0 {
		items = items[raise(byLoad, k, items):]
	}
}

// raise gives one item each to the workers with the lowest load, as far as items suffice, and returns how many it gave.
// The workers stay in the order of their loads.
func raise(byLoad []*worker, k kind, items []Item) int {
	lowest := len(byLoad[0].own[k])
	for n, w := range byLoad {
		if n == len(items) || len(w.own[k]) > lowest {
			return n
		}
		w.give(items[n])
	}
	return len(byLoad)
}
