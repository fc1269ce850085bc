package cluster

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/herder/herdertest"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

func taskOf(connector string, n int) store.ConnectorTaskID {
	return store.ConnectorTaskID{Connector: connector, Task: n}
}

func TestRestartOnTheOwner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	n.create("c", 2)
	r.expectWritten("connector-c task-c-0 task-c-1 commit-c")
	plan := func(includeTasks, onlyFailed bool) (connector string, tasks []string) {
		st, err := n.Restart(limited(t), "c", herder.Restart{IncludeTasks: includeTasks, OnlyFailed: onlyFailed})
		r.must(err)
		r.expectWritten("restart-connector-c")
		for _, s := range st.Tasks {
			tasks = append(tasks, s.State.State)
		}
		return st.Connector.State, tasks
	}
	for _, step := range []struct {
		what                   string
		do                     func() (connector string, tasks []string)
		planned                string
		plannedTasks           []string
		connector, first, last string
	}{
		{
			"the connector", func() (string, []string) { r.must(n.RestartConnector(limited(t), "c")); return "", nil },
			"", nil, "UNASSIGNED RUNNING", "", "",
		},
		{
			"a task", func() (string, []string) { r.must(n.RestartTask(limited(t), taskOf("c", 1))); return "", nil },
			"", nil, "", "", "UNASSIGNED RUNNING",
		},
		{
			"all", func() (string, []string) { return plan(true, false) },
			"RESTARTING",
			[]string{"RESTARTING", "RESTARTING"},
			"UNASSIGNED RESTARTING RUNNING", "UNASSIGNED RESTARTING RUNNING", "UNASSIGNED RESTARTING RUNNING",
		},
		{
			"the connector by a plan", func() (string, []string) { return plan(false, false) },
			"RESTARTING",
			[]string{"RUNNING", "RUNNING"},
			"UNASSIGNED RESTARTING RUNNING", "", "",
		},
		{
			"what has failed, which is nothing", func() (string, []string) { return plan(true, true) },
			"RUNNING",
			[]string{"RUNNING", "RUNNING"},
			"", "", "",
		},
		{
			"a task that fails", func() (string, []string) {
				r.script.Set("c", hooks{
					Tasks:     func(int) ([]connect.Props, error) { return herdertest.Tasks("c", 2) },
					StartTask: func(context.Context, connect.Props) error { return errBroken },
				})
				r.must(n.RestartTask(limited(t), taskOf("c", 0)))
				r.state("c-0", event.Failed)
				r.makes("c", 2)
				return "", nil
			},
			"", nil, "", "", "",
		},
		{
			"what has failed but no tasks", func() (string, []string) { return plan(false, true) },
			"RUNNING",
			[]string{"FAILED", "RUNNING"},
			"", "", "",
		},
		{
			"what has failed", func() (string, []string) { return plan(true, true) },
			"RUNNING",
			[]string{"RESTARTING", "RUNNING"},
			"", "RESTARTING RUNNING", "",
		},
	} {
		connector, tasks := step.do()
		if connector != step.planned || !cmp.Equal(tasks, step.plannedTasks) {
			t.Errorf("restart of %s: planned %s %v, want %s %v", step.what, connector, tasks, step.planned, step.plannedTasks)
		}
		r.expect(map[string]string{"c": step.connector, "c-0": step.first, "c-1": step.last})
		n.reads("c", "c-0", "c-1")
	}
}

var errBroken = errors.New("broken")

// twoWorkers starts a leader and a follower, each with a connector and a task: the names are those of the leader's and the follower's.
func (r *rig) twoWorkers(change ...func(*settings)) (w1, w2 *node, first, second string) {
	r.t.Helper()
	w1, w2 = r.start("w1", change...), r.start("w2", change...)
	w1.create("a", 1)
	w1.create("b", 1)
	r.evenly(w1, 2, 1, 1)
	for _, item := range []string{"a", "b", "a-0", "b-0"} {
		r.seen["course of "+item] = len(r.course(item))
	}
	if r.where("a") == "w1" {
		return w1, w2, "a", "b"
	}
	return w1, w2, "b", "a"
}

func TestRestartThroughOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w1, w2, first, second := r.twoWorkers()
	eventually(t, "the follower is settled", func() bool { return w2.View().Settled })
	r.elsewhere(w1.RestartConnector(limited(t), second), "w2")
	r.elsewhere(w2.RestartConnector(limited(t), first), "w1")
	ownTask := taskOf(first, 0)
	if r.where(first+"-0") == "w2" {
		ownTask = taskOf(second, 0)
	}
	othersTask := taskOf(first, 0)
	if ownTask == othersTask {
		othersTask = taskOf(second, 0)
	}
	r.elsewhere(w1.RestartTask(limited(t), othersTask), "w2")
	r.elsewhere(w2.RestartTask(limited(t), ownTask), "w1")

	// Where they are, they are restarted.
	r.must(w2.RestartConnector(limited(t), second))
	r.must(w2.RestartTask(limited(t), othersTask))
	r.expect(map[string]string{first: "", second: "UNASSIGNED RUNNING", ownTask.String(): "", othersTask.String(): "UNASSIGNED RUNNING"})

	// What is in the config topic concerns every worker.
	_, err := w2.Restart(limited(t), second, herder.Restart{IncludeTasks: true})
	r.elsewhere(err, "w1")
	_, err = w1.Restart(limited(t), second, herder.Restart{IncludeTasks: true})
	r.must(err)
	r.expect(map[string]string{first: "", first + "-0": "", second: "UNASSIGNED RESTARTING RUNNING", second + "-0": "UNASSIGNED RESTARTING RUNNING"})
	if w := r.where(second); w != "w2" {
		t.Errorf("the connector is at %s", w)
	}
}

// TestChangesOnAFollower holds what a follower does itself and what it leaves to the leader.
func TestChangesOnAFollower(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, w2, first, _ := r.twoWorkers()
	eventually(t, "the follower is settled", func() bool { return w2.View().Settled })
	_, _, err := w2.Put(limited(t), "c", herdertest.Config("c"), "", false)
	r.elsewhere(err, "w1")
	r.elsewhere(w2.Delete(limited(t), first), "w1")
	r.elsewhere(w2.SetTarget(limited(t), first, store.Stopped), "w1")
	r.elsewhere(w2.PutTasks(limited(t), first, nil), "w1")
	_, _, err = w2.Put(limited(t), "c", herdertest.Config("c", "tasks.max", "x"), "", false)
	if kind, _ := kindOf(err); kind != herder.BadRequest {
		t.Errorf("a configuration that is not valid: %v", err)
	}
	r.must(w2.SetTarget(limited(t), first, store.Paused))
	r.expect(map[string]string{first: "PAUSED", first + "-0": "PAUSED"})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	n.create("c", 1)
	n.create("stopped", 1)
	r.must(n.SetTarget(limited(t), "stopped", store.Stopped))
	release := make(chan struct{})
	defer close(release)
	r.script.Set("starting", hooks{Start: func(context.Context) error { <-release; return nil }})
	n.put("starting", "")

	ctx := limited(t)
	put := func(name string) error {
		_, _, err := n.Put(ctx, name, herdertest.Config(name), "", false)
		return err
	}
	restart := func(name string) error {
		_, err := n.Restart(ctx, name, herder.Restart{IncludeTasks: true})
		return err
	}
	for _, tc := range []struct {
		err     error
		kind    herder.Kind
		message string
	}{
		{put("c"), herder.AlreadyExists, "Connector c already exists"},
		{put("starting"), herder.AlreadyExists, "Connector starting already exists"},
		{n.Delete(ctx, "none"), herder.NotFound, "Connector none not found"},
		{n.SetTarget(ctx, "none", store.Paused), herder.NotFound, "Unknown connector none"},
		{n.SetTarget(ctx, "none", store.Started), herder.NotFound, "Unknown connector none"},
		{n.SetTarget(ctx, "none", store.Stopped), herder.NotFound, "Unknown connector none"},
		{n.RestartConnector(ctx, "none"), herder.NotFound, "Connector none not found"},
		{n.RestartTask(ctx, taskOf("none", 0)), herder.NotFound, "Connector none not found"},
		{n.RestartTask(ctx, taskOf("c", 1)), herder.NotFound, "Task c-1 not found"},
		{n.RestartTask(ctx, taskOf("c", -1)), herder.NotFound, "Task c--1 not found"},
		{restart("none"), herder.NotFound, "Unknown connector: none"},
		{restart("starting"), herder.NotFound, "Status for connector starting not found"},
		{n.PutTasks(ctx, "none", nil), herder.NotFound, "Connector none not found"},
		{n.PutTasks(ctx, "stopped", []store.Config{herdertest.Config("x")}), herder.BadRequest, "Cannot submit non-empty set of task configs for stopped connector stopped"},
	} {
		r.failsWith(tc.err, tc.kind, tc.message)
	}
	r.must(n.PutTasks(ctx, "stopped", nil))
}

// TestRequestsDuringARebalance holds that requests wait for the end of a round, but not longer than they may.
func TestRequestsDuringARebalance(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(entry(store.ConnectorKey("c"), store.EncodeProperties(herdertest.Config("c"))),
		entry(store.TaskKey(taskOf("c", 0)), store.EncodeProperties(herdertest.Config("c"))),
		entry(store.CommitKey("c"), store.EncodeCommit(1)))
	var held atomic.Bool
	held.Store(true)
	r.b.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		r.b.KeepControl()
		if held.Load() {
			return nil, errors.New("not yet"), true
		}
		return nil, nil, false
	})
	n := r.launch("w1")
	requests := map[string]func(context.Context) error{
		"delete":            func(ctx context.Context) error { return n.Delete(ctx, "d") },
		"stop":              func(ctx context.Context) error { return n.SetTarget(ctx, "e", store.Stopped) },
		"restart connector": func(ctx context.Context) error { return n.RestartConnector(ctx, "c") },
		"restart task":      func(ctx context.Context) error { return n.RestartTask(ctx, taskOf("c", 0)) },
		"restart": func(ctx context.Context) error {
			_, err := n.Restart(ctx, "c", herder.Restart{})
			return err
		},
	}
	for _, request := range requests {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		r.failsWith(request(ctx), herder.Timeout, rebalancing)
		cancel()
	}
	select {
	case <-n.Ready():
		t.Fatal("the worker is in its group")
	default:
	}
	answers := make(chan error)
	go func() {
		_, _, err := n.Put(limited(t), "d", herdertest.Config("d"), "", false)
		answers <- err
	}()
	go func() { answers <- requests["restart connector"](limited(t)) }()
	held.Store(false)
	r.must(<-answers)
	r.must(<-answers)
	r.state("d", event.Running)
}

// TestRequestsDuringTheShutdown holds that whoever waits for a worker that ends is told so.
func TestRequestsDuringTheShutdown(t *testing.T) {
	t.Parallel()
	const ending = "Worker is shutting down"
	r := newRig(t)
	n := r.start("w1")
	n.create("c", 1)
	begun, release := make(chan struct{}, 9), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(release) })
	defer goOn()
	r.script.Set("c", hooks{Stop: func() error { begun <- struct{}{}; <-release; return nil }})
	waiting := make(chan error, 1)
	go func() { waiting <- n.RestartConnector(limited(t), "c") }()
	<-begun
	stopped := make(chan struct{})
	go func() { defer close(stopped); n.stop() }()
	r.failsWith(<-waiting, herder.Unavailable, ending)
	_, _, err := n.Put(limited(t), "d", herdertest.Config("d"), "", false)
	r.failsWith(err, herder.Unavailable, ending)
	r.failsWith(n.Delete(limited(t), "c"), herder.Unavailable, ending)
	r.failsWith(n.SetTarget(limited(t), "c", store.Stopped), herder.Unavailable, ending)
	r.failsWith(n.RestartConnector(limited(t), "c"), herder.Unavailable, ending)
	r.failsWith(n.RestartTask(limited(t), taskOf("c", 0)), herder.Unavailable, ending)
	_, err = n.Restart(limited(t), "c", herder.Restart{})
	r.failsWith(err, herder.Unavailable, ending)
	if st, err := n.ConnectorStatus("c"); err != nil || st.Name != "c" {
		t.Errorf("the status is not answered for: %v", err)
	}
	goOn()
	<-stopped
	if n.err != nil {
		t.Errorf("Run: %v", n.err)
	}
}

// TestARestartThatTakesTooLong holds that the request does not wait longer than it may, and that the restart goes on.
func TestARestartThatTakesTooLong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	n.create("c", 1)
	release := make(chan struct{})
	goOn := sync.OnceFunc(func() { close(release) })
	defer goOn()
	r.script.Set("c", hooks{Stop: func() error { <-release; return nil }})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r.failsWith(n.RestartConnector(ctx, "c"), herder.Timeout, "Request timed out. The worker is stopping c")
	goOn()
	r.expect(map[string]string{"c": "UNASSIGNED RUNNING", "c-0": ""})
}

// TestAMissingClass holds that a connector for which this worker has no plugin fails, and nothing else does.
func TestAMissingClass(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	missing := herdertest.Config("c")
	missing.Set("connector.class", "test.Missing")
	r.write(entry(store.ConnectorKey("c"), store.EncodeProperties(missing)),
		entry(store.TaskKey(taskOf("c", 0)), store.EncodeProperties(missing)),
		entry(store.CommitKey("c"), store.EncodeCommit(1)))
	r.expect(map[string]string{"c": "FAILED", "c-0": "FAILED"})
	for _, item := range []string{"c", "c-0"} {
		if s := r.state(item, event.Failed); s.Version != "" || s.WorkerID != "w1:8083" ||
			!strings.Contains(s.Trace, "Failed to find any class that implements Connector and which name matches test.Missing") {
			t.Errorf("%s: %+v", item, s)
		}
	}
	n.create("d", 1)
	r.failsWith(n.RestartTask(limited(t), taskOf("c", 0)), herder.Internal, "Failed to start task: c-0")
	r.expect(map[string]string{"c": "", "c-0": "FAILED"})
	n.reads("c", "c-0")
	r.must(n.Delete(limited(t), "c"))
	r.expect(map[string]string{"c": "removed", "c-0": "removed"})
}

// failsTwice makes a connector whose first two task configurations fail, and counts how often it is asked.
func (r *rig) failsTwice(name string) *atomic.Int64 {
	asked := new(atomic.Int64)
	r.script.Set(name, hooks{Tasks: func(int) ([]connect.Props, error) {
		if asked.Add(1) <= 2 {
			return nil, errBroken
		}
		return herdertest.Tasks(name, 1)
	}})
	return asked
}

// TestTooManyTasks holds that a connector that makes too many tasks fails and is not asked again before it is restarted.
func TestTooManyTasks(t *testing.T) {
	t.Parallel()
	const text = "The connector c has generated 3 tasks, which is greater than 2, the maximum number of tasks it is configured to create. "
	r := newRig(t)
	n := r.start("w1")
	var asked atomic.Int64
	r.script.Set("c", hooks{Tasks: func(int) ([]connect.Props, error) { asked.Add(1); return herdertest.Tasks("c", 3) }})
	n.put("c", "", worker.TasksMaxKey, "2")
	r.expect(map[string]string{"c": "RUNNING FAILED", "c-0": ""})
	if s := r.state("c", event.Failed); !strings.Contains(s.Trace, text) {
		t.Errorf("trace %s", s.Trace)
	}
	r.failsTwice("d")
	n.put("d", "") // whose tasks take longer than the pause before another try
	r.running("d", 1)
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	if strings.Contains(n.log.String(), "of connector c could not be updated") {
		t.Error("the connector that has failed is asked again and again")
	}
	r.makes("c", 2)
	r.must(n.RestartConnector(limited(t), "c"))
	r.expect(map[string]string{"c": "UNASSIGNED RUNNING", "c-0": "RUNNING", "c-1": "RUNNING"})
}

// TestTaskConfigsThatFail holds that a connector that runs is asked until it answers, also if it has failed before.
func TestTaskConfigsThatFail(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	r.script.Set("c", hooks{Start: func(context.Context) error { return errBroken }})
	n.put("c", "")
	r.expect(map[string]string{"c": "FAILED"})
	asked := r.failsTwice("c")
	n.reads("c")
	r.must(n.RestartConnector(limited(t), "c"))
	r.expect(map[string]string{"c": "UNASSIGNED RUNNING", "c-0": "RUNNING"})
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

// TestTasksOfAPausedConnector holds that what a connector has answered is not written after it was paused, and that it is asked again when
// it is resumed.
func TestTasksOfAPausedConnector(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	begun, release := make(chan struct{}, 9), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(release) })
	defer goOn()
	r.script.Set("c", hooks{Tasks: func(int) ([]connect.Props, error) {
		begun <- struct{}{}
		<-release
		return herdertest.Tasks("c", 1)
	}})
	n.put("c", "")
	<-begun
	r.must(n.SetTarget(limited(t), "c", store.Paused))
	goOn()
	r.expect(map[string]string{"c": "RUNNING PAUSED"})
	n.reads("c")
	r.must(n.SetTarget(limited(t), "c", store.Started))
	r.expectWritten("connector-c target-state-c target-state-c task-c-0 commit-c")
	r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})
}

// gate lets claims through when it is open.
type gate struct {
	*kafka.Transactor
	open chan struct{}
}

func (g *gate) Claim(ctx context.Context) error {
	select {
	case <-g.open:
		return g.Transactor.Claim(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestBeforeTheClaim holds that a leader that has not claimed the config topic changes nothing, but knows where everything is.
func TestBeforeTheClaim(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	open := make(chan struct{})
	privileged := func(s *settings) {
		x, err := kafka.NewTransactor(r.props(), "leader", "connect-cluster-"+groupID, configTopic, nil)
		r.must(err)
		t.Cleanup(x.Close)
		s.transactor = x
		s.claimer = &gate{x, open}
	}
	for _, name := range []string{"a", "b"} {
		r.write(entry(store.ConnectorKey(name), store.EncodeProperties(herdertest.Config(name))))
	}
	w1 := r.start("w1", privileged)
	w2 := r.start("w2", privileged)
	eventually(t, "each has a connector", func() bool { return r.where("a") != "" && r.where("b") != "" && r.where("a") != r.where("b") })
	eventually(t, "the group is settled", func() bool { return w1.View().Settled && w2.View().Settled })
	second := "a"
	if r.where("b") == "w2" {
		second = "b"
	}
	if v := w1.View(); v.Leader {
		t.Errorf("%+v", v)
	}
	r.elsewhere(w1.RestartConnector(limited(t), second), "w2")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r.failsWith(w1.Delete(ctx, "c"), herder.Timeout, rebalancing)
	close(open)
	r.must(w1.Delete(limited(t), "a"))
	r.state("b-0", event.Running)
}
