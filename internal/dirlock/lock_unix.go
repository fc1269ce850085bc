//go:build unix && !solaris && !illumos && !aix

package dirlock

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the file exclusively or answers errLocked. The kernel releases it when the process dies.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// Sync makes the creation of a file in the folder durable.
func Sync(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
