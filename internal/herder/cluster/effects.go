package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/store"
)

// Effect is something that the core wants done. Effects on one item are carried out in the order in which they come; all
// others at once and side by side.
type Effect interface{ fmt.Stringer }

// The effects.
type (
	// Join sends JoinGroup with metadata for each protocol, in order of preference. Answered by [Joined] or [Unjoined].
	Join struct{ Protocols []group.Metadata }
	// Sync sends SyncGroup, as the leader with the assignment of each member. Answered by [Synced] or [Unjoined].
	Sync struct{ Assignments map[string]group.Assignment }
	// Leave sends LeaveGroup. Nothing answers it.
	Leave struct{ Reason string }
	// ReadToEnd reads the config topic up to its present end, within worker.sync.timeout.ms. Answered by [CaughtUp].
	ReadToEnd struct{}
	// Stop stops items, all at the same time, and writes out their statuses. Answered by [Halted].
	Stop struct {
		Token int
		Items []group.Item
	}
	// Start starts an item. A connector's progress is told by [Reached].
	Start struct{ Run Run }
	// Restart stops an item and starts it again. Planned is part of a restart plan, in which it shows as RESTARTING in between, and
	// OnlyFailed spares an item that has not failed. ID is the request that waits for it, 0 if none does.
	Restart struct {
		Run                 Run
		Planned, OnlyFailed bool
		ID                  int
	}
	// Refuse answers a [RestartItem] whose item this worker does not run. URL is the worker to ask instead, empty if unknown.
	Refuse struct {
		ID  int
		URL string
	}
	// SetTarget tells an item its target state.
	SetTarget struct {
		Item   group.Item
		Target store.TargetState
	}
	// AskTaskConfigs asks a connector of this worker to split its work. Answered by [TaskConfigs].
	AskTaskConfigs struct {
		Connector string
		Try       int
		Config    store.Config
	}
	// WriteTasks writes task configurations to the config topic, provided that the connector still has that configuration and is
	// to run. Answered by [Published].
	WriteTasks struct {
		Connector string
		Try       int
		Config    store.Config
		Tasks     []store.Config
	}
	// ForwardTasks sends task configurations to the leader. Answered by [Published].
	ForwardTasks struct {
		URL, Connector string
		Try            int
		Tasks          []store.Config
	}
	// ForgetStatuses removes the statuses of what is no longer configured. Nothing answers it.
	ForgetStatuses struct{ Snapshot *store.ConfigSnapshot }
	// WriteSessionKey makes a key for requests between workers and writes it. Answered by [KeyWritten].
	WriteSessionKey struct{}
	// Claim takes the right to write privileged records from whoever had it. Answered by [Claimed].
	Claim struct{}
	// Note is for the log.
	Note struct {
		Problem bool // to be seen by operators
		Text    string
	}
)

// Run is what an item is to run with.
type Run struct {
	Item   group.Item
	Config store.Config // of the connector
	Task   store.Config // of the task; empty for a connector
	Target store.TargetState
}

func (e Join) String() string {
	var names []string
	for _, m := range e.Protocols {
		names = append(names, m.Version.String())
	}
	m := e.Protocols[0]
	owned := "nothing known"
	if m.Allocation != nil {
		owned = itemsText(m.Allocation.Assigned)
	}
	return fmt.Sprintf("join (%s) at %d owning %s", strings.Join(names, ", "), m.Offset, owned)
}

func (e Sync) String() string {
	if e.Assignments == nil {
		return "sync"
	}
	var ids []string
	for id := range e.Assignments {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = id + ": " + assignmentText(e.Assignments[id])
	}
	return "sync " + strings.Join(parts, "; ")
}

func (e Leave) String() string   { return "leave: " + e.Reason }
func (ReadToEnd) String() string { return "read to end" }
func (e Stop) String() string    { return fmt.Sprintf("stop %d: %s", e.Token, itemsText(e.Items)) }
func (e Start) String() string   { return fmt.Sprintf("start %s as %s", e.Run.Item, e.Run.Target) }
func (e Restart) String() string {
	text := "restart " + e.Run.Item.String()
	if e.Planned {
		text += ", planned"
	}
	if e.OnlyFailed {
		text += ", if it has failed"
	}
	if e.ID != 0 {
		text += fmt.Sprintf(", for request %d", e.ID)
	}
	return text
}

func (e Refuse) String() string         { return fmt.Sprintf("refuse request %d, owner %q", e.ID, e.URL) }
func (e SetTarget) String() string      { return fmt.Sprintf("set %s to %s", e.Item, e.Target) }
func (e AskTaskConfigs) String() string { return "ask " + e.Connector + " for task configs" }
func (e WriteTasks) String() string {
	return fmt.Sprintf("write %d task configs of %s", len(e.Tasks), e.Connector)
}

func (e ForwardTasks) String() string {
	return fmt.Sprintf("send %d task configs of %s to %s", len(e.Tasks), e.Connector, e.URL)
}

func (e ForgetStatuses) String() string {
	return "forget statuses of what is not among " + strings.Join(e.Snapshot.Names(), ", ")
}
func (WriteSessionKey) String() string { return "write a session key" }
func (Claim) String() string           { return "claim the config topic" }
func (e Note) String() string          { return "note: " + e.Text }

func assignmentText(a group.Assignment) string {
	text := fmt.Sprintf("at %d assigned %s", a.Offset, itemsText(a.Assigned))
	if len(a.Revoked) > 0 {
		text += ", revoked " + itemsText(a.Revoked)
	}
	if a.Delay > 0 {
		text += ", delay " + a.Delay.Round(time.Millisecond).String()
	}
	if a.Error != group.NoError {
		text += ", config mismatch"
	}
	return text
}

func itemsText(items []group.Item) string {
	if len(items) == 0 {
		return "nothing"
	}
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = item.String()
	}
	return strings.Join(parts, " ")
}
