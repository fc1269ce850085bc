package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/internal/app"
	"github.com/millrace-io/millrace/internal/dirlock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is what a command writes; it may be read meanwhile.
type output struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.properties")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// taken returns a port that is in use during the test.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                   "Available Commands",
		"--help":             "Available Commands",
		"help dev":           "--no-demo",
		"dev --help":         "the next free port",
		"standalone --help":  "millrace standalone worker.properties source.properties sink.json",
		"distributed --help": "millrace distributed worker.properties",
		"--version":          "Kafka Connect 4.3.1",
	} {
		var stdout, stderr output
		code := execute(t.Context(), strings.Fields(args), &stdout, &stderr)
		if code != exitOK || !strings.Contains(stdout.String(), want) || stderr.String() != "" {
			t.Errorf("millrace %s: code %d, stdout %q, stderr %q; want code 0 and %q", args, code, stdout.String(), stderr.String(), want)
		}
	}
}

// Every mistake on the command line ends with the exit code of a start that failed, and one sentence that says what to do.
func TestMistakes(t *testing.T) {
	t.Parallel()
	inUse := t.TempDir()
	lock, err := dirlock.Acquire(inUse)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	file, port := write(t, ""), taken(t)
	const shared = "bootstrap.servers=127.0.0.1:1\nlisteners=http://127.0.0.1:0\nkey.converter=StringConverter\nvalue.converter=StringConverter\n" +
		"config.storage.topic=c\noffset.storage.topic=o\nstatus.storage.topic=s\n"
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{[]string{"nonsense"}, []string{`unknown command "nonsense"`, "millrace --help"}},
		{[]string{"standalon"}, []string{"did you mean standalone?"}},
		{[]string{"--nope"}, []string{"unknown flag: --nope", "millrace --help"}},
		{[]string{"standalone"}, []string{"the worker's properties file is missing", "millrace standalone --help"}},
		{[]string{"standalone", file + ".not"}, []string{file + ".not", "no such file"}},
		{[]string{"standalone", write(t, "key.converter=StringConverter\nvalue.converter=StringConverter\noffset.storage.file.filename=x\n")}, []string{"bootstrap.servers"}},
		{[]string{"standalone", "--log-level", "loud", file}, []string{"--log-level loud", "debug, info, warn or error"}},
		{[]string{"distribute"}, []string{"did you mean distributed?"}},
		{[]string{"distributed"}, []string{"the worker's properties file is missing", "millrace distributed --help"}},
		{[]string{"distributed", file, "sink.json"}, []string{"sink.json is one argument too many", "over REST", "millrace distributed --help"}},
		{[]string{"distributed", file + ".not"}, []string{file + ".not", "no such file"}},
		{[]string{"distributed", write(t, shared)}, []string{"not valid", `"group.id"`}},
		{[]string{"distributed", write(t, shared+"group.id=g\nheartbeat.interval.ms=10000\n")}, []string{"heartbeat.interval.ms", "lower than the session timeout"}},
		{[]string{"distributed", write(t, shared+"group.id=g\nexactly.once.source.support=Enabled\n")}, []string{"use preparing or disabled"}},
		{[]string{"distributed", write(t, shared+"group.id=g\ndefault.api.timeout.ms=1\n")}, []string{"default.api.timeout.ms must be no smaller than"}},
		{[]string{"distributed", write(t, shared+"group.id=g\nlisteners=http://127.0.0.1:"+port+"\n")}, []string{"127.0.0.1:" + port, "choose another"}},
		{[]string{"dev", "x"}, []string{"takes no arguments", "millrace dev --help"}},
		{[]string{"dev", "--nope"}, []string{"unknown flag: --nope", "millrace dev --help"}},
		{[]string{"dev", "--port", "many"}, []string{`invalid argument "many" for "--port" flag; see millrace dev --help`}},
		{[]string{"dev", "--data-dir", t.TempDir(), "--port", "70000"}, []string{"--port 70000: a port is a number from 0 to 65535"}},
		{[]string{"dev", "--data-dir", t.TempDir(), "--port", port}, []string{"port " + port + " is taken", "stop the program that uses it", "--port"}},
		{[]string{"dev", "--data-dir", t.TempDir(), "--port", "0", "--kafka-port", port}, []string{"port " + port + " is taken", "--kafka-port"}},
		{[]string{"dev", "--bootstrap", "127.0.0.1:1", "--kafka-port", "1"}, []string{"--bootstrap and --kafka-port exclude each other"}},
		{[]string{"dev", "--data-dir", inUse}, []string{inUse, "in use by another process", "--data-dir"}},
		{[]string{"dev", "--data-dir", filepath.Join(file, "x")}, []string{"cannot be written to: not a directory", "--data-dir"}},
	} {
		var stdout, stderr output
		code := execute(t.Context(), tc.args, &stdout, &stderr)
		got := stderr.String()
		if code != exitStart {
			t.Errorf("millrace %q: exit code %d, want %d", tc.args, code, exitStart)
		}
		if !strings.HasPrefix(got, "millrace: ") || strings.Count(got, "\n") != 1 || stdout.String() != "" {
			t.Errorf("millrace %q: stderr %q, stdout %q; want one line and nothing", tc.args, got, stdout.String())
		}
		for _, w := range tc.want {
			if !strings.Contains(got, w) {
				t.Errorf("millrace %q: %q, want %q in it", tc.args, got, w)
			}
		}
	}
}

func TestConnectorThatCannotBeCreated(t *testing.T) {
	t.Parallel()
	worker := write(t, "bootstrap.servers=127.0.0.1:1\nlisteners=http://127.0.0.1:0\n"+
		"key.converter=org.apache.kafka.connect.storage.StringConverter\nvalue.converter=org.apache.kafka.connect.storage.StringConverter\n"+
		"offset.storage.file.filename="+filepath.Join(t.TempDir(), "offsets")+"\n")
	var stdout, stderr output
	code := execute(t.Context(), []string{"standalone", worker, write(t, "name=x\nconnector.class=FileStreamSourc\n")}, &stdout, &stderr)
	if got := stderr.String(); code != exitConnector || !strings.Contains(got, "FileStreamSourceConnector") {
		t.Errorf("exit code %d, stderr %q; want %d and the class that was meant", code, got, exitConnector)
	}
}

// A worker that ends says by its exit code whether starting it again at once would help.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("fatal"), exitFailed},
		{fmt.Errorf("ask for the cluster: %w", app.ErrUnreachable), exitStart},
		{fmt.Errorf("%w: x", app.ErrConnector), exitConnector},
	} {
		err := untilSignal(t.Context(), log, func(context.Context) error { return tc.err })
		e, ok := errors.AsType[*exitError](err)
		if !ok || e.code != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("untilSignal with %q: %v, want the error and code %d", tc.err, err, tc.want)
		}
	}
	if err := untilSignal(t.Context(), log, func(context.Context) error { return nil }); err != nil {
		t.Errorf("untilSignal without an error: %v", err)
	}
}

func TestDevIsQuietWithoutATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	var stdout, stderr output
	code := make(chan int, 1)
	go func() {
		code <- execute(ctx, []string{"dev", "--data-dir", dir, "--port", "0", "--kafka-port", "0", "--no-demo"}, &stdout, &stderr)
	}()
	await(t, func() bool { return strings.Contains(stdout.String(), "log: ") || len(code) > 0 })
	stop()
	if got := <-code; got != exitOK || stderr.String() != "" {
		t.Errorf("exit code %d, stderr %q; want 0 and nothing", got, stderr.String())
	}
	lines := strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
	for i, want := range []string{"Millrace is running.", "Kafka: 127.0.0.1:", "REST: http://127.0.0.1:", "data: " + dir, "log: " + filepath.Join(dir, "millrace.log")} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("stdout %q, want line %d to begin with %q", lines, i, want)
		}
	}
	if len(lines) != 5 || strings.Contains(stdout.String(), "\x1b") {
		t.Errorf("stdout %q, want five lines without escape sequences", lines)
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "millrace.log")); err != nil || !strings.Contains(string(raw), "Kafka Connect started") {
		t.Errorf("log file: %v, %q", err, raw)
	}
}
