package datagen

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/generator"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// Names in headers and offsets, which stored offsets of the original have, too.
const (
	fieldGeneration = "task.generation"
	fieldIteration  = "current.iteration"
	fieldSeed       = "random.seed"
)

// offsetSchema describes the state that the next life of the task starts from.
var offsetSchema = data.NewBuilder(data.TypeStruct).
	Field(fieldGeneration, data.Int64Schema).Field(fieldIteration, data.Int64Schema).Field(fieldSeed, data.Int64Schema).MustBuild()

// pause waits before a record for a random time up to the longest one; made is how many records the task has made. It
// returns false if ctx has ended before.
type pause func(ctx context.Context, timer *time.Timer, longest time.Duration, made int64) bool

func randomPause(ctx context.Context, timer *time.Timer, longest time.Duration, _ int64) bool {
	timer.Reset(rand.N(longest))
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		timer.Stop()
		return false
	}
}

// task makes up records.
type task struct {
	pause pause

	topic    string
	interval time.Duration
	limit    int64 // of records; endless if less than 1
	key      int

	valueSchema, keySchema *data.Schema
	partition              *connect.SourcePartition
	id                     int64
	generation             int64 // lives of the task before this one
	count                  int64 // records made in all lives

	random    *random.Random
	generator *generator.Generator
	timer     *time.Timer
}

func (t *task) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	v, err := def.Parse(p)
	if err != nil {
		return err
	}
	s, err := loadShape(v)
	if err != nil {
		return err
	}
	if t.id, err = strconv.ParseInt(p[keyTask], 10, 32); err != nil {
		return config.Invalid(keyTask, p[keyTask], "the number of the task is expected; the connector sets it")
	}
	t.topic, t.limit, t.key = topic.Of(v), int64(iterations.Of(v)), s.key
	t.interval = time.Duration(min(interval.Of(v), int64(time.Duration(1<<63-1)/time.Millisecond))) * time.Millisecond
	t.valueSchema, t.keySchema = s.Schema(), data.OptionalStringSchema
	if t.key != noKey {
		t.keySchema = s.Schema().Fields()[t.key].Schema
	}
	t.partition = tc.Partition(map[string]any{keyTask: t.id})
	if err := t.seed(ctx, tc, v); err != nil {
		return err
	}
	t.generator = s.New(t.random)
	t.generator.Skip(t.count)
	t.timer = time.NewTimer(0) // one for all pauses
	return nil
}

// seed prepares the random numbers: as the last life of the task left them, or else as random.seed says, with other numbers for
// each task.
func (t *task) seed(ctx context.Context, tc *connect.SourceTaskContext, v config.Values) error {
	stored, err := tc.Offsets(ctx, t.partition)
	if err != nil {
		return fmt.Errorf("read the stored offset: %w", err)
	}
	if !stored[0].IsNull() {
		return t.restore(stored[0])
	}
	start, ok := seed.Lookup(v)
	if !ok {
		start = rand.Int64()
	}
	t.random = random.New(start)
	for range t.id {
		t.random.Seed(t.random.NextInt64())
	}
	return nil
}

func (t *task) restore(offset data.Value) error {
	var state [3]int64
	for i, name := range []string{fieldGeneration, fieldIteration, fieldSeed} {
		v := offset.Map().GetString(name)
		if v.Kind() != data.KindInt64 {
			return connect.NewError(fmt.Sprintf("the stored offset of %s has %s=%s, and an integer is expected; alter or reset the connector's offsets",
				t.partition, name, v), nil)
		}
		state[i] = v.Int64()
	}
	t.generation, t.count = state[0], state[1]
	t.random = random.New(state[2])
	return nil
}

func (t *task) Poll(ctx context.Context, out *connect.Batch) error {
	if t.limit > 0 && t.count >= t.limit {
		return connect.NewError(fmt.Sprintf("Stopping connector: generated the configured %d number of messages", t.limit), nil)
	}
	if t.interval > 0 {
		if t.pause(ctx, t.timer, t.interval, t.count) {
			t.add(out)
		}
		return nil
	}
	for !out.Full() && (t.limit <= 0 || t.count < t.limit) {
		t.add(out)
	}
	return nil
}

// add makes up the next record. The order of draws is the original's.
func (t *task) add(out *connect.Batch) {
	slab := out.Slab()
	r := out.Add()
	r.Topic, r.SourcePartition = t.topic, t.partition
	r.ValueSchema, r.Value = t.valueSchema, t.generator.Next(slab)
	r.KeySchema = t.keySchema
	if t.key != noKey {
		r.Key = r.Value.Struct().At(t.key)
	}
	next := t.random.NextInt64()
	t.random.Seed(next)

	r.Headers = out.Headers(3)
	r.Headers[0] = connect.Header{Key: fieldGeneration, Schema: data.Int64Schema, Value: data.Int64(t.generation)}
	r.Headers[1] = connect.Header{Key: keyTask, Schema: data.Int64Schema, Value: data.Int64(t.id)}
	r.Headers[2] = connect.Header{Key: fieldIteration, Schema: data.Int64Schema, Value: data.Int64(t.count)}
	t.count++
	offset := slab.Struct(offsetSchema)
	offset.Set(0, data.Int64(t.generation+1))
	offset.Set(1, data.Int64(t.count))
	offset.Set(2, data.Int64(next))
	r.SourceOffset = offset.Value()
}

func (t *task) Stop(context.Context) error { return nil }
