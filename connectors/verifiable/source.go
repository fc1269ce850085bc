package verifiable

import (
	"context"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// completeSchema is the schema of records that have all that is printed about them.
var completeSchema = data.NewStructBuilder().
	Field("name", data.StringSchema).
	Field("task", data.Int32Schema).
	Field("topic", data.StringSchema).
	Field("time_ms", data.Int64Schema).
	Field("seqno", data.Int64Schema).
	MustBuild()

// sourceTask prints a line when it makes a record, and another one when the record is acknowledged.
type sourceTask struct {
	sequence
	name     string
	complete bool
	head     []byte // what all lines begin with
	acked    []byte // the buffer of Acked, which may be called during a Poll
}

var (
	_ connect.SourceTask = (*sourceTask)(nil)
	_ connect.Acker      = (*sourceTask)(nil)
)

func (t *sourceTask) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	s := &settings{Props: p}
	throughput := t.configure(s)
	t.name, t.complete = p[keyName], s.flag(keyCompleteRecordData)
	if err := s.invalid("VerifiableSourceTask"); err != nil {
		return err
	}
	t.head = appendMember(nil, `{"name":`, data.String(t.name))
	t.head = appendMember(t.head, `,"task":`, data.Int32(t.id))
	t.head = appendMember(t.head, `,"topic":`, data.String(t.topic))
	return t.start(ctx, tc, throughput)
}

func (t *sourceTask) Poll(ctx context.Context, out *connect.Batch) error {
	allowed := t.pace(ctx, t.done())
	now := time.Now().UnixMilli()
	t.lines = t.lines[:0]
	for t.done() < allowed && !out.Full() {
		r := t.add(out)
		r.KeySchema, r.Key = data.Int32Schema, data.Int32(t.id)
		r.ValueSchema, r.Value = data.Int64Schema, data.Int64(t.seqno)
		if t.complete {
			r.ValueSchema, r.Value = completeSchema, t.completeValue(out.Slab(), now)
		}
		t.lines = append(t.appendLine(t.lines, now, t.seqno), "}\n"...)
		t.seqno++
	}
	return t.out.print(t.lines)
}

func (t *sourceTask) completeValue(slab *data.Slab, now int64) data.Value {
	v := slab.Struct(completeSchema)
	v.Set(0, data.String(t.name))
	v.Set(1, data.Int32(t.id))
	v.Set(2, data.String(t.topic))
	v.Set(3, data.Int64(now))
	v.Set(4, data.Int64(t.seqno))
	return v.Value()
}

// Acked takes the number of a record from its offset, as transforms may have changed its value.
func (t *sourceTask) Acked(_ context.Context, acks []connect.Ack) error {
	now := time.Now().UnixMilli()
	t.acked = t.acked[:0]
	for i := range acks {
		seqno := acks[i].Record.SourceOffset.Struct().At(0).Int64()
		t.acked = append(t.appendLine(t.acked, now, seqno), `,"committed":true}`+"\n"...)
	}
	return t.out.print(t.acked)
}

// appendLine appends a line up to the number of a record.
func (t *sourceTask) appendLine(dst []byte, now, seqno int64) []byte {
	dst = append(append(dst, t.head...), `,"time_ms":`...)
	dst = append(strconv.AppendInt(dst, now, 10), `,"seqno":`...)
	return strconv.AppendInt(dst, seqno, 10)
}
