// Package store keeps what a worker must not forget: connector configurations, source offsets and statuses. It has the
// types that all versions share and the versions of a standalone worker: memory and a file.
package store

import (
	"fmt"
	"strconv"
)

// ConnectorTaskID names one task.
type ConnectorTaskID struct {
	Connector string
	Task      int
}

// String returns the form used in logs and messages: connector, dash, number.
func (id ConnectorTaskID) String() string { return id.Connector + "-" + strconv.Itoa(id.Task) }

// TargetState is the state that users want a connector to be in.
type TargetState string

// The target states, as the config topic spells them.
const (
	Started TargetState = "STARTED"
	Paused  TargetState = "PAUSED"
	Stopped TargetState = "STOPPED"
)

// ParseInitialState returns the target state of the initial_state of a create request: RUNNING, PAUSED or STOPPED.
func ParseInitialState(s string) (TargetState, error) {
	switch s {
	case "RUNNING":
		return Started, nil
	case "PAUSED":
		return Paused, nil
	case "STOPPED":
		return Stopped, nil
	default:
		return "", fmt.Errorf("unknown initial_state %q: expected RUNNING, PAUSED or STOPPED", s)
	}
}
