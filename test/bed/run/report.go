package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// event is a line of go test -json; see "go doc test2json".
type event struct {
	Action      string
	Package     string
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

// test is one test or subtest.
type test struct {
	pkg, name string
	result    string // "pass", "fail", "skip", or empty while it runs
	elapsed   time.Duration
	reason    string // why it was skipped
	verdict   string // the line that begins with "---"
	lines     []string
}

// pack is a package under test.
type pack struct {
	tests []*test          // in the order they began
	index map[string]*test // the same by name
	own   []string         // output of no test
}

// test finds or adds one.
func (p *pack) test(pkg, name string) *test {
	t := p.index[name]
	if t == nil {
		t = &test{pkg: pkg, name: name}
		p.index[name] = t
		p.tests = append(p.tests, t)
	}
	return t
}

// report gathers the events of all test stages.
type report struct {
	strict    bool
	allowSkip []string
	slowest   int

	mu       sync.Mutex // guards the rest while stages run
	running  map[string]*pack
	finished []*test
	broken   []string // packages that failed without a failed test
}

func newReport(o *options) *report {
	return &report{strict: o.strict, allowSkip: o.allowSkip, slowest: o.slowest, running: map[string]*pack{}}
}

// line takes in one line that go test printed. What is no event is the toolchain speaking and is printed as it is.
func (r *report) line(text []byte, out *printer) {
	var e event
	if json.Unmarshal(text, &e) != nil || e.Action == "" {
		out.print(string(text))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Action {
	case "build-output":
		out.print(e.Output)
	case "output":
		r.output(e)
	case "run":
		r.pack(e.Package).test(e.Package, e.Test)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e, out)
		} else {
			r.endTest(e)
		}
	}
}

func (r *report) pack(name string) *pack {
	p := r.running[name]
	if p == nil {
		p = &pack{index: map[string]*test{}}
		r.running[name] = p
	}
	return p
}

func (r *report) output(e event) {
	p := r.pack(e.Package)
	if e.Test == "" {
		p.own = append(p.own, e.Output)
		return
	}
	t := p.test(e.Package, e.Test)
	switch text := strings.TrimLeft(e.Output, " "); {
	case strings.HasPrefix(text, "=== "):
	case strings.HasPrefix(text, "--- "):
		t.verdict = text
	default:
		t.lines = append(t.lines, e.Output)
	}
}

func (r *report) endTest(e event) {
	t := r.pack(e.Package).test(e.Package, e.Test)
	t.result = e.Action
	t.elapsed = time.Duration(e.Elapsed * float64(time.Second))
	switch e.Action {
	case "pass":
		t.lines = nil
	case "skip":
		t.reason = skipReason(t.lines)
		t.lines = nil
		if r.strict && r.forbidden(t) {
			t.result = "fail"
			t.verdict = fmt.Sprintf("--- FAIL: %s was skipped, which CI does not accept: %s\n", t.name, t.reason)
		}
	}
}

// forbidden reports whether a skipped test counts as failed where everything must run.
func (r *report) forbidden(t *test) bool {
	return strings.Contains(t.pkg+"/", "/test/") &&
		!slices.ContainsFunc(r.allowSkip, func(allowed string) bool { return strings.Contains(t.reason, allowed) })
}

// skipReason is the message of a skipped test without the position in the source.
func skipReason(lines []string) string {
	var reason []string
	for _, text := range lines {
		text = strings.TrimSpace(text)
		if position, message, found := strings.Cut(text, ": "); found && strings.Contains(position, ".go:") {
			text = message
		}
		reason = append(reason, text)
	}
	if reason == nil {
		return "no reason given"
	}
	return strings.Join(reason, " ")
}

// endPackage takes a test that never ended for failed: its process died.
func (r *report) endPackage(e event, out *printer) {
	p := r.pack(e.Package)
	delete(r.running, e.Package)
	failed := false
	for _, t := range p.tests {
		failed = failed || t.result == "fail" || t.result == ""
		r.finished = append(r.finished, t)
	}
	switch {
	case e.Action == "fail" || failed:
		if !failed {
			r.broken = append(r.broken, e.Package)
		}
		out.print(p.failures())
	case e.Action == "pass" && len(p.own) > 0:
		out.print(p.own[len(p.own)-1])
	}
}

// failures is what tests printed that failed or never ended, then the package's own output.
func (p *pack) failures() string {
	var text strings.Builder
	for _, t := range p.tests {
		if t.result != "fail" && t.result != "" {
			continue
		}
		if t.verdict == "" {
			t.verdict = "--- FAIL: " + t.name + " did not end\n"
		}
		text.WriteString(t.verdict + strings.Join(t.lines, ""))
	}
	return text.String() + strings.Join(p.own, "")
}

// unfinished prints the tests that were running when the run was cut short, and what they have printed.
func (r *report) unfinished(out *printer) {
	for _, name := range slices.Sorted(maps.Keys(r.running)) {
		p := r.running[name]
		for _, t := range p.tests {
			if t.result == "" {
				out.note("cut short: %s %s", short(name), t.name)
			}
		}
		out.print(p.failures())
	}
}

// summarise prints the end of the run and reports whether all went well.
func (r *report) summarise(out *printer, outcomes []outcome) bool {
	var passed, failed, skipped []*test
	for _, t := range r.finished {
		switch t.result {
		case "pass":
			passed = append(passed, t)
		case "skip":
			skipped = append(skipped, t)
		default:
			failed = append(failed, t)
		}
	}
	r.printSlowest(out)
	printTests(out, "skipped tests", skipped, func(t *test) string { return ": " + t.reason })
	printTests(out, "failed tests", failed, func(*test) string { return "" })
	failures := len(failed) + len(r.broken)
	for _, pkg := range r.broken {
		out.print("    " + short(pkg) + " as a whole\n")
	}
	out.note("stages")
	for _, o := range outcomes {
		result := "ok"
		if o.err != nil {
			result = "FAILED"
		}
		if o.err != nil && (!o.stage.isGoTest() || failures == 0) {
			failures++
		}
		out.print(fmt.Sprintf("%9.1fs  %-7s %s\n", o.took.Seconds(), result, o.stage.name))
	}
	out.print(fmt.Sprintf("%d passed, %d failed, %d skipped\n", len(passed), failures, len(skipped)))
	return failures == 0
}

// printSlowest leaves out tests with subtests, whose time is that of their parts.
func (r *report) printSlowest(out *printer) {
	parents := map[[2]string]bool{}
	for _, t := range r.finished {
		for name := t.name; strings.Contains(name, "/"); {
			name = name[:strings.LastIndex(name, "/")]
			parents[[2]string{t.pkg, name}] = true
		}
	}
	leaves := slices.DeleteFunc(slices.Clone(r.finished), func(t *test) bool { return parents[[2]string{t.pkg, t.name}] })
	slices.SortStableFunc(leaves, func(a, b *test) int { return cmp.Compare(b.elapsed, a.elapsed) })
	if len(leaves) == 0 || r.slowest == 0 {
		return
	}
	leaves = leaves[:min(r.slowest, len(leaves))]
	out.note("the %d slowest tests", len(leaves))
	for _, t := range leaves {
		out.print(fmt.Sprintf("%9.2fs  %s %s\n", t.elapsed.Seconds(), short(t.pkg), t.name))
	}
}

func printTests(out *printer, title string, tests []*test, suffix func(*test) string) {
	if len(tests) == 0 {
		return
	}
	slices.SortFunc(tests, func(a, b *test) int {
		return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.name, b.name))
	})
	out.note("%s", title)
	for _, t := range tests {
		out.print("    " + short(t.pkg) + " " + t.name + suffix(t) + "\n")
	}
}

// short is a package's path inside this module.
func short(pkg string) string {
	return strings.TrimPrefix(pkg, "github.com/millrace-io/millrace/")
}
