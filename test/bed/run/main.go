// Command run runs a list of test stages with one shared broker, and one shared Connect worker when a test asks for it.
//
//	run [flags] -stage 'unit: go test -race ./...' -stage 'system: go test ./test/...'
//	run [flags] -- go test ./test/...
//
// A stage is a name and a command. Commands that begin with "go test" are counted and printed the way go test prints, but with the
// output of failed tests only; other commands succeed or fail as a whole. Stages run one after the other, and those given by -beside at
// the same time as the first one; the second waits for them. A failed stage does not keep the others from running.
//
// The servers start at once, while the first stage compiles. They end with the run, whatever happens. With CI=true a skipped test below
// ./test/ counts as failed, unless its reason contains one of the texts given by -allow-skip.
//
// The last line is "N passed, N failed, N skipped"; the exit code is 1 when something failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

func main() {
	opts, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(2)
	}
	dieWithParent()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ok, err := run(ctx, opts, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	timeout   time.Duration
	slowest   int
	servers   bool
	strict    bool // skipped tests below ./test/ have failed
	allowSkip []string
	beside    []stage
	stages    []stage
}

func parse(args []string, usage io.Writer) (*options, error) {
	o := &options{strict: os.Getenv("CI") == "true"}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.DurationVar(&o.timeout, "timeout", 30*time.Minute, "kill everything and fail after this `time`")
	flags.IntVar(&o.slowest, "slowest", 10, "list this `number` of slowest tests at the end")
	flags.BoolVar(&o.servers, "servers", true, "start the shared servers")
	flags.Func("allow-skip", "with CI=true, accept skipped tests whose reason contains this `text`", func(s string) error {
		o.allowSkip = append(o.allowSkip, s)
		return nil
	})
	flags.Func("stage", "add a stage, as `name: command`", appendStage(&o.stages))
	flags.Func("beside", "add a stage that runs beside the first one, as `name: command`", appendStage(&o.beside))
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		o.stages = append(o.stages, stage{name: "test", command: flags.Args()})
	}
	if len(o.stages) == 0 {
		return nil, errors.New("no stage: give -stage 'name: command' or -- command")
	}
	return o, nil
}

func appendStage(stages *[]stage) func(string) error {
	return func(text string) error {
		name, command, found := strings.Cut(text, ":")
		words := strings.Fields(command)
		if !found || len(words) == 0 {
			return fmt.Errorf("%q is not of the form name: command", text)
		}
		*stages = append(*stages, stage{name: strings.TrimSpace(name), command: words})
		return nil
	}
}

// run runs all stages between the start and the end of the servers and prints the summary.
func run(ctx context.Context, o *options, w io.Writer) (ok bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("the limit of %v is over", o.timeout))
	defer cancel()
	out := &printer{w: w}
	env, stopServers, err := serve(ctx, o, out)
	if err != nil {
		return false, err
	}
	r := &runner{env: env, out: out, report: newReport(o)}
	runErr := r.all(ctx, o)
	err = errors.Join(runErr, stopServers())
	return r.report.summarise(out, r.outcomes), err
}

// serve starts the shared servers and returns the environment that leads to them.
func serve(ctx context.Context, o *options, out *printer) (env []string, stop func() error, err error) {
	if !o.servers {
		return nil, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "millrace-run-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- bed.Serve(ctx, dir, out.note) }()
	stop = func() error {
		cancel()
		return errors.Join(<-served, os.RemoveAll(dir))
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return []string{bed.StateDirVariable + "=" + dir}, stop, nil
}
