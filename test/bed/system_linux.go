package bed

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttr puts a child into a process group of its own and has the kernel kill it when its parent dies.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
}
