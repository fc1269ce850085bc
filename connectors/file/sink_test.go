package file

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

var topic = connect.TopicPartition{Topic: "t"}

// writing is a sink connector that writes one file on a disk of a test's own.
type writing struct {
	*conntest.Sink
	t      *testing.T
	path   string
	disk   *disk
	topics *conntest.Topics
	log    *journal
}

// write starts a sink that has one partition.
func write(t *testing.T, more connect.Props) *writing {
	t.Helper()
	w := &writing{t: t, path: filepath.Join(t.TempDir(), "out.txt"), disk: new(disk), topics: conntest.NewTopics(), log: &journal{}}
	w.disk.free.Store(plenty)
	w.start(more)
	return w
}

func (w *writing) start(more connect.Props) {
	w.t.Helper()
	plugin := Sink
	plugin.Sink = func() connect.SinkConnector { return &sinkConnector{open: w.disk.open} }
	props := connect.Props{keyFile: w.path}
	for k, v := range more {
		props[k] = v
	}
	s, err := conntest.StartSink(plugin, props, conntest.Options{Topics: w.topics, Log: w.log.logger(), Batch: 4})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Sink = s
	if err := s.Assign(topic); err != nil {
		w.t.Fatal(err)
	}
}

func (w *writing) produce(texts ...string) {
	for _, text := range texts {
		w.topics.Append(topic, connect.Record{ValueSchema: data.StringSchema, Value: data.String(text)})
	}
}

// step puts the next records, which must succeed.
func (w *writing) step() {
	w.t.Helper()
	if err := w.Step(); err != nil {
		w.t.Fatal(err)
	}
}

// stepFails puts the next records and expects a retriable error.
func (w *writing) stepFails() {
	w.t.Helper()
	err := w.Step()
	after, retriable := connect.IsRetriable(err)
	want := "Put: file=" + w.path + " cannot be written, free space on its disk: write out: no space left on device"
	if !retriable || after != fullPause || err.Error() != want {
		w.t.Errorf("Step: %v (retriable %v after %v)\nwant %s", err, retriable, after, want)
	}
}

func (w *writing) want(content string) {
	w.t.Helper()
	got, err := os.ReadFile(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(content, string(got)); diff != "" {
		w.t.Errorf("file (-want +got):\n%s", diff)
	}
}

func (w *writing) stop() {
	w.t.Helper()
	if err := w.Stop(); err != nil {
		w.t.Error(err)
	}
}

func TestSinkText(t *testing.T) {
	t.Parallel()
	schema := data.NewStructBuilder().Field("a", data.Int32Schema).Field("b", data.OptionalStringSchema).Field("c", data.OptionalInt8Schema).MustBuild()
	m := data.NewMap(1)
	m.Put(data.String("k"), data.Bool(true))
	for _, tc := range []struct {
		value data.Value
		want  string
	}{
		{data.String("plain ä"), "plain ä"},
		{data.String(""), ""},
		{data.Null, "null"},
		{data.Int64(-5), "-5"},
		{data.Float64(1), "1.0"},
		{data.Decimal(big.NewInt(1234), 2), "12.34"},
		{data.Bytes([]byte{0, 1, 255}), "AAH/"},
		{data.Array([]data.Value{data.Int8(1), data.Null, data.String("x")}), "[1, null, x]"},
		{m.Value(), "{k=true}"},
		{data.MustStruct(schema).MustPut("a", data.Int32(1)).MustPut("b", data.String("x")).Value(), "Struct{a=1,b=x}"},
	} {
		w := write(t, nil)
		w.topics.Append(topic, connect.Record{Value: tc.value})
		w.step()
		w.want(tc.want + "\n")
		w.stop()
	}
}

func TestSinkAppends(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("a", "b")
	w.step()
	w.stop()
	w.start(nil)
	w.produce("c")
	w.step()
	w.stop()
	w.want("a\nb\nc\n")
}

func TestSinkWritesOncePerPut(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("1", "2", "3", "4", "5", "6")
	for i, want := range []int64{1, 2, 2} {
		w.step()
		if got := w.disk.writes.Load(); got != want {
			t.Errorf("%d writes after put %d, want %d", got, i, want)
		}
	}
	w.stop()
}

func TestSinkSyncsAtFlush(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	check := func(when string, want int64) {
		t.Helper()
		if got := w.disk.syncs.Load(); got != want {
			t.Errorf("%d syncs %s, want %d", got, when, want)
		}
	}
	w.produce("1", "2")
	w.step()
	check("after a put", 0)
	for range 2 {
		if _, err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		check("after the commit", 1)
	}
	w.stop()
	check("after a stop with nothing new", 1)
}

func TestSinkFlushFails(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("1", "2")
	w.step()
	broken := error(&os.PathError{Op: "sync", Path: "out", Err: syscall.EIO})
	w.disk.broken.Store(&broken)
	_, err := w.Commit()
	if want := "Flush: file=" + w.path + " cannot be flushed to its disk: sync out: input/output error"; err == nil || err.Error() != want {
		t.Errorf("Commit: %v\nwant %s", err, want)
	}
	if got := w.topics.Committed(); len(got) > 0 {
		t.Errorf("committed %v, want nothing", got)
	}
	w.disk.broken.Store(nil)
	w.step()
	w.stop()
	w.want("1\n2\n1\n2\n")
}

func TestSinkSyncUnsupported(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("1")
	w.step()
	unsupported := error(&os.PathError{Op: "sync", Path: "out", Err: syscall.ENOTSUP})
	w.disk.broken.Store(&unsupported)
	if _, err := w.Commit(); err != nil {
		t.Errorf("Commit: %v", err)
	}
	w.stop()
}

func TestSinkOnFullDisk(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("aaaa", "bbbb", "cccc", "dddd", "eeee")
	w.disk.free.Store(7)
	w.stepFails()
	w.want("aaaa\nbb")
	w.disk.free.Store(1)
	w.stepFails()
	w.want("aaaa\nbbb")
	w.disk.free.Store(0)
	w.stepFails()
	w.want("aaaa\nbbb")
	w.disk.free.Store(2)
	w.stepFails()
	w.want("aaaa\nbbbb\n")
	if n := w.log.count("no space left for the file"); n != 1 {
		t.Errorf("the full disk was logged %d times, want 1", n)
	}
	w.disk.free.Store(plenty)
	w.step()
	w.want("aaaa\nbbbb\ncccc\ndddd\n")
	w.step()
	w.stop()
	w.want("aaaa\nbbbb\ncccc\ndddd\neeee\n")
}

// TestSinkRewoundOnFullDisk has the records come again from the last commit instead of as the same put.
func TestSinkRewoundOnFullDisk(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("aaaa", "bbbb", "cccc", "dddd", "eeee")
	w.step()
	w.produce("ffff")
	w.disk.free.Store(2)
	w.stepFails()
	w.want("aaaa\nbbbb\ncccc\ndddd\nee")
	w.Rewind()
	w.disk.free.Store(plenty)
	w.step()
	w.step()
	w.stop()
	w.want("aaaa\nbbbb\ncccc\ndddd\neeee\naaaa\nbbbb\ncccc\ndddd\neeee\nffff\n")
}

// TestSinkRemembersOnePut checks that a record that comes again after a put succeeded is written again.
func TestSinkRemembersOnePut(t *testing.T) {
	t.Parallel()
	w := write(t, nil)
	w.produce("aaaa", "bbbb")
	w.disk.free.Store(7)
	w.stepFails()
	w.disk.free.Store(plenty)
	w.step()
	w.Rewind()
	w.step()
	w.stop()
	w.want("aaaa\nbbbb\naaaa\nbbbb\n")
}

func TestSinkStopsOnFullDisk(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		tasks string
		other string // appended by somebody else
		want  string
		logs  int
	}{
		{"the only task takes its half line back", "1", "", "aaaa\n", 0},
		{"several tasks leave it", "2", "", "aaaa\nbb", 1},
		{"after others have written it stays", "1", "other\n", "aaaa\nbbother\n", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := write(t, nil)
			w.stop()
			task := &sinkTask{open: w.disk.open}
			tc0 := connect.NewSinkTaskContext(connect.SinkTaskRuntime{Log: w.log.logger()})
			if err := task.Start(t.Context(), tc0, connect.Props{keyFile: w.path, keyTasksMax: tc.tasks}); err != nil {
				t.Fatal(err)
			}
			w.disk.free.Store(7)
			if err := task.Put(t.Context(), sinkRecords("aaaa", "bbbb")); err == nil {
				t.Fatal("Put on a full disk succeeded")
			}
			if err := appendTo(w.path, tc.other); err != nil {
				t.Fatal(err)
			}
			if err := task.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			w.want(tc.want)
			if n := w.log.count("the last line of the file is incomplete"); n != tc.logs {
				t.Errorf("the incomplete line was logged %d times, want %d", n, tc.logs)
			}
		})
	}
}

func sinkRecords(texts ...string) []connect.SinkRecord {
	var recs []connect.SinkRecord
	for i, text := range texts {
		recs = append(recs, connect.SinkRecord{
			Record:   connect.Record{Value: data.String(text)},
			Offset:   int64(i),
			Original: connect.Original{TopicPartition: topic, Offset: int64(i)},
		})
	}
	return recs
}

func TestSinkTakesOtherErrorsForFinal(t *testing.T) {
	t.Parallel()
	task := &sinkTask{open: func(string) (destination, error) { return failing{}, nil }}
	tc := connect.NewSinkTaskContext(connect.SinkTaskRuntime{Log: new(journal).logger()})
	if err := task.Start(t.Context(), tc, connect.Props{keyFile: "f"}); err != nil {
		t.Fatal(err)
	}
	err := task.Put(t.Context(), sinkRecords("a"))
	if _, retriable := connect.IsRetriable(err); retriable || err == nil || err.Error() != "file=f cannot be written: input/output error" {
		t.Errorf("Put: %v (retriable %v)", err, retriable)
	}
	if err := task.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// failing is a destination that cannot be written.
type failing struct{ destination }

func (failing) Write([]byte) (int, error)        { return 0, syscall.EIO }
func (failing) Stat() (os.FileInfo, error)       { return os.Stat(os.DevNull) }
func (failing) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
func (failing) Close() error                     { return nil }

func TestSinkFailures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tc := range []struct{ name, path, want string }{
		{"no directory", dir + "/no/out.txt", "create the directory " + dir + "/no: open " + dir + "/no/out.txt: no such file or directory"},
		{"directory", dir, "it is a directory, name a file in it: open " + dir + ": is a directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := conntest.StartSink(Sink, connect.Props{keyFile: tc.path}, conntest.Options{})
			want := fmt.Sprintf("Start of the task: file=%s cannot be opened for appending; %s", tc.path, tc.want)
			if err == nil || err.Error() != want {
				t.Errorf("Start: %v\nwant %s", err, want)
			}
			if e, ok := errors.AsType[*connect.Error](err); !ok || e.ErrorClass() != connect.ClassConnect {
				t.Errorf("Start: %T, want a ConnectException", err)
			}
		})
	}
}

func TestSinkWritesStandardOutput(t *testing.T) {
	t.Parallel()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	plugin := Sink
	plugin.Sink = func() connect.SinkConnector {
		return &sinkConnector{open: func(path string) (destination, error) {
			if path != "" {
				return nil, errors.New("path " + path)
			}
			return standardOutput{out}, nil
		}}
	}
	topics := conntest.NewTopics()
	topics.Append(topic, connect.Record{Value: data.String("a")}, connect.Record{Value: data.String("b")})
	s, err := conntest.StartSink(plugin, nil, conntest.Options{Topics: topics})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Assign(topic), s.Drain(), s.Stop()); err != nil {
		t.Fatal(err)
	}
	if _, err := out.WriteString("still open\n"); err != nil {
		t.Errorf("after Stop: %v", err)
	}
	buf := make([]byte, 100)
	n, err := in.Read(buf)
	if got := string(buf[:n]); got != "a\nb\nstill open\n" || err != nil {
		t.Errorf("standard output has %q, error %v", got, err)
	}
}

func TestSinkTasksShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out.txt")
	const tasks, puts = 4, 50
	done := make(chan error, tasks)
	for n := range tasks {
		go func() { done <- putBlocks(t.Context(), path, string(rune('a'+n)), puts) }()
	}
	for range tasks {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
	if len(lines) != tasks*puts*3 {
		t.Fatalf("%d lines, want %d", len(lines), tasks*puts*3)
	}
	for i := 0; i < len(lines); i += 3 {
		if lines[i] != lines[i+1] || lines[i] != lines[i+2] || len(lines[i]) != blockLine {
			t.Fatalf("the lines of a put were torn apart at line %d", i)
		}
	}
}

const blockLine = 1000

// putBlocks puts the same three lines many times.
func putBlocks(ctx context.Context, path, text string, puts int) error {
	task := &sinkTask{open: openSink}
	tc := connect.NewSinkTaskContext(connect.SinkTaskRuntime{})
	if err := task.Start(ctx, tc, connect.Props{keyFile: path, keyTasksMax: "4"}); err != nil {
		return err
	}
	line := strings.Repeat(text, blockLine)
	for range puts {
		if err := task.Put(ctx, sinkRecords(line, line, line)); err != nil {
			return err
		}
	}
	return task.Stop(ctx)
}
