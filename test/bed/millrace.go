package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const modulePath = "github.com/millrace-io/millrace"

// ModuleDir is the root of the source tree that the working directory belongs to.
func ModuleDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module "+modulePath+"\n")) {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the working directory is not inside Millrace's source tree")
		}
		dir = up
	}
}

// built is the binary that this process built. It keeps the folder's lock, which others take as the sign that the
// folder is in use.
type built struct {
	path   string
	folder *scratch
}

// builtMillrace is made once a process: tests of one package must not build the same program again and again.
var builtMillrace = sync.OnceValues(func() (built, error) {
	root, err := ModuleDir()
	if err != nil {
		return built{}, err
	}
	tmp, err := newScratch()
	if err != nil {
		return built{}, err
	}
	bin := filepath.Join(tmp.dir, "millrace")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", bin, "./cmd/millrace")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return built{}, fmt.Errorf("build millrace: %w:\n%s", err, out)
	}
	return built{bin, tmp}, nil
})

// MillraceBinary is the path of the product's ordinary binary: $MILLRACE_BIN, else built once for this process from the source
// tree around the working directory.
func MillraceBinary() (string, error) {
	if bin := os.Getenv("MILLRACE_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	b, err := builtMillrace()
	return b.path, err
}

// Millrace starts the product's binary for the length of the test. It returns at once: Poll for what should come of it.
func Millrace(t testing.TB, args ...string) *Process {
	t.Helper()
	return NewProcess(t, ProcessOptions{Path: millraceBinary(t), Args: args})
}

// NewProcess starts a child for the length of the test, in a folder of its own unless Dir is set. Path is Millrace's binary when empty.
func NewProcess(t testing.TB, o ProcessOptions) *Process {
	t.Helper()
	if o.Path == "" {
		o.Path = millraceBinary(t)
	}
	dir := t.TempDir()
	if o.Dir == "" {
		o.Dir = dir
	}
	if o.LogFile == "" {
		o.LogFile = filepath.Join(dir, "output.log")
	}
	p, err := StartProcess(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		ShowLog(t, p.Name()+" "+strings.Join(o.Args, " "), p.LogFile())
	})
	return p
}

func millraceBinary(t testing.TB) string {
	t.Helper()
	bin, err := MillraceBinary()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Result is what a command left.
type Result struct {
	Stdout, Stderr string
	Code           int // -1 when a signal ended it
}

// Command runs the product's binary to its end, as users run its subcommands in a shell. It fails the test only when the binary cannot
// be started or outlives the test; the exit code is for the caller to judge.
func Command(t testing.TB, args ...string) Result {
	t.Helper()
	bin := millraceBinary(t)
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Dir = t.TempDir()
	cmd.SysProcAttr = childAttr()
	cmd.WaitDelay = time.Second
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited || t.Context().Err() != nil {
		t.Fatalf("run millrace %s: %v", strings.Join(args, " "), err)
	}
	return Result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
