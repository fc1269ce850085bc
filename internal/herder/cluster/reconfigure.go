package cluster

import (
	"slices"
	"time"

	"github.com/millrace-io/millrace/internal/store"
)

// Pauses between tries to get task configurations from a connector to the config topic.
const (
	firstReconfigurePause = 250 * time.Millisecond
	maxReconfigurePause   = time.Minute
)

// step is how far a reconfiguration has come.
type step uint8

const (
	asking  step = iota // [AskTaskConfigs] is under way
	waiting             // for a leader to publish to
	writing             // [WriteTasks] or [ForwardTasks] is under way
	pausing             // before the next try
)

// reconfiguration is the way of a connector's task configurations to the config topic.
type reconfiguration struct {
	step     step
	try      int  // of the effect under way, which its outcome names
	again    bool // something has changed since the connector was asked
	failures int
	at       time.Time // of the next try
	config   store.Config
	tasks    []store.Config
}

// reconfigure asks a connector for task configurations; one that is being asked will be asked again.
func (c *Core) reconfigure(name string) {
	r := c.reconfigurations[name]
	switch {
	case r == nil:
		r = &reconfiguration{}
		c.reconfigurations[name] = r
	case r.step == asking || r.step == writing:
		r.again = true
		return
	}
	c.ask(name, r)
}

func (c *Core) ask(name string, r *reconfiguration) {
	state, ok := c.snapshot.Connector(name)
	if !ok || state.Target != store.Started || !c.runs(connectorItem(name)) {
		delete(c.reconfigurations, name)
		return
	}
	c.tokens++
	r.step, r.try, r.again, r.config = asking, c.tokens, false, state.Config
	c.do(AskTaskConfigs{Connector: name, Try: r.try, Config: state.Config})
}

func (e TaskConfigs) apply(c *Core) {
	r := c.reconfigurations[e.Connector]
	if r == nil || r.step != asking || r.try != e.Try {
		return
	}
	logged, ok := c.snapshot.Logged(e.Connector)
	switch {
	case !ok:
		delete(c.reconfigurations, e.Connector)
	case r.again:
		c.ask(e.Connector, r)
	case e.Final:
		delete(c.reconfigurations, e.Connector)
	case e.Err != nil:
		c.tryAgain(e.Connector, r, e.Err)
	case newTasks(logged, e.Tasks):
		r.step, r.tasks = waiting, e.Tasks
	default:
		delete(c.reconfigurations, e.Connector)
	}
}

// publishReady hands task configurations over, to the topic or the leader.
func (c *Core) publishReady() {
	leads := c.leads()
	if !leads && !c.settled() {
		return
	}
	for _, name := range c.inStep(waiting) {
		r := c.reconfigurations[name]
		if !leads && c.assignment.LeaderID == c.memberID {
			continue // until the config topic is claimed
		}
		c.tokens++
		r.step, r.try = writing, c.tokens
		if leads {
			c.do(WriteTasks{Connector: name, Try: r.try, Config: r.config, Tasks: r.tasks})
		} else {
			c.do(ForwardTasks{URL: c.assignment.LeaderURL, Connector: name, Try: r.try, Tasks: r.tasks})
		}
		r.tasks = nil
	}
}

func (c *Core) inStep(s step) []string {
	var names []string
	for name, r := range c.reconfigurations {
		if r.step == s {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (e Published) apply(c *Core) {
	r := c.reconfigurations[e.Connector]
	switch {
	case r == nil || r.step != writing || r.try != e.Try:
	case e.Err != nil:
		c.tryAgain(e.Connector, r, e.Err)
	case r.again:
		r.failures = 0
		c.ask(e.Connector, r)
	default:
		delete(c.reconfigurations, e.Connector)
	}
}

func (c *Core) tryAgain(name string, r *reconfiguration, err error) {
	pause := min(firstReconfigurePause<<min(r.failures, 10), maxReconfigurePause)
	r.failures++
	r.step, r.at = pausing, c.now.Add(pause)
	c.do(Note{Problem: true, Text: "the task configurations of connector " + name + " could not be updated (" + err.Error() + "); trying again in " + pause.String()})
}

func (c *Core) retryDue() {
	for _, name := range c.inStep(pausing) {
		if r := c.reconfigurations[name]; c.due(r.at) {
			c.ask(name, r)
		}
	}
}

func (c *Core) nextRetry() time.Time {
	var next time.Time
	for _, r := range c.reconfigurations {
		if r.step == pausing && (next.IsZero() || r.at.Before(next)) {
			next = r.at
		}
	}
	return next
}
