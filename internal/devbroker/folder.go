package devbroker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/millrace-io/millrace/internal/dirlock"
)

// markerFile is there while the folder is open, and after a stop that was not clean.
const markerFile = ".running"

// folder is the data folder, locked against every other process.
type folder struct {
	path string
	lock *dirlock.Lock
}

// openFolder makes the folder if it is missing and locks it.
func openFolder(path string) (*folder, error) {
	l, err := dirlock.Acquire(path)
	if err != nil {
		return nil, fmt.Errorf("open the embedded broker's data: %w", err)
	}
	return &folder{path: path, lock: l}, nil
}

// dirty reports whether the last process to use the folder did not close it.
func (f *folder) dirty() bool {
	_, err := os.Stat(f.marker())
	return !errors.Is(err, fs.ErrNotExist)
}

// mark sets the marker durably: it has to outlive a power loss that comes right after it.
func (f *folder) mark() error {
	m, err := os.OpenFile(f.marker(), os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		err = errors.Join(m.Sync(), m.Close(), dirlock.Sync(f.path))
	}
	if err != nil {
		return fmt.Errorf("open the embedded broker's data: %w", dirlock.Unwritable(f.path, err))
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
	return errors.Join(err, f.lock.Release())
}

func (f *folder) marker() string { return filepath.Join(f.path, markerFile) }
