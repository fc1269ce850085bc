package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/millrace-io/millrace/connect"
)

// sinkConnector gives every task the connector's own configuration: all tasks append to one file.
type sinkConnector struct {
	open  func(path string) (destination, error)
	props connect.Props
}

var (
	_ connect.SinkConnector     = (*sinkConnector)(nil)
	_ connect.SinkOffsetAlterer = (*sinkConnector)(nil)
)

func (c *sinkConnector) Start(_ context.Context, cc *connect.ConnectorContext, p connect.Props) error {
	v, err := sinkDef.Parse(p)
	if err != nil {
		return err
	}
	c.props = p
	cc.Log().Info("starting file sink", "file", nameOr(sinkFile.Of(v), "standard output"))
	return nil
}

func (c *sinkConnector) TaskConfigs(_ context.Context, limit int) ([]connect.Props, error) {
	configs := make([]connect.Props, limit)
	for i := range configs {
		configs[i] = maps.Clone(c.props)
	}
	return configs, nil
}

func (c *sinkConnector) NewTask() connect.SinkTask { return &sinkTask{open: c.open} }

func (c *sinkConnector) Stop(context.Context) error { return nil }

// AlterOffsets has nothing to check: the file does not know offsets.
func (c *sinkConnector) AlterOffsets(context.Context, connect.Props, map[connect.TopicPartition]*int64) (bool, error) {
	return true, nil
}

// destination is what a sink task needs of an *os.File.
type destination interface {
	Write(b []byte) (int, error)
	Sync() error
	Stat() (fs.FileInfo, error)
	Seek(offset int64, whence int) (int64, error)
	Truncate(size int64) error
	SetWriteDeadline(t time.Time) error
	Close() error
}

// newFileMode is the mode of files that the sink creates, before the umask.
const newFileMode = 0o666

// openSink opens the file at path for appending; an empty path is standard output, which is not closed by Close.
func openSink(path string) (destination, error) {
	if path == "" {
		return standardOutput{os.Stdout}, nil
	}
	// Without O_NONBLOCK opening a named pipe waits for somebody who reads from it.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, newFileMode)
	if err != nil {
		return nil, connect.NewError(fmt.Sprintf("file=%s cannot be opened for appending; %s", path, advice(path, err)), err)
	}
	return f, nil
}

// advice says what to do about an error of opening path.
func advice(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "create the directory " + filepath.Dir(path)
	case errors.Is(err, syscall.EISDIR):
		return "it is a directory, name a file in it"
	case errors.Is(err, fs.ErrPermission):
		return "make it writable for the user that the worker runs as"
	case errors.Is(err, syscall.ENXIO):
		return "it is a named pipe, start what reads from it first"
	default:
		return "name a file that the worker can write"
	}
}

type standardOutput struct{ *os.File }

func (standardOutput) Close() error { return nil }

// sole tells whether the task is the only one of its connector.
func sole(p connect.Props) bool {
	n, err := strconv.Atoi(p[keyTasksMax])
	return err != nil || n <= 1
}
