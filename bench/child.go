package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// childArg is the first argument of this program's own child processes.
const childArg = "child"

// Words between a child and its parent, one a line. A child says ready, then done after each thing it was told.
const (
	readyWord = "ready"
	goWord    = "go"
	printWord = "print" // the converter's output, one record a line, before done
	doneWord  = "done"
)

// child is a process that does what it is told over its standard input. It ends when that is closed, which the death of this process
// does as well.
type child struct {
	name      string
	cmd       *exec.Cmd
	in        io.WriteCloser
	lines     chan string   // what the child says; closed when it has ended
	ended     chan struct{} // closed before lines
	complaint strings.Builder
	err       error // how it ended; set before ended is closed
}

// startChild starts a program and waits until it is ready. ctx kills the process.
func startChild(ctx context.Context, name, path string, args ...string) (*child, error) {
	const room = 1024 // more than a child ever says unasked
	c := &child{name: name, cmd: exec.CommandContext(ctx, path, args...), lines: make(chan string, room), ended: make(chan struct{})}
	c.cmd.Stderr = &c.complaint
	c.cmd.WaitDelay = time.Second
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	c.in = in
	go c.listen(out)
	if _, err := c.read(readyWord); err != nil {
		return nil, errors.Join(err, c.end())
	}
	return c, nil
}

// startSelf starts this program as a child with a role and what the role needs to know.
func startSelf(ctx context.Context, role string, about any) (*child, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(about)
	if err != nil {
		return nil, err
	}
	return startChild(ctx, role, path, childArg, role, string(text))
}

// listen is a goroutine that end and kill wait for.
func (c *child) listen(out io.Reader) {
	defer close(c.lines)
	defer close(c.ended)
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		c.lines <- sc.Text()
	}
	c.err = errors.Join(sc.Err(), c.cmd.Wait())
	if c.err != nil {
		c.err = fmt.Errorf("%s: %w:\n%s", c.name, c.err, strings.TrimSpace(c.complaint.String()))
	}
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// tell makes the child begin something. A child that has ended cannot be told; reading its answer tells why.
func (c *child) tell(word string) { _, _ = io.WriteString(c.in, word+"\n") }

// read returns the lines before the one that says word.
func (c *child) read(word string) ([]string, error) {
	var lines []string
	for line := range c.lines {
		if line == word {
			return lines, nil
		}
		lines = append(lines, line)
	}
	return nil, errors.Join(fmt.Errorf("the %s ended too early", c.name), c.err)
}

// end closes the child's input, upon which it ends, and waits for that. It may be called again.
func (c *child) end() error {
	_ = c.in.Close() // it may be closed already
	for range c.lines {
		continue // said too late
	}
	return c.err
}

// kill ends the child at once.
func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.end()              // killed, which is no news
}

// runChild is the other side: this program in one of its roles.
func runChild(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("a child needs a role and its parameters")
	}
	role, about := args[0], []byte(args[1])
	switch role {
	case bareSourceRole, bareSinkRole:
		var j job
		if err := json.Unmarshal(about, &j); err != nil {
			return err
		}
		return obey(map[string]func(io.Writer) error{goWord: func(w io.Writer) error { return runBare(ctx, j, w) }})
	case jsonRole:
		var o jsonJob
		if err := json.Unmarshal(about, &o); err != nil {
			return err
		}
		return runJSONChild(o)
	case datagenRole:
		var o datagenJob
		if err := json.Unmarshal(about, &o); err != nil {
			return err
		}
		return runDatagenChild(ctx, o)
	default:
		return fmt.Errorf("no role named %q", role)
	}
}

// obey says ready and does what the parent says until the parent is gone, whatever is in hand then.
func obey(commands map[string]func(io.Writer) error) error {
	words := make(chan string)
	go func() {
		defer os.Exit(0) // this process is nothing without its parent
		for sc := bufio.NewScanner(os.Stdin); sc.Scan(); {
			words <- sc.Text()
		}
	}()
	out := bufio.NewWriter(os.Stdout)
	say := func(word string) error {
		fmt.Fprintln(out, word)
		return out.Flush()
	}
	if err := say(readyWord); err != nil {
		return err
	}
	for word := range words {
		do, ok := commands[word]
		if !ok {
			return fmt.Errorf("told %q, which is not known", word)
		}
		if err := do(out); err != nil {
			return err
		}
		if err := say(doneWord); err != nil {
			return err
		}
	}
	return nil
}
