package devbroker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

const (
	lockFile   = ".lock"    // held by the process that has the folder open; names that process
	markerFile = ".running" // there while the folder is open, and after a stop that was not clean
)

// errLocked is what the platform's lock answers when another process, or another Broker of this one, has the file.
var errLocked = errors.New("locked")

// folder is the data folder, locked against every other process.
type folder struct {
	path string
	lock *os.File
}

// openFolder makes the folder if it is missing and locks it.
func openFolder(path string) (*folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the embedded broker's folder: %w", err)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, unwritable(path, err)
	}
	f, err := os.OpenFile(filepath.Join(path, lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, unwritable(path, err)
	}
	if err := lock(f); err != nil {
		defer f.Close()
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("the embedded broker's folder %s is in use by another process%s", path, owner(f))
		}
		return nil, fmt.Errorf("lock the embedded broker's folder %s: %w", path, err)
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(unwritable(path, err), f.Close())
	}
	return &folder{path: path, lock: f}, nil
}

// dirty reports whether the last process to use the folder did not close it.
func (f *folder) dirty() bool {
	_, err := os.Stat(f.marker())
	return !errors.Is(err, fs.ErrNotExist)
}

// mark sets the marker durably: it has to outlive a power loss that comes right after it.
func (f *folder) mark() error {
	m, err := os.OpenFile(f.marker(), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return unwritable(f.path, err)
	}
	if err := errors.Join(m.Sync(), m.Close(), syncDir(f.path)); err != nil {
		return unwritable(f.path, err)
	}
	return nil
}

// close unlocks the folder, and takes the marker away if everything in it is known to be in order.
func (f *folder) close(clean bool) error {
	var err error
	if clean {
		if err = os.Remove(f.marker()); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	return errors.Join(err, f.lock.Close()) // closing releases the lock; the file stays, or two could hold locks on two files
}

func (f *folder) marker() string { return filepath.Join(f.path, markerFile) }

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

// unwritable puts the reason, without the file it was met at, behind the folder's name.
func unwritable(path string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("the embedded broker cannot write to its folder %s: %w", path, err)
}
