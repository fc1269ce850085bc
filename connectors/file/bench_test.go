package file

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// BenchmarkSourcePoll reads a file of lines of 100 bytes again and again. One operation is a poll of as many lines as
// the name says.
func BenchmarkSourcePoll(b *testing.B) {
	for _, size := range []int{500, 2000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) { pollLines(b, size) })
	}
}

func pollLines(b *testing.B, size int) {
	path := filepath.Join(b.TempDir(), "in.txt")
	line := bytes.Repeat([]byte("x"), 99)
	if err := appendTo(path, string(bytes.Repeat(append(line, '\n'), 200_000))); err != nil {
		b.Fatal(err)
	}
	s := &sourceTask{}
	tc := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
		Log: new(journal).logger(),
		Offsets: func(context.Context, []*connect.SourcePartition) ([]data.Value, error) {
			return make([]data.Value, 1), nil
		},
	})
	if err := s.Start(b.Context(), tc, connect.Props{keyFile: path, keyTopic: "t"}); err != nil {
		b.Fatal(err)
	}
	ctx, batch, lines := b.Context(), connect.NewBatch(size), 0
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := s.Poll(ctx, batch); err != nil {
			b.Fatal(err)
		}
		if lines += batch.Len(); batch.Len() == 0 || batch.Records()[0].Value.Kind() != data.KindString {
			b.Fatalf("a poll gave %d records", batch.Len())
		}
		if lines%200_000 == 0 {
			rewind(b, s)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
	if err := s.Stop(ctx); err != nil {
		b.Fatal(err)
	}
}

// rewind goes back to the beginning of the file.
func rewind(b *testing.B, s *sourceTask) {
	b.Helper()
	if _, err := s.in.file.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	s.in.pos = 0
}

// BenchmarkSinkPut puts 500 records of 100 bytes. One operation is a put.
func BenchmarkSinkPut(b *testing.B) {
	path := filepath.Join(b.TempDir(), "out.txt")
	task := &sinkTask{open: openSink}
	tc := connect.NewSinkTaskContext(connect.SinkTaskRuntime{Log: new(journal).logger()})
	if err := task.Start(b.Context(), tc, connect.Props{keyFile: path}); err != nil {
		b.Fatal(err)
	}
	texts := make([]string, 500)
	for i := range texts {
		texts[i] = strings.Repeat("x", 100)
	}
	recs, ctx, puts := sinkRecords(texts...), b.Context(), 0
	b.ReportAllocs()
	for b.Loop() {
		if err := task.Put(ctx, recs); err != nil {
			b.Fatal(err)
		}
		// The file must not fill the disk.
		if puts++; puts%1000 == 0 {
			if err := task.out.Truncate(0); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(puts*len(recs)), "ns/record")
	if err := task.Stop(ctx); err != nil {
		b.Fatal(err)
	}
}
