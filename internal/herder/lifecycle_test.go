package herder

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/store"
)

// bubble runs a test with a rig under a clock of its own.
func bubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, newRig(t)) })
}

func TestCreateInEachTargetState(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		target    store.TargetState
		connector string
		task      string
		tasks     []TaskRef
	}{
		{store.Started, "RUNNING", "RUNNING", []TaskRef{{"c", 0}}},
		{store.Paused, "PAUSED", "", []TaskRef{}},
		{store.Stopped, "STOPPED", "", []TaskRef{}},
	} {
		t.Run(string(tc.target), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				info := r.create("c", tc.target)
				r.expect(map[string]string{"c": tc.connector, "c-0": tc.task})
				want := ConnectorInfo{Name: "c", Config: cfg("c"), Tasks: tc.tasks, Type: SourceType}
				if diff := cmp.Diff(want, info); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				r.must(r.SetTarget(t.Context(), "c", store.Started))
				synctest.Wait()
				if st := r.status("c"); st.Connector.State != "RUNNING" || len(st.Tasks) != 1 || st.Tasks[0].State.State != "RUNNING" {
					t.Errorf("status after the resumption %+v", st)
				}
			})
		})
	}
}

func TestStatesOfEachChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		change    func(t *testing.T, r *rig) error
		connector string
		task      string
	}{
		{"pause", func(t *testing.T, r *rig) error { return r.SetTarget(t.Context(), "c", store.Paused) }, "PAUSED", "PAUSED"},
		{"pause and resume", func(t *testing.T, r *rig) error {
			if err := r.SetTarget(t.Context(), "c", store.Paused); err != nil {
				return err
			}
			synctest.Wait()
			return r.SetTarget(t.Context(), "c", store.Started)
		}, "PAUSED RUNNING", "PAUSED RUNNING"},
		{"stop", func(t *testing.T, r *rig) error { return r.SetTarget(t.Context(), "c", store.Stopped) }, "STOPPED", "UNASSIGNED DESTROYED"},
		{"stop and resume", func(t *testing.T, r *rig) error {
			if err := r.SetTarget(t.Context(), "c", store.Stopped); err != nil {
				return err
			}
			synctest.Wait()
			return r.SetTarget(t.Context(), "c", store.Started)
		}, "STOPPED RUNNING", "UNASSIGNED DESTROYED RUNNING"},
		{"stop and pause", func(t *testing.T, r *rig) error {
			if err := r.SetTarget(t.Context(), "c", store.Stopped); err != nil {
				return err
			}
			synctest.Wait()
			return r.SetTarget(t.Context(), "c", store.Paused)
		}, "STOPPED PAUSED", "UNASSIGNED DESTROYED"},
		{"a changed configuration", func(_ *testing.T, r *rig) error { r.update("c", "x", "y"); return nil }, "UNASSIGNED RUNNING", "UNASSIGNED RUNNING"},
		{"the same configuration", func(_ *testing.T, r *rig) error { r.update("c"); return nil }, "UNASSIGNED RUNNING", ""},
		{"restart", func(t *testing.T, r *rig) error { return r.RestartConnector(t.Context(), "c") }, "UNASSIGNED RUNNING", ""},
		{"restart of the task", func(t *testing.T, r *rig) error {
			return r.RestartTask(t.Context(), store.ConnectorTaskID{Connector: "c"})
		}, "", "UNASSIGNED RUNNING"},
		{"restart of everything", func(t *testing.T, r *rig) error {
			_, err := r.Restart(t.Context(), "c", Restart{IncludeTasks: true})
			return err
		}, "UNASSIGNED RESTARTING RUNNING", "UNASSIGNED RESTARTING RUNNING"},
		{"restart of what failed", func(t *testing.T, r *rig) error {
			_, err := r.Restart(t.Context(), "c", Restart{IncludeTasks: true, OnlyFailed: true})
			return err
		}, "", ""},
		{"delete", func(t *testing.T, r *rig) error { return r.Delete(t.Context(), "c") }, "UNASSIGNED DESTROYED", "UNASSIGNED DESTROYED"},
		{"shutdown", func(_ *testing.T, r *rig) error { r.stop(); return nil }, "UNASSIGNED", "UNASSIGNED"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.create("c", store.Started)
				r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})
				r.must(tc.change(t, r))
				r.expect(map[string]string{"c": tc.connector, "c-0": tc.task})
			})
		})
	}
}

func TestTargetStateSurvivesChanges(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.create("c", store.Started)
		r.must(r.SetTarget(t.Context(), "c", store.Paused))
		r.course("c")
		r.course("c-0")
		r.update("c", "x", "y")
		r.expect(map[string]string{"c": "UNASSIGNED PAUSED", "c-0": ""})
		r.must(r.RestartConnector(t.Context(), "c"))
		r.expect(map[string]string{"c": "UNASSIGNED PAUSED", "c-0": ""})
		_, err := r.Restart(t.Context(), "c", Restart{IncludeTasks: true})
		r.must(err)
		r.expect(map[string]string{"c": "UNASSIGNED RESTARTING PAUSED", "c-0": "UNASSIGNED RESTARTING PAUSED"})
	})
}

// TestChangeWhilePaused holds that tasks which did not see a new configuration of their connector see it when they run
// again, even if their own part of it is the same: converters may be what has changed.
func TestChangeWhilePaused(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.create("c", store.Started)
		synctest.Wait()
		r.must(r.SetTarget(t.Context(), "c", store.Paused))
		synctest.Wait()
		r.update("c", "errors.tolerance", "all")
		before := r.taskStarts("c")
		r.must(r.SetTarget(t.Context(), "c", store.Started))
		if got := r.taskStarts("c") - before; got != 1 {
			t.Errorf("the task was started %d times, want once with the new configuration", got)
		}
		r.must(r.SetTarget(t.Context(), "c", store.Paused))
		synctest.Wait()
		before = r.taskStarts("c")
		r.must(r.SetTarget(t.Context(), "c", store.Started))
		if got := r.taskStarts("c") - before; got != 0 {
			t.Errorf("the task was started %d times though nothing has changed", got)
		}
	})
}

func TestRestartPlans(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		what      Restart
		connector string
		tasks     []string
	}{
		{Restart{}, "RESTARTING", []string{"FAILED", "RUNNING"}},
		{Restart{IncludeTasks: true}, "RESTARTING", []string{"RESTARTING", "RESTARTING"}},
		{Restart{OnlyFailed: true}, "RUNNING", []string{"FAILED", "RUNNING"}},
		{Restart{IncludeTasks: true, OnlyFailed: true}, "RUNNING", []string{"RESTARTING", "RUNNING"}},
	} {
		st := ConnectorStatus{Name: "c", Connector: State{State: "RUNNING"}, Tasks: []TaskStatus{
			{0, State{State: "FAILED", Trace: "boom"}}, {1, State{State: "RUNNING"}},
		}}
		p := st.Plan(tc.what)
		var ids []store.ConnectorTaskID
		for i, want := range tc.tasks {
			if got := st.Tasks[i].State.State; got != want {
				t.Errorf("%+v: task %d shows %s, want %s", tc.what, i, got, want)
			}
			if want == "RESTARTING" {
				ids = append(ids, store.ConnectorTaskID{Connector: "c", Task: i})
			}
		}
		if diff := cmp.Diff(ids, p.Tasks); diff != "" {
			t.Errorf("%+v: tasks (-want +got):\n%s", tc.what, diff)
		}
		if st.Connector.State != tc.connector || p.Connector != (tc.connector == "RESTARTING") {
			t.Errorf("%+v: connector %t, shown as %s", tc.what, p.Connector, st.Connector.State)
		}
		if st.Tasks[0].Trace != "boom" {
			t.Errorf("%+v: the old trace is gone", tc.what)
		}
	}
}

func TestRestartPlanThatIsOutOfDate(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { return tasks("c", 2) }})
		r.create("c", store.Started, "tasks.max", "2")
		p := Plan{Connector: true, Tasks: []store.ConnectorTaskID{{Connector: "c"}, {Connector: "c", Task: 1}}}
		r.set("c", hooks{})
		r.update("c", "tasks.max", "1")
		r.must(r.carryOut(t.Context(), "c", p))
		if got := r.Status.Tasks("c"); len(got) != 1 {
			t.Errorf("statuses of tasks %v, want that of task 0 only", got)
		}
		r.must(r.Delete(t.Context(), "c"))
		r.must(r.carryOut(t.Context(), "c", p))
		if _, ok := r.Status.Connector("c"); ok || len(r.Status.Tasks("c")) > 0 {
			t.Error("a restart brought back statuses of a deleted connector")
		}
	})
}

func TestTaskConfigurations(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var limit int
		r.set("c", hooks{Tasks: func(n int) ([]connect.Props, error) { limit = n; return tasks("c", 2) }})
		r.create("c", store.Started, "tasks.max", "3", "topics", "a,b")
		if limit != 3 {
			t.Errorf("the connector was asked for %d tasks at most, want 3", limit)
		}
		infos, err := r.Tasks("c")
		r.must(err)
		got, err := json.Marshal(infos)
		r.must(err)
		want := `[{"id":{"connector":"c","task":0},"config":{"of":"c","share":"a","task.class":"test.ScriptTask","topics":"a,b"}},` +
			`{"id":{"connector":"c","task":1},"config":{"of":"c","share":"b","task.class":"test.ScriptTask","topics":"a,b"}}]`
		if string(got) != want {
			t.Errorf("tasks %s, want %s", got, want)
		}
		synctest.Wait()
		if _, err := r.TaskStatus(store.ConnectorTaskID{Connector: "c", Task: 1}); err != nil {
			t.Error(err)
		}
		r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { return nil, nil }})
		r.update("c", "tasks.max", "3")
		r.expect(map[string]string{"c-0": "RUNNING UNASSIGNED DESTROYED", "c-1": "RUNNING UNASSIGNED DESTROYED"})
		if info, err := r.Connector("c"); err != nil || info.Tasks == nil || len(info.Tasks) != 0 {
			t.Errorf("a connector without tasks: %+v, %v", info, err)
		}
	})
}
