package cluster

import (
	"fmt"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/store"
)

// Event is something that the core is told.
type Event interface {
	apply(c *Core)
	fmt.Stringer
}

// The events.
type (
	// Configured says that the config topic has been read up to a snapshot, by way of the changes. A worker that starts gets its
	// first one without changes.
	Configured struct {
		Snapshot *store.ConfigSnapshot
		Changes  []store.ConfigChange
	}
	// Tick says that time has passed.
	Tick struct{}
	// Joined is the outcome of [Join]. Members is for the leader only.
	Joined struct {
		Generation         int32
		MemberID, LeaderID string
		Version            group.Version
		Members            map[string]group.Metadata
	}
	// Synced is the outcome of [Sync].
	Synced struct{ Assignment group.Assignment }
	// Unjoined says that [Join] or [Sync] came to nothing and that the worker has to join again.
	Unjoined struct{ Reason string }
	// RebalanceNeeded is the coordinator's wish that everybody joins again.
	RebalanceNeeded struct{}
	// CoordinatorLost says that no heartbeat was answered for the session timeout: others may run our items by now.
	CoordinatorLost struct{}
	// Halted is the outcome of [Stop].
	Halted struct{ Token int }
	// CaughtUp is the outcome of [ReadToEnd]; what was read has been told by [Configured] before.
	CaughtUp struct{ Err error }
	// Reached says that a connector of this worker has, or has not, reached a target state.
	Reached struct {
		Connector string
		Target    store.TargetState
		Err       error
	}
	// Reconfigure is a connector's wish to be asked for task configurations.
	Reconfigure struct{ Connector string }
	// TaskConfigs is the outcome of [AskTaskConfigs] with the same Try. After a
	// Final error the connector is not asked again.
	TaskConfigs struct {
		Connector string
		Try       int
		Tasks     []store.Config
		Err       error
		Final     bool
	}
	// Published is the outcome of [WriteTasks] or [ForwardTasks] with the same Try.
	Published struct {
		Connector string
		Try       int
		Err       error
	}
	// KeyWritten is the outcome of [WriteSessionKey].
	KeyWritten struct{ Err error }
	// Claimed is the outcome of [Claim].
	Claimed struct{ Err error }
	// Unclaimed says that a privileged write has failed: another worker may have claimed the config topic.
	Unclaimed struct{}
	// RestartItem is a user's wish to restart one item of this worker; the [Restart] with that ID, or a [Refuse], is the answer.
	RestartItem struct {
		ID   int
		Item group.Item
	}
)

func (e Configured) String() string {
	return fmt.Sprintf("configured up to %d, %d changes", e.Snapshot.Offset(), len(e.Changes))
}
func (Tick) String() string { return "tick" }
func (e Joined) String() string {
	return fmt.Sprintf("joined generation %d as %s, leader %s, %s, %d members", e.Generation, e.MemberID, e.LeaderID, e.Version, len(e.Members))
}
func (e Synced) String() string        { return "synced " + assignmentText(e.Assignment) }
func (e Unjoined) String() string      { return "unjoined: " + e.Reason }
func (RebalanceNeeded) String() string { return "rebalance needed" }
func (CoordinatorLost) String() string { return "coordinator lost" }
func (e Halted) String() string        { return fmt.Sprintf("halted %d", e.Token) }
func (e CaughtUp) String() string      { return "caught up" + errorText(e.Err) }
func (e Reached) String() string {
	return fmt.Sprintf("%s reached %s%s", e.Connector, e.Target, errorText(e.Err))
}
func (e Reconfigure) String() string { return "reconfigure " + e.Connector }
func (e TaskConfigs) String() string {
	return fmt.Sprintf("%d task configs of %s%s", len(e.Tasks), e.Connector, errorText(e.Err))
}

func (e Published) String() string {
	return fmt.Sprintf("published %s%s", e.Connector, errorText(e.Err))
}
func (e KeyWritten) String() string  { return "key written" + errorText(e.Err) }
func (e Claimed) String() string     { return "claimed" + errorText(e.Err) }
func (Unclaimed) String() string     { return "unclaimed" }
func (e RestartItem) String() string { return fmt.Sprintf("restart %s for request %d", e.Item, e.ID) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return ", error: " + err.Error()
}
