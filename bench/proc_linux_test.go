package main

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCPUTimeAndMemory(t *testing.T) {
	t.Parallel()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	after, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	// The kernel keeps the two counts apart and rounds one of them.
	const slack = 50 * time.Millisecond
	if used < before-slack || used > after+slack {
		t.Errorf("the CPU time was %v and then %v; in between the kernel said %v", before, after, used)
	}
	now, err := memory(os.Getpid(), residentNow)
	if err != nil {
		t.Fatal(err)
	}
	peak, err := memory(os.Getpid(), residentPeak)
	if err != nil || now < 1<<20 || peak < now/2 {
		t.Errorf("%d bytes now, %d at the peak, %v", now, peak, err)
	}
	const noProcess = 1<<22 + 1 // Linux has no ids as large
	if _, err := cpuTime(noProcess); err == nil {
		t.Error("a process that is not there has CPU time")
	}
}
