package group

import (
	"maps"
	"slices"
)

// eager deals all connectors and then, going on with the next member, all tasks to the members one by one.
func eager(r Round) map[string]Assignment {
	all := r.everyone(Assignment{Offset: r.Configured.Offset})
	ids := slices.Sorted(maps.Keys(r.Members))
	if len(ids) == 0 {
		return all
	}
	dealt := make(map[string][]Item, len(ids))
	connectors, tasks := r.Configured.items()
	for n, i := range append(connectors, tasks...) {
		id := ids[n%len(ids)]
		dealt[id] = append(dealt[id], i)
	}
	for id, items := range dealt {
		a := all[id]
		a.Assigned = items
		all[id] = a
	}
	return all
}
