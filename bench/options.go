package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// Numbers of a complete run. Results of less are printed, not published.
const (
	fullRounds  = 5
	fullLines   = 3_000_000
	fullStarts  = 10
	fullSources = 1000
	fullSinks   = 500
	fullIdle    = time.Minute
)

const (
	lineBytes     = 100 // without the line separator
	wideBytes     = 1000
	widePartition = 24
	// The load of many partitions and the JSON records are fewer, in these proportions to the lines.
	linesPerWide = 6
	linesPerJSON = 6
)

// options are what the command line says.
type options struct {
	rounds, starts int
	lines          int64
	sources, sinks int // idle tasks
	idle           time.Duration
	parts          map[string]bool
	out            string // empty: print only
	args           []string
}

// parseOptions reads the command line; complaints and help go to out.
func parseOptions(args []string, out io.Writer) (options, error) {
	o := options{args: args}
	var only string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(out)
	f.IntVar(&o.rounds, "rounds", fullRounds, "counted rounds of every comparison")
	f.Int64Var(&o.lines, "lines", fullLines, "lines of 100 bytes to move in a round")
	f.IntVar(&o.starts, "starts", fullStarts, "starts of Millrace; Java gets at most three")
	f.IntVar(&o.sources, "sources", fullSources, "idle source tasks")
	f.IntVar(&o.sinks, "sinks", fullSinks, "idle sink tasks")
	f.DurationVar(&o.idle, "idle", fullIdle, "how long a worker rests before its idle memory is read")
	f.StringVar(&only, "only", "", "parts to run, with commas between: "+strings.Join(partNames(), ", ")+" (default all)")
	f.StringVar(&o.out, "o", "", "file for the results (default docs/benchmarks.md for a complete run, none for less)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	err := o.choose(only)
	if err == nil && (o.rounds < 1 || o.lines < 1000 || o.starts < 1 || o.sources < 1 || o.sinks < 1) {
		err = errors.New("every number must be at least 1, and -lines at least 1000")
	}
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(out, "bench: "+err.Error())
		return o, err
	}
	if o.out == "" && o.complete() {
		o.out = "docs/benchmarks.md"
	}
	return o, nil
}

// choose reads the list of parts; empty means all.
func (o *options) choose(only string) error {
	o.parts = map[string]bool{}
	for _, name := range partNames() {
		o.parts[name] = only == ""
	}
	if only == "" {
		return nil
	}
	for _, name := range strings.Split(only, ",") {
		name = strings.TrimSpace(name)
		if _, ok := o.parts[name]; !ok {
			return fmt.Errorf("no part named %q; there are %s", name, strings.Join(partNames(), ", "))
		}
		o.parts[name] = true
	}
	return nil
}

// complete tells whether the results are worth publishing.
func (o *options) complete() bool {
	for _, chosen := range o.parts {
		if !chosen {
			return false
		}
	}
	return o.rounds >= fullRounds && o.lines >= fullLines && o.starts >= fullStarts &&
		o.sources >= fullSources && o.sinks >= fullSinks && o.idle >= fullIdle
}

func (o *options) wideLines() int64   { return max(o.lines/linesPerWide, 1000) }
func (o *options) jsonRecords() int64 { return max(o.lines/linesPerJSON, jsonBatch) }

// command is how to run the same again.
func (o *options) command() string {
	return strings.TrimSpace("go run ./bench " + strings.Join(o.args, " "))
}

func partNames() []string {
	var names []string
	for _, p := range allParts {
		names = append(names, p.name)
	}
	return names
}
