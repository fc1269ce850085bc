package dirlock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockOffset is a byte far behind the content: Windows keeps others from reading what is locked, and they want the owner's id.
const lockOffset = 1 << 30

// lock takes the file exclusively or answers errLocked. The system releases it when the process dies.
func lock(f *os.File) error {
	at := &windows.Overlapped{Offset: lockOffset}
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// Sync does nothing: Windows cannot sync a folder.
func Sync(string) error { return nil }
