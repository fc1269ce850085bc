package verifiable

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

func TestSourceConformance(t *testing.T) {
	t.Parallel()
	var g gate
	conntest.RunSource(t, sourceCase(newSource(&printer{w: new(paper)}, g.pace), &g, connect.Props{},
		func(r connect.SourceRecord) error {
			if r.Topic != "t" || !r.Key.Equal(data.Int32(0)) || !r.Value.Equal(seqnoOf(r)) {
				return fmt.Errorf("record %+v", r)
			}
			return nil
		}))
}

func TestCompleteSourceConformance(t *testing.T) {
	t.Parallel()
	var g gate
	conntest.RunSource(t, sourceCase(newSource(&printer{w: new(paper)}, g.pace), &g, connect.Props{keyCompleteRecordData: "true"},
		func(r connect.SourceRecord) error { return checkField(r, "seqno") }))
}

func TestSchemaSourceConformance(t *testing.T) {
	t.Parallel()
	var g gate
	conntest.RunSource(t, sourceCase(newSchemaSource(&printer{w: new(paper)}, g.pace), &g,
		connect.Props{keyNumMessages: "1000000", keyMultipleSchema: "true"},
		func(r connect.SourceRecord) error { return checkField(r, "seqno") }))
}

// sourceCase has a source whose numbers the kit lets go one after the other. Nothing is waived; AlterOffsets is skipped,
// as the originals do not have it, and AcksWhilePolling for SchemaSource, which does not care for acknowledgements.
func sourceCase(p connect.Plugin, g *gate, props connect.Props, check func(connect.SourceRecord) error) conntest.SourceCase {
	all := connect.Props{keyTopic: "t", keyThroughput: "-1"}
	for k, v := range props {
		all[k] = v
	}
	return conntest.SourceCase{
		Plugin: p,
		Setup: func(conntest.TB) conntest.SourceEnv {
			g.set(0)
			return conntest.SourceEnv{
				Props: all,
				Produce: func(from, n int) error {
					g.set(int64(from + n))
					return nil
				},
				Number: func(r connect.SourceRecord) (int, error) { return int(seqnoOf(r).Int64()), check(r) },
			}
		},
	}
}

func seqnoOf(r connect.SourceRecord) data.Value { return r.SourceOffset.Struct().At(0) }

func checkField(r connect.SourceRecord, name string) error {
	v, err := r.Value.Struct().Get(name)
	if err == nil && !v.Equal(seqnoOf(r)) {
		err = fmt.Errorf("record %+v", r)
	}
	return err
}

// TestSinkConformance takes the flushed lines as what was delivered. PutAfterRetriable is skipped, as nothing about a
// standard output that cannot be written to can be expected to pass, and AlterOffsets, which the original does not have.
func TestSinkConformance(t *testing.T) {
	t.Parallel()
	var p paper
	conntest.RunSink(t, conntest.SinkCase{
		Plugin: newSink(&printer{w: &p}),
		Setup: func(conntest.TB) conntest.SinkEnv {
			p.take()
			var lines []string
			return conntest.SinkEnv{
				Record: func(n int) connect.Record {
					return connect.Record{
						Timestamp: connect.NoTimestamp,
						KeySchema: data.Int32Schema, Key: data.Int32(7),
						ValueSchema: data.Int64Schema, Value: data.Int64(int64(n)),
					}
				},
				Delivered: func() ([]int, error) {
					lines = append(lines, p.take()...)
					return flushedNumbers(lines)
				},
			}
		},
	})
}

// flushedNumbers returns the numbers of the flushed lines, each of which must have a line of a put before it.
func flushedNumbers(lines []string) ([]int, error) {
	var numbers []int
	put := make(map[int]bool)
	for _, text := range lines {
		var l struct {
			Task, Seqno int
			Topic       string
			Flushed     bool
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, fmt.Errorf("line %q: %w", text, err)
		}
		if l.Task != 7 || l.Topic != "conntest" || l.Flushed && !put[l.Seqno] {
			return nil, fmt.Errorf("line %q", text)
		}
		put[l.Seqno] = true
		if l.Flushed {
			numbers = append(numbers, l.Seqno)
		}
	}
	return numbers, nil
}
