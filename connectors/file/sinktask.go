package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/millrace-io/millrace/connect"
)

// fullPause is how long a task waits before it tries a full disk again.
const fullPause = 5 * time.Second

// sinkTask appends lines, all lines of a put in one write, so that the tasks of one connector interleave between puts
// only.
type sinkTask struct {
	open func(path string) (destination, error)

	log     *slog.Logger
	path    string // empty for standard output
	sole    bool   // no other task appends to the file
	out     destination
	regular bool
	dirty   bool // something was written since the last Flush

	buf  []byte
	rest unfinished
	full notice
}

// line is one record's line in the buffer.
type line struct {
	end    int // in the buffer
	record int // in the put
}

// unfinished is what is left of a put that was cut off in the middle, as on a full disk. The put is repeated, or the
// records come again after a rewind; in both cases the line that was begun is completed first, and what is in the file
// already is not written a second time.
type unfinished struct {
	line    []byte // the line that was begun; nil if there is none
	done    int    // how many bytes of it are in the file
	written map[connect.Original]struct{}
}

var (
	_ connect.SinkTask = (*sinkTask)(nil)
	_ connect.Flusher  = (*sinkTask)(nil)
)

func (t *sinkTask) Start(_ context.Context, tc *connect.SinkTaskContext, p connect.Props) error {
	v, err := sinkDef.Parse(p)
	if err != nil {
		return err
	}
	t.log, t.path, t.sole = tc.Log(), sinkFile.Of(v), sole(p)
	if t.out, err = t.open(t.path); err != nil {
		return err
	}
	st, err := t.out.Stat()
	if err != nil {
		return connect.NewError(fmt.Sprintf("file=%s cannot be examined", t.name()), err)
	}
	t.regular = st.Mode().IsRegular()
	return nil
}

func (t *sinkTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	t.render(recs)
	if len(t.buf) == 0 {
		return nil
	}
	n, err := t.write(ctx)
	t.dirty = t.dirty || n > 0
	if err != nil {
		return t.cutOff(recs, n, err)
	}
	t.rest = unfinished{}
	t.full.over()
	return nil
}

// render puts what is to be written into the buffer: the rest of a line that was begun, then the records that are not
// in the file yet.
func (t *sinkTask) render(recs []connect.SinkRecord) {
	if cap(t.buf) > keepSize {
		t.buf = nil
	}
	t.buf = append(t.buf[:0], t.rest.line[t.rest.done:]...)
	for i := range recs {
		if !t.rest.has(&recs[i]) {
			t.buf = appendLine(t.buf, &recs[i])
		}
	}
}

// layout returns where render put which record. Only a put that was cut off asks, so that others do not pay for it.
func (t *sinkTask) layout(recs []connect.SinkRecord) []line {
	var lines []line
	var text []byte
	end := len(t.rest.line) - t.rest.done
	for i := range recs {
		if !t.rest.has(&recs[i]) {
			text = appendLine(text[:0], &recs[i])
			end += len(text)
			lines = append(lines, line{end: end, record: i})
		}
	}
	return lines
}

func appendLine(dst []byte, r *connect.SinkRecord) []byte {
	return append(r.Value.AppendText(dst), separator()...)
}

// separator is the platform's line separator, as in Java.
func separator() string {
	if runtime.GOOS == "windows" {
		return "\r\n"
	}
	return "\n"
}

// write writes the buffer. Only pipes and the like can make it wait; then it ends with ctx.
func (t *sinkTask) write(ctx context.Context) (int, error) {
	if t.regular {
		return t.out.Write(t.buf)
	}
	// Files without deadlines, such as an inherited standard output, refuse them and wait as they must.
	_ = t.out.SetWriteDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = t.out.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	return t.out.Write(t.buf)
}

// cutOff remembers where a write ended and returns what is wrong.
func (t *sinkTask) cutOff(recs []connect.SinkRecord, n int, err error) error {
	t.rest.advance(t.buf, t.layout(recs), n, func(i int) connect.Original { return recs[i].Original })
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		if t.full.due() {
			t.log.Warn("no space left for the file, writing goes on when there is", "file", t.name(), "bytes written", n, "bytes left", len(t.buf)-n)
		}
		return connect.RetryAfter(fullPause, connect.NewError(fmt.Sprintf("file=%s cannot be written, free space on its disk", t.name()), err))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return connect.Retriable(connect.NewError(fmt.Sprintf("file=%s is a pipe that nobody reads from", t.name()), err))
	default:
		return connect.NewError(fmt.Sprintf("file=%s cannot be written", t.name()), err)
	}
}

// has tells whether the line of a record is in the file already.
func (u *unfinished) has(r *connect.SinkRecord) bool {
	if len(u.written) == 0 {
		return false
	}
	_, ok := u.written[r.Original]
	return ok
}

// advance takes note that n bytes of buf, which began with the rest of the unfinished line, are in the file.
func (u *unfinished) advance(buf []byte, lines []line, n int, id func(record int) connect.Original) {
	first := len(u.line) - u.done
	if n < first {
		u.done += n
		return
	}
	if u.written == nil {
		u.written = make(map[connect.Original]struct{})
	}
	u.line, u.done = nil, 0
	start := first
	for _, l := range lines {
		if start >= n {
			return
		}
		u.written[id(l.record)] = struct{}{}
		if l.end > n {
			u.line, u.done = append([]byte(nil), buf[start:l.end]...), n-start
		}
		start = l.end
	}
}

// Flush makes the lines durable, so that a committed offset means that its line survives a crash of the machine.
func (t *sinkTask) Flush(context.Context, connect.Offsets) error {
	if !t.dirty || !t.regular {
		return nil
	}
	if err := t.out.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		// What was written may be lost, so that it must be written again when it comes again.
		t.rest.written = nil
		return connect.NewError(fmt.Sprintf("file=%s cannot be flushed to its disk", t.name()), err)
	}
	t.dirty = false
	return nil
}

func (t *sinkTask) Stop(context.Context) error {
	if t.out == nil {
		return nil
	}
	return errors.Join(t.takeBack(), t.out.Close())
}

// takeBack removes a line that was begun and never completed. Its record was not acknowledged and comes again, to be
// written after what would be half a line. With other writers around nothing is removed, lest it be theirs.
func (t *sinkTask) takeBack() error {
	if t.rest.done == 0 {
		return nil
	}
	if t.regular && t.sole {
		end, err := t.out.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		st, err := t.out.Stat()
		if err != nil {
			return err
		}
		if st.Size() == end {
			return t.out.Truncate(end - int64(t.rest.done))
		}
	}
	t.log.Warn("the last line of the file is incomplete", "file", t.name(), "bytes", t.rest.done)
	return nil
}

func (t *sinkTask) name() string { return nameOr(t.path, "standard output") }
