package conntest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/connect"
)

// scenario is one named check of a connector. It returns what is wrong.
type scenario struct {
	name string
	run  func(t TB, c *caller) error
}

// skipped is returned by a scenario that does not apply to the connector.
type skipped string

func (s skipped) Error() string { return string(s) }

// suite is what the suites for sources and sinks have in common.
type suite struct {
	plugin    connect.Plugin
	limit     time.Duration
	waive     map[string]string
	scenarios []scenario
}

// runSuite runs each scenario as a subtest.
func runSuite[T Test[T]](t T, s suite) {
	t.Helper()
	t.Logf("%s has these optional interfaces: %s", s.plugin.Class, s.optional())
	for name := range s.waive {
		if !slices.ContainsFunc(s.scenarios, func(sc scenario) bool { return sc.name == name }) {
			t.Errorf("there is no scenario %s that could be waived", name)
		}
	}
	for _, sc := range s.scenarios {
		t.Run(sc.name, func(t T) { s.runOne(t, sc) })
	}
}

func (s suite) runOne(t TB, sc scenario) {
	t.Helper()
	if reason, ok := s.waive[sc.name]; ok {
		t.Skipf("waived: %s", reason)
		return
	}
	c := newCaller(s.limit)
	err := sc.run(t, c)
	if reason, ok := errors.AsType[skipped](err); ok {
		t.Skipf("%s", reason)
		return
	}
	if err == nil {
		err = c.leaked()
	}
	if err != nil {
		t.Errorf("%v", err)
	}
}

// optional returns the names of the optional interfaces that the connector and its tasks have.
func (s suite) optional() string {
	var names []string
	err := newCaller(s.limit).call("making the connector and a task", func(context.Context) error {
		names = optionalOf(newConnector(s.plugin))
		return nil
	})
	switch {
	case err != nil:
		return "not known, " + err.Error()
	case len(names) == 0:
		return "none"
	default:
		return strings.Join(names, ", ")
	}
}

func optionalOf(conn connect.Connector) []string {
	names := implemented(conn, []named{
		{"Monitor", is[connect.Monitor]},
		{"Validator", is[connect.Validator]},
		{"ExactlyOnce", is[connect.ExactlyOnce]},
		{"TxnDefiner", is[connect.TxnDefiner]},
		{"SourceOffsetAlterer", is[connect.SourceOffsetAlterer]},
		{"SinkOffsetAlterer", is[connect.SinkOffsetAlterer]},
	})
	return append(names, implemented(newTask(conn), []named{
		{"Acker", is[connect.Acker]},
		{"Committer", is[connect.Committer]},
		{"Partitioned", is[connect.Partitioned]},
		{"Flusher", is[connect.Flusher]},
		{"PreCommitter", is[connect.PreCommitter]},
	})...)
}

type named struct {
	name string
	is   func(any) bool
}

func is[I any](v any) bool {
	_, ok := v.(I)
	return ok
}

func implemented(v any, interfaces []named) []string {
	var names []string
	for _, i := range interfaces {
		if i.is(v) {
			names = append(names, i.name)
		}
	}
	return names
}

func newTask(conn connect.Connector) any {
	switch conn := conn.(type) {
	case connect.SourceConnector:
		return conn.NewTask()
	case connect.SinkConnector:
		return conn.NewTask()
	default:
		return nil
	}
}

// checkPlugin checks the description of a connector, and that it accepts a configuration that is meant to be good.
// Validation is asked of an instance that is never started, as a worker does.
func checkPlugin(c *caller, p connect.Plugin, props connect.Props) error {
	switch {
	case p.Class == "" || p.TaskClass == "" || p.Version == "":
		return fmt.Errorf("Class %q, TaskClass %q and Version %q must be set", p.Class, p.TaskClass, p.Version)
	case p.Def == nil:
		return errors.New("Def must be set")
	case (p.Source == nil) == (p.Sink == nil):
		return errors.New("exactly one of Source and Sink must be set")
	}
	props = connectorProps(p, props, 1)
	for _, v := range p.Def.Validate(props) {
		if len(v.Errors) > 0 {
			return fmt.Errorf("Def refuses %s: %s", v.Name, strings.Join(v.Errors, "; "))
		}
	}
	return c.call("questions to a connector that was not started", func(ctx context.Context) error {
		return askConnector(ctx, newConnector(p), props)
	})
}

// askConnector asks a connector what a worker asks before it starts one.
func askConnector(ctx context.Context, conn connect.Connector, props connect.Props) error {
	if e, ok := conn.(connect.ExactlyOnce); ok {
		e.ExactlyOnce(props)
	}
	if d, ok := conn.(connect.TxnDefiner); ok {
		d.DefinesTransactions(props)
	}
	v, ok := conn.(connect.Validator)
	if !ok {
		return nil
	}
	for _, value := range v.Validate(ctx, props) {
		if len(value.Errors) > 0 {
			return fmt.Errorf("Validate refuses %s: %s", value.Name, strings.Join(value.Errors, "; "))
		}
	}
	return nil
}

// taskLimits are the values of tasks.max that connectors are tried with.
var taskLimits = []int{1, 2, 5}

// checkTaskConfigs asks for task configurations with different limits and calls try with each of them.
func checkTaskConfigs(c *caller, p connect.Plugin, props connect.Props, try func(task connect.Props) error) error {
	for _, limit := range taskLimits {
		r, err := startConnector(c, p, connectorProps(p, props, limit), Options{}.withDefaults())
		if err != nil {
			return err
		}
		configs, err := r.taskConfigs(limit)
		for _, config := range configs {
			if err == nil {
				err = try(taskProps(p, config))
			}
		}
		if c.stuck == "" {
			err = errors.Join(err, r.stop())
		}
		if err != nil {
			return fmt.Errorf("with %s=%d: %w", keyTasksMax, limit, err)
		}
	}
	return nil
}

// ints formats record numbers.
func ints(numbers []int) string {
	slices.Sort(numbers)
	return strings.Trim(fmt.Sprint(slices.Compact(numbers)), "[]")
}
