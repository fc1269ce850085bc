package herder

import (
	"context"
	"errors"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// ReadOffsets returns the offsets of a connector of the catalog, whatever its state.
func ReadOffsets(ctx context.Context, w *worker.Worker, catalog Catalog, name string) ([]store.PartitionOffset, error) {
	c, ok := catalog.Connector(name)
	if !ok {
		return nil, errorf(NotFound, "Connector %s not found", name)
	}
	offsets, err := w.ConnectorOffsets(ctx, name, c.Config.Props())
	if err != nil {
		return nil, offsetsError(ctx, "reading offsets of connector "+name, err)
	}
	return offsets, nil
}

// ChangeOffsets changes the offsets of a connector of the catalog, which must have been stopped and have no tasks. The caller keeps others from
// changing the connector meanwhile. It returns what users are told about the success.
func ChangeOffsets(ctx context.Context, catalog Catalog, name string, change func(connect.Props) (message string, err error)) (string, error) {
	c, ok := catalog.Connector(name)
	if !ok {
		return "", errorf(NotFound, "Connector %s not found", name)
	}
	if c.Target != store.Stopped || len(c.Tasks) > 0 {
		return "", errorf(BadRequest, "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified "+
			"connector by issuing a 'PUT' request to the '/connectors/%s/stop' endpoint", name)
	}
	message, err := change(c.Config.Props())
	if err != nil {
		return "", offsetsError(ctx, "modifying offsets for connector "+name, err)
	}
	return message, nil
}

// offsetsError sorts an error of the worker.
func offsetsError(ctx context.Context, what string, err error) error {
	if bad, ok := errors.AsType[worker.BadOffsetsError](err); ok {
		return errorf(BadRequest, "%s", bad)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Kind: Timeout, Message: "Request timed out. The worker is currently " + what, Cause: err}
	}
	return internal(err)
}

// Offsets returns the offsets of a connector.
func (h *Standalone) Offsets(ctx context.Context, name string) ([]store.PartitionOffset, error) {
	return ReadOffsets(ctx, h.Worker, h.Config, name)
}

// AlterOffsets changes offsets of a stopped connector; a null offset removes the partition's. It returns what users are told about the
// success.
func (h *Standalone) AlterOffsets(ctx context.Context, name string, offsets []store.PartitionOffset) (message string, err error) {
	return h.changeOffsets(ctx, name, func(props connect.Props) (string, error) { return h.Worker.AlterOffsets(ctx, name, props, offsets) })
}

// ResetOffsets forgets the offsets of a stopped connector. It returns what users are told about the success.
func (h *Standalone) ResetOffsets(ctx context.Context, name string) (message string, err error) {
	return h.changeOffsets(ctx, name, func(props connect.Props) (string, error) { return h.Worker.ResetOffsets(ctx, name, props) })
}

func (h *Standalone) changeOffsets(ctx context.Context, name string, change func(connect.Props) (string, error)) (string, error) {
	leave, err := h.lanes.Enter(ctx, name)
	if err != nil {
		return "", err
	}
	defer leave()
	return ChangeOffsets(ctx, h.Config, name, change)
}
