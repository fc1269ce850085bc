package connect_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type sequence = func(yield func(connect.SourceRecord, error) bool)

// startSequence starts a SourceFunc task over what open returns for a context.
func startSequence(t *testing.T, open func(ctx context.Context) sequence) connect.SourceTask {
	t.Helper()
	task := connect.SourceFunc(func(ctx context.Context, _ *connect.SourceTaskContext, _ connect.Props) (iter.Seq2[connect.SourceRecord, error], error) {
		return open(ctx), nil
	})()
	ctx, cancel := context.WithCancel(t.Context())
	if err := task.Start(ctx, nil, nil); err != nil {
		t.Fatal(err)
	}
	cancel() // the sequence outlives Start
	return task
}

func numbered(n int) connect.SourceRecord {
	return connect.SourceRecord{Record: connect.Record{Topic: "t", Value: data.Int64(int64(n))}}
}

// poll returns the numbers that one poll gives, and its error.
func poll(ctx context.Context, task connect.SourceTask) ([]int64, error) {
	b := connect.NewBatch(10)
	err := task.Poll(ctx, b)
	var numbers []int64
	for _, r := range b.Records() {
		numbers = append(numbers, r.Value.Int64())
	}
	return numbers, err
}

func stop(t *testing.T, task connect.SourceTask) {
	t.Helper()
	if err := task.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestSourceFuncDoesNotHoldBack has a sequence that waits for more after some records.
func TestSourceFuncDoesNotHoldBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		task := startSequence(t, func(ctx context.Context) sequence {
			return func(yield func(connect.SourceRecord, error) bool) {
				_ = yield(numbered(1), nil) && yield(numbered(2), nil)
				<-ctx.Done()
			}
		})
		synctest.Wait()
		got, err := poll(t.Context(), task)
		if diff := cmp.Diff([]int64{1, 2}, got); diff != "" || err != nil {
			t.Errorf("error %v, records (-want +got):\n%s", err, diff)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := poll(ctx, task); len(got) > 0 || err != nil {
			t.Errorf("Poll with an ended context: %v, %v", got, err)
		}
		stop(t, task)
	})
}

// TestSourceFuncBoundsTheSequence has one that never waits.
func TestSourceFuncBoundsTheSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		made := 0
		task := startSequence(t, func(context.Context) sequence {
			return func(yield func(connect.SourceRecord, error) bool) {
				for yield(numbered(made), nil) {
					made++
				}
			}
		})
		next, polls := int64(0), 20
		for range polls {
			synctest.Wait()
			if ahead := int64(made) - next; ahead > 1001 {
				t.Fatalf("the sequence is %d records ahead", ahead)
			}
			got, err := poll(t.Context(), task)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range got {
				if n != next {
					t.Fatalf("record %d came, want %d", n, next)
				}
				next++
			}
		}
		if next < 1000 {
			t.Errorf("%d records came in %d polls", next, polls)
		}
		stop(t, task)
	})
}

func TestSourceFuncErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		task := startSequence(t, func(context.Context) sequence {
			return func(yield func(connect.SourceRecord, error) bool) {
				_ = yield(numbered(1), nil) && yield(connect.SourceRecord{}, io.ErrUnexpectedEOF) && yield(numbered(2), nil)
			}
		})
		synctest.Wait()
		got, err := poll(t.Context(), task)
		if diff := cmp.Diff([]int64{1}, got); diff != "" || err != nil {
			t.Errorf("error %v, records (-want +got):\n%s", err, diff)
		}
		for range 2 {
			if got, err := poll(t.Context(), task); len(got) > 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("Poll: %v, %v; want %v", got, err, io.ErrUnexpectedEOF)
			}
		}
		stop(t, task)
	})
}

// TestSourceFuncGoesOnAfterRetriable has a sequence that yields more after a retriable error.
func TestSourceFuncGoesOnAfterRetriable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := connect.Retriable(errors.New("away"))
		resume := make(chan struct{})
		task := startSequence(t, func(context.Context) sequence {
			return func(yield func(connect.SourceRecord, error) bool) {
				if yield(connect.SourceRecord{}, away) {
					<-resume
					yield(numbered(2), nil)
				}
			}
		})
		synctest.Wait()
		if got, err := poll(t.Context(), task); len(got) > 0 || !errors.Is(err, away) {
			t.Errorf("Poll: %v, %v; want %v", got, err, away)
		}
		close(resume)
		synctest.Wait()
		got, err := poll(t.Context(), task)
		if diff := cmp.Diff([]int64{2}, got); diff != "" || err != nil {
			t.Errorf("error %v, records (-want +got):\n%s", err, diff)
		}
		stop(t, task)
	})
}

func TestSourceFuncPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		task := startSequence(t, func(context.Context) sequence {
			return func(yield func(connect.SourceRecord, error) bool) {
				yield(numbered(1), nil)
				panic("out of records")
			}
		})
		synctest.Wait()
		if got, err := poll(t.Context(), task); len(got) != 1 || err != nil {
			t.Errorf("Poll: %v, %v; want the record before the panic", got, err)
		}
		_, err := poll(t.Context(), task)
		if err == nil || !strings.HasPrefix(err.Error(), "panic: out of records\n") || !strings.Contains(err.Error(), "sugar_test.go") {
			t.Errorf("Poll: %v; want the panic with its stack", err)
		}
		stop(t, task)
	})
}

func TestSourceFuncThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	task := connect.SourceFunc(func(context.Context, *connect.SourceTaskContext, connect.Props) (iter.Seq2[connect.SourceRecord, error], error) {
		return nil, io.EOF
	})()
	if err := task.Start(t.Context(), nil, nil); !errors.Is(err, io.EOF) {
		t.Errorf("Start: %v, want %v", err, io.EOF)
	}
	stop(t, task)
}

func TestSinkFunc(t *testing.T) {
	t.Parallel()
	var sizes []int
	task := connect.SinkFunc(func(_ context.Context, recs []connect.SinkRecord) error {
		if sizes = append(sizes, len(recs)); len(recs) == 3 {
			return io.EOF
		}
		return nil
	})()
	if err := task.Start(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 2, 0} {
		if err := task.Put(t.Context(), make([]connect.SinkRecord, n)); err != nil {
			t.Errorf("Put of %d: %v", n, err)
		}
	}
	if err := task.Put(t.Context(), make([]connect.SinkRecord, 3)); !errors.Is(err, io.EOF) {
		t.Errorf("Put: %v, want %v", err, io.EOF)
	}
	if err := task.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]int{2, 3}, sizes); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
