package compat

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

// coordinator is a group of workers whose coordinator, the only broker, comes and goes.
type coordinator struct {
	*testing.T
	broker  *bed.Broker
	props   map[string]string
	sink    map[string]string   // configuration
	w       *bed.MillraceWorker // the first worker
	in, out string              // files of source and sink
	lines   []string            // in the file of the source
}

// TestCoordinatorTrouble takes the broker from workers for a while, or workers from the broker. No process ends by that, no line is lost,
// and everything runs again afterwards without anybody's help.
func TestCoordinatorTrouble(t *testing.T) {
	bed.Require(t)
	bed.LockJVM(t)
	dir := t.TempDir()
	c := &coordinator{
		T: t, broker: bed.NewBroker(t, bed.BrokerOptions{Fast: true}), props: bed.DistributedProperties(bed.Name(t, "trouble")),
		in: filepath.Join(dir, "in.txt"), out: filepath.Join(dir, "out.txt"),
	}
	maps.Copy(c.props, map[string]string{
		"key.converter": stringConverter, "value.converter": stringConverter, "scheduled.rebalance.max.delay.ms": "0",
		"heartbeat.interval.ms": "500", "session.timeout.ms": "6000", "offset.flush.interval.ms": "500",
	})
	c.w = bed.NewMillraceWorker(t, c.broker.Bootstrap(), c.props)
	c.write("begin")
	topic := c.props["group.id"]
	c.sink = map[string]string{
		"connector.class": fileSink, "file": c.out, "topics": topic, "consumer.override.metadata.max.age.ms": "1000",
		// The group of its consumer waits as long for members that could not say goodbye.
		"consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500",
	}
	c.w.Put("source", map[string]string{"connector.class": fileSource, "file": c.in, "topic": topic})
	c.w.Put("sink", c.sink)
	c.well()
	for _, part := range []struct {
		name string
		run  func(*coordinator)
	}{
		{"broker restarted", (*coordinator).restarted},
		{"broker away", (*coordinator).away},
		{"broker silent", (*coordinator).silent},
		{"worker suspended", (*coordinator).suspended},
		{"end without a broker", (*coordinator).endWithout},
	} {
		ok := t.Run(part.name, func(t *testing.T) {
			in := *c
			in.T, in.w.T = t, t
			part.run(&in)
			c.lines = in.lines
		})
		if !ok {
			t.FailNow()
		}
	}
}

// write appends a line to the file of the source.
func (c *coordinator) write(line string) {
	c.Helper()
	c.lines = append(c.lines, line)
	f, err := os.OpenFile(c.in, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		c.Fatal(err)
	}
	_, err = f.WriteString(line + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		c.Fatal(err)
	}
}

// arrived waits until all lines have come out, in order. Some may have come twice: what was not confirmed when the broker went is sent
// again.
func (c *coordinator) arrived() {
	c.Helper()
	bed.Poll(c.T, patience, "the lines", func() (bool, string) {
		if !c.w.Running() {
			c.Fatalf("the worker has ended with code %d", c.w.ExitCode())
		}
		got := c.output()
		seen := map[string]bool{}
		got = slices.DeleteFunc(got, func(line string) bool {
			again := seen[line]
			seen[line] = true
			return again
		})
		return slices.Equal(got, c.lines), fmt.Sprintf("%q, want %q", got, c.lines)
	})
}

func (c *coordinator) output() []string {
	raw, _ := os.ReadFile(c.out)
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
}

// well expects everything to run, and a line that is written now to come out once.
func (c *coordinator) well() {
	c.Helper()
	for _, name := range []string{"source", "sink"} {
		c.w.Await(name, "RUNNING", "RUNNING")
	}
	c.arrived()
	line := fmt.Sprintf("line %d, all is well", len(c.lines))
	c.write(line)
	c.arrived()
	n := len(slices.DeleteFunc(c.output(), func(s string) bool { return s != line }))
	if n != 1 {
		c.Errorf("%q came out %d times", line, n)
	}
}

func (c *coordinator) restart() {
	c.Helper()
	if err := c.broker.Restart(c.Context()); err != nil {
		c.Fatal(err)
	}
}

func (c *coordinator) restarted() {
	c.write("before the restart")
	begun := time.Now()
	c.restart()
	inTime := time.Since(begun) < restartedInTime
	c.write("after the restart")
	c.well()
	if inTime && strings.Contains(c.w.Output(), stopping) {
		c.Error("the worker has stopped everything")
	}
}

// restartedInTime is how long the broker may be away without a worker having to notice: its session less a heartbeat and what the
// group's coordinator takes to begin. A busy machine takes longer.
const restartedInTime = 4 * time.Second

// stopping is in the log of a worker that cannot count on its group any more.
const stopping = "has not answered for the session timeout: stopping all connectors and tasks"

// lost waits until the worker has noticed that its coordinator is away, and expects it to stop what others may run by now.
func (c *coordinator) lost(from int) {
	c.Helper()
	bed.Poll(c.T, patience, "the worker to stop everything", func() (bool, string) {
		log := c.w.Output()[from:]
		_, then, found := strings.Cut(log, stopping)
		at := func(item string) bool { return strings.Contains(then, item+" state is now UNASSIGNED") }
		return found && at("[source|worker]") && at("[sink|worker]") && at("[source|task-0]") && at("[sink|task-0]"), c.w.Tail(8)
	})
}

// readable expects answers to all that only asks for what the worker knows. What went to the broker would wait for much longer than this
// does: half a minute at least.
func (c *coordinator) readable() {
	c.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for _, path := range []string{
		"/", "/connectors", "/connectors?expand=status&expand=info", "/connectors/source", "/connectors/source/config",
		"/connectors/source/status", "/connectors/source/tasks", "/connectors/source/tasks/0/status", "/connector-plugins",
	} {
		resp, err := client.Get(c.w.URL + path)
		if err != nil {
			c.Errorf("GET %s: %v", path, err)
			continue
		}
		if err := resp.Body.Close(); resp.StatusCode != http.StatusOK || err != nil {
			c.Errorf("GET %s: %s, %v", path, resp.Status, err)
		}
	}
}

// away lets the broker be away for longer than a session. A change that is asked for meanwhile waits for its return.
func (c *coordinator) away() {
	from := len(c.w.Output())
	if err := c.broker.Stop(); err != nil {
		c.Fatal(err)
	}
	c.write("while the broker is away")
	c.lost(from)
	c.readable()
	c.sink["consumer.override.max.poll.records"] = "7"
	answer := make(chan string, 1)
	go func() {
		code, body := c.w.Call(http.MethodPut, "/connectors/sink/config", c.sink)
		answer <- fmt.Sprint(code, " ", body)
	}()
	c.restart()
	if got := <-answer; !strings.HasPrefix(got, "200 ") || !strings.Contains(got, `"consumer.override.max.poll.records":"7"`) {
		c.Errorf("the change of the sink is answered with %s", got)
	}
	c.well()
}

func (c *coordinator) silent() {
	from := len(c.w.Output())
	if err := c.broker.Suspend(); err != nil {
		c.Fatal(err)
	}
	c.write("while the broker is silent")
	c.lost(from)
	c.readable()
	if err := c.broker.Resume(); err != nil {
		c.Fatal(err)
	}
	c.well()
}

// suspended lets a worker sleep until others have its work, and expects it to have part in it again when it wakes.
func (c *coordinator) suspended() {
	other := bed.NewMillraceWorker(c.T, c.broker.Bootstrap(), c.props)
	c.shared(2)
	if err := c.w.Suspend(); err != nil {
		c.Fatal(err)
	}
	awake := *c
	awake.w = other
	awake.shared(1)
	awake.well()
	from := len(c.w.Output())
	if err := c.w.Resume(); err != nil {
		c.Fatal(err)
	}
	c.lines = awake.lines
	c.write("while one is waking up")
	bed.Poll(c.T, patience, "the worker to join again", func() (bool, string) {
		return strings.Contains(c.w.Output()[from:], "joined the group"), c.w.Tail(8)
	})
	c.shared(2)
	awake.shared(2)
	c.well()
	if err := other.Stop(); err != nil {
		c.Error(err)
	}
	c.shared(1)
	c.well()
}

// shared waits until everything runs, on so many workers.
func (c *coordinator) shared(workers int) {
	c.Helper()
	bed.Poll(c.T, patience, fmt.Sprintf("connectors and tasks on %d workers", workers), func() (bool, string) {
		at := map[string]bool{}
		running := true
		var state []any
		for _, name := range []string{"source", "sink"} {
			s := c.w.Status(name)
			state = append(state, s)
			running = running && s.Connector.State == "RUNNING" && len(s.Tasks) == 1 && s.Tasks[0].State == "RUNNING"
			at[s.Connector.Worker] = true
			for _, task := range s.Tasks {
				at[task.Worker] = true
			}
		}
		return running && len(at) == workers, fmt.Sprint(state...)
	})
}

func (c *coordinator) endWithout() {
	if err := c.broker.Stop(); err != nil {
		c.Fatal(err)
	}
	if err := c.w.Stop(); err != nil {
		c.Fatal(err)
	}
	if code := c.w.ExitCode(); code != 0 {
		c.Errorf("exit code %d after SIGTERM, want 0", code)
	}
}
