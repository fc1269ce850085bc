package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/test/bed"
)

// Needs that hold for every run: two JVMs beside the page cache, and the copies of the lines that exist at one time.
const (
	neededMemory = 4 << 30
	lineCopies   = 8
	spareDisk    = 2 << 30
	// filesPerTask are the handles that one idle task has in the worker: its file and its connections.
	filesPerTask = 4
	spareFiles   = 500
)

// checkMachine says what the machine lacks for a run, all of it at once.
func checkMachine(o options) error {
	if err := checkSystem(); err != nil {
		return err
	}
	var lacks []error
	lack := func(what string, has, needs int64, err error) {
		switch {
		case err != nil:
			lacks = append(lacks, err)
		case has < needs:
			lacks = append(lacks, fmt.Errorf("%s: %d MB free, %d MB needed", what, has>>20, needs>>20))
		}
	}
	disk, err := freeDisk(os.TempDir())
	lack("disk of "+os.TempDir()+" (set TMPDIR to use another)", disk, o.lines*lineBytes*lineCopies+spareDisk, err)
	mem, err := freeMemory()
	lack("memory", mem, neededMemory, err)
	if _, err := findJava(); err != nil {
		lacks = append(lacks, err)
	}
	if o.parts["idle"] {
		files, err := openFiles()
		needs := uint64(max(o.sources, o.sinks)*filesPerTask + spareFiles)
		if err == nil && files < needs {
			err = fmt.Errorf("open files: %d allowed, %d needed; raise the hard limit (ulimit -Hn), or use -sources and -sinks", files, needs)
		}
		lacks = append(lacks, err)
	}
	if err := errors.Join(lacks...); err != nil {
		return fmt.Errorf("this machine cannot run it:\n%w", err)
	}
	note("load average %s; the quieter the machine, the better the figures", load())
	return nil
}

// findJava returns the java of JAVA_HOME, else of PATH. The test bed checks its version.
func findJava() (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", errors.New("java is missing; make setup installs it, or says how")
	}
	return path, nil
}

// fact is a line of a two-column table.
type fact struct{ name, value string }

// describeMachine says what the numbers were measured on.
func describeMachine(ctx context.Context) []fact {
	total, _ := totalMemory() // 0 if it cannot be read, which is for people to see
	return []fact{
		{"CPU", fmt.Sprintf("%s, %d cores", processor(), runtime.NumCPU())},
		{"memory", fmt.Sprintf("%d GB", (total+1<<29)>>30)},
		{"system", kernel()},
		{"Millrace", revision(ctx)},
		{"Go", strings.TrimPrefix(runtime.Version(), "go") + ", franz-go " + moduleVersion("github.com/twmb/franz-go")},
		{"Java", javaVersion(ctx)},
		{"Java worker's flags", javaFlags + " -Xmx2g, as in Kafka's scripts"},
		{"Kafka", connect.KafkaVersion + ": broker, Java worker and its converter"},
		{"load before the run", load()},
	}
}

func javaVersion(ctx context.Context) string {
	java, err := findJava()
	if err != nil {
		return err.Error()
	}
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return err.Error()
	}
	_, last, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if i := strings.LastIndexByte(last, '\n'); i >= 0 {
		last = last[i+1:]
	}
	return last
}

func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}

// revision names the source that was measured.
func revision(ctx context.Context) string {
	root, err := bed.ModuleDir()
	if err != nil {
		return "unknown"
	}
	cmd := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
