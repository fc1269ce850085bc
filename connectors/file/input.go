package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"syscall"

	"github.com/millrace-io/millrace/connect"
)

// input is an open source: a regular file, or something that has no positions, such as a pipe or a terminal.
type input struct {
	file    *os.File
	path    string // empty for standard input
	regular bool
	pos     int64 // bytes read since the beginning of the file, or delivered before this run and read since
	state   fileState
}

// fileState says what has become of a file that is being read.
type fileState uint8

const (
	fileInPlace fileState = iota
	fileMoved
	fileReplaced
	fileTruncated
)

// openInput opens the file at path for reading from position on. An absent file is fs.ErrNotExist.
func openInput(path string, position int64) (*input, error) {
	// Without O_NONBLOCK opening a named pipe waits for somebody who writes to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, connect.NewError(fmt.Sprintf("file=%s cannot be opened; make it readable for the user that the worker runs as", path), err)
	}
	in := &input{file: f, path: path, pos: position}
	if err := in.seek(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return in, nil
}

func (in *input) seek() error {
	st, err := in.file.Stat()
	if err != nil {
		return connect.NewError(fmt.Sprintf("file=%s cannot be examined", in.path), err)
	}
	if st.IsDir() {
		return connect.NewError(fmt.Sprintf("file=%s is a directory; name a file in it", in.path), nil)
	}
	in.regular = st.Mode().IsRegular()
	if !in.regular {
		return nil
	}
	if in.pos > st.Size() {
		return connect.NewError(fmt.Sprintf("the stored position %d is beyond the end of file=%s, which has %d bytes: it was truncated or "+
			"replaced; alter or reset the connector's offsets to say where reading goes on", in.pos, in.path, st.Size()), nil)
	}
	if _, err := in.file.Seek(in.pos, io.SeekStart); err != nil {
		return connect.NewError(fmt.Sprintf("position %d of file=%s cannot be reached", in.pos, in.path), err)
	}
	return nil
}

// read fills b with what there is, without waiting for more; 0 is nothing for the time being.
func (in *input) read(b []byte) (int, error) {
	if !in.regular && !readable(in.file) {
		return 0, nil
	}
	n, err := in.file.Read(b)
	in.pos += int64(n)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EAGAIN) {
		return n, connect.NewError(fmt.Sprintf("file=%s cannot be read at position %d", nameOr(in.path, "standard input"), in.pos), err)
	}
	return n, nil
}

// watch logs when the file was renamed, replaced or truncated. Reading goes on where it is in the file that is open:
// what a position means after such a change is for the user to say.
func (in *input) watch(log *slog.Logger) {
	if !in.regular || in.path == "" {
		return
	}
	state := in.look()
	if state == in.state {
		return
	}
	in.state = state
	switch state {
	case fileMoved:
		log.Warn("file was renamed or removed; its remaining lines are read to the end", "file", in.path, "position", in.pos)
	case fileReplaced:
		log.Warn("file was replaced by another one; the old one is read on, restart the task to read the new one", "file", in.path, "position", in.pos)
	case fileTruncated:
		log.Warn("file was truncated; reading goes on when it has grown beyond the position, reset the connector's offsets to read it from the start",
			"file", in.path, "position", in.pos)
	case fileInPlace:
	}
}

func (in *input) look() fileState {
	now, err := os.Stat(in.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fileMoved
	}
	open, openErr := in.file.Stat()
	switch {
	case err != nil || openErr != nil:
		return in.state
	case !os.SameFile(now, open):
		return fileReplaced
	case open.Size() < in.pos:
		return fileTruncated
	default:
		return fileInPlace
	}
}

// close closes the file, except for standard input, which is the worker's.
func (in *input) close() error {
	if in.path == "" {
		return nil
	}
	return in.file.Close()
}
