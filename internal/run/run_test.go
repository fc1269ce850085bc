package run_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/internal/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal notes what happens, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, " ")
}

// part returns a part that notes its start and stop and then returns err.
func (j *journal) part(name string, err error) func(context.Context) error {
	return func(ctx context.Context) error {
		j.add("+" + name)
		<-ctx.Done()
		j.add("-" + name)
		return err
	}
}

// ready is a part that tells when it is ready.
func (j *journal) ready(name string) (func(context.Context) error, <-chan struct{}) {
	ready := make(chan struct{})
	return func(ctx context.Context) error {
		j.add("+" + name)
		close(ready)
		<-ctx.Done()
		j.add("-" + name)
		return nil
	}, ready
}

func newGroup() *run.Group { return run.NewGroup(slog.New(slog.DiscardHandler)) }

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		g := newGroup()
		for _, name := range []string{"a", "b"} {
			part, ready := j.ready(name)
			g.AddReady(name, part, ready)
		}
		g.Add("c", j.part("c", nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		if got, want := j.text(), "+a +b +c"; got != want {
			t.Fatalf("started %q, want %q", got, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if got, want := j.text(), "+a +b +c -c -b -a"; got != want {
			t.Errorf("course %q, want %q", got, want)
		}
	})
}

func TestStopsEachPartCompletelyBeforeTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		release := make(chan struct{})
		g := newGroup()
		g.Add("first", j.part("first", nil))
		g.Add("slow", func(ctx context.Context) error {
			<-ctx.Done()
			j.add("stopping")
			<-release
			j.add("-slow")
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got := j.text(); strings.Contains(got, "-first") || !strings.Contains(got, "stopping") {
			t.Errorf("course %q while the second part is still stopping", got)
		}
		close(release)
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestWaitsForReadiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ready := make(chan struct{})
		g := newGroup()
		g.AddReady("broker", j.part("broker", nil), ready)
		g.Add("worker", j.part("worker", nil))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		if got, want := j.text(), "+broker"; got != want {
			t.Errorf("started %q before the first part is ready, want %q", got, want)
		}
		close(ready)
		synctest.Wait()
		if got, want := j.text(), "+broker +worker"; got != want {
			t.Errorf("started %q, want %q", got, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestEndsWhileAPartIsNotReady(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, tc := range []struct {
		name  string
		ended string // the part that ends
		want  error
	}{
		{"cancelled", "", nil},
		{"the part itself ends", "b", boom},
		{"an earlier part ends", "a", boom},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var j journal
				end := make(chan struct{})
				part := func(name string) func(context.Context) error {
					return func(ctx context.Context) error {
						stop := ctx.Done()
						if name == tc.ended {
							select {
							case <-end:
								return boom
							case <-stop:
							}
						}
						<-stop
						j.add("-" + name)
						return nil
					}
				}
				g := newGroup()
				g.Add("a", part("a"))
				g.AddReady("b", part("b"), make(chan struct{}))
				g.Add("c", j.part("c", nil))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- g.Run(ctx) }()
				synctest.Wait()
				if tc.ended == "" {
					cancel()
				}
				close(end)
				synctest.Wait()
				select {
				case err := <-done:
					if !errors.Is(err, tc.want) {
						t.Errorf("Run: %v, want %v", err, tc.want)
					}
				default:
					t.Error("Run goes on")
				}
				if got := j.text(); strings.Contains(got, "c") {
					t.Errorf("the part after the one that is not ready was started: %q", got)
				}
			})
		})
	}
}

func TestFirstErrorWins(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), errors.New("second")
	for _, tc := range []struct {
		name string
		ends func(context.Context) error // the part in the middle
		want error
	}{
		{"a part that fails", func(context.Context) error { return first }, first},
		{"a part that ends well", func(context.Context) error { return nil }, second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var j journal
				g := newGroup()
				g.Add("a", j.part("a", second))
				g.Add("b", tc.ends)
				g.Add("c", j.part("c", nil))
				err := g.Run(t.Context())
				if !errors.Is(err, tc.want) {
					t.Errorf("Run: %v, want %v", err, tc.want)
				}
				stops := slices.DeleteFunc(strings.Fields(j.text()), func(s string) bool { return s[0] == '+' })
				if got, want := strings.Join(stops, " "), "-c -a"; got != want {
					t.Errorf("stops %q, want %q", got, want)
				}
			})
		})
	}
}

func TestErrorWhileStoppingNamesThePart(t *testing.T) {
	t.Parallel()
	var j journal
	g := newGroup()
	g.Add("offsets", j.part("offsets", errors.New("disk full")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Run(ctx); err == nil || err.Error() != "offsets: disk full" {
		t.Errorf("Run: %v, want the part's name and its error", err)
	}
}
