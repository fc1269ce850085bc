package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSourceConformance(t *testing.T) {
	t.Parallel()
	conntest.RunSource(t, conntest.SourceCase{
		Plugin: Source,
		Setup: func(t conntest.TB) conntest.SourceEnv {
			path := filepath.Join(t.TempDir(), "in.txt")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Errorf("%v", err)
			}
			return conntest.SourceEnv{
				Props:   connect.Props{keyFile: path, keyTopic: "lines"},
				Produce: func(from, n int) error { return appendTo(path, numberedLines(from, n)) },
				Number:  func(r connect.SourceRecord) (int, error) { return lineNumber(r.Value.Str()) },
			}
		},
	})
}

// numberedLines returns lines whose bytes are more than their characters.
func numberedLines(from, n int) string {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, "zeile·%d\n", i)
	}
	return b.String()
}

func lineNumber(text string) (int, error) {
	digits, ok := strings.CutPrefix(text, "zeile·")
	if !ok {
		return 0, fmt.Errorf("line %q", text)
	}
	return strconv.Atoi(digits)
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func TestSinkConformance(t *testing.T) {
	t.Parallel()
	conntest.RunSink(t, conntest.SinkCase{
		Plugin: Sink,
		Setup:  func(t conntest.TB) conntest.SinkEnv { return sinkEnv(filepath.Join(t.TempDir(), "out.txt")) },
	})
}

// TestSinkConformanceOnFullDisk has the scenarios with a destination that can be broken.
func TestSinkConformanceOnFullDisk(t *testing.T) {
	t.Parallel()
	disk := &disk{}
	disk.free.Store(plenty)
	plugin := Sink
	plugin.Sink = func() connect.SinkConnector { return &sinkConnector{open: disk.open} }
	conntest.RunSink(t, conntest.SinkCase{
		Plugin: plugin,
		Setup: func(t conntest.TB) conntest.SinkEnv {
			env := sinkEnv(filepath.Join(t.TempDir(), "out.txt"))
			env.Break = func(broken bool) {
				disk.free.Store(plenty)
				if broken {
					disk.free.Store(13)
				}
			}
			return env
		},
	})
}

func sinkEnv(path string) conntest.SinkEnv {
	return conntest.SinkEnv{
		Props: connect.Props{keyFile: path},
		Delivered: func() ([]int, error) {
			content, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) {
				return nil, nil
			}
			return recordNumbers(string(content), err)
		},
	}
}

func recordNumbers(content string, err error) ([]int, error) {
	var numbers []int
	for line := range strings.Lines(content) {
		digits, begins := strings.CutPrefix(line, "record ")
		digits, ends := strings.CutSuffix(digits, "\n")
		n, numErr := strconv.Atoi(digits)
		// A line that the disk had no room for may be last.
		if begins && ends && numErr == nil {
			numbers = append(numbers, n)
		} else if !strings.HasSuffix(content, line) || ends {
			err = errors.Join(err, fmt.Errorf("line %q", line))
		}
	}
	return numbers, err
}

// plenty is more room than any test needs.
const plenty = 1 << 40

// disk gives files that write until it is full, and then write what there is room for.
type disk struct {
	free   atomic.Int64
	writes atomic.Int64
	syncs  atomic.Int64
	broken atomic.Pointer[error] // what Sync returns
}

type diskFile struct {
	destination
	disk *disk
}

func (d *disk) open(path string) (destination, error) {
	f, err := openSink(path)
	if err != nil {
		return nil, err
	}
	return diskFile{f, d}, nil
}

func (f diskFile) Write(b []byte) (int, error) {
	f.disk.writes.Add(1)
	room := min(f.disk.free.Load(), int64(len(b)))
	n, err := f.destination.Write(b[:room])
	f.disk.free.Add(-int64(n))
	if err == nil && n < len(b) {
		err = &os.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}
	}
	return n, err
}

func (f diskFile) Sync() error {
	f.disk.syncs.Add(1)
	if err := f.disk.broken.Load(); err != nil {
		return *err
	}
	return f.destination.Sync()
}
