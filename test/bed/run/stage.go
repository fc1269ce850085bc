package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// stage is a named command.
type stage struct {
	name    string
	command []string
}

func (s stage) isGoTest() bool {
	return len(s.command) >= 2 && s.command[0] == "go" && s.command[1] == "test"
}

// outcome is how a stage ended.
type outcome struct {
	stage stage
	took  time.Duration
	err   error // of the command as a whole; nil when it succeeded
}

// runner runs stages one after the other and keeps what came of them.
type runner struct {
	env    []string
	out    *printer
	report *report

	mu       sync.Mutex // guards outcomes
	outcomes []outcome
}

// all runs every stage. Its error says why the run was cut short.
func (r *runner) all(ctx context.Context, o *options) error {
	var beside sync.WaitGroup
	for _, s := range o.beside {
		beside.Go(func() { r.one(ctx, s, true) })
	}
	for _, s := range o.stages {
		if ctx.Err() != nil {
			break
		}
		r.one(ctx, s, false)
		beside.Wait()
	}
	if ctx.Err() != nil {
		r.report.unfinished(r.out)
		return fmt.Errorf("cut short: %w", context.Cause(ctx))
	}
	return nil
}

// one runs a stage. A quiet one is heard at its end only, so that its lines do not mix with another's.
func (r *runner) one(ctx context.Context, s stage, quiet bool) {
	r.out.note("%s: started", s.name)
	began := time.Now()
	var err error
	switch {
	case s.isGoTest():
		err = r.goTest(ctx, s)
	case quiet:
		var all bytes.Buffer
		err = r.plain(ctx, s, &all)
		r.out.print(all.String())
	default:
		err = r.plain(ctx, s, r.out)
	}
	took := time.Since(began)
	result := "done"
	if err != nil {
		result = "FAILED (" + err.Error() + ")"
	}
	r.out.note("%s: %s after %.1fs", s.name, result, took.Seconds())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes = append(r.outcomes, outcome{s, took, err})
}

func (r *runner) plain(ctx context.Context, s stage, w io.Writer) error {
	cmd := r.cmd(ctx, s.command)
	cmd.Stdout, cmd.Stderr = w, w
	return cmd.Run()
}

func (r *runner) goTest(ctx context.Context, s stage) error {
	cmd := r.cmd(ctx, slices.Insert(slices.Clone(s.command), 2, "-json"))
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = r.out
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.report.line(line, r.out)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				r.out.note("%s: reading its output: %v", s.name, err)
			}
			break
		}
	}
	return cmd.Wait()
}

// cmd is a command in a process group of its own, which is killed as a whole when ctx ends.
func (r *runner) cmd(ctx context.Context, words []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(), r.env...)
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// printer writes whole pieces of text from several goroutines.
type printer struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

// Write lets commands print directly.
func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.w.Write(b)
}

func (p *printer) print(text string) {
	// There is nowhere to report a broken standard output.
	_, _ = p.Write([]byte(text))
}

// note prints a progress line, which stands out from what the tests print.
func (p *printer) note(format string, args ...any) {
	p.print(fmt.Sprintf("== "+format+"\n", args...))
}
