package herder

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/store"
)

var errBroken = errors.New("broken")

// kindOf returns the kind and text of an error.
func kindOf(err error) (Kind, string) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind, e.Message
	}
	return Internal, "not a *herder.Error"
}

func TestFailureToStart(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errBroken },
		"panic": func(context.Context) error { panic(errBroken) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set("c", hooks{Start: start})
				_, _, err := r.Put(t.Context(), "c", cfg("c"), store.Started, false)
				if kind, text := kindOf(err); kind != Internal || !strings.HasSuffix(text, "broken") {
					t.Errorf("Put: kind %d, %q", kind, text)
				}
				st := r.status("c")
				if st.Connector.State != "FAILED" || st.Connector.Version == nil || *st.Connector.Version != "7" ||
					!strings.Contains(st.Connector.Trace, "broken\n\tat ") || len(st.Tasks) != 0 {
					t.Errorf("status %+v", st)
				}
				if _, _, err := r.Put(t.Context(), "c", cfg("c"), store.Started, false); err == nil {
					t.Error("the failed connector was created again")
				}
				if err := r.RestartConnector(t.Context(), "c"); err == nil {
					t.Error("the restart of a connector that fails again reports success")
				}
				r.set("c", hooks{})
				_, err = r.Restart(t.Context(), "c", Restart{OnlyFailed: true})
				r.must(err)
				if st := r.status("c"); st.Connector.State != "RUNNING" || st.Connector.Trace != "" || len(st.Tasks) != 1 {
					t.Errorf("status after the repair %+v", st)
				}
			})
		})
	}
}

func TestFailureOfTaskConfigs(t *testing.T) {
	t.Parallel()
	for name, split := range map[string]func(int) ([]connect.Props, error){
		"error": func(int) ([]connect.Props, error) { return nil, errBroken },
		"panic": func(int) ([]connect.Props, error) { panic(errBroken) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set("c", hooks{Tasks: split})
				_, _, err := r.Put(t.Context(), "c", cfg("c"), store.Started, false)
				if kind, text := kindOf(err); kind != Internal || !strings.HasSuffix(text, "broken") {
					t.Errorf("Put: kind %d, %q", kind, text)
				}
				if st := r.status("c"); st.Connector.State != "RUNNING" || len(st.Tasks) != 0 {
					t.Errorf("status %+v", st)
				}
				r.must(r.Delete(t.Context(), "c"))
			})
		})
	}
}

func TestFailureToStop(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func() error{
		"error": func() error { return errBroken },
		"panic": func() error { panic(errBroken) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.set("c", hooks{Stop: stop})
				r.create("c", store.Started)
				r.must(r.SetTarget(t.Context(), "c", store.Paused))
				r.expect(map[string]string{"c": "RUNNING FAILED"})
				r.must(r.SetTarget(t.Context(), "c", store.Started))
				r.expect(map[string]string{"c": ""}) // only a restart leads out of FAILED
				r.must(r.RestartConnector(t.Context(), "c"))
				r.must(r.SetTarget(t.Context(), "c", store.Stopped))
				r.expect(map[string]string{"c": "UNASSIGNED RUNNING STOPPED"})
				r.must(r.SetTarget(t.Context(), "c", store.Started))
				r.must(r.Delete(t.Context(), "c"))
				if _, err := r.ConnectorStatus("c"); err == nil {
					t.Error("a deleted connector has a status")
				}
				r.create("c", store.Started)
			})
		})
	}
}

func TestFailureOfTheFactory(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var c store.Config
		c.Set("connector.class", "BrokenSource")
		_, _, err := r.Put(t.Context(), "c", c, store.Started, false)
		if kind, text := kindOf(err); kind != Internal || !strings.Contains(text, "no instance") {
			t.Errorf("Put: kind %d, %q", kind, text)
		}
	})
}

func TestFailureWhileRunning(t *testing.T) {
	t.Parallel()
	fail := make(map[string]func(r *rig))
	fail["raised"] = func(r *rig) { r.context("c").RaiseError(errBroken) }
	fail["monitor"] = nil
	fail["monitor panics"] = nil
	for name, raise := range fail {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				begin := make(chan struct{})
				h := hooks{}
				if raise == nil {
					h.Monitor = func(ctx context.Context) error {
						select {
						case <-begin:
						case <-ctx.Done():
							return nil
						}
						if name == "monitor panics" {
							panic(errBroken)
						}
						return errBroken
					}
				}
				r.set("c", h)
				r.create("c", store.Started)
				r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})
				if raise != nil {
					raise(r)
				}
				close(begin)
				r.expect(map[string]string{"c": "FAILED", "c-0": ""})
				if st := r.status("c"); !strings.Contains(st.Connector.Trace, "broken\n\tat ") {
					t.Errorf("trace %q", st.Connector.Trace)
				}
				r.set("c", hooks{})
				r.must(r.RestartConnector(t.Context(), "c"))
				r.expect(map[string]string{"c": "UNASSIGNED RUNNING", "c-0": ""})
			})
		})
	}
}

func TestMonitorEndsBeforeStop(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var order []string
		r.set("c", hooks{
			Monitor: func(ctx context.Context) error { <-ctx.Done(); order = append(order, "monitor"); return ctx.Err() },
			Stop:    func() error { order = append(order, "stop"); return nil },
		})
		r.create("c", store.Started)
		r.must(r.SetTarget(t.Context(), "c", store.Paused))
		r.expect(map[string]string{"c": "RUNNING PAUSED"})
		if got := strings.Join(order, " "); got != "monitor stop" {
			t.Errorf("ended in the order %q", got)
		}
	})
}

func TestMoreTasksThanAllowed(t *testing.T) {
	const text = "The connector c has generated 3 tasks, which is greater than 2, the maximum number of tasks it is configured to create. "
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { return tasks("c", 3) }})
			_, _, err := r.Put(t.Context(), "c", cfg("c", "tasks.max", "2"), store.Started, false)
			if kind, got := kindOf(err); kind != Internal || !strings.HasPrefix(got, text) {
				t.Errorf("Put: kind %d, %q", kind, got)
			}
			if st := r.status("c"); st.Connector.State != "FAILED" || !strings.Contains(st.Connector.Trace, text) || len(st.Tasks) != 0 {
				t.Errorf("status %+v", st)
			}
		})
	})
	t.Run("permitted", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { return tasks("c", 3) }})
			info := r.create("c", store.Started, "tasks.max", "2", "tasks.max.enforce", "false")
			if len(info.Tasks) != 3 {
				t.Errorf("tasks %v, want 3", info.Tasks)
			}
			if log := r.log.String(); !strings.Contains(log, "more tasks than it may") {
				t.Errorf("the log does not warn:\n%s", log)
			}
		})
	})
}

func TestTaskThatCannotBeSetUp(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.create("c", store.Started, "value.converter", "BrokenConverter")
		r.expect(map[string]string{"c": "RUNNING", "c-0": "FAILED"})
		id := store.ConnectorTaskID{Connector: "c"}
		if st, err := r.TaskStatus(id); err != nil || st.Version != nil || !strings.Contains(st.Trace, "\tat ") {
			t.Errorf("status %+v, %v; want a trace and no version", st, err)
		}
		if kind, text := kindOf(r.RestartTask(t.Context(), id)); kind != Internal || text != "Failed to start task: c-0" {
			t.Errorf("RestartTask: kind %d, %q", kind, text)
		}
		r.update("c")
		if st := r.status("c"); st.Tasks[0].State.State != "RUNNING" {
			t.Errorf("status after the repair %+v", st)
		}
	})
}

func TestUnknownNames(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		r.create("c", store.Started)
		task := func(name string, n int) store.ConnectorTaskID { return store.ConnectorTaskID{Connector: name, Task: n} }
		_, connectorErr := r.Connector("x")
		_, tasksErr := r.Tasks("x")
		_, statusErr := r.ConnectorStatus("x")
		_, taskErr := r.TaskStatus(task("c", 7))
		_, planErr := r.Restart(ctx, "x", Restart{IncludeTasks: true})
		for _, tc := range []struct {
			err  error
			want string
		}{
			{connectorErr, "Connector x not found"},
			{tasksErr, "Connector x not found"},
			{statusErr, "No status found for connector x"},
			{taskErr, "No status found for task c-7"},
			{planErr, "Unknown connector: x"},
			{r.RestartConnector(ctx, "x"), "Connector x not found"},
			{r.RestartTask(ctx, task("x", 0)), "Connector x not found"},
			{r.RestartTask(ctx, task("c", 1)), "Task c-1 not found"},
			{r.RestartTask(ctx, task("c", -1)), "Task c--1 not found"},
			{r.SetTarget(ctx, "x", store.Paused), "Unknown connector x"},
			{r.Delete(ctx, "x"), "Connector x not found"},
		} {
			if kind, text := kindOf(tc.err); kind != NotFound || text != tc.want {
				t.Errorf("kind %d, %q; want NotFound, %q", kind, text, tc.want)
			}
		}
		synctest.Wait()
		if _, ok := r.Status.Task(task("c", 1)); ok {
			t.Error("a task that does not exist has a status now")
		}
		if len(r.lanes.byName) != 0 {
			t.Errorf("%d lanes are left", len(r.lanes.byName))
		}
	})
}

func TestShutdownGivesUpWhatHangs(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		hang := make(chan struct{})
		defer close(hang)
		r.set("hangs", hooks{Stop: func() error { <-hang; return nil }})
		for _, name := range []string{"hangs", "works"} {
			r.create(name, store.Started)
		}
		synctest.Wait()
		begin := time.Now()
		r.stop()
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("the shutdown took %v, want the 5s that connectors have", took)
		}
		r.expect(map[string]string{
			"hangs": "RUNNING UNASSIGNED", "works": "RUNNING UNASSIGNED", "hangs-0": "RUNNING UNASSIGNED", "works-0": "RUNNING UNASSIGNED",
		})
		r.reconfigure("works")
		r.expect(map[string]string{"works": "", "works-0": ""})
	})
}
