package herder

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/store"
)

// waits is a start that lasts until the channel is closed.
func waits(until <-chan struct{}) func(context.Context) error {
	return func(context.Context) error { <-until; return nil }
}

func TestASlowConnectorDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		hooks func(release <-chan struct{}) hooks
		slow  func(t *testing.T, r *rig) error // what takes long
	}{
		{"start", func(release <-chan struct{}) hooks { return hooks{Start: waits(release)} }, func(t *testing.T, r *rig) error {
			_, _, err := r.Put(t.Context(), "slow", cfg("slow"), store.Started, false)
			return err
		}},
		{"stop", func(release <-chan struct{}) hooks {
			return hooks{Stop: func() error { <-release; return nil }}
		}, func(t *testing.T, r *rig) error {
			r.create("slow", store.Started)
			return r.Delete(t.Context(), "slow")
		}},
		{"task configurations", func(release <-chan struct{}) hooks {
			return hooks{Tasks: func(int) ([]connect.Props, error) { <-release; return nil, nil }}
		}, func(t *testing.T, r *rig) error {
			_, _, err := r.Put(t.Context(), "slow", cfg("slow"), store.Started, false)
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				release := make(chan struct{})
				r.set("slow", tc.hooks(release))
				done := make(chan error, 1)
				go func() { done <- tc.slow(t, r) }()
				synctest.Wait()
				begin := time.Now()
				r.create("quick", store.Started)
				r.update("quick", "x", "y")
				r.must(r.SetTarget(t.Context(), "quick", store.Paused))
				_, err := r.Restart(t.Context(), "quick", Restart{IncludeTasks: true})
				r.must(err)
				r.status("quick")
				r.must(r.Delete(t.Context(), "quick"))
				if took := time.Since(begin); took != 0 {
					t.Errorf("the other connector waited %v", took)
				}
				select {
				case err := <-done:
					t.Fatalf("the slow connector did not wait: %v", err)
				default:
				}
				close(release)
				r.must(<-done)
			})
		})
	}
}

func TestChangesOfOneConnectorComeOneAfterTheOther(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		release := make(chan struct{})
		r.set("c", hooks{Start: waits(release)})
		done := make(chan error, 2)
		go func() {
			_, _, err := r.Put(t.Context(), "c", cfg("c"), store.Started, false)
			done <- err
		}()
		synctest.Wait()
		go func() { done <- r.SetTarget(t.Context(), "c", store.Paused) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if kind, text := kindOf(r.Delete(ctx, "c")); kind != Timeout || text != "Request timed out" {
			t.Errorf("Delete: kind %d, %q; want a timeout, because others are at it", kind, text)
		}
		if names := r.Connectors(); len(names) != 1 {
			t.Errorf("connectors %v, want the one being made", names)
		}
		close(release)
		r.must(<-done)
		r.must(<-done)
		r.expect(map[string]string{"c": "RUNNING PAUSED"})
	})
}

func TestTasksFollowAStartThatTookTooLong(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(release <-chan struct{}) hooks{
		"start": func(release <-chan struct{}) hooks { return hooks{Start: waits(release)} },
		"task configurations": func(release <-chan struct{}) hooks {
			return hooks{Tasks: func(int) ([]connect.Props, error) { <-release; return tasks("c", 1) }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				release := makeRelease()
				r.set("c", make(release))
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				if _, _, err := r.Put(ctx, "c", cfg("c"), store.Started, false); err == nil {
					t.Fatal("Put did not time out")
				}
				close(release)
				time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock: a pause between two tries may pass
				r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})
				if n := r.taskStarts("c"); n != 1 {
					t.Errorf("the task was started %d times, want once", n)
				}
			})
		})
	}
}

func makeRelease() chan struct{} { return make(chan struct{}) }

// TestDeleteOfAConnectorThatHangs holds that no work in the background keeps a connector for ever from being deleted.
func TestDeleteOfAConnectorThatHangs(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]func(t *testing.T, r *rig, release <-chan struct{}){
		"in start": func(t *testing.T, r *rig, release <-chan struct{}) {
			r.set("c", hooks{Start: waits(release)})
			_, err := r.Restart(t.Context(), "c", Restart{IncludeTasks: true})
			r.must(err)
		},
		"in task configurations": func(_ *testing.T, r *rig, release <-chan struct{}) {
			r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { <-release; return nil, nil }})
			r.context("c").RequestReconfiguration()
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				release := makeRelease()
				defer close(release)
				r.create("c", store.Started)
				hang(t, r, release)
				synctest.Wait()
				begin := time.Now()
				r.must(r.Delete(t.Context(), "c"))
				if took := time.Since(begin); took > 100*time.Second {
					t.Errorf("the deletion took %v", took)
				}
				if _, err := r.ConnectorStatus("c"); err == nil || len(r.Connectors()) != 0 {
					t.Error("the connector is still there")
				}
			})
		})
	}
}

func TestReconfigurationOnRequest(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var n, asked atomic.Int64
		n.Store(1)
		r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { asked.Add(1); return tasks("c", int(n.Load())) }})
		r.create("c", store.Started, "tasks.max", "9")
		r.expect(map[string]string{"c-0": "RUNNING"})
		r.context("c").RequestReconfiguration()
		r.expect(map[string]string{"c-0": ""}) // nothing has changed
		n.Store(3)
		r.context("c").RequestReconfiguration()
		r.expect(map[string]string{"c-0": "UNASSIGNED RUNNING", "c-1": "RUNNING", "c-2": "RUNNING"})
		n.Store(1)
		r.context("c").RequestReconfiguration()
		r.expect(map[string]string{"c-0": "UNASSIGNED RUNNING", "c-1": "UNASSIGNED DESTROYED", "c-2": "UNASSIGNED DESTROYED"})
		if asked.Load() != 4 {
			t.Errorf("asked for task configurations %d times, want 4", asked.Load())
		}
		for _, target := range []store.TargetState{store.Paused, store.Stopped} {
			r.must(r.SetTarget(t.Context(), "c", target))
			r.context("c").RequestReconfiguration()
			synctest.Wait()
		}
		if asked.Load() != 4 {
			t.Errorf("a connector that does not run was asked for task configurations")
		}
		old := r.context("c")
		r.must(r.Delete(t.Context(), "c"))
		old.RequestReconfiguration()
		synctest.Wait()
		if asked.Load() != 4 {
			t.Errorf("a deleted connector was asked for task configurations")
		}
	})
}

func TestReconfigurationFromStart(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set("c", hooks{Start: func(context.Context) error { r.context("c").RequestReconfiguration(); return nil }})
		r.create("c", store.Started)
		r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})
	})
}

func TestReconfigurationIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.create("c", store.Started, "tasks.max", "2")
		r.course("c-0")
		var asked atomic.Int64
		r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) {
			if asked.Add(1) <= 4 {
				return nil, errBroken
			}
			return tasks("c", 2)
		}})
		begin := time.Now()
		for range 5 {
			r.context("c").RequestReconfiguration() // all of them together are one
		}
		for range 100 {
			if synctest.Wait(); asked.Load() == 5 {
				break
			}
			time.Sleep(250 * time.Millisecond) //nolint:forbidigo // the bubble's clock
		}
		if took := time.Since(begin); asked.Load() != 5 || took < 3*time.Second || took > 5*time.Second {
			t.Errorf("asked %d times in %v, want 5 with pauses of 250 ms, doubled", asked.Load(), took)
		}
		r.expect(map[string]string{"c-0": "UNASSIGNED RUNNING", "c-1": "RUNNING"})
	})
}

// TestOthersGetTheirTurnBetweenTries holds that a connector whose task configurations fail for ever can be changed.
func TestOthersGetTheirTurnBetweenTries(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var asked atomic.Int64
		r.create("c", store.Started)
		r.set("c", hooks{Tasks: func(int) ([]connect.Props, error) { asked.Add(1); return nil, errBroken }})
		r.context("c").RequestReconfiguration()
		time.Sleep(10 * time.Minute) //nolint:forbidigo // the bubble's clock: the pauses are long by now
		if n := asked.Load(); n < 10 || n > 30 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		begin := time.Now()
		r.must(r.SetTarget(t.Context(), "c", store.Paused))
		r.must(r.Delete(t.Context(), "c"))
		if took := time.Since(begin); took != 0 {
			t.Errorf("pausing and deleting waited %v", took)
		}
		before := asked.Load()
		time.Sleep(10 * time.Minute) //nolint:forbidigo // the bubble's clock
		if asked.Load() != before {
			t.Error("a deleted connector was asked for task configurations")
		}
	})
}

func TestNoTriesOfAFailedConnector(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.create("c", store.Stopped)
		r.set("c", hooks{Start: func(context.Context) error { return errBroken }})
		r.must(r.SetTarget(t.Context(), "c", store.Started))
		r.expect(map[string]string{"c": "STOPPED FAILED"})
		if len(r.wanted) != 0 {
			t.Error("task configurations of a failed connector are still wanted")
		}
	})
}
