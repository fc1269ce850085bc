package docs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

const (
	// patience is how long a command, or what it waits for, may take.
	patience = 20 * time.Second
	// lookAgain is the pause before a command that only reads is run again.
	lookAgain = 50 * time.Millisecond
	// lookDone is the pause between two looks at whether a command has ended.
	lookDone = 5 * time.Millisecond
)

// script runs commands that come through a pipe, all in one shell, and leaves the output and then the exit code of each in a
// file. What a command starts in the background stays in the shell's process group.
const script = `
exec 3<"$0"
while IFS= read -r -d '' -u 3 n && IFS= read -r -d '' -u 3 command; do
	eval "$command" >"$1/$n.out" 2>&1 3<&-
	echo $? >"$1/$n.tmp"
	mv "$1/$n.tmp" "$1/$n.code"
done`

// session is a shell in an empty folder.
type session struct {
	shell    *bed.Process
	commands *os.File
	results  string // folder
	count    int
	ports    *strings.Replacer
}

// newSession starts a shell that finds the binary, a curl that says nothing of its progress, and free ports.
func newSession(t *testing.T) *session {
	t.Helper()
	bin, err := bed.MillraceBinary()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	s := &session{results: filepath.Join(root, "results")}
	work, home, path := filepath.Join(root, "work"), filepath.Join(root, "home"), filepath.Join(root, "bin")
	fifo := filepath.Join(root, "commands")
	for _, dir := range []string{s.results, work, home, path} {
		try(t, os.Mkdir(dir, 0o755))
	}
	try(t, os.Symlink(bin, filepath.Join(path, "millrace")))
	try(t, os.WriteFile(filepath.Join(home, ".curlrc"), []byte("silent\nshow-error\n"), 0o600))
	if out, err := exec.CommandContext(t.Context(), "mkfifo", fifo).CombinedOutput(); err != nil {
		t.Fatalf("mkfifo: %v: %s", err, out)
	}
	// For reading, too: then opening does not wait for the shell.
	s.commands, err = os.OpenFile(fifo, os.O_RDWR, 0)
	try(t, err)
	bash, err := exec.LookPath("bash")
	try(t, err)
	s.ports = freshPorts(t)
	s.shell = bed.NewProcess(t, bed.ProcessOptions{
		Path: bash, Args: []string{"--noprofile", "--norc", "-c", script, fifo, s.results}, Dir: work,
		Env: []string{"HOME=" + home, "PATH=" + path + string(os.PathListSeparator) + os.Getenv("PATH"), "LC_ALL=C"},
	})
	t.Cleanup(func() { s.end(t, work) })
	return s
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// freshPorts replaces the ports that pages have by free ones, which the development mode is told to use.
func freshPorts(t *testing.T) *strings.Replacer {
	t.Helper()
	rest, kafka := strconv.Itoa(bed.Port(t)), strconv.Itoa(bed.Port(t))
	for kafka == rest {
		kafka = strconv.Itoa(bed.Port(t))
	}
	return strings.NewReplacer("8083", rest, "9092", kafka, "millrace dev", "millrace dev --port "+rest+" --kafka-port "+kafka)
}

// end ends what the page has left running, and shows the logs if the test has failed.
func (s *session) end(t *testing.T, work string) {
	if _, err := s.run(`kill -9 $(jobs -p) 2>/dev/null; wait`); err != nil {
		t.Log(err)
	}
	_ = s.commands.Close()
	for _, pattern := range []string{"*.out", "*/millrace.log"} {
		logs, _ := filepath.Glob(filepath.Join(work, pattern))
		for _, log := range logs {
			bed.ShowLog(t, filepath.Base(log), log)
		}
	}
}

// run runs a command and returns its output. What the command has put into the background may go on.
func (s *session) run(command string) (string, error) {
	s.count++
	name := filepath.Join(s.results, strconv.Itoa(s.count))
	if _, err := fmt.Fprintf(s.commands, "%d\x00%s\x00", s.count, command); err != nil {
		return "", fmt.Errorf("hand the command to the shell: %w", err)
	}
	tick, limit := time.NewTicker(lookDone), time.NewTimer(patience)
	defer tick.Stop()
	defer limit.Stop()
	for {
		var err error
		select {
		case <-tick.C:
			if _, err := os.Stat(name + ".code"); err != nil {
				continue
			}
		case <-s.shell.Done():
			err = errors.New("the shell has ended")
		case <-limit.C:
			err = fmt.Errorf("the command did not end within %v", patience)
		}
		out, readErr := os.ReadFile(name + ".out")
		return string(out), errors.Join(err, readErr)
	}
}

// do runs a step of a page and compares.
func (s *session) do(st step) error {
	command, want := s.ports.Replace(st.command), make([]string, len(st.want))
	for i, line := range st.want {
		want[i] = s.ports.Replace(line)
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		out, err := s.run(command)
		if err == nil && matches(want, out) {
			return nil
		}
		failure := fmt.Errorf("$ %s\n%s\n--- instead of\n%s", command, out, strings.Join(want, "\n"))
		if err != nil {
			return fmt.Errorf("%w: %w", err, failure)
		}
		if !readOnly(st.command) {
			return failure
		}
		select {
		case <-time.After(lookAgain):
		case <-limit.C:
			return failure
		}
	}
}
