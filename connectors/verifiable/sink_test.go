package verifiable

import (
	"errors"
	"log/slog"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

var discard = slog.New(slog.DiscardHandler)

var (
	part0 = connect.TopicPartition{Topic: "t", Partition: 0}
	part1 = connect.TopicPartition{Topic: "t", Partition: 1}
)

func numbered(task int32, seqno int64) connect.Record {
	return connect.Record{
		KeySchema: data.Int32Schema, Key: data.Int32(task),
		ValueSchema: data.Int64Schema, Value: data.Int64(seqno),
	}
}

func TestSink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p paper
		topics := conntest.NewTopics()
		s, err := conntest.StartSink(newSink(&printer{w: &p}), connect.Props{keyName: "s"}, conntest.Options{Topics: topics})
		if err != nil {
			t.Fatal(err)
		}
		expect := func(what string, err error, want ...string) {
			t.Helper()
			for i := range len(want) - 1 {
				want[i] += "\n"
			}
			if diff := cmp.Diff(want, p.take()); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
			}
		}
		topics.Append(part0, numbered(2, 10), numbered(2, 11))
		topics.Append(part1, numbered(3, 5))
		expect("put", errors.Join(s.Assign(part0, part1), s.Step()),
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684800000,"seqno":10,"offset":0}`,
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684800000,"seqno":11,"offset":1}`,
			`{"name":"s","task":3,"sinkTask":0,"topic":"t","time_ms":946684800000,"seqno":5,"offset":0}`)
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
		expect("flush of one partition", s.Revoke(part1),
			`{"name":"s","task":3,"sinkTask":0,"topic":"t","time_ms":946684801000,"seqno":5,"offset":0,"flushed":true}`)
		_, err = s.Commit()
		expect("flush of the rest", err,
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684801000,"seqno":10,"offset":0,"flushed":true}`,
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684801000,"seqno":11,"offset":1,"flushed":true}`)
		_, err = s.Commit()
		expect("flush of nothing new", err)
		topics.Append(part0, numbered(2, 12))
		expect("put again", s.Step(),
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684801000,"seqno":12,"offset":2}`)
		expect("loss", errors.Join(s.Lose(part0), s.Assign(part0), s.Step()),
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684801000,"seqno":12,"offset":2}`)
		expect("flush after a loss", s.Stop(),
			`{"name":"s","task":2,"sinkTask":0,"topic":"t","time_ms":946684801000,"seqno":12,"offset":2,"flushed":true}`)
	})
}

// TestSinkValues has records that are not of VerifiableSource.
func TestSinkValues(t *testing.T) {
	t.Parallel()
	complete := data.MustStruct(completeSchema).
		MustPut("name", data.String("v")).MustPut("task", data.Int32(1)).MustPut("topic", data.String("t")).
		MustPut("time_ms", data.Int64(2)).MustPut("seqno", data.Int64(3)).Value()
	for _, tc := range []struct {
		key    data.Value
		schema *data.Schema
		value  data.Value
		want   string
	}{
		{data.Null, nil, data.Null, `"task":null,"sinkTask":4,"topic":"x","time_ms":T,"seqno":null,"offset":9}`},
		{data.String("a\n<b>"), nil, data.Float64(1.5), `"task":"a\n<b>","sinkTask":4,"topic":"x","time_ms":T,"seqno":1.5,"offset":9}`},
		{
			data.Int32(1), completeSchema, complete,
			`"task":1,"sinkTask":4,"topic":"x","time_ms":T,"seqno":{"name":"v","task":1,"topic":"t","time_ms":2,"seqno":3},"offset":9}`,
		},
		{
			data.Int32(1), data.NewDecimalBuilder(2).MustBuild(), data.Decimal(big.NewInt(125), 2),
			`"task":1,"sinkTask":4,"topic":"x","time_ms":T,"seqno":1.25,"offset":9}`,
		},
		{
			data.Int32(1), data.Int64Schema, data.String("not an integer"),
			`"task":1,"sinkTask":4,"topic":"x","time_ms":T,"seqno":"not an integer","offset":9}`,
		},
	} {
		var p paper
		task := newSink(&printer{w: &p}).Sink().NewTask()
		if err := task.Start(t.Context(), nil, connect.Props{keyName: "s", keyID: "4"}); err != nil {
			t.Fatal(err)
		}
		l := task.(*sinkTask).describe(&connect.SinkRecord{Record: connect.Record{Topic: "x", Key: tc.key, ValueSchema: tc.schema, Value: tc.value}, Offset: 9})
		got := string(l.text[:l.cut]) + `,"time_ms":T` + string(l.text[l.cut:]) + "}"
		if diff := cmp.Diff(`{"name":"s",`+tc.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestSinkAfterTransform has a record whose topic was changed on the way. It is flushed with the partition that it was
// consumed from.
func TestSinkAfterTransform(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p paper
		task := newSink(&printer{w: &p}).Sink().NewTask()
		if err := task.Start(t.Context(), nil, connect.Props{keyName: "s", keyID: "0"}); err != nil {
			t.Fatal(err)
		}
		r := connect.SinkRecord{Record: numbered(1, 1), Offset: 8, Original: connect.Original{TopicPartition: part1, Offset: 8}}
		r.Topic = "renamed"
		err := errors.Join(task.Put(t.Context(), []connect.SinkRecord{r}), task.(connect.Flusher).Flush(t.Context(), connect.Offsets{part1: 9}))
		want := []string{
			`{"name":"s","task":1,"sinkTask":0,"topic":"renamed","time_ms":946684800000,"seqno":1,"offset":8}` + "\n",
			`{"name":"s","task":1,"sinkTask":0,"topic":"renamed","time_ms":946684800000,"seqno":1,"offset":8,"flushed":true}`,
		}
		if diff := cmp.Diff(want, p.take()); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
