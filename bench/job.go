package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// job is one stretch of work: the lines of a file into a topic, or the records of a topic into a file.
type job struct {
	Sink      bool
	Name      string // of the connector; never used twice, so that no stored offset counts
	Bootstrap string
	File      string
	Topic     string
	Lines     int64
	Bytes     int64             // of the file when all lines are in it
	Config    map[string]string // of the connector, if it is not the usual one
}

// config is the connector's configuration, usually the same for both workers.
func (j *job) config() map[string]string {
	if j.Config != nil {
		return j.Config
	}
	c := map[string]string{"tasks.max": "1", "file": j.File}
	if j.Sink {
		c["connector.class"], c["topics"] = "FileStreamSink", j.Topic
	} else {
		c["connector.class"], c["topic"] = "FileStreamSource", j.Topic
	}
	return c
}

// writeLines makes a file of numbered lines that are width bytes long, the line separator not counted.
func writeLines(path string, lines int64, width int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<20)
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789 "
	filler := bytes.Repeat([]byte(alphabet), width/len(alphabet)+2)
	var line []byte
	for i := range lines {
		line = append(strconv.AppendInt(line[:0], i, 10), ' ')
		shift := int(i % int64(len(alphabet)))
		line = append(append(line, filler[shift:shift+width-len(line)]...), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return w.Flush()
}

// sameContent returns an error unless the files are equal.
func sameContent(want, got string) error {
	a, err := os.Open(want)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := os.Open(got)
	if err != nil {
		return err
	}
	defer b.Close()
	x, y := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); ; at += int64(len(x)) {
		n, errA := io.ReadFull(a, x)
		m, errB := io.ReadFull(b, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return fmt.Errorf("%s differs from %s within the %d bytes from %d", got, want, len(x), at)
		}
		if errA != nil || errB != nil {
			return ended(errA, errB)
		}
	}
}

// ended returns what is an error among the ends of two files.
func ended(errs ...error) error {
	var all []error
	for _, err := range errs {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// Looks at how much has arrived come sooner the less is missing, so that they neither load the broker nor miss the end by much.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = 100 * time.Millisecond
	stallWait = 2 * time.Minute
	checkWait = time.Second
)

// arrive waits until count reaches want. check is asked now and then whether that can still happen.
func arrive(ctx context.Context, want int64, count func(context.Context) (int64, error), check func(context.Context) error) error {
	began := time.Now()
	moved, checked, seen := began, began, int64(0)
	for {
		n, err := count(ctx)
		if err != nil {
			return err
		}
		if n >= want {
			return nil
		}
		now := time.Now()
		if n > seen {
			seen, moved = n, now
		}
		if now.Sub(moved) > checkWait && now.Sub(checked) > checkWait {
			if err := check(ctx); err != nil {
				return err
			}
			checked = now
		}
		if now.Sub(moved) > stallWait {
			return fmt.Errorf("%d of %d arrived and nothing more for %v", n, want, stallWait)
		}
		if err := wait(ctx, nextLook(now.Sub(began), n, want)); err != nil {
			return err
		}
	}
}

// nextLook is a quarter of the time that is left at the present rate, within bounds.
func nextLook(elapsed time.Duration, n, want int64) time.Duration {
	if n <= 0 {
		return firstLook
	}
	left := time.Duration(float64(elapsed) * float64(want-n) / float64(n))
	return min(max(left/4, firstLook), lastLook)
}

// wait pauses, or returns ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
