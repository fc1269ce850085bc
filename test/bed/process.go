package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// defaultGrace is how long Stop waits for a child to end by itself.
const defaultGrace = 30 * time.Second

// ProcessOptions describe a child process. Path and LogFile are required.
type ProcessOptions struct {
	Name    string        // what error texts call it; by default the last element of Path
	Path    string        // the program
	Args    []string      // its arguments, without the program's name
	Env     []string      // "key=value", added to this process's environment; the last one of a key wins
	Dir     string        // its working directory; this process's when empty
	LogFile string        // receives standard output and standard error; appended to
	Grace   time.Duration // how long Stop waits before it kills; 30 s when zero
}

// Process is a running or ended child. Its methods may be called from any goroutine.
type Process struct {
	opts ProcessOptions
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed once the child has ended and cmd.ProcessState is set
}

// StartProcess starts a child with a process group of its own and an empty standard input. On Linux the kernel kills it when this
// process dies; elsewhere the caller's Stop or Kill must be reached.
func StartProcess(o ProcessOptions) (*Process, error) {
	if o.Name == "" {
		o.Name = filepath.Base(o.Path)
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	log, err := os.OpenFile(o.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", o.Name, err)
	}
	cmd := exec.Command(o.Path, o.Args...)
	cmd.Env = append(os.Environ(), o.Env...)
	cmd.Dir = o.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttr()

	p := &Process{opts: o, cmd: cmd, log: log, done: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	return p, nil
}

// run keeps one system thread from the start of the child to its end: Linux takes the death of the thread that forked, not
// of the process, as the parent's death.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		// The outcome is in ProcessState, which ExitCode reads.
		_ = p.cmd.Wait()
		close(p.done)
	}
	_ = p.log.Close()
}

// Name is what error texts call the process.
func (p *Process) Name() string { return p.opts.Name }

// Pid is the process id, also after the end.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed once the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process has not ended yet. A suspended process is running.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait blocks until the process ends and returns its exit code, or ctx's error when that ends first.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.ExitCode(), nil
	case <-ctx.Done():
		return -1, fmt.Errorf("wait for %s to end: %w", p.opts.Name, context.Cause(ctx))
	}
}

// ExitCode is -1 while the process runs and when a signal ended it.
func (p *Process) ExitCode() int {
	if s := p.State(); s != nil {
		return s.ExitCode()
	}
	return -1
}

// State has the CPU time and, in SysUsage, the peak memory of an ended process; nil while it runs.
func (p *Process) State() *os.ProcessState {
	if p.Running() {
		return nil
	}
	return p.cmd.ProcessState
}

// Signal sends sig to the process alone, not to its children.
func (p *Process) Signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("send %v to %s: %w", sig, p.opts.Name, err)
	}
	return nil
}

// Stop asks the process to end with SIGTERM and waits for it. Past the grace time it kills it and returns an error.
// Stopping what has ended does nothing.
func (p *Process) Stop() error {
	if !p.Running() {
		return nil
	}
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if err := p.Resume(); err != nil {
		return err
	}
	limit := time.NewTimer(p.opts.Grace)
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
		p.Kill()
		return fmt.Errorf("%s did not end within %v of SIGTERM and was killed; end of %s:\n%s",
			p.opts.Name, p.opts.Grace, p.opts.LogFile, p.Tail(20))
	}
}

// Kill ends the process and its children with SIGKILL and waits for it. Killing what has ended does nothing.
func (p *Process) Kill() {
	if !p.Running() {
		return
	}
	if killGroup(p.Pid()) != nil {
		_ = p.cmd.Process.Kill()
	}
	<-p.done
}

// Suspend freezes the process and its children with SIGSTOP: connections stay open, nothing answers.
func (p *Process) Suspend() error { return p.group("suspend", suspendGroup) }

// Resume wakes a suspended process. Resuming one that runs does nothing.
func (p *Process) Resume() error { return p.group("resume", resumeGroup) }

func (p *Process) group(verb string, f func(pid int) error) error {
	if !p.Running() {
		return nil
	}
	if err := f(p.Pid()); err != nil && p.Running() {
		return fmt.Errorf("%s %s: %w", verb, p.opts.Name, err)
	}
	return nil
}

// LogFile is the path of the file with standard output and standard error.
func (p *Process) LogFile() string { return p.opts.LogFile }

// Output is all of the log file so far.
func (p *Process) Output() string {
	b, err := os.ReadFile(p.opts.LogFile)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Tail is the last n lines of the log file.
func (p *Process) Tail(n int) string { return lastLines(p.Output(), n) }

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// await calls probe until it succeeds, the process ends, or the limit is over.
func (p *Process) await(ctx context.Context, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	last := errors.New("not asked yet")
	for {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended with code %d before it was ready; end of %s:\n%s",
				p.opts.Name, p.ExitCode(), p.opts.LogFile, p.Tail(30))
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w); end of %s:\n%s",
				p.opts.Name, last, context.Cause(ctx), p.opts.LogFile, p.Tail(30))
		case <-tick.C:
			err := probe(ctx)
			if err == nil {
				return nil
			}
			if ctx.Err() == nil {
				last = err
			}
		}
	}
}
