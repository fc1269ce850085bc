package conntest_test

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

// lanes is the number of source partitions of a memory.
const lanes = 2

// memory is a source: numbers in lanes.
type memory struct {
	mu      sync.Mutex // guards the rest
	items   [lanes][]int
	changed chan struct{} // closed when items are added

	release chan struct{} // ends what a broken connector leaves behind
}

func newMemory() *memory {
	return &memory{changed: make(chan struct{}), release: make(chan struct{})}
}

func (m *memory) produce(from, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := from; i < from+n; i++ {
		m.items[i%lanes] = append(m.items[i%lanes], i)
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return nil
}

// after returns the items of a lane from a position on, and a channel that is closed when there are more.
func (m *memory) after(lane, position int) ([]int, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]int(nil), m.items[lane][position:]...), m.changed
}

func itemText(n int) string { return fmt.Sprintf("item %d", n) }

func itemNumber(r connect.SourceRecord) (int, error) {
	text, ok := strings.CutPrefix(r.Value.Str(), "item ")
	if !ok {
		return 0, fmt.Errorf("value %q", r.Value)
	}
	return strconv.Atoi(text)
}

// sourceOptions make a memory connector a broken one; the zero value is a good one.
type sourceOptions struct {
	task      func(t *memTask) connect.SourceTask
	connector func(c *memConnector) connect.SourceConnector
}

func (o sourceOptions) plugin(m *memory) connect.Plugin {
	return connect.Plugin{
		Class:     "org.example.MemoryConnector",
		TaskClass: "org.example.MemoryTask",
		Version:   "1",
		Def:       config.New(),
		Source: func() connect.SourceConnector {
			c := &memConnector{m: m, options: o}
			if o.connector != nil {
				return o.connector(c)
			}
			return c
		},
	}
}

func (o sourceOptions) sourceCase(m *memory) conntest.SourceCase {
	return conntest.SourceCase{
		Plugin: o.plugin(m),
		Limit:  shortLimit,
		Setup: func(conntest.TB) conntest.SourceEnv {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.items = [lanes][]int{}
			return conntest.SourceEnv{Props: connect.Props{"k": "v"}, Produce: m.produce, Number: itemNumber}
		},
	}
}

type memConnector struct {
	m       *memory
	options sourceOptions
	props   connect.Props
}

func (c *memConnector) Start(_ context.Context, _ *connect.ConnectorContext, p connect.Props) error {
	c.props = p
	return nil
}

func (c *memConnector) TaskConfigs(context.Context, int) ([]connect.Props, error) {
	return []connect.Props{c.props}, nil
}

func (c *memConnector) NewTask() connect.SourceTask {
	t := &memTask{m: c.m}
	if c.options.task != nil {
		return c.options.task(t)
	}
	return t
}

func (c *memConnector) Stop(context.Context) error { return nil }

// memTask is a good task.
type memTask struct {
	m        *memory
	lanes    [lanes]*connect.SourcePartition
	position [lanes]int
}

func (t *memTask) Start(ctx context.Context, tc *connect.SourceTaskContext, _ connect.Props) error {
	for i := range t.lanes {
		t.lanes[i] = tc.Partition(map[string]any{"lane": i})
		v, err := tc.Offset(ctx, t.lanes[i], "next")
		if err != nil {
			return err
		}
		t.position[i] = int(v.Int64())
	}
	return nil
}

func (t *memTask) Poll(ctx context.Context, out *connect.Batch) error {
	for {
		changed := t.take(out)
		if out.Len() > 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *memTask) take(out *connect.Batch) (changed <-chan struct{}) {
	for lane := range lanes {
		var items []int
		items, changed = t.m.after(lane, t.position[lane])
		for _, n := range items {
			t.position[lane]++
			fillRecord(out.Add(), out.Slab(), t.lanes[lane], n, t.position[lane])
		}
	}
	return changed
}

func fillRecord(r *connect.SourceRecord, slab *data.Slab, p *connect.SourcePartition, n, next int) {
	r.Topic = "numbers"
	r.ValueSchema, r.Value = data.StringSchema, slab.String([]byte(itemText(n)))
	r.SourcePartition = p
	m := slab.Map(1)
	m.Put(data.String("next"), data.Int64(int64(next)))
	r.SourceOffset = m.Value()
}

func (t *memTask) Stop(context.Context) error { return nil }

// Good connectors with more abilities.

type ackingTask struct {
	*memTask
	mu sync.Mutex // guards acked
	n  int
}

func (t *ackingTask) Acked(_ context.Context, acks []connect.Ack) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n += len(acks)
	return nil
}

func (t *ackingTask) Commit(context.Context) error { return nil }

type ableConnector struct{ *memConnector }

func (c ableConnector) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (c ableConnector) Validate(context.Context, connect.Props) []config.Value { return nil }

func (c ableConnector) AlterOffsets(context.Context, connect.Props, []connect.SourceOffset) (bool, error) {
	return true, nil
}

// flakyTask fails every other poll in a way that passes.
type flakyTask struct {
	*memTask
	polls int
}

func (t *flakyTask) Poll(ctx context.Context, out *connect.Batch) error {
	if t.polls++; t.polls%2 == 0 {
		return connect.Retriable(fmt.Errorf("source is away"))
	}
	return t.memTask.Poll(ctx, out)
}

// sequence is the memory as a sequence, for SourceFunc. It has one partition.
func sequence(m *memory) func(context.Context, *connect.SourceTaskContext, connect.Props) (iter.Seq2[connect.SourceRecord, error], error) {
	return func(ctx context.Context, tc *connect.SourceTaskContext, _ connect.Props) (iter.Seq2[connect.SourceRecord, error], error) {
		good := &memTask{m: m}
		if err := good.Start(ctx, tc, nil); err != nil {
			return nil, err
		}
		return func(yield func(connect.SourceRecord, error) bool) {
			for ctx.Err() == nil {
				batch := connect.NewBatch(1)
				if err := good.Poll(ctx, batch); err != nil {
					yield(connect.SourceRecord{}, err)
					return
				}
				for _, r := range batch.Records() {
					if !yield(r, nil) {
						return
					}
				}
			}
		}, nil
	}
}
