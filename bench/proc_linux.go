package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel end this process in order when the shell or make that started it is killed, so that the servers end too.
// A kernel that cannot do it leaves things as they are on other systems.
func dieWithParent() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
}

// checkSystem returns nil: everything that is measured can be read here.
func checkSystem() error { return nil }

// cpuTime is the CPU time, user and system, that all threads of a process have used so far. It is the count of /proc/PID/stat, read
// from the process's CPU clock, which ticks in nanoseconds where the file has hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	// The id of another process's clock, as in clock_getcpuclockid(3).
	const scheduled = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &ts); err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Fields of /proc/PID/status.
const (
	residentNow  = "VmRSS"
	residentPeak = "VmHWM"
)

// memory is the resident memory of a process in bytes, now or at its peak.
func memory(pid int, field string) (int64, error) {
	n, err := procField(fmt.Sprintf("/proc/%d/status", pid), field)
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return n, nil
}

// procField reads a field with a number of kB, and returns bytes.
func procField(path, field string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		value, ok := bytes.CutPrefix(line, []byte(field+":"))
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(value)), " kB"), 10, 64)
		return kb << 10, err
	}
	return 0, fmt.Errorf("%s has no field %s", path, field)
}

func freeMemory() (int64, error) { return procField("/proc/meminfo", "MemAvailable") }

func totalMemory() (int64, error) { return procField("/proc/meminfo", "MemTotal") }

// freeDisk is the room that a folder's disk has for this user.
func freeDisk(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the type is another one on 32-bit systems
}

// openFiles is how many files a process of this user may have open.
func openFiles() (uint64, error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("ask for the limit of open files: %w", err)
	}
	return l.Max, nil
}

// processor is the name of the CPU.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		name, value, _ := strings.Cut(sc.Text(), ":")
		switch strings.TrimSpace(name) {
		case "model name", "Model":
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "Linux"
	}
	return "Linux " + unix.ByteSliceToString(u.Release[:])
}

// load is the machine's load average of the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
