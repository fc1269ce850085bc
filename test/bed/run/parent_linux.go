package main

import "golang.org/x/sys/unix"

// dieWithParent has the kernel interrupt this process when the shell or make that started it is killed, so that the servers end in
// order. A kernel that cannot do it leaves things as they are on other systems.
func dieWithParent() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
}
