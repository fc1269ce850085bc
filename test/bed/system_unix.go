//go:build unix

package bed

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func killGroup(pid int) error    { return unix.Kill(-pid, unix.SIGKILL) }
func suspendGroup(pid int) error { return unix.Kill(-pid, unix.SIGSTOP) }
func resumeGroup(pid int) error  { return unix.Kill(-pid, unix.SIGCONT) }

// flock takes an exclusive lock on f without waiting and reports whether it got it.
func flock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
