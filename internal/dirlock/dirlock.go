// Package dirlock keeps a folder to one process at a time.
package dirlock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// File is the name of the file in the folder that is locked. It has the number of the process and stays when the lock is
// released, or two processes could hold locks on two files.
const File = ".lock"

// errLocked is what the platform's lock answers when another process, or another Lock of this one, has the file.
var errLocked = errors.New("locked")

// InUseError says that another process has the folder, and which.
type InUseError struct {
	Dir   string
	owner string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("the folder %s is in use by another process%s", e.Dir, e.owner)
}

// Lock is a locked folder. The system releases it when the process dies.
type Lock struct{ file *os.File }

// Acquire makes the folder if it is missing and locks it. Errors are one sentence with the folder's name, an [InUseError] among
// them.
func Acquire(dir string) (*Lock, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, Unwritable(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, File), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, Unwritable(dir, err)
	}
	if err := lock(f); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			return nil, &InUseError{Dir: dir, owner: owner(f)}
		}
		return nil, fmt.Errorf("lock the folder %s: %w", dir, err)
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(Unwritable(dir, err), f.Close())
	}
	return &Lock{f}, nil
}

// Release unlocks the folder.
func (l *Lock) Release() error { return l.file.Close() }

// sign writes the process id into the lock file.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return err
}

// owner names the process that signed the lock file, or is empty if that cannot be read.
func owner(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 20))
	if err != nil || len(b) == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %s)", b)
}

// Unwritable puts the reason, without the file it was met at, behind the folder's name.
func Unwritable(dir string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("the folder %s cannot be written to: %w", dir, err)
}
