package conntest

import (
	"log/slog"
	"maps"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/connect"
)

// Options configure [StartSource] and [StartSink]. The zero Options will do.
type Options struct {
	// Limit is how long a call may take, and how long it may take to return once its context has ended; 10 s if 0.
	Limit time.Duration
	// Log is the connector's and the task's logger; nil discards.
	Log *slog.Logger
	// Batch is the most records of one Put, and what [connect.Batch.Full] counts to; 500 if 0.
	Batch int
	// Store holds the offsets of a source; nil is an empty one.
	Store *Store
	// Topics are what a sink consumes; nil is topics without records.
	Topics *Topics
}

// defaultBatch is the number of records a batch has when the test says nothing else.
const defaultBatch = 500

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Batch <= 0 {
		o.Batch = defaultBatch
	}
	if o.Store == nil {
		o.Store = NewStore()
	}
	if o.Topics == nil {
		o.Topics = NewTopics()
	}
	return o
}

// Keys that a worker adds to configurations.
const (
	keyName      = "name"
	keyClass     = "connector.class"
	keyTaskClass = "task.class"
	keyTasksMax  = "tasks.max"
)

// connectorProps returns p with what every connector configuration has.
func connectorProps(p connect.Plugin, props connect.Props, tasks int) connect.Props {
	all := connect.Props{keyName: "conntest", keyClass: p.Class, keyTasksMax: strconv.Itoa(tasks)}
	maps.Copy(all, props)
	all[keyTasksMax] = strconv.Itoa(tasks)
	return all
}

// taskProps returns a task configuration as a worker completes it.
func taskProps(p connect.Plugin, props connect.Props) connect.Props {
	all := connect.Props{keyTaskClass: p.TaskClass}
	maps.Copy(all, props)
	return all
}
