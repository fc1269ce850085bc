package worker

import (
	"context"
	"errors"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/store"
)

// BadOffsetsError refuses offsets that a connector of this kind cannot have. It is its text for users.
type BadOffsetsError string

// Error implements error.
func (e BadOffsetsError) Error() string { return string(e) }

// ConnectorOffsets returns the offsets of a connector, running or not: of a source all that are stored, of a sink those that its consumer
// group has committed, in the order of topics and partitions.
func (w *Worker) ConnectorOffsets(ctx context.Context, name string, props connect.Props) ([]store.PartitionOffset, error) {
	p, err := w.Plugins.Connector(props[ConnectorClassKey])
	if err != nil {
		return nil, err
	}
	if p.Sink != nil {
		return w.sinkOffsets(ctx, name, props)
	}
	offsets, closeOffsets, err := w.offsetsOf(ctx, name, event.NoTask, props)
	if err != nil {
		return nil, err
	}
	defer closeOffsets()
	return offsets.Partitions(ctx, name)
}

// AlterOffsets changes offsets of a connector whose tasks have stopped everywhere, after asking the connector. A null offset removes the
// partition's; of entries for the same partition the last counts. It returns what users are told about the success, which depends on
// whether the connector has more to it than what the worker stores (KIP-875). The error is a [BadOffsetsError] for offsets that are none;
// after others, some offsets may have been changed.
func (w *Worker) AlterOffsets(ctx context.Context, name string, props connect.Props, offsets []store.PartitionOffset) (message string, err error) {
	p, err := w.Plugins.Connector(props[ConnectorClassKey])
	if err != nil {
		return "", err
	}
	if p.Sink != nil {
		return w.alterSink(ctx, p, name, props, offsets)
	}
	return w.changeSource(ctx, p, name, props, alter, func(store.Offsets) ([]store.PartitionOffset, error) { return offsets, nil })
}

// ResetOffsets forgets all offsets of a connector, as [Worker.AlterOffsets] with a null for each that is known. It succeeds if there
// are none.
func (w *Worker) ResetOffsets(ctx context.Context, name string, props connect.Props) (message string, err error) {
	p, err := w.Plugins.Connector(props[ConnectorClassKey])
	if err != nil {
		return "", err
	}
	if p.Sink != nil {
		return w.resetSink(ctx, p, name, props)
	}
	return w.changeSource(ctx, p, name, props, reset, func(offsets store.Offsets) ([]store.PartitionOffset, error) {
		known, err := offsets.Partitions(ctx, name)
		for i := range known {
			known[i].Offset = data.Null
		}
		return known, err
	})
}

// change is a way to change offsets.
type change struct{ infinitive, participle string }

var (
	alter = change{"alter", "altered"}
	reset = change{"reset", "reset"}
)

// done returns what users are told when the connector needs no more than what the worker has done, or may need more.
func (c change) done(complete bool) string {
	if complete {
		return "The offsets for this connector have been " + c.participle + " successfully"
	}
	return "The Connect framework-managed offsets for this connector have been " + c.participle + " successfully. However, if this connector manages " +
		"offsets externally, they will need to be manually " + c.participle + " in the system that the connector uses."
}

// changeSource asks the connector for its opinion on offsets and then stores them.
func (w *Worker) changeSource(ctx context.Context, p *connect.Plugin, name string, props connect.Props, c change, wanted func(store.Offsets) ([]store.PartitionOffset, error)) (string, error) {
	offsets, closeOffsets, err := w.offsetsOf(ctx, name, event.NoTask, props)
	if err != nil {
		return "", err
	}
	defer closeOffsets()
	entries, err := wanted(offsets)
	if err != nil {
		return "", err
	}
	entries, err = lastOfEach(entries)
	if err != nil {
		return "", err
	}
	complete, err := consult(name, func() (bool, error) {
		alterer, ok := p.Source().(connect.SourceOffsetAlterer)
		if !ok {
			return false, nil
		}
		asked := make([]connect.SourceOffset, len(entries))
		for i, e := range entries {
			asked[i] = connect.SourceOffset{Partition: e.Partition.Clone(), Offset: e.Offset.Clone()}
		}
		return alterer.AlterOffsets(ctx, props, asked)
	})
	if err != nil || len(entries) == 0 {
		return c.done(complete), err
	}
	changes := make([]store.OffsetChange, len(entries))
	for i, e := range entries {
		changes[i] = store.OffsetChange{Partition: fieldsOf(e.Partition), Offset: e.Offset}
	}
	if err := offsets.Set(ctx, name, changes); err != nil {
		return "", err
	}
	return c.done(complete), nil
}

// consult calls a connector's hook.
func consult(name string, hook func() (bool, error)) (complete bool, err error) {
	err = event.Guard(func() (err error) { complete, err = hook(); return err })
	if errors.Is(err, errors.ErrUnsupported) {
		return false, connect.NewError("Failed to modify offsets for connector "+name+" because it doesn't support external modification of offsets", nil)
	}
	return complete, err
}

// lastOfEach checks entries and drops all but the last for each partition.
func lastOfEach(entries []store.PartitionOffset) ([]store.PartitionOffset, error) {
	at := make(map[string]int, len(entries))
	var out []store.PartitionOffset
	for _, e := range entries {
		for _, v := range []data.Value{e.Partition, e.Offset} {
			if err := checkScalars(v); err != nil {
				return nil, err
			}
		}
		id := e.ID()
		if i, ok := at[id]; ok {
			out[i] = e
			continue
		}
		at[id] = len(out)
		out = append(out, e)
	}
	return out, nil
}

// checkScalars refuses what is neither null nor a MAP of scalars.
func checkScalars(v data.Value) error {
	if v.IsNull() {
		return nil
	}
	if v.Kind() != data.KindMap {
		return data.Errorf("Offsets must be specified as a Map")
	}
	for _, e := range v.Map().Entries() {
		if k := e.Value.Kind(); k > data.KindBytes {
			return data.Errorf("Offsets may only contain primitive types as values, but field %s contains %s", e.Key.Str(), k)
		}
	}
	return nil
}

// fieldsOf returns a MAP of scalars as the map that stores take, nil for null.
func fieldsOf(partition data.Value) map[string]any {
	if partition.IsNull() {
		return nil
	}
	out := make(map[string]any, partition.Map().Len())
	for _, e := range partition.Map().Entries() {
		out[e.Key.Str()] = scalarOf(e.Value)
	}
	return out
}

func scalarOf(v data.Value) any {
	switch v.Kind() {
	case data.KindBoolean:
		return v.Bool()
	case data.KindFloat32:
		return v.Float32()
	case data.KindFloat64:
		return v.Float64()
	case data.KindString:
		return v.Str()
	case data.KindBytes:
		return v.Bytes()
	case data.KindNull:
		return nil
	default:
		return v.Int64()
	}
}
