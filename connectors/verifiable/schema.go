package verifiable

import (
	"context"
	"math"
	"strconv"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// The two versions of the schema. The second has one more field, which readers of older records fill with its default.
var (
	schemaV1 = recordSchema(1)
	schemaV2 = recordSchema(2)
)

func recordSchema(version int32) *data.Schema {
	b := data.NewStructBuilder().Name("record").Version(version).
		Field("boolean", data.BooleanSchema).
		Field("int", data.Int32Schema).
		Field("long", data.Int64Schema).
		Field("float", data.Float32Schema).
		Field("double", data.Float64Schema).
		Field("partitioning", data.Int32Schema)
	if version == 2 {
		b.Field("string", data.NewBuilder(data.TypeString).Default(data.String("abc")).MustBuild())
	}
	return b.Field("id", data.Int32Schema).Field("seqno", data.Int64Schema).MustBuild()
}

// schemaTask makes a number of structs, whose fields have the same values in all of them but for the last ones. It
// prints a line for each.
type schemaTask struct {
	sequence
	most       int64 // records since the start
	both       bool  // versions of the schema
	partitions int64 // what the field for partitioners counts to
}

var _ connect.SourceTask = (*schemaTask)(nil)

func (t *schemaTask) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	s := &settings{Props: p}
	throughput := t.configure(s)
	t.most = s.anyNumber(keyNumMessages, "the number of records that each task makes after a start")
	t.both = s.flag(keyMultipleSchema)
	t.partitions = s.numberOr(1, keyPartitionCount, "the number of values of the field partitioning, at least 1", 1, math.MaxInt32)
	if err := s.invalid("SchemaSourceTask"); err != nil {
		return err
	}
	return t.start(ctx, tc, throughput)
}

// Poll has nothing more to do than to wait once all records are made.
func (t *schemaTask) Poll(ctx context.Context, out *connect.Batch) error {
	if t.done() >= t.most {
		<-ctx.Done()
		return nil
	}
	allowed := min(t.pace(ctx, t.done()), t.most)
	t.lines = t.lines[:0]
	for t.done() < allowed && !out.Full() {
		r := t.add(out)
		r.Partition = t.id
		r.KeySchema, r.Key = data.StringSchema, data.String("key")
		r.ValueSchema = schemaV1
		if t.both && t.done()%2 == 1 {
			r.ValueSchema = schemaV2
		}
		r.Value = t.value(out.Slab(), r.ValueSchema)
		t.appendLine()
		t.seqno++
	}
	return t.out.print(t.lines)
}

func (t *schemaTask) value(slab *data.Slab, schema *data.Schema) data.Value {
	v := slab.Struct(schema)
	for i, field := range []data.Value{
		data.Bool(true), data.Int32(12), data.Int64(12), data.Float32(12.2), data.Float64(12.2),
		data.Int32(int32(t.seqno % t.partitions)),
	} {
		v.Set(i, field)
	}
	last := len(schema.Fields()) - 1
	if schema == schemaV2 {
		v.Set(last-2, data.String("def"))
	}
	v.Set(last-1, data.Int32(t.id))
	v.Set(last, data.Int64(t.seqno))
	return v.Value()
}

// appendLine writes blanks as the original does, for the sake of tests that look for the text.
func (t *schemaTask) appendLine() {
	t.lines = strconv.AppendInt(append(t.lines, `{"task": `...), int64(t.id), 10)
	t.lines = strconv.AppendInt(append(t.lines, `, "seqno": `...), t.seqno, 10)
	t.lines = append(t.lines, "}\n"...)
}
