package conntest_test

import (
	"context"
	"errors"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
)

// losingTask drops every seventh record.
type losingTask struct{ *memTask }

func (t losingTask) Poll(ctx context.Context, out *connect.Batch) error {
	good := connect.NewBatch(1)
	err := t.memTask.Poll(ctx, good)
	for _, r := range good.Records() {
		if n, _ := itemNumber(r); n%7 != 3 {
			*out.Add() = r
		}
	}
	return err
}

// reorderingTask delivers each batch backwards.
type reorderingTask struct{ *memTask }

func (t reorderingTask) Poll(ctx context.Context, out *connect.Batch) error {
	good := connect.NewBatch(1)
	err := t.memTask.Poll(ctx, good)
	recs := good.Records()
	for i := len(recs) - 1; i >= 0; i-- {
		*out.Add() = recs[i]
	}
	return err
}

// shiftedTask resumes some records before or after the stored offset.
type shiftedTask struct {
	*memTask
	by int
}

func (t shiftedTask) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	err := t.memTask.Start(ctx, tc, p)
	for i := range t.position {
		if t.position[i] > 0 {
			t.position[i] += t.by
		}
	}
	return err
}

// poppingTask removes from the source what it polls.
type poppingTask struct{ *memTask }

func (t poppingTask) Start(_ context.Context, tc *connect.SourceTaskContext, _ connect.Props) error {
	for i := range t.lanes {
		t.lanes[i] = tc.Partition(map[string]any{"lane": i})
	}
	return nil
}

func (t poppingTask) Poll(ctx context.Context, out *connect.Batch) error {
	err := t.memTask.Poll(ctx, out)
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	for lane := range lanes {
		t.m.items[lane], t.position[lane] = nil, 0
	}
	return err
}

// deafTask does not watch its context.
type deafTask struct{ *memTask }

func (t deafTask) Poll(_ context.Context, out *connect.Batch) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-t.m.release:
			cancel()
		case <-ctx.Done():
		}
	}()
	return t.memTask.Poll(ctx, out)
}

// stuckTask does not stop.
type stuckTask struct{ *memTask }

func (t stuckTask) Stop(context.Context) error {
	<-t.m.release
	return nil
}

// slowTask stops only when its context ends.
type slowTask struct{ *memTask }

func (t slowTask) Stop(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// slabTask keeps the slab of its first batch.
type slabTask struct {
	*memTask
	slab *data.Slab
}

func (t *slabTask) Poll(ctx context.Context, out *connect.Batch) error {
	good := connect.NewBatch(1)
	err := t.memTask.Poll(ctx, good)
	if t.slab == nil {
		t.slab = out.Slab()
	}
	for _, r := range good.Records() {
		r.Value = t.slab.String(r.Value.Bytes())
		*out.Add() = r
	}
	return err
}

// offsetTask makes its offsets in the slab of its first batch.
type offsetTask struct {
	*memTask
	slab *data.Slab
}

func (t *offsetTask) Poll(ctx context.Context, out *connect.Batch) error {
	err := t.memTask.Poll(ctx, out)
	if t.slab == nil {
		t.slab = out.Slab()
	}
	for i := range out.Records() {
		m := t.slab.Map(1)
		m.Put(data.String("next"), out.Records()[i].SourceOffset.Map().GetString("next"))
		out.Records()[i].SourceOffset = m.Value()
	}
	return err
}

// valueTask delivers each record with the poll after the one that read it, without copying its value.
type valueTask struct {
	*memTask
	kept []connect.SourceRecord
}

func (t *valueTask) Poll(ctx context.Context, out *connect.Batch) error {
	if len(t.kept) == 0 {
		good := connect.NewBatch(1)
		err := t.memTask.Poll(ctx, good)
		for _, r := range good.Records() {
			r.Value = out.Slab().String(r.Value.Bytes())
			t.kept = append(t.kept, r)
		}
		return err
	}
	for _, r := range t.kept {
		*out.Add() = r
	}
	t.kept = nil
	return nil
}

// batchTask keeps its first batch and adds the records of the next poll to it.
type batchTask struct {
	*memTask
	batch *connect.Batch
}

func (t *batchTask) Poll(ctx context.Context, out *connect.Batch) error {
	if t.batch == nil {
		t.batch = out
	}
	return t.memTask.Poll(ctx, t.batch)
}

// leakingTask leaves a goroutine behind.
type leakingTask struct{ *memTask }

func (t leakingTask) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	go func() { <-t.m.release }()
	return t.memTask.Start(ctx, tc, p)
}

// panickingTask panics when it has polled records.
type panickingTask struct{ *memTask }

func (t panickingTask) Poll(ctx context.Context, out *connect.Batch) error {
	err := t.memTask.Poll(ctx, out)
	if out.Len() > 0 {
		panic("cannot count to " + out.Records()[0].Value.Str())
	}
	return err
}

// panickingStopTask does not stand a Stop without a successful Start.
type panickingStopTask struct {
	*memTask
	started *int
}

func (t *panickingStopTask) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	if p["k"] == "" {
		return errors.New("k is missing")
	}
	t.started = new(int)
	return t.memTask.Start(ctx, tc, p)
}

func (t *panickingStopTask) Stop(context.Context) error {
	*t.started = 0
	return nil
}

// editingTask lets every record through edit.
type editingTask struct {
	*memTask
	edit func(r *connect.SourceRecord)
}

func (t editingTask) Poll(ctx context.Context, out *connect.Batch) error {
	err := t.memTask.Poll(ctx, out)
	for i := range out.Records() {
		t.edit(&out.Records()[i])
	}
	return err
}

// editing returns options whose task edits records.
func editing(edit func(r *connect.SourceRecord)) sourceOptions {
	return sourceOptions{task: func(t *memTask) connect.SourceTask { return editingTask{t, edit} }}
}

// lockedTask waits for a poll to end before it takes acknowledgements.
type lockedTask struct {
	*memTask
	busy chan struct{}
}

func (t *lockedTask) Poll(ctx context.Context, out *connect.Batch) error {
	t.busy <- struct{}{}
	defer func() { <-t.busy }()
	return t.memTask.Poll(ctx, out)
}

func (t *lockedTask) Acked(context.Context, []connect.Ack) error {
	select {
	case t.busy <- struct{}{}:
		<-t.busy
	case <-t.m.release:
	}
	return nil
}

// greedyConnector makes more task configurations than it may.
type greedyConnector struct{ *memConnector }

func (c greedyConnector) TaskConfigs(context.Context, int) ([]connect.Props, error) {
	return []connect.Props{c.props, c.props, c.props}, nil
}

// deafMonitor does not watch its context.
type deafMonitor struct{ *memConnector }

func (c deafMonitor) Run(context.Context) error {
	<-c.m.release
	return nil
}

// failingMonitor finds something wrong.
type failingMonitor struct{ *memConnector }

func (c failingMonitor) Run(context.Context) error { return errors.New("the tables are gone") }

// raisingConnector says that it has failed.
type raisingConnector struct{ *memConnector }

func (c raisingConnector) Start(ctx context.Context, cc *connect.ConnectorContext, p connect.Props) error {
	cc.RaiseError(errors.New("no tables"))
	return c.memConnector.Start(ctx, cc, p)
}

// refusingConnector finds its own configuration wrong.
type refusingConnector struct{ *memConnector }

func (c refusingConnector) Validate(context.Context, connect.Props) []config.Value {
	return []config.Value{{Name: "good"}, {Name: "k", Errors: []string{"nobody knows v"}}}
}

// unplannedConnector has nothing to do.
type unplannedConnector struct{ *memConnector }

func (c unplannedConnector) TaskConfigs(context.Context, int) ([]connect.Props, error) {
	return nil, nil
}

// strictConnector refuses the offsets that its own task has made.
type strictConnector struct{ *memConnector }

func (c strictConnector) AlterOffsets(_ context.Context, _ connect.Props, offsets []connect.SourceOffset) (bool, error) {
	for _, o := range offsets {
		if o.Offset.Map().GetString("next").Kind() != data.KindInt32 {
			return false, errors.New("next must be an INT32")
		}
	}
	return true, nil
}

// plannedConnector makes tasks only after it was started, which on a worker is another instance.
type plannedConnector struct{ *memConnector }

func (c plannedConnector) NewTask() connect.SourceTask {
	if c.props == nil {
		return nil
	}
	return c.memConnector.NewTask()
}
