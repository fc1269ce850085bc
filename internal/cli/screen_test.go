package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/internal/app"
	"github.com/millrace-io/millrace/internal/herder"
)

// await polls a condition.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(15 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("waited in vain")
		}
	}
}

// glass is a terminal that understands what a screen sends.
type glass struct {
	rows   []string
	row    int
	strays []string // escape sequences that it does not know
}

var sequence = regexp.MustCompile("\x1b\\[([0-9]*)([A-Za-z])")

func (g *glass) Write(p []byte) (int, error) {
	text := string(p)
	for text != "" {
		if m := sequence.FindStringSubmatchIndex(text); len(m) > 0 && m[0] == 0 {
			g.control(text[m[2]:m[3]], text[m[4]:m[5]])
			text = text[m[1]:]
			continue
		}
		switch text[0] {
		case '\n':
			g.row++
			g.line()
		case '\r':
		default:
			g.rows[g.row] += text[:1]
		}
		text = text[1:]
	}
	return len(p), nil
}

func (g *glass) line() {
	for len(g.rows) <= g.row {
		g.rows = append(g.rows, "")
	}
}

func (g *glass) control(n, letter string) {
	switch letter {
	case "A":
		g.row--
	case "J":
		g.line()
		g.rows = g.rows[:g.row]
		g.line()
	case "m":
	default:
		g.strays = append(g.strays, n+letter)
	}
}

func newGlass(width int) (*glass, *screen) {
	g := &glass{rows: []string{""}}
	return g, newScreen(g, func() int { return width })
}

func (g *glass) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append(want, ""), g.rows); diff != "" {
		t.Errorf("screen (-want +got):\n%s", diff)
	}
	if g.strays != nil {
		t.Errorf("unknown escape sequences %q", g.strays)
	}
}

func TestScreen(t *testing.T) {
	t.Parallel()
	g, s := newGlass(11)
	fmt.Fprint(s, "hello\n")
	s.Set([]string{"one", "two"})
	g.expect(t, "hello", "one", "two")
	fmt.Fprint(s, "a warning that is long\n")
	g.expect(t, "hello", "a warning that is long", "one", "two")
	s.Set([]string{red("a line that is long")})
	g.expect(t, "hello", "a warning that is long", "a line th…")
	s.Set([]string{"ünïcödé→", "", "x"})
	g.expect(t, "hello", "a warning that is long", "ünïcödé→", "", "x")
	s.Set(nil)
	g.expect(t, "hello", "a warning that is long")
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ line, want string }{
		{"", ""},
		{"abcde", "abcde"},
		{"abcdef", "abcd…"},
		{red("abcde"), red("abcde")},
		{red("abcdef"), "\x1b[31mabcd…\x1b[0m"},
		{bold("ab") + dim("cdefg"), bold("ab") + dim("cd…")},
		{"ääääää", "ääää…"},
	} {
		if got := fit(tc.line, 5); got != tc.want {
			t.Errorf("fit(%q): %q, want %q", tc.line, got, tc.want)
		}
	}
}

// script is a worker whose connectors a test says.
type script struct {
	mu  sync.Mutex // guards now
	now []app.DevConnector
}

func (s *script) Connectors() []app.DevConnector {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *script) set(now ...app.DevConnector) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

func connector(name, state string, records int64, tasks ...string) app.DevConnector {
	c := app.DevConnector{Records: records}
	c.Name, c.Type, c.Connector = name, herder.SourceType, herder.State{State: state}
	for i, s := range tasks {
		c.Tasks = append(c.Tasks, herder.TaskStatus{ID: i, State: herder.State{State: s}})
	}
	return c
}

// pass lets time pass inside a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, s := newGlass(100)
		from := &script{now: []app.DevConnector{connector("a", "RUNNING", 0, "RUNNING")}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { watch(ctx, s, from, nil); close(done) }()
		const head = "  connector  type    state       tasks            records/s       records"
		synctest.Wait()
		g.expect(t, head, "  a          source  RUNNING     1                      0.0             0")

		broken := connector("b", "RUNNING", 5, "RUNNING", "FAILED")
		broken.Failure = "no such\x1b[2J table"
		from.set(connector("a", "RUNNING", 12_345, "RUNNING"), broken, connector("c", "STOPPED", 0))
		pass(refresh)
		g.expect(t, head,
			"  a          source  RUNNING     1                   12,345        12,345",
			"  b          source  RUNNING     1 of 2 failed          0.0             5",
			"    no such [2J table",
			"  c          source  STOPPED     -                      0.0             0")

		from.set(connector("a", "PAUSED", 12_345, "PAUSED", "RUNNING"))
		pass(rateSpan * refresh)
		g.expect(t, head, "  a          source  PAUSED      1 of 2 run             0.0        12,345")
		from.set()
		pass(refresh)
		g.expect(t, head, "  none yet")
		cancel()
		<-done
		if got := strings.Join(g.rows, "\n"); !strings.Contains(got, "Stopping") {
			t.Errorf("screen at the end: %q", got)
		}
	})
}

func TestWelcome(t *testing.T) {
	t.Parallel()
	g := app.DevGuide{
		Kafka: "127.0.0.1:9093", REST: "http://127.0.0.1:8083", DataDir: "/my data", Embedded: true,
		Notes: []string{"Port 9092 is taken, so the embedded broker is on 9093."},
		Demo:  &app.Demo{Source: "demo-source", Sink: "demo-sink", Topic: "demo-users", Output: "/my data/demo-users.jsonl"},
	}
	got := sequence.ReplaceAllString(welcome(g), "")
	for _, want := range []string{
		"127.0.0.1:9093   embedded", "Port 9092 is taken", "tail -f '/my data/demo-users.jsonl'\n",
		"curl 'http://127.0.0.1:8083/connectors?expand=status'\n", "/connectors/demo-source/pause\n", "/connectors/demo-source/resume\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("welcome lacks %q:\n%s", want, got)
		}
	}
	g.Demo = nil
	if got := welcome(g); strings.Contains(got, "demo") {
		t.Errorf("welcome without a demo speaks of one:\n%s", got)
	}
}
