package pipeline_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/pipeline"
)

func sourceRecord(key, value data.Value, headers ...connect.Header) *connect.SourceRecord {
	return &connect.SourceRecord{Record: connect.Record{Topic: "t", Timestamp: connect.NoTimestamp, Key: key, Value: value, Headers: headers}}
}

func consumed(key, value []byte, headers ...connect.RawHeader) *pipeline.Consumed {
	c := &pipeline.Consumed{Timestamp: 5, TimestampType: connect.CreateTime, Key: key, Value: value, Headers: headers}
	c.Topic, c.Partition, c.Offset = "t", 3, 7
	return c
}

func TestStagesInOrder(t *testing.T) {
	t.Parallel()
	tol, _ := tolerance(t, nil)
	var s script
	var enc pipeline.Encoded
	src := pipeline.NewSource(s.converters(), tol)
	buf, keep, err := src.Encode(t.Context(), []byte("before"), sourceRecord(data.String("k"), data.String("v"),
		connect.Header{Key: "h1", Value: data.String("x")}, connect.Header{Key: "h2"}, connect.Header{Key: "h3", Value: data.String("")}), &enc)
	if err != nil || !keep {
		t.Fatalf("Encode: %t, %v", keep, err)
	}
	want := pipeline.Encoded{Key: []byte("k"), Value: []byte("v"), Headers: []connect.RawHeader{{Key: "h1", Value: []byte("x")}, {Key: "h2"}, {Key: "h3", Value: []byte{}}}}
	if diff := cmp.Diff(want, enc); diff != "" {
		t.Errorf("encoded (-want +got):\n%s", diff)
	}
	if string(buf) != "beforexkv" {
		t.Errorf("buffer %q, want everything behind what was there", buf)
	}
	var out connect.SinkRecord
	snk := pipeline.NewSink(s.converters(), tol)
	if keep, err = snk.Decode(t.Context(), nil, consumed([]byte("k"), nil, connect.RawHeader{Key: "h1", Value: []byte("x")}, connect.RawHeader{Key: "h2"}), &out); err != nil || !keep {
		t.Fatalf("Decode: %t, %v", keep, err)
	}
	if diff := cmp.Diff([]string{
		"encode header", "encode header", "encode header", "encode key", "encode value",
		"decode key", "decode value", "decode header", "decode header",
	}, s.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if out.Topic != "t" || out.Partition != 3 || out.Offset != 7 || out.Timestamp != 5 || out.TimestampType != connect.CreateTime ||
		out.Original != (connect.Original{TopicPartition: connect.TopicPartition{Topic: "t", Partition: 3}, Offset: 7}) {
		t.Errorf("decoded %+v", out)
	}
	if out.Key.Str() != "k" || !out.Value.IsNull() || len(out.Headers) != 2 || out.Headers[0].Value.Str() != "x" || !out.Headers[1].Value.IsNull() {
		t.Errorf("decoded key %s, value %s, headers %v", out.Key, out.Value, out.Headers)
	}
}

func TestNullAndEmptyBytesDiffer(t *testing.T) {
	t.Parallel()
	tol, _ := tolerance(t, nil)
	conv, err := pipeline.NewConverters(builtin, nil, textConverters)
	if err != nil {
		t.Fatal(err)
	}
	src, snk := pipeline.NewSource(conv, tol), pipeline.NewSink(conv, tol)
	for _, buf := range [][]byte{nil, make([]byte, 0, 64)} {
		var enc pipeline.Encoded
		if _, _, err := src.Encode(t.Context(), buf, sourceRecord(data.String(""), data.Null), &enc); err != nil {
			t.Fatal(err)
		}
		if enc.Key == nil || len(enc.Key) != 0 || enc.Value != nil {
			t.Errorf("encoded %#v, want empty key bytes and a null value", enc)
		}
		var out connect.SinkRecord
		if _, err := snk.Decode(t.Context(), nil, consumed(enc.Key, enc.Value), &out); err != nil {
			t.Fatal(err)
		}
		if out.Key.IsNull() || out.Key.Str() != "" || !out.Value.IsNull() {
			t.Errorf("decoded key %s, value %s, want an empty text and null", out.Key, out.Value)
		}
	}
}

func TestTimestamps(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		timestamp int64
		want      string
	}{
		{connect.NoTimestamp, ""},
		{0, ""},
		{math.MaxInt64, ""},
		{-2, "Invalid record timestamp -2"},
		{math.MinInt64, "Invalid record timestamp -9223372036854775808"},
	} {
		tol, _ := tolerance(t, map[string]string{"errors.tolerance": "all"})
		var s script
		var enc pipeline.Encoded
		r := sourceRecord(data.Null, data.Null)
		r.Timestamp = tc.timestamp
		_, keepSource, sourceErr := pipeline.NewSource(s.converters(), tol).Encode(t.Context(), nil, r, &enc)
		c := consumed(nil, nil)
		c.Timestamp = tc.timestamp
		var out connect.SinkRecord
		keepSink, sinkErr := pipeline.NewSink(s.converters(), tol).Decode(t.Context(), nil, c, &out)
		for _, got := range []struct {
			keep bool
			err  error
		}{{keepSource, sourceErr}, {keepSink, sinkErr}} {
			if (got.err == nil) != (tc.want == "") || got.keep != (tc.want == "") || got.err != nil && got.err.Error() != tc.want {
				t.Errorf("timestamp %d: %t, %v; want %q whatever is tolerated", tc.timestamp, got.keep, got.err, tc.want)
			}
		}
	}
}

func TestToleranceOfEachStage(t *testing.T) {
	t.Parallel()
	header := connect.Header{Key: "h", Value: data.String("x")}
	raw := connect.RawHeader{Key: "h", Value: []byte("x")}
	for _, stage := range []connect.ConverterUse{connect.ForKey, connect.ForValue, connect.ForHeader} {
		for _, mode := range []string{"none", "all"} {
			for _, path := range []string{"source", "sink"} {
				t.Run(string(stage)+" "+mode+" "+path, func(t *testing.T) {
					t.Parallel()
					tol, out := tolerance(t, map[string]string{"errors.tolerance": mode})
					s := script{fail: map[connect.ConverterUse][]error{stage: {errBad}}}
					run := func() (keep bool, err error) {
						if path == "source" {
							var enc pipeline.Encoded
							_, keep, err = pipeline.NewSource(s.converters(), tol).Encode(t.Context(), nil, sourceRecord(data.String("k"), data.String("v"), header), &enc)
							return keep, err
						}
						var rec connect.SinkRecord
						return pipeline.NewSink(s.converters(), tol).Decode(t.Context(), nil, consumed([]byte("k"), []byte("v"), raw), &rec)
					}
					keep, err := run()
					if keep {
						t.Error("a record that failed was kept")
					}
					if mode == "all" && err != nil {
						t.Errorf("%v, want a skipped record", err)
					}
					if mode == "none" && (!errors.Is(err, errBad) || !strings.HasPrefix(err.Error(), "Tolerance exceeded in error handler")) {
						t.Errorf("%v, want the end of the task and its cause", err)
					}
					if tol.All() != (mode == "all") {
						t.Errorf("All() is %t", tol.All())
					}
					if calls := len(s.calls); calls > 3 || s.calls[calls-1] != map[string]string{"source": "encode ", "sink": "decode "}[path]+string(stage) {
						t.Errorf("calls %v, want none behind the failure", s.calls)
					}
					if out.Len() != 0 {
						t.Errorf("logged without being asked to: %s", out)
					}
					if keep, err := run(); !keep || err != nil {
						t.Errorf("the next record: %t, %v; want it kept", keep, err)
					}
				})
			}
		}
	}
}
