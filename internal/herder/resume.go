package herder

import (
	"context"

	"github.com/millrace-io/millrace/internal/store"
)

// Resume starts the connectors that the config store has already, in their target states, before any other call. One that
// cannot be started is FAILED and does not keep the others from starting.
func (h *Standalone) Resume(ctx context.Context) {
	for _, name := range h.Config.Names() {
		err := h.alone(ctx, name, func(ctx context.Context) error { return h.resume(ctx, name) })
		if err != nil && ctx.Err() == nil {
			h.Log.Error("a connector of an earlier run could not be started", "connector", name, "error", err)
		}
	}
}

func (h *Standalone) resume(ctx context.Context, name string) error {
	if err := h.start(ctx, name); err != nil {
		return err
	}
	c, _ := h.Config.Connector(name)
	if c.Target == store.Paused {
		for i := range c.Tasks {
			h.startTask(c, store.ConnectorTaskID{Connector: name, Task: i})
		}
	}
	return nil
}
