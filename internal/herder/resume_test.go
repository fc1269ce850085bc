package herder

import (
	"testing"
	"testing/synctest"

	"github.com/millrace-io/millrace/internal/store"
)

func TestResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		tasks := []store.Config{store.NewConfig(map[string]string{"task.class": "test.ScriptTask"})}
		unknown := cfg("unknown")
		unknown.Set("connector.class", "no.such.Class")
		for name, c := range map[string]store.ConnectorState{
			"a-unknown": {Config: unknown, Target: store.Started},
			"paused":    {Config: cfg("paused"), Target: store.Paused, Tasks: tasks},
			"running":   {Config: cfg("running"), Target: store.Started, Tasks: tasks},
			"stopped":   {Config: cfg("stopped"), Target: store.Stopped},
		} {
			if err := r.Config.Put(name, c); err != nil {
				t.Fatal(err)
			}
		}
		r.Resume(t.Context())
		r.expect(map[string]string{
			"a-unknown": "FAILED",
			"paused":    "PAUSED", "paused-0": "PAUSED",
			"running": "RUNNING", "running-0": "RUNNING",
			"stopped": "STOPPED", "stopped-0": "",
		})
		if err := r.SetTarget(t.Context(), "paused", store.Started); err != nil {
			t.Fatal(err)
		}
		if got := r.taskStarts("paused"); got != 1 {
			t.Errorf("the resumed task has begun %d times, want once", got)
		}
	})
}
