package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Pauses of a task that has nothing to read.
const (
	absentPause = time.Second
	firstPause  = 20 * time.Millisecond
	lastPause   = 320 * time.Millisecond
	// watchEvery is how many of the longest pauses pass between two looks at what has become of the file.
	watchEvery = 10
)

// maxShared is the most text that a batch's slab holds. The slab keeps what it was asked for once.
const maxShared = 1 << 20

// offsetSchema is the schema of source offsets. The position is null for standard input.
var offsetSchema = data.NewStructBuilder().Field(offsetPosition, data.OptionalInt64Schema).MustBuild()

// sourceTask reads lines. It has no goroutine: a poll reads what there is, and waits a little if that was nothing.
type sourceTask struct {
	stdin *os.File

	log       *slog.Logger
	path      string // empty for standard input
	topic     string
	batch     int
	partition *connect.SourcePartition
	position  int64 // where a file is read from once it can be opened

	in     *input // nil until the file is there
	lines  lineBuffer
	spans  []span
	pause  time.Duration
	timer  *time.Timer // of pauses
	quiet  int         // polls that found nothing
	absent notice
}

var _ connect.SourceTask = (*sourceTask)(nil)

func (t *sourceTask) Start(ctx context.Context, tc *connect.SourceTaskContext, p connect.Props) error {
	v, err := sourceDef.Parse(p)
	if err != nil {
		return err
	}
	t.log = tc.Log()
	t.path, t.topic, t.batch = sourceFile.Of(v), sourceTopic.Of(v), int(max(sourceBatch.Of(v), 1))
	if t.path == "" {
		t.partition = tc.Partition(map[string]any{partitionFile: nil})
		t.in = &input{file: t.stdin}
		return nil
	}
	t.partition = tc.Partition(map[string]any{partitionFile: t.path})
	t.position, err = storedPosition(ctx, tc, t.partition)
	return err
}

func storedPosition(ctx context.Context, tc *connect.SourceTaskContext, p *connect.SourcePartition) (int64, error) {
	v, err := tc.Offset(ctx, p, offsetPosition)
	switch {
	case err != nil:
		return 0, fmt.Errorf("read the stored position: %w", err)
	case v.IsNull():
		return 0, nil
	case v.Kind() != data.KindInt64 || v.Int64() < 0:
		return 0, connect.NewError(fmt.Sprintf("the stored offset of %s has position=%s, which is no position in a file; "+
			"alter or reset the connector's offsets", p, v), nil)
	default:
		return v.Int64(), nil
	}
}

func (t *sourceTask) Poll(ctx context.Context, out *connect.Batch) error {
	if t.in == nil {
		if err := t.open(); err != nil {
			return err
		}
	}
	if t.in == nil {
		t.wait(ctx, absentPause)
		return nil
	}
	nothing, err := false, error(nil)
	if t.in.regular && t.lines.low() {
		nothing, err = t.read()
	}
	for err == nil && !t.deliver(out) {
		if nothing {
			t.idle(ctx)
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		nothing, err = t.read()
	}
	return err
}

// open opens the file if it is there.
func (t *sourceTask) open() error {
	in, err := openInput(t.path, t.position)
	if errors.Is(err, fs.ErrNotExist) {
		if t.absent.due() {
			t.log.Warn("file does not exist, waiting for it", "file", t.path)
		}
		return nil
	}
	if err != nil {
		return err
	}
	t.log.Info("reading file", "file", t.path, "position", in.pos)
	t.in = in
	return nil
}

// read reads more; it tells whether there was nothing to read.
func (t *sourceTask) read() (nothing bool, err error) {
	n, err := t.in.read(t.lines.space())
	t.lines.added(n)
	return n == 0, err
}

// deliver adds the complete lines at hand to the batch and tells whether there were any.
func (t *sourceTask) deliver(out *connect.Batch) bool {
	first := out.Len()
	t.spans = t.spans[:0]
	for len(t.spans) < t.batch && !out.Full() {
		s, ok := t.lines.line()
		if !ok {
			break
		}
		out.Add()
		t.spans = append(t.spans, s)
	}
	if len(t.spans) == 0 {
		return false
	}
	t.fill(out.Records()[first:], out.Slab())
	t.lines.release()
	t.pause = 0
	return true
}

// fill sets the records of the lines in spans. Their text is copied in one piece, as the read buffer goes on to change.
func (t *sourceTask) fill(recs []connect.SourceRecord, slab *data.Slab) {
	taken := t.lines.taken()
	text := copyOf(taken, slab)
	valid := data.ValidUTF8(text)
	base := t.spans[0].start
	start := t.in.pos - int64(t.lines.pending()) - int64(len(taken))
	now, tracked := time.Now().UnixMilli(), t.path != ""
	for i, s := range t.spans {
		r := &recs[i]
		line := text[s.start-base : s.end-base : s.end-base]
		if !valid && !data.ValidUTF8(line) {
			line = appendDecoded(nil, line)
		}
		r.Topic, r.Timestamp = t.topic, now
		r.ValueSchema, r.Value = data.StringSchema, data.AliasString(line)
		r.SourcePartition = t.partition
		offset := slab.Struct(offsetSchema)
		if tracked {
			offset.Set(0, data.Int64(start+int64(s.next-base)))
		}
		r.SourceOffset = offset.Value()
	}
}

func copyOf(b []byte, slab *data.Slab) []byte {
	if len(b) > maxShared {
		return append([]byte(nil), b...)
	}
	return slab.Copy(b)
}

// idle waits before the next look at a source without news, longer each time.
func (t *sourceTask) idle(ctx context.Context) {
	t.lines.rest()
	// Looking at the file's name makes garbage, which adds up over a thousand sources that have been quiet for long.
	if t.quiet++; t.pause < lastPause || t.quiet%watchEvery == 0 {
		t.in.watch(t.log)
	}
	t.pause = min(max(2*t.pause, firstPause), lastPause)
	t.wait(ctx, t.pause)
}

// wait pauses, with one timer for all pauses: a thousand quiet sources should not make garbage.
func (t *sourceTask) wait(ctx context.Context, d time.Duration) {
	if t.timer == nil {
		t.timer = time.NewTimer(d)
	} else {
		t.timer.Reset(d)
	}
	select {
	case <-t.timer.C:
	case <-ctx.Done():
		t.timer.Stop()
	}
}

func (t *sourceTask) Stop(context.Context) error {
	if t.in == nil {
		return nil
	}
	return t.in.close()
}
