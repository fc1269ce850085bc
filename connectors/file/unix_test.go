//go:build unix

package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

func makePipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSourceReadsNamedPipe(t *testing.T) {
	t.Parallel()
	path := makePipe(t)
	store := conntest.NewStore()
	if err := store.Set(map[string]any{"filename": path}, map[string]any{"position": 100}); err != nil {
		t.Fatal(err)
	}
	s, err := conntest.StartSource(Source, connect.Props{keyFile: path, keyTopic: "t"}, conntest.Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if recs, err := s.Rest(); err != nil || len(recs) > 0 {
		t.Fatalf("without a writer: %d records, error %v", len(recs), err)
	}
	for _, text := range []string{"a\n", "b\n"} {
		if err := appendTo(path, text); err != nil {
			t.Fatal(err)
		}
		recs, err := s.Next(1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{strings.TrimSpace(text)}, linesOf(recs)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	}
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if recs, err := s.Rest(); err != nil || len(recs) > 0 {
		t.Fatalf("with a silent writer: %d records, error %v", len(recs), err)
	}
	if err := errors.Join(writer.Close(), s.Ack(s.Unacked()), s.Commit(), s.Stop()); err != nil {
		t.Fatal(err)
	}
	offsets, err := store.Offsets()
	if err != nil || len(offsets) != 1 {
		t.Fatalf("%d offsets, error %v", len(offsets), err)
	}
	if got := offsets[0].Offset.String(); got != "{position=104}" {
		t.Errorf("stored %s, want {position=104}", got)
	}
}

func TestSinkWithoutReaderOfNamedPipe(t *testing.T) {
	t.Parallel()
	path := makePipe(t)
	_, err := conntest.StartSink(Sink, connect.Props{keyFile: path}, conntest.Options{})
	if err == nil || !strings.Contains(err.Error(), "it is a named pipe, start what reads from it first") {
		t.Errorf("Start: %v", err)
	}
}

// TestSinkStopsWithFullNamedPipe writes more than a pipe holds while nobody reads.
func TestSinkStopsWithFullNamedPipe(t *testing.T) {
	t.Parallel()
	path := makePipe(t)
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	task := &sinkTask{open: openSink}
	tc := connect.NewSinkTaskContext(connect.SinkTaskRuntime{Log: new(journal).logger()})
	if err := task.Start(t.Context(), tc, connect.Props{keyFile: path}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	put := make(chan error, 1)
	recs := []connect.SinkRecord{{Record: connect.Record{Value: data.String(strings.Repeat("x", 1<<20))}}}
	go func() { put <- task.Put(ctx, recs) }()
	var first [1]byte
	if _, err := reader.Read(first[:]); err != nil {
		t.Error(err)
	}
	cancel()
	err = <-put
	if _, retriable := connect.IsRetriable(err); !retriable || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Put: %v (retriable %v)", err, retriable)
	}
	if err := task.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(path, []byte("a\n"), 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil {
		_ = f.Close()
		t.Skip("this user may open everything")
	}
	s, err := conntest.StartSource(Source, connect.Props{keyFile: path, keyTopic: "t"}, conntest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Poll(t.Context())
	want := "Poll: file=" + path + " cannot be opened; make it readable for the user that the worker runs as: open " + path + ": permission denied"
	if err == nil || err.Error() != want {
		t.Errorf("Poll: %v\nwant %s", err, want)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	_, err = conntest.StartSink(Sink, connect.Props{keyFile: path}, conntest.Options{})
	if want := "make it writable for the user that the worker runs as"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Start of the sink: %v\nwant a text with %s", err, want)
	}
}
