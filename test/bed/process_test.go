package bed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const limit = 20 * time.Second

// shell starts a script that has reached its last line when the function returns; the script must print "up".
func shell(t *testing.T, script string, grace time.Duration) *Process {
	t.Helper()
	p := NewProcess(t, ProcessOptions{Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Grace: grace})
	Poll(t, limit, "the script to begin", func() (bool, string) {
		return strings.Contains(p.Output(), "up\n"), p.Output()
	})
	return p
}

const untilTold = "echo up; while :; do sleep 0.02; done"

func TestStopLetsAProcessFinish(t *testing.T) {
	t.Parallel()
	p := shell(t, "trap 'echo bye >&2; exit 3' TERM; "+untilTold, 0)
	if p.ExitCode() != -1 || p.State() != nil {
		t.Errorf("a running process has exit code %d and state %v, want -1 and none", p.ExitCode(), p.State())
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if p.ExitCode() != 3 || p.Output() != "up\nbye\n" {
		t.Errorf("exit code %d, output %q, want 3 and both lines", p.ExitCode(), p.Output())
	}
	if err := p.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	p := shell(t, "trap '' TERM; "+untilTold, 50*time.Millisecond)
	err := p.Stop()
	if err == nil || !strings.Contains(err.Error(), "script did not end within 50ms") {
		t.Errorf("got error %v, want one about the grace time", err)
	}
	if p.Running() {
		t.Error("it still runs")
	}
}

func TestKillReachesGrandchildren(t *testing.T) {
	t.Parallel()
	p := shell(t, "sleep 1000 & echo $!; echo up; wait", 0)
	grandchild, err := strconv.Atoi(strings.Fields(p.Output())[0])
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	p.Kill()
	pollGone(t, grandchild)
	if code, err := p.Wait(t.Context()); code != -1 || err != nil {
		t.Errorf("Wait returned %d, %v, want -1 for a killed process", code, err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p := shell(t, untilTold, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Wait(ctx); err == nil || !strings.Contains(err.Error(), "wait for script to end") {
		t.Errorf("got error %v, want one that says what was waited for", err)
	}
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	p := shell(t, "trap 'exit 5' TERM; "+untilTold, 0)
	if err := p.Suspend(); err != nil {
		t.Fatal(err)
	}
	Poll(t, limit, "the script to be frozen", func() (bool, string) {
		s := processState(t, p.Pid())
		return s == "T", s
	})
	if err := p.Stop(); err != nil {
		t.Fatalf("stop a suspended process: %v", err)
	}
	if p.ExitCode() != 5 {
		t.Errorf("exit code %d, want 5", p.ExitCode())
	}
}

// TestMain lets the test binary play the parent that dies in TestChildrenDieWithTheirParent.
func TestMain(m *testing.M) {
	if dir := os.Getenv("BED_TEST_PARENT"); dir != "" {
		p, err := StartProcess(ProcessOptions{Path: "/bin/sleep", Args: []string{"1000"}, LogFile: filepath.Join(dir, "log")})
		if err != nil {
			panic(err)
		}
		if err := writeAtomic(filepath.Join(dir, "pid"), strconv.Itoa(p.Pid())); err != nil {
			panic(err)
		}
		select {}
	}
	os.Exit(m.Run())
}

func TestChildrenDieWithTheirParent(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("only Linux kills the children of a killed process")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	parent := NewProcess(t, ProcessOptions{Path: self, Env: []string{"BED_TEST_PARENT=" + dir}})
	child := 0
	Poll(t, limit, "the child's process id", func() (bool, string) {
		text, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			return false, err.Error()
		}
		child, err = strconv.Atoi(string(text))
		return err == nil, string(text)
	})
	if err := parent.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	pollGone(t, child)
}

// pollGone counts a zombie as gone: whoever adopted it may be slow to bury it.
func pollGone(t *testing.T, pid int) {
	t.Helper()
	Poll(t, limit, "process "+strconv.Itoa(pid)+" to end", func() (bool, string) {
		s := processState(t, pid)
		return s == "" || s == "Z", "state " + s
	})
}

// processState is the letter that ps shows, or nothing when there is no such process.
func processState(t *testing.T, pid int) string {
	t.Helper()
	// A minimal Linux has no ps, and systems without /proc have.
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		return fields[0]
	}
	out, _ := exec.CommandContext(t.Context(), "ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(out))[:min(1, len(strings.TrimSpace(string(out))))]
}
