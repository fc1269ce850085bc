package cluster

import (
	"context"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

// Offsets returns the offsets of a connector. Any worker can, with clients of its own.
func (h *Herder) Offsets(ctx context.Context, name string) ([]store.PartitionOffset, error) {
	return herder.ReadOffsets(ctx, h.Worker, h.Config.Snapshot(), name)
}

// AlterOffsets changes offsets of a stopped connector, on the leader; a null offset removes the partition's. It returns what users are
// told about the success.
func (h *Herder) AlterOffsets(ctx context.Context, name string, offsets []store.PartitionOffset) (message string, err error) {
	return h.changeOffsets(ctx, name, func(ctx context.Context, props connect.Props) (string, error) {
		return h.Worker.AlterOffsets(ctx, name, props, offsets)
	})
}

// ResetOffsets forgets the offsets of a stopped connector, on the leader. It returns what users are told about the success.
func (h *Herder) ResetOffsets(ctx context.Context, name string) (message string, err error) {
	return h.changeOffsets(ctx, name, func(ctx context.Context, props connect.Props) (string, error) {
		return h.Worker.ResetOffsets(ctx, name, props)
	})
}

// changeOffsets does nothing to the config topic, so that it has the time of the request. What others have written there before counts: the
// connector could have been resumed through another worker.
func (h *Herder) changeOffsets(ctx context.Context, name string, change func(context.Context, connect.Props) (string, error)) (message string, err error) {
	err = h.alone(ctx, name, func(ctx context.Context) error {
		if err := h.readToEnd(ctx); err != nil {
			const text = "Failed to read to end of config topic before modifying connector offsets"
			return &herder.Error{Kind: herder.Internal, Message: text, Cause: err}
		}
		message, err = herder.ChangeOffsets(ctx, h.Config.Snapshot(), name, func(props connect.Props) (string, error) { return change(ctx, props) })
		return err
	})
	return message, err
}
