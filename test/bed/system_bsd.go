//go:build unix && !linux

package bed

import "syscall"

// childAttr puts a child into a process group of its own. Only Linux can also kill it when its parent dies.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
