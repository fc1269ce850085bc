package worker

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
)

// textConverter is a converter of strings that fails on the text "unconvertible".
type textConverter struct{}

func (textConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if v.Str() == "unconvertible" {
		return nil, data.Errorf("this cannot be converted")
	}
	return append(dst, v.Bytes()...), nil
}

func (textConverter) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	if raw == nil {
		return data.OptionalStringSchema, data.Null, nil
	}
	if string(raw) == "unconvertible" {
		return nil, data.Null, data.Errorf("this cannot be converted")
	}
	return data.OptionalStringSchema, data.AliasString(raw), nil
}

const textClass = "test.TextConverter"

// testPlugins is a registry of the text converter and one connector.
func testPlugins(p ...connect.Plugin) *plugin.Registry {
	create := func(connect.Props, connect.ConverterUse) (connect.Converter, error) { return textConverter{}, nil }
	return plugin.New(p, []connect.ConverterPlugin{{
		Class: textClass, Def: config.New(), New: create, NewHeader: connect.HeadersOf(create),
	}})
}

var testProps = map[string]string{
	pipeline.KeyConverterKey: textClass, pipeline.ValueConverterKey: textClass, pipeline.HeaderConverterKey: textClass,
}

// statuses collects states.
type statuses struct {
	mu   sync.Mutex
	list []event.Status
}

func (s *statuses) listen(e event.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, e)
}

// states returns the states in order, separated by blanks.
func (s *statuses) states() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.list {
		out = append(out, string(e.State))
	}
	return strings.Join(out, " ")
}

func (s *statuses) last() event.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[len(s.list)-1]
}

// scriptSource is a source task made of functions; nil ones do nothing.
type scriptSource struct {
	poll    func(ctx context.Context, out *connect.Batch) error
	stop    func()
	commits int
}

func (s *scriptSource) Start(context.Context, *connect.SourceTaskContext, connect.Props) error {
	return nil
}

func (s *scriptSource) Poll(ctx context.Context, out *connect.Batch) error {
	if s.poll == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.poll(ctx, out)
}

func (s *scriptSource) Commit(context.Context) error { s.commits++; return nil }

func (s *scriptSource) Stop(context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	return nil
}

// heldProducer is a producer whose acknowledgements the test gives.
type heldProducer struct {
	promise func(*kgo.Record, error)

	mu   sync.Mutex
	held []*kgo.Record
	auto bool // acknowledge at once
}

func (p *heldProducer) Produce(_ context.Context, r *kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.auto {
		p.promise(r, nil)
		return
	}
	p.held = append(p.held, r)
}

// finish ends the records whose values are listed.
func (p *heldProducer) finish(err error, values ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := p.held[:0]
	for _, r := range p.held {
		if slices.Contains(values, string(r.Value)) {
			p.promise(r, err)
		} else {
			rest = append(rest, r)
		}
	}
	p.held = rest
}

func (p *heldProducer) Flush(ctx context.Context) error {
	for {
		p.mu.Lock()
		n := len(p.held)
		p.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *heldProducer) Close() {}

// sourceRig runs one source task inside a synctest bubble.
type sourceRig struct {
	t        *testing.T
	task     *task
	body     *sourceTask
	script   *scriptSource
	producer *heldProducer
	offsets  *store.FileOffsets
	statuses statuses
}

func newSourceRig(t *testing.T, script *scriptSource, tolerance string, paused bool) *sourceRig {
	t.Helper()
	offsets, err := store.OpenFileOffsets(filepath.Join(t.TempDir(), "offsets"))
	if err != nil {
		t.Fatal(err)
	}
	rig := &sourceRig{t: t, script: script, producer: &heldProducer{}, offsets: offsets}
	rig.task = newTask(store.ConnectorTaskID{Connector: "c"}, discard(), "1", rig.statuses.listen, paused)
	conv, err := pipeline.NewConverters(testPlugins(), nil, testProps)
	if err != nil {
		t.Fatal(err)
	}
	tol, err := pipeline.NewTolerance(discard(), map[string]string{"errors.tolerance": tolerance})
	if err != nil {
		t.Fatal(err)
	}
	rig.body = newSourceTask(rig.task, sourceOptions{
		Task: script, Pipe: pipeline.NewSource(conv, tol), Tolerance: tol,
		OpenOffsets: func(context.Context) (store.Offsets, func(), error) { return offsets, func() {}, nil },
		NewProducer: func(promise func(*kgo.Record, error)) (Producer, error) {
			rig.producer.promise = promise
			return rig.producer, nil
		},
		FlushInterval: time.Minute, FlushTimeout: 5 * time.Second,
	})
	return rig
}

func (r *sourceRig) start() { go r.task.run(r.body) }

func (r *sourceRig) stop() {
	r.task.softEnd()
	<-r.task.done
}

// committed returns the stored position, -1 if there is none.
func (r *sourceRig) committed() int64 {
	r.t.Helper()
	v, err := r.offsets.Get(r.t.Context(), "c", []map[string]any{{"file": "f"}})
	if err != nil {
		r.t.Fatal(err)
	}
	if v[0].IsNull() {
		return -1
	}
	return v[0].Map().GetString("position").Int64()
}

// once returns a poll that delivers each list of values once and then blocks.
func once(lists ...[]string) func(context.Context, *connect.Batch) error {
	p := connect.NewSourcePartition(map[string]any{"file": "f"})
	n := int64(0)
	return func(ctx context.Context, out *connect.Batch) error {
		if len(lists) == 0 {
			<-ctx.Done()
			return ctx.Err()
		}
		for _, v := range lists[0] {
			n++
			r := out.Add()
			r.Topic, r.Value, r.SourcePartition, r.SourceOffset = "t", data.String(v), p, position(n)
		}
		lists = lists[1:]
		return nil
	}
}

func TestSourceCommitsOnlyWhatIsAcknowledged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSourceRig(t, &scriptSource{poll: once([]string{"a", "b", "c"}, []string{"d"})}, "none", false)
		rig.start()
		synctest.Wait()
		rig.producer.finish(nil, "a", "c", "d")
		time.Sleep(61 * time.Second) //nolint:forbidigo // the bubble's clock: the periodic commit is due
		synctest.Wait()
		if got := rig.committed(); got != 1 {
			t.Errorf("committed position %d while the second record is unacknowledged, want 1", got)
		}
		rig.producer.finish(nil, "b")
		rig.stop()
		if got := rig.committed(); got != 4 {
			t.Errorf("committed position %d after the stop, want 4", got)
		}
		if rig.script.commits == 0 {
			t.Error("the task was not told of commits")
		}
		if got, want := rig.statuses.states(), "RUNNING UNASSIGNED"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
	})
}

func TestSourceStopWaitsForAcknowledgementsWithinTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSourceRig(t, &scriptSource{poll: once([]string{"a", "b"})}, "none", false)
		rig.start()
		synctest.Wait()
		rig.producer.finish(nil, "a")
		begin := time.Now()
		rig.stop()
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("the stop took %v, want the flush timeout of 5s", took)
		}
		if got := rig.committed(); got != 1 {
			t.Errorf("committed position %d, want 1", got)
		}
		rig.producer.finish(context.Canceled, "b")
	})
}

func TestSourceSendFailure(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		tolerance string
		state     event.State
		committed int64
	}{
		{"none", event.Failed, 1},
		{"all", event.Unassigned, 3},
	} {
		t.Run(tc.tolerance, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				polls := once([]string{"a", "b", "c"})
				rig := newSourceRig(t, &scriptSource{poll: func(ctx context.Context, out *connect.Batch) error {
					ctx, cancel := context.WithTimeout(ctx, time.Second)
					defer cancel()
					err := polls(ctx, out)
					if errors.Is(err, context.DeadlineExceeded) {
						return nil
					}
					return err
				}}, tc.tolerance, false)
				rig.start()
				synctest.Wait()
				rig.producer.finish(nil, "a", "c")
				rig.producer.finish(errors.New("the broker refuses"), "b")
				time.Sleep(3 * time.Second) //nolint:forbidigo // the bubble's clock
				synctest.Wait()
				rig.stop()
				if got := rig.statuses.last(); got.State != tc.state {
					t.Fatalf("state %s, want %s", got.State, tc.state)
				}
				if got := rig.committed(); got != tc.committed {
					t.Errorf("committed position %d, want %d", got, tc.committed)
				}
				if tc.state == event.Failed && !strings.HasPrefix(rig.statuses.last().Trace, "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback\n\tat ") {
					t.Errorf("trace:\n%s", rig.statuses.last().Trace)
				}
			})
		})
	}
}

func TestSourceConversionFailure(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		tolerance string
		state     event.State
		sent      []string
		committed int64
	}{
		{"none", event.Failed, []string{"a"}, 1},
		{"all", event.Unassigned, []string{"a", "b"}, 3},
	} {
		t.Run(tc.tolerance, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rig := newSourceRig(t, &scriptSource{poll: once([]string{"a", "unconvertible", "b"})}, tc.tolerance, false)
				rig.producer.auto = true
				rig.start()
				synctest.Wait()
				rig.stop()
				last := rig.statuses.last()
				if last.State != tc.state {
					t.Fatalf("state %s, want %s", last.State, tc.state)
				}
				if got := rig.committed(); got != tc.committed {
					t.Errorf("committed position %d, want %d", got, tc.committed)
				}
				if tc.state == event.Failed {
					for _, want := range []string{"ConnectException: Tolerance exceeded in error handler\n\tat ", "\nCaused by: org.apache.kafka.connect.errors.DataException: this cannot be converted\n"} {
						if !strings.Contains(last.Trace, want) {
							t.Errorf("the trace lacks %q:\n%s", want, last.Trace)
						}
					}
				}
			})
		})
	}
}

func TestSourcePauseAndResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		rig := newSourceRig(t, &scriptSource{poll: func(ctx context.Context, _ *connect.Batch) error {
			polls++
			<-ctx.Done()
			return ctx.Err()
		}}, "none", true)
		rig.start()
		synctest.Wait()
		if polls != 0 {
			t.Error("a task that starts paused was polled")
		}
		for range 2 {
			rig.task.gate.set(false)
			synctest.Wait()
			rig.task.gate.set(true)
			synctest.Wait()
		}
		rig.stop()
		if got, want := rig.statuses.states(), "PAUSED RUNNING PAUSED RUNNING PAUSED UNASSIGNED"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
		if polls != 2 {
			t.Errorf("polled %d times, want once for each time it ran", polls)
		}
	})
}

func TestSourcePollErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fail  func() error
		polls int
		state event.State
		trace string
	}{
		{"retriable", func() error { return connect.RetryAfter(time.Second, errors.New("not now")) }, 3, event.Unassigned, ""},
		{"fatal", func() error { return errors.New("never") }, 1, event.Failed, "ConnectException: never\n"},
		{"panic", func() error { panic("oops") }, 1, event.Failed, "panic: oops\n\tat "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				polls, stopped := 0, false
				rig := newSourceRig(t, &scriptSource{
					poll: func(ctx context.Context, _ *connect.Batch) error {
						if polls++; polls < 3 {
							return tc.fail()
						}
						<-ctx.Done()
						return nil
					},
					stop: func() { stopped = true },
				}, "none", false)
				rig.start()
				time.Sleep(10 * time.Second) //nolint:forbidigo // the bubble's clock
				rig.stop()
				last := rig.statuses.last()
				if polls != tc.polls || last.State != tc.state || !strings.Contains(last.Trace, tc.trace) {
					t.Errorf("%d polls, state %s, trace %q; want %d, %s, %q", polls, last.State, last.Trace, tc.polls, tc.state, tc.trace)
				}
				if !stopped {
					t.Error("the task was not stopped")
				}
			})
		})
	}
}

func TestStopGivesUpATaskThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		rig := newSourceRig(t, &scriptSource{poll: func(context.Context, *connect.Batch) error { <-hang; return nil }}, "none", false)
		w := New(Options{StopTimeout: 5 * time.Second, Status: rig.statuses.listen, Log: discard()})
		w.tasks[rig.task.id] = rig.task
		rig.start()
		synctest.Wait()
		begin := time.Now()
		w.StopTasks(rig.task.id)
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("the stop took %v, want 5s", took)
		}
		if got, want := rig.statuses.states(), "RUNNING UNASSIGNED"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
		close(hang)
		<-rig.task.done
		if got, want := rig.statuses.states(), "RUNNING UNASSIGNED"; got != want {
			t.Errorf("a task that was given up still reported: %s", got)
		}
	})
}
