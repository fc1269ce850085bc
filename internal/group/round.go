package group

import (
	"maps"
	"slices"
	"time"
)

// Configured is what the leader has read from the config topic.
type Configured struct {
	Offset int64
	Tasks  map[string]int // connector to number of tasks, 0 for one whose task configurations are inconsistent
}

// items lists the connectors by name, and the tasks by connector and number.
func (c Configured) items() (connectors, tasks []Item) {
	for _, name := range slices.Sorted(maps.Keys(c.Tasks)) {
		connectors = append(connectors, Item{Connector: name, Task: ConnectorItem})
		for t := range c.Tasks[name] {
			tasks = append(tasks, Item{Connector: name, Task: t})
		}
	}
	return connectors, tasks
}

// Round is what the leader knows when it has to assign: the answer to its JoinGroup, and its configuration.
type Round struct {
	Now        time.Time
	Generation int32 // of this round
	Completed  int32 // generation of the last round whose SyncGroup this worker completed, as leader or not; -1 if none
	Version    Version
	LeaderID   string
	LeaderURL  string
	Members    map[string]Metadata // by member id; read only
	Configured Configured          // from a snapshot that has at least the offset [MaxOffset] of the members
}

// everyone makes the same assignment, apart from its lists, for every member.
func (r Round) everyone(like Assignment) map[string]Assignment {
	like.Version, like.LeaderID, like.LeaderURL = r.Version, r.LeaderID, r.LeaderURL
	all := make(map[string]Assignment, len(r.Members))
	for id := range r.Members {
		all[id] = like
	}
	return all
}

// Mismatch is the answer of a leader that cannot read as much of the config topic as a member has: nothing is assigned or
// revoked, and everybody joins again. The state of an [Assignor] stays as it is.
func Mismatch(r Round) map[string]Assignment {
	return r.everyone(Assignment{Error: ConfigMismatch, Offset: MaxOffset(r.Members)})
}

// Owners says at which REST URL the owner of each item is found once the members have done what assigned, the result of
// this round, tells them. Items that nobody owns are missing. The result is the caller's.
func Owners(r Round, assigned map[string]Assignment) map[Item]string {
	owners := make(map[Item]string)
	for id, m := range r.Members {
		revoked := setOf(assigned[id].Revoked)
		for _, i := range m.owned(r.Version) {
			if !revoked.has(i) {
				owners[i] = m.URL
			}
		}
	}
	for id, a := range assigned {
		for _, i := range a.Assigned {
			owners[i] = r.Members[id].URL
		}
	}
	return owners
}

// owned is what the member has at the beginning of a round of version v; at one of Eager it has stopped everything.
func (m Metadata) owned(v Version) []Item {
	if v == Eager || m.Allocation == nil {
		return nil
	}
	return m.Allocation.Assigned
}
