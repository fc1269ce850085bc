package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-timeout", "1m", "-beside", "lint: lint all", "-stage", "unit:go test ./...", "--", "go", "vet"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := []stage{{"unit", []string{"go", "test", "./..."}}, {"test", []string{"go", "vet"}}}
	if diff := cmp.Diff(want, o.stages, cmp.AllowUnexported(stage{})); diff != "" {
		t.Errorf("stages differ (-want +got):\n%s", diff)
	}
	if o.timeout != time.Minute || len(o.beside) != 1 || !o.servers {
		t.Errorf("got %+v", o)
	}
	for _, args := range [][]string{nil, {"-stage", "no command:"}, {"-stage", "nothing"}, {"-nonsense"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

const module = `package m

import "testing"

func TestPasses(t *testing.T) { t.Log("silent") }
func TestFails(t *testing.T) {
	t.Run("good", func(t *testing.T) { t.Log("silent") })
	t.Run("bad", func(t *testing.T) { t.Error("wrong") })
}
func TestSkips(t *testing.T) { t.Skip("no moon: tonight") }
`

const panics = `package p

import "testing"

func TestPanics(t *testing.T) { go func() { panic("overboard") }(); select {} }
`

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var times = regexp.MustCompile(`\d+\.\d+s`)

// TestRun runs a module with every kind of result and reads what comes out, times aside.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"go.mod": "module m\ngo 1.26\n", "m_test.go": module, "p/p_test.go": panics, "broken/b_test.go": "package broken\nfunc\n",
	})
	t.Chdir(dir)
	var out strings.Builder
	ok, err := run(t.Context(), &options{
		timeout: time.Minute, slowest: 2,
		beside: []stage{{"greet", []string{"echo", "hello"}}},
		stages: []stage{{"unit", strings.Fields("go test -p 1 ./...")}, {"fails", []string{"false"}}},
	}, &out)
	if ok || err != nil {
		t.Errorf("ok %v, error %v, want neither", ok, err)
	}
	got := times.ReplaceAllString(out.String(), "0s")
	for _, want := range []string{
		"hello\n== greet: done after 0s\n",
		"--- FAIL: TestFails (0s)\n--- FAIL: TestFails/bad (0s)\n    m_test.go:8: wrong\nFAIL\n",
		"--- FAIL: TestPanics did not end\npanic: overboard",
		"b_test.go:2:6: expected 'IDENT'",
		"== fails: FAILED (exit status 1) after 0s\n",
		"== skipped tests\n    m TestSkips: no moon: tonight\n",
		"== failed tests\n    m TestFails\n    m TestFails/bad\n    m/p TestPanics\n    m/broken as a whole\n",
		"\n2 passed, 5 failed, 1 skipped\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if strings.Contains(got, "silent") || strings.Contains(got, "=== RUN") {
		t.Error("the output has what passing tests print")
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestRunIsCutShort(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := run(ctx, &options{
		timeout: 50 * time.Millisecond,
		stages:  []stage{{"slow", []string{"sh", "-c", "sleep 1000"}}, {"later", []string{"echo", "unwanted"}}},
	}, &out)
	if err == nil || !strings.Contains(err.Error(), "cut short: the limit of 50ms is over") {
		t.Errorf("got error %v, want one about the limit", err)
	}
	if strings.Contains(out.String(), "unwanted") {
		t.Error("a stage ran after the end")
	}
}

func TestSkipsThatCount(t *testing.T) {
	t.Parallel()
	const events = `
{"Action":"run","Package":"x/test/compat","Test":"TestA"}
{"Action":"output","Package":"x/test/compat","Test":"TestA","Output":"    a_test.go:3: needs a moon\n"}
{"Action":"output","Package":"x/test/compat","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
{"Action":"skip","Package":"x/test/compat","Test":"TestA","Elapsed":0}
{"Action":"skip","Package":"x/test/compat","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"x/unit","Test":"TestC","Output":"    c_test.go:3: MOON is not set\n"}
{"Action":"skip","Package":"x/unit","Test":"TestC","Elapsed":0}
{"Action":"pass","Package":"x/test/compat","Elapsed":0.1}
{"Action":"pass","Package":"x/unit","Elapsed":0.1}`
	for name, tc := range map[string]struct {
		opts options
		want string
	}{
		"at home":         {options{}, "0 passed, 0 failed, 3 skipped\n"},
		"CI":              {options{strict: true}, "0 passed, 2 failed, 1 skipped\n"},
		"CI, one allowed": {options{strict: true, allowSkip: []string{"moon"}}, "0 passed, 1 failed, 2 skipped\n"},
	} {
		var out strings.Builder
		p := &printer{w: &out}
		r := newReport(&tc.opts)
		for e := range strings.Lines(events) {
			r.line([]byte(e), p)
		}
		r.summarise(p, nil)
		if !strings.HasSuffix(out.String(), tc.want) {
			t.Errorf("%s: got %s\nwant the last line %s", name, out.String(), tc.want)
		}
	}
}

func TestSlowestAreLeaves(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := &printer{w: &out}
	r := newReport(&options{slowest: 2})
	for _, e := range []string{
		`{"Action":"pass","Package":"a","Test":"TestX","Elapsed":9}`,
		`{"Action":"pass","Package":"a","Test":"TestX/one","Elapsed":4}`,
		`{"Action":"pass","Package":"a","Test":"TestX/two","Elapsed":5}`,
		`{"Action":"pass","Package":"a","Test":"TestY","Elapsed":4.5}`,
		`{"Action":"pass","Package":"a","Elapsed":10}`,
	} {
		r.line([]byte(e), p)
	}
	r.summarise(p, nil)
	want := `== the 2 slowest tests
     5.00s  a TestX/two
     4.50s  a TestY
== stages
4 passed, 0 failed, 0 skipped
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("the summary differs (-want +got):\n%s", diff)
	}
}
