// Package event has the typed state changes of a running worker. They are made where they happen and read by
// listeners: the status store, the log, tests.
package event

// State is the state of a connector or task, in Connect's words.
type State string

// The states of connectors and tasks. Stopped is for connectors only.
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Stopped    State = "STOPPED"
	Failed     State = "FAILED"
	Restarting State = "RESTARTING"
	Destroyed  State = "DESTROYED"
)

// NoTask is the task number of a [Status] that is about the connector itself.
const NoTask = -1

// Status says that a connector or task has entered a state.
type Status struct {
	Connector string
	Task      int // [NoTask] for the connector
	State     State
	Version   string // of the plugin; empty while it is not known
	Trace     string // for Failed, the text of [Trace]
	Err       error  // for Failed, what Trace was made of
}

// Listener is told of each status in the order of its making per connector or task. It may be called from any
// goroutine and must not block.
type Listener func(Status)

// Tee returns a listener that passes each status on to all of these, in order.
func Tee(listeners ...Listener) Listener {
	return func(s Status) {
		for _, l := range listeners {
			l(s)
		}
	}
}
