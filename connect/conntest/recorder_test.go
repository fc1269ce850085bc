package conntest_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder takes the place of *testing.T where a scenario is expected to fail.
type recorder struct {
	t     *testing.T
	name  string
	notes *notes
}

// notes is what a recorder and its subtests were told.
type notes struct {
	logs     []string
	failures map[string]string // by scenario
	skips    map[string]string
}

func newRecorder(t *testing.T) *recorder {
	return &recorder{t: t, notes: &notes{failures: map[string]string{}, skips: map[string]string{}}}
}

func (r *recorder) Helper()           {}
func (r *recorder) TempDir() string   { return r.t.TempDir() }
func (r *recorder) Cleanup(f func())  { r.t.Cleanup(f) }
func (r *recorder) failed() []string  { return keys(r.notes.failures) }
func (r *recorder) skipped() []string { return keys(r.notes.skips) }

func (r *recorder) Logf(format string, args ...any) {
	r.notes.logs = append(r.notes.logs, fmt.Sprintf(format, args...))
}

func (r *recorder) Errorf(format string, args ...any) {
	r.notes.failures[r.name] += fmt.Sprintf(format, args...)
}

func (r *recorder) Skipf(format string, args ...any) {
	r.notes.skips[r.name] = fmt.Sprintf(format, args...)
}

func (r *recorder) Run(name string, f func(*recorder)) bool {
	f(&recorder{t: r.t, name: name, notes: r.notes})
	return r.notes.failures[name] == ""
}

// wantFailure checks that a scenario failed, and why.
func (r *recorder) wantFailure(t *testing.T, scenario, text string) {
	t.Helper()
	got, ok := r.notes.failures[scenario]
	switch {
	case !ok:
		t.Errorf("scenario %s did not fail; failed: %v", scenario, r.failed())
	case !strings.Contains(got, text):
		t.Errorf("scenario %s failed with\n%s\nwant a text with %q", scenario, got, text)
	}
}

func keys(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}
