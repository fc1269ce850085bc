package file

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// count returns how many lines have this text.
func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), text)
}

// reading is a source connector that reads one file.
type reading struct {
	*conntest.Source
	t     *testing.T
	path  string
	store *conntest.Store
	log   *journal
}

// read starts a source on a new file with this content.
func read(t *testing.T, content string, more connect.Props) *reading {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.txt")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &reading{t: t, path: path, store: conntest.NewStore(), log: &journal{}}
	r.start(more)
	return r
}

func (r *reading) start(more connect.Props) {
	r.t.Helper()
	props := connect.Props{keyFile: r.path, keyTopic: "lines"}
	for k, v := range more {
		props[k] = v
	}
	s, err := conntest.StartSource(Source, props, conntest.Options{Store: r.store, Log: r.log.logger()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Source = s
}

func (r *reading) stop() {
	r.t.Helper()
	if err := r.Stop(); err != nil {
		r.t.Error(err)
	}
}

// restart commits everything delivered and starts anew.
func (r *reading) restart() {
	r.t.Helper()
	r.commit()
	r.stop()
	r.start(nil)
}

func (r *reading) commit() {
	r.t.Helper()
	if err := r.Ack(r.Unacked()); err != nil {
		r.t.Fatal(err)
	}
	if err := r.Commit(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reading) append(text string) {
	r.t.Helper()
	if err := appendTo(r.path, text); err != nil {
		r.t.Fatal(err)
	}
}

// want expects these lines and no more for the moment.
func (r *reading) want(lines ...string) {
	r.t.Helper()
	recs, err := r.Next(len(lines))
	if err != nil {
		r.t.Fatal(err)
	}
	more, err := r.Rest()
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(lines, linesOf(append(recs, more...))); diff != "" {
		r.t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func linesOf(recs []connect.SourceRecord) []string {
	var lines []string
	for _, r := range recs {
		lines = append(lines, r.Value.Str())
	}
	return lines
}

func TestSourceRecord(t *testing.T) {
	t.Parallel()
	r := read(t, "é\r\nb\n", nil)
	before := time.Now().UnixMilli()
	recs, err := r.Next(2)
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now().UnixMilli()
	for i, rec := range recs {
		if rec.Timestamp < before || rec.Timestamp > after {
			t.Errorf("timestamp %d is not between %d and %d", rec.Timestamp, before, after)
		}
		want := connect.SourceRecord{
			Record: connect.Record{
				Topic: "lines", Partition: connect.NoPartition, Timestamp: rec.Timestamp,
				ValueSchema: data.StringSchema, Value: data.String([]string{"é", "b"}[i]), Headers: []connect.Header{},
			},
			SourcePartition: rec.SourcePartition,
			SourceOffset:    data.MustStruct(offsetSchema).MustPut("position", data.Int64([]int64{4, 6}[i])).Value(),
		}
		if diff := cmp.Diff(want, rec, cmp.Comparer(func(a, b data.Value) bool { return a.Equal(b) }),
			cmp.Comparer(func(a, b *data.Schema) bool { return a.Equal(b) }),
			cmp.Comparer(func(a, b *connect.SourcePartition) bool { return a == b })); diff != "" {
			t.Errorf("record %d (-want +got):\n%s", i, diff)
		}
		if diff := cmp.Diff(map[string]any{"filename": r.path}, rec.SourcePartition.Fields()); diff != "" {
			t.Errorf("partition (-want +got):\n%s", diff)
		}
	}
	r.stop()
}

func TestSourceLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 1<<19)
	r := read(t, "a\n\nb\r\nc\rd", nil)
	r.want("a", "", "b", "c")
	r.append("ef")
	r.want()
	r.append("g\r")
	r.want()
	r.append("\nh\r")
	r.want("defg")
	r.append("i\n")
	r.want("h", "i")
	r.append("bad \xff\xe2\x82 line\nand a good one\n" + long)
	r.want("bad \uFFFD\uFFFD line", "and a good one")
	r.append("end\nlast\n")
	r.want(long+"end", "last")
	r.stop()
}

func TestSourceResumesAtBytes(t *testing.T) {
	t.Parallel()
	r := read(t, "äöü\n€€\xff\n😀\nlast\n", nil)
	for _, line := range []string{"äöü", "€€\uFFFD", "😀", "last"} {
		r.stop()
		r.start(connect.Props{keyBatchSize: "1"})
		recs, err := r.Poll(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{line}, linesOf(recs)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		r.commit()
	}
	r.restart()
	r.append("more\n")
	r.want("more")
	r.stop()
}

func TestSourceBatchSize(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		size string
		want []int
	}{{"1", []int{1, 1, 1, 1, 1}}, {"2", []int{2, 2, 1}}, {"0", []int{1, 1, 1, 1, 1}}, {"-5", []int{1, 1, 1, 1, 1}}, {"2000", []int{5}}} {
		t.Run(tc.size, func(t *testing.T) {
			t.Parallel()
			r := read(t, "1\n2\n3\n4\n5\n", connect.Props{keyBatchSize: tc.size})
			var got []int
			for range tc.want {
				recs, err := r.Poll(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, len(recs))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("records a poll (-want +got):\n%s", diff)
			}
			r.stop()
		})
	}
}

func TestSourceObeysFullBatch(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "in.txt")
	if err := appendTo(path, "1\n2\n3\n"); err != nil {
		t.Fatal(err)
	}
	s, err := conntest.StartSource(Source, connect.Props{keyFile: path, keyTopic: "t"}, conntest.Options{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 1} {
		recs, err := s.Poll(context.Background())
		if err != nil || len(recs) != want {
			t.Errorf("Poll: %d records, error %v; want %d", len(recs), err, want)
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// TestSourceWaitsForFile runs on the clock of a bubble.
func TestSourceWaitsForFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r := &reading{t: t, path: filepath.Join(dir, "later.txt"), store: conntest.NewStore(), log: &journal{}}
		r.start(nil)
		begin := time.Now()
		for range 90 {
			if recs, err := r.Poll(context.Background()); err != nil || len(recs) > 0 {
				t.Fatalf("Poll: %d records, error %v", len(recs), err)
			}
		}
		if waited := time.Since(begin); waited != 90*time.Second {
			t.Errorf("90 polls took %v, want 90 s", waited)
		}
		if n := r.log.count(`level=WARN msg="file does not exist, waiting for it" file=` + r.path); n != 2 {
			t.Errorf("the warning was logged %d times in 90 s, want 2", n)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		begin = time.Now()
		if _, err := r.Poll(ctx); err != nil || time.Since(begin) != time.Millisecond {
			t.Errorf("Poll with a short context took %v, error %v", time.Since(begin), err)
		}
		r.append("here\n")
		r.want("here")
		r.stop()
	})
}

// TestSourceIdles runs on the clock of a bubble.
func TestSourceIdles(t *testing.T) {
	t.Parallel()
	r := read(t, "a\n", nil)
	r.stop()
	synctest.Test(t, func(t *testing.T) {
		r.t = t
		r.start(nil)
		r.want("a")
		for range 10 {
			if _, err := r.Poll(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		if _, err := r.Poll(context.Background()); err != nil || time.Since(begin) != lastPause {
			t.Errorf("an idle poll took %v, want %v; error %v", time.Since(begin), lastPause, err)
		}
		r.append("b\n")
		begin = time.Now()
		if recs, err := r.Poll(context.Background()); err != nil || len(recs) != 1 || time.Since(begin) != 0 {
			t.Errorf("Poll: %d records after %v, error %v; want 1 at once", len(recs), time.Since(begin), err)
		}
		r.stop()
	})
}

func TestSourceFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		offset map[string]any
		file   string // a directory if empty
		want   string
	}{
		{
			"position beyond the end",
			map[string]any{"position": 7},
			"123456",
			"the stored position 7 is beyond the end of file=PATH, which has 6 bytes: it was truncated or replaced; " +
				"alter or reset the connector's offsets to say where reading goes on",
		},
		{"directory", nil, "", "file=PATH is a directory; name a file in it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			if tc.file != "" {
				path = filepath.Join(path, "in.txt")
				if err := appendTo(path, tc.file); err != nil {
					t.Fatal(err)
				}
			}
			store := conntest.NewStore()
			if err := store.Set(map[string]any{"filename": path}, tc.offset); err != nil {
				t.Fatal(err)
			}
			s, err := conntest.StartSource(Source, connect.Props{keyFile: path, keyTopic: "t"}, conntest.Options{Store: store})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Poll(context.Background())
			if want := "Poll: " + strings.ReplaceAll(tc.want, "PATH", path); err == nil || err.Error() != want {
				t.Errorf("Poll: %v\nwant %s", err, want)
			}
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSourcePositionAtTheEnd(t *testing.T) {
	t.Parallel()
	r := read(t, "123456", nil)
	r.stop()
	if err := r.store.Set(map[string]any{"filename": r.path}, map[string]any{"position": 6}); err != nil {
		t.Fatal(err)
	}
	r.start(nil)
	r.append("7\n")
	r.want("7")
	r.stop()
}

func TestSourceRefusesStoredOffset(t *testing.T) {
	t.Parallel()
	for _, bad := range []any{"3", 2.5, true, -1} {
		t.Run(fmt.Sprint(bad), func(t *testing.T) {
			t.Parallel()
			store := conntest.NewStore()
			if err := store.Set(map[string]any{"filename": "f"}, map[string]any{"position": bad}); err != nil {
				t.Fatal(err)
			}
			_, err := conntest.StartSource(Source, connect.Props{keyFile: "f", keyTopic: "t"}, conntest.Options{Store: store})
			want := fmt.Sprintf(`Start of the task: the stored offset of {"filename":"f"} has position=%v, which is no position in a file; `+
				"alter or reset the connector's offsets", bad)
			if err == nil || err.Error() != want {
				t.Errorf("Start: %v\nwant %s", err, want)
			}
		})
	}
}

func TestSourceWithoutPositionStartsAtTheBeginning(t *testing.T) {
	t.Parallel()
	r := read(t, "a\n", nil)
	r.stop()
	if err := r.store.Set(map[string]any{"filename": r.path}, map[string]any{"position": nil, "note": "x"}); err != nil {
		t.Fatal(err)
	}
	r.start(nil)
	r.want("a")
	r.stop()
}

func TestSourceFollowsRenamedFile(t *testing.T) {
	t.Parallel()
	r := read(t, "a\n", nil)
	r.want("a")
	moved := r.path + ".1"
	if err := os.Rename(r.path, moved); err != nil {
		t.Fatal(err)
	}
	if err := appendTo(moved, "b\n"); err != nil {
		t.Fatal(err)
	}
	r.want("b")
	r.want()
	if n := r.log.count("file was renamed or removed"); n != 1 {
		t.Errorf("the renaming was logged %d times, want 1", n)
	}
	if err := appendTo(r.path, "new\n"); err != nil {
		t.Fatal(err)
	}
	if err := appendTo(moved, "c\n"); err != nil {
		t.Fatal(err)
	}
	r.want("c")
	r.want()
	if n := r.log.count("file was replaced by another one"); n != 1 {
		t.Errorf("the replacement was logged %d times, want 1", n)
	}
	r.stop()
}

func TestSourceNoticesTruncation(t *testing.T) {
	t.Parallel()
	r := read(t, "abc\ndef\n", nil)
	r.want("abc", "def")
	if err := os.Truncate(r.path, 0); err != nil {
		t.Fatal(err)
	}
	r.want()
	r.want()
	if n := r.log.count("file was truncated"); n != 1 {
		t.Errorf("the truncation was logged %d times, want 1", n)
	}
	r.append("12345678more\n")
	r.want("more")
	r.stop()
}

// startPiped starts a source that reads standard input, which is a pipe.
func startPiped(t *testing.T) (*conntest.Source, *os.File) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	plugin := Source
	plugin.Source = func() connect.SourceConnector { return &sourceConnector{stdin: in} }
	s, err := conntest.StartSource(plugin, connect.Props{keyTopic: "t"}, conntest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, out
}

func TestSourceReadsStandardInput(t *testing.T) {
	t.Parallel()
	s, out := startPiped(t)
	if recs, err := s.Rest(); err != nil || len(recs) > 0 {
		t.Fatalf("from an empty pipe: %d records, error %v", len(recs), err)
	}
	if _, err := out.WriteString("a\nb\nc"); err != nil {
		t.Fatal(err)
	}
	recs, err := s.Next(2)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	more, err := s.Rest()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, linesOf(append(recs, more...))); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"filename": nil}, recs[0].SourcePartition.Fields()); diff != "" {
		t.Errorf("partition (-want +got):\n%s", diff)
	}
	if got := recs[0].SourceOffset.Struct().At(0); !got.IsNull() {
		t.Errorf("position %s, want null", got)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}
