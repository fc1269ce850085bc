// Package chaos has tests that kill and starve real workers on a real broker and then count what arrived.
package chaos

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/test/bed"
)

const (
	fileSize = 105 << 20
	bigLine  = 1_000_000
	patience = 2 * time.Minute
)

// input is a generated file: what is in it, and what should come out.
type input struct {
	path  string
	ends  []int64  // position behind each line
	lines []uint64 // hash of each line without its end
}

// generate writes lines of all kinds: LF, CRLF, multi-byte, empty, and of a megabyte.
func generate(t *testing.T, rng *rand.Rand) input {
	t.Helper()
	in := input{path: filepath.Join(t.TempDir(), "input.txt")}
	f, err := os.Create(in.path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var size int64
	for n := 0; size < fileSize; n++ {
		line, end := line(n, rng), "\n"
		if rng.IntN(10) == 0 {
			end = "\r\n"
		}
		size += int64(len(line) + len(end))
		in.ends = append(in.ends, size)
		in.lines = append(in.lines, hash(line))
		_, _ = w.WriteString(line)
		_, _ = w.WriteString(end)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return in
}

func line(n int, rng *rand.Rand) string {
	switch k := rng.IntN(20000); {
	case k < 400:
		return ""
	case k < 402:
		return fmt.Sprintf("%09d %s", n, strings.Repeat("L", bigLine-10))
	case k < 4000:
		return fmt.Sprintf("%09d %s", n, strings.Repeat("Größe→水🙂", rng.IntN(12)))
	default:
		return fmt.Sprintf("%09d %s", n, strings.Repeat("x", rng.IntN(150)))
	}
}

func hash[S string | []byte](s S) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// rig is a worker that moves the input through a topic into a file.
type rig struct {
	t             *testing.T
	in            input
	out           string
	topic, sink   string
	source        string
	offsets       string
	args          []string
	admin         *kadm.Client
	flushInterval string // empty for the default
}

func newRig(t *testing.T, in input, flushInterval string) *rig {
	t.Helper()
	bootstrap := bed.SharedBroker(t)
	dir := t.TempDir()
	r := &rig{
		t: t, in: in, out: filepath.Join(dir, "output.txt"), offsets: filepath.Join(dir, "offsets"), flushInterval: flushInterval,
		topic: bed.Name(t, "lines"), source: bed.Name(t, "source"), sink: bed.Name(t, "sink"),
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	r.admin = kadm.NewClient(client)
	// The topic is there from the beginning so that its records can be counted from the first on.
	if _, err := r.admin.CreateTopic(t.Context(), 1, 1, nil, r.topic); err != nil {
		t.Fatal(err)
	}
	worker := map[string]string{
		"bootstrap.servers": bootstrap, "listeners": "http://127.0.0.1:0", "offset.storage.file.filename": r.offsets,
		"key.converter":   "org.apache.kafka.connect.storage.StringConverter",
		"value.converter": "org.apache.kafka.connect.storage.StringConverter",
		// A killed member would keep its partitions for the whole session.
		"consumer.session.timeout.ms": "6000", "consumer.heartbeat.interval.ms": "500",
	}
	if flushInterval != "" {
		worker["offset.flush.interval.ms"] = flushInterval
	}
	r.args = []string{
		"standalone",
		properties(t, dir, "worker", worker),
		properties(t, dir, "source", map[string]string{"name": r.source, "connector.class": "FileStreamSource", "file": in.path, "topic": r.topic}),
		properties(t, dir, "sink", map[string]string{"name": r.sink, "connector.class": "FileStreamSink", "file": r.out, "topics": r.topic}),
	}
	return r
}

func properties(t *testing.T, dir, name string, props map[string]string) string {
	t.Helper()
	var b strings.Builder
	for k, v := range props {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	path := filepath.Join(dir, name+".properties")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sent returns the number of records in the topic.
func (r *rig) sent() int64 {
	ends, err := r.admin.ListEndOffsets(context.Background(), r.topic)
	if err != nil {
		return 0
	}
	end, _ := ends.Lookup(r.topic, 0)
	return max(end.Offset, 0)
}

// committedLines returns how many lines the stored source offset covers.
func (r *rig) committedLines() int64 {
	r.t.Helper()
	f, err := store.OpenFileOffsets(r.offsets)
	if err != nil {
		r.t.Fatal(err)
	}
	v, err := f.Get(r.t.Context(), r.source, []map[string]any{{"filename": r.in.path}})
	if err != nil {
		r.t.Fatal(err)
	}
	if v[0].IsNull() {
		return 0
	}
	position := v[0].Map().GetString("position").Int64()
	for i, end := range r.in.ends {
		if end == position {
			return int64(i + 1)
		}
	}
	r.t.Fatalf("the committed position %d is at no end of a line", position)
	return 0
}

// committedRecords returns the sink's committed offset.
func (r *rig) committedRecords() int64 {
	offsets, err := r.admin.FetchOffsets(context.Background(), "connect-"+r.sink)
	if err != nil {
		return 0
	}
	o, _ := offsets.Lookup(r.topic, 0)
	return max(o.At, 0)
}

// output reads the output and compares first occurrences with the input. Lines that are no lines of the input can only
// be the torn ends of writes that a kill cut off.
type output struct {
	lines, repeated, torn int64
}

func (r *rig) check() output {
	r.t.Helper()
	f, err := os.Open(r.out)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	known := make(map[uint64]bool, len(r.in.lines))
	for _, h := range r.in.lines {
		known[h] = true
	}
	var out output
	next := 0
	br := bufio.NewReaderSize(f, 1<<20)
	for {
		raw, err := br.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		h := hash(bytes.TrimSuffix(raw, []byte{'\n'}))
		out.lines++
		switch {
		case next < len(r.in.lines) && h == r.in.lines[next]:
			next++
		case known[h]:
			out.repeated++
		default:
			out.torn++
		}
	}
	if next != len(r.in.lines) {
		r.t.Errorf("line %d of %d is missing or out of order in the output", next+1, len(r.in.lines))
	}
	return out
}

func (r *rig) awaitEnd(total int64) {
	r.t.Helper()
	bed.Poll(r.t, patience, "all records in the output", func() (bool, string) {
		n := countLines(r.out)
		return r.sent() >= total && n >= total, fmt.Sprintf("%d of %d records in the topic, %d lines in the output", r.sent(), total, n)
	})
}

func countLines(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	var n int64
	buf := make([]byte, 1<<20)
	for {
		m, err := f.Read(buf)
		n += int64(bytes.Count(buf[:m], []byte{'\n'}))
		if err != nil {
			return n
		}
	}
}

func TestFileThroughTopicToFile(t *testing.T) {
	bed.Require(t)
	in := generate(t, rand.New(rand.NewPCG(1, 2)))
	r := newRig(t, in, "")
	p := bed.Millrace(t, r.args...)
	r.awaitEnd(int64(len(in.lines)))
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	want := strings.ReplaceAll(read(t, in.path), "\r\n", "\n")
	if got := read(t, r.out); got != want {
		t.Errorf("the output differs from the input: %d bytes, want %d", len(got), len(want))
	}
	if got, want := r.committedLines(), int64(len(in.lines)); got != want {
		t.Errorf("%d lines are committed after the stop, want %d", got, want)
	}
	if got, want := r.committedRecords(), int64(len(in.lines)); got != want {
		t.Errorf("the sink has committed %d records after the stop, want %d", got, want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestKilledWorkerLosesNothing kills the worker five times, at moments that depend on the seed, and accounts for every
// line: what was sent since the last commit is sent again, and nothing else.
func TestKilledWorkerLosesNothing(t *testing.T) {
	bed.Require(t)
	seed := uint64(20)
	in := generate(t, rand.New(rand.NewPCG(seed, 2)))
	for _, tc := range []struct{ name, flushInterval string }{
		{"default interval", ""},
		{"short interval", "150"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Logf("seed %d", seed)
			killRun(t, newRig(t, in, tc.flushInterval), rand.New(rand.NewPCG(seed, 3)))
		})
	}
}

const kills = 5

func killRun(t *testing.T, r *rig, rng *rand.Rand) {
	lines := int64(len(r.in.lines))
	var resent, redelivered int64
	between := 0
	for k := range kills {
		p := bed.Millrace(t, r.args...)
		// The moment: somewhere in the next share of the file, with records acknowledged since the last commit.
		target := resent + lines*int64(k)/(kills+1) + rng.Int64N(lines/(kills+1))
		r.awaitSent(target)
		p.Kill()
		sent, committed := r.settled(), r.committedLines()
		again := sent - resent - committed
		if again < 0 {
			t.Fatalf("%d lines are committed but only %d were sent", committed, sent-resent)
		}
		if again > 0 {
			between++
		}
		resent += again
		delivered := r.committedRecords()
		redelivered += sent - delivered
		t.Logf("kill %d: %d records sent, %d lines committed, %d lines to be sent again; sink: %d committed", k+1, sent, committed, again, delivered)
	}
	p := bed.Millrace(t, r.args...)
	total := lines + resent
	bed.Poll(t, patience, "the end of the topic to be committed by the sink's stop", func() (bool, string) {
		n := r.sent()
		return n >= total && r.delivered(), fmt.Sprintf("%d of %d records sent", n, total)
	})
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if got := r.sent(); got != total {
		t.Errorf("%d records in the topic, want %d lines and %d sent again", got, lines, resent)
	}
	out := r.check()
	t.Logf("%d lines, %d sent again by the source, %d lines repeated in the output (at most %d), %d torn by kills", lines, resent, out.repeated, resent+redelivered, out.torn)
	if out.repeated > resent+redelivered {
		t.Errorf("%d lines are repeated, more than the %d sent or delivered since the last commits", out.repeated, resent+redelivered)
	}
	if out.torn > kills {
		t.Errorf("%d lines of the output are no lines of the input, more than one a kill", out.torn)
	}
	if between < 3 {
		t.Errorf("%d kills hit between an acknowledgement and the next commit, want at least 3", between)
	}
}

// awaitSent returns as soon as there are more records in the topic than that. It asks without a pause, because the
// whole file passes in less than a second.
func (r *rig) awaitSent(target int64) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); r.sent() <= target; {
		if time.Now().After(deadline) {
			r.t.Fatalf("%d records sent after %v, waiting for more than %d", r.sent(), patience, target)
		}
	}
}

// settled returns the number of records in the topic when what was on its way has arrived.
func (r *rig) settled() int64 {
	r.t.Helper()
	last, same := int64(-1), 0
	bed.Poll(r.t, patience, "the topic to settle", func() (bool, string) {
		if n := r.sent(); n == last {
			same++
		} else {
			last, same = n, 0
		}
		return same >= 3, fmt.Sprintf("%d records", last)
	})
	return last
}

// delivered tells whether the last line of the input is the last of the output.
func (r *rig) delivered() bool {
	f, err := os.Open(r.out)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	tail := make([]byte, min(info.Size(), bigLine+2))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil || len(tail) == 0 || tail[len(tail)-1] != '\n' {
		return false
	}
	tail = tail[:len(tail)-1]
	return hash(tail[bytes.LastIndexByte(tail, '\n')+1:]) == r.in.lines[len(r.in.lines)-1]
}
