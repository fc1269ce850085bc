// Command bench measures Millrace beside the Java Connect worker and a franz-go loop without any worker around it, all on the same
// broker, and writes docs/benchmarks.md. Run it with make bench; it needs Linux.
//
// Work is counted where it arrives: a topic's end offset, the size of a file. CPU time is what the kernel has charged to the
// process in question, threads of garbage collectors and compilers included.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == childArg {
		return exitCode(runChild(ctx, args[1:]))
	}
	dieWithParent()
	o, err := parseOptions(args, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	err = measure(ctx, o)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	return exitCode(err)
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "bench: "+err.Error())
	return 1
}

// measure runs the chosen parts one after the other and publishes what they found.
func measure(ctx context.Context, o options) (err error) {
	if err := checkMachine(o); err != nil {
		return err
	}
	rep := newReport(ctx, o) // before the load of the run itself
	r, err := newRig(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, p := range allParts {
		if !o.parts[p.name] {
			continue
		}
		section, err := p.run(ctx, r)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		rep.sections = append(rep.sections, section)
	}
	return rep.publish()
}

// part is one kind of measurement.
type part struct {
	name, about string
	run         func(context.Context, *rig) (section, error)
}

// allParts are in the order in which they run and are reported.
var allParts = []part{
	{"source", "file to topic", measureSource},
	{"sink", "topic to file", measureSink},
	{"memory", "resident memory, idle and with 24 partitions", measureMemory},
	{"idle", "memory of idle tasks", measureIdleTasks},
	{"start", "time to the first answer over REST", measureStart},
	{"json", "the JSON converter alone", measureJSON},
	{"datagen", "records made up", measureDatagen},
	{"crowd", "many connectors on a distributed worker", measureCrowd},
	{"dev", "start and memory of the development mode", measureDev},
}
