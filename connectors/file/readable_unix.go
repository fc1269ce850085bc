//go:build unix

package file

import (
	"os"

	"golang.org/x/sys/unix"
)

// readable tells whether a read from f returns at once: with data, an end, or an error. A read that waits could not be
// interrupted, and would take the data from the next task if it were left waiting.
func readable(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return true
	}
	ready := true
	err = conn.Control(func(fd uintptr) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		ready = n > 0 || (err != nil && err != unix.EINTR)
	})
	return ready || err != nil
}
