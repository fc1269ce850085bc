package verifiable

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// sinkTask prints a line for each record that is put, and the same again when its partition is flushed.
type sinkTask struct {
	out       *printer
	json      jsonText
	head      []byte // what all lines begin with
	middle    []byte // what follows after the key
	unflushed map[connect.TopicPartition][]line
	lines     []byte
}

// line is what is printed about a record but for the time, which comes at the cut.
type line struct {
	text []byte
	cut  int
}

var (
	_ connect.SinkTask    = (*sinkTask)(nil)
	_ connect.Flusher     = (*sinkTask)(nil)
	_ connect.Partitioned = (*sinkTask)(nil)
)

func (t *sinkTask) Start(_ context.Context, _ *connect.SinkTaskContext, p connect.Props) error {
	s := &settings{Props: p}
	id := s.taskID()
	if err := s.invalid("VerifiableSinkTask"); err != nil {
		return err
	}
	t.head = append(appendMember(nil, `{"name":`, data.String(p[keyName])), `,"task":`...)
	t.middle = appendMember(nil, `,"sinkTask":`, data.Int32(id))
	t.unflushed = make(map[connect.TopicPartition][]line)
	var err error
	t.json, err = newJSONText()
	return err
}

func (t *sinkTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	now := time.Now().UnixMilli()
	t.lines = t.lines[:0]
	lines := make([]line, len(recs))
	for i := range recs {
		lines[i] = t.describe(&recs[i])
		t.lines = append(lines[i].append(t.lines, now), "}\n"...)
	}
	if err := t.out.print(t.lines); err != nil {
		return err
	}
	for i := range recs {
		tp := recs[i].Original.TopicPartition
		t.unflushed[tp] = append(t.unflushed[tp], lines[i])
	}
	return nil
}

// describe makes the line of a record. The key of VerifiableSource's records is the task that they are from, the value
// their number.
func (t *sinkTask) describe(r *connect.SinkRecord) line {
	text := t.json.append(slices.Clone(t.head), r.KeySchema, r.Key)
	text = appendMember(append(text, t.middle...), `,"topic":`, data.String(r.Topic))
	cut := len(text)
	text = t.json.append(append(text, `,"seqno":`...), r.ValueSchema, r.Value)
	return line{appendMember(text, `,"offset":`, data.Int64(r.Offset)), cut}
}

// append appends the line without its end.
func (l line) append(dst []byte, now int64) []byte {
	dst = append(append(dst, l.text[:l.cut]...), `,"time_ms":`...)
	return append(strconv.AppendInt(dst, now, 10), l.text[l.cut:]...)
}

// Flush prints the lines of the partitions that are to be committed.
func (t *sinkTask) Flush(_ context.Context, offsets connect.Offsets) error {
	now := time.Now().UnixMilli()
	t.lines = t.lines[:0]
	for _, tp := range slices.SortedFunc(maps.Keys(offsets), byTopic) {
		for _, l := range t.unflushed[tp] {
			t.lines = append(l.append(t.lines, now), `,"flushed":true}`+"\n"...)
		}
	}
	if err := t.out.print(t.lines); err != nil {
		return err
	}
	for tp := range offsets {
		delete(t.unflushed, tp)
	}
	return nil
}

func byTopic(a, b connect.TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// Open has nothing to prepare.
func (t *sinkTask) Open(context.Context, []connect.TopicPartition) error { return nil }

// Close forgets what was not flushed: if it was not committed either, the records come again.
func (t *sinkTask) Close(_ context.Context, tps []connect.TopicPartition) error {
	for _, tp := range tps {
		delete(t.unflushed, tp)
	}
	return nil
}

func (t *sinkTask) Stop(context.Context) error { return nil }
