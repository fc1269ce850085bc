package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/store"
)

// scriptConsumer is a consumer whose records and rebalances the test makes.
type scriptConsumer struct {
	fetch chan kgo.Fetches

	mu        sync.Mutex
	paused    map[connect.TopicPartition]bool
	seeks     []connect.Offsets
	commits   []connect.Offsets
	commitErr error
	hold      bool // commits do not end
	closed    bool
}

func newScriptConsumer() *scriptConsumer {
	return &scriptConsumer{fetch: make(chan kgo.Fetches), paused: make(map[connect.TopicPartition]bool)}
}

func (c *scriptConsumer) Poll(ctx context.Context) kgo.Fetches {
	select {
	case f := <-c.fetch:
		return f
	case <-ctx.Done():
		return kgo.NewErrFetch(ctx.Err())
	}
}

func (c *scriptConsumer) AllowRebalance() {}

func (c *scriptConsumer) Pause(m map[string][]int32)  { c.setPaused(m, true) }
func (c *scriptConsumer) Resume(m map[string][]int32) { c.setPaused(m, false) }

func (c *scriptConsumer) setPaused(m map[string][]int32, paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t, ps := range m {
		for _, p := range ps {
			c.paused[connect.TopicPartition{Topic: t, Partition: p}] = paused
		}
	}
}

func (c *scriptConsumer) Seek(o connect.Offsets) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seeks = append(c.seeks, maps.Clone(o))
}

func (c *scriptConsumer) Commit(_ context.Context, o connect.Offsets, done func(error)) {
	c.mu.Lock()
	err, hold := c.commitErr, c.hold
	c.commits = append(c.commits, o)
	c.mu.Unlock()
	if !hold {
		done(err)
	}
}

func (c *scriptConsumer) setHold(hold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = hold
}

func (c *scriptConsumer) Close() { c.closed = true }

// lastCommit returns the offset of the newest commit of a partition, -1 if there is none.
func (c *scriptConsumer) lastCommit(tp connect.TopicPartition) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range slices.Backward(c.commits) {
		if at, ok := o[tp]; ok {
			return at
		}
	}
	return -1
}

// deliver hands records of one partition to the task, from an offset on.
func (c *scriptConsumer) deliver(tp connect.TopicPartition, from int64, values ...string) {
	var recs []*kgo.Record
	for i, v := range values {
		recs = append(recs, &kgo.Record{Topic: tp.Topic, Partition: tp.Partition, Offset: from + int64(i), Value: []byte(v), Timestamp: time.UnixMilli(7)})
	}
	c.fetch <- kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: tp.Topic, Partitions: []kgo.FetchPartition{{Partition: tp.Partition, Records: recs}}}}}}
}

// scriptSink is a sink task that writes down its calls.
type scriptSink struct {
	tc        *connect.SinkTaskContext
	put       func(recs []connect.SinkRecord) error
	preCommit func(connect.Offsets) (connect.Offsets, error)
	open      func([]connect.TopicPartition) error

	mu    sync.Mutex
	calls []string
}

func (s *scriptSink) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

// log returns the calls but for puts without records.
func (s *scriptSink) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.calls, "; ")
}

func (s *scriptSink) Start(_ context.Context, tc *connect.SinkTaskContext, _ connect.Props) error {
	s.tc = tc
	return nil
}

func (s *scriptSink) Put(_ context.Context, recs []connect.SinkRecord) error {
	if len(recs) > 0 {
		var values []string
		for _, r := range recs {
			values = append(values, r.Value.Str())
		}
		s.note("put %s", strings.Join(values, ","))
	}
	if s.put != nil {
		return s.put(recs)
	}
	return nil
}

func (s *scriptSink) Open(_ context.Context, tps []connect.TopicPartition) error {
	s.note("open %v", tps)
	if s.open != nil {
		return s.open(tps)
	}
	return nil
}

func (s *scriptSink) Close(_ context.Context, tps []connect.TopicPartition) error {
	s.note("close %v", tps)
	return nil
}

func (s *scriptSink) PreCommit(_ context.Context, o connect.Offsets) (connect.Offsets, error) {
	s.note("preCommit %v", o)
	if s.preCommit != nil {
		return s.preCommit(o)
	}
	return o, nil
}

func (s *scriptSink) Stop(context.Context) error { s.note("stop"); return nil }

type sinkRig struct {
	task     *task
	body     *sinkTask
	script   *scriptSink
	consumer *scriptConsumer
	statuses statuses
}

func newSinkRig(t *testing.T, script *scriptSink) *sinkRig {
	t.Helper()
	rig := &sinkRig{script: script, consumer: newScriptConsumer()}
	rig.task = newTask(store.ConnectorTaskID{Connector: "c"}, discard(), "1", rig.statuses.listen, false)
	conv, err := pipeline.NewConverters(testPlugins(), nil, testProps)
	if err != nil {
		t.Fatal(err)
	}
	tol, err := pipeline.NewTolerance(discard(), nil)
	if err != nil {
		t.Fatal(err)
	}
	rig.body = newSinkTask(rig.task, sinkOptions{
		Task: script, Pipe: pipeline.NewSink(conv, tol),
		FlushInterval: time.Minute, FlushTimeout: 5 * time.Second,
	})
	rig.body.consumer = rig.consumer
	go rig.task.run(rig.body)
	synctest.Wait()
	return rig
}

// assign gives the task partitions that were committed at an offset.
func (r *sinkRig) assign(at int64, tps ...connect.TopicPartition) {
	r.body.assigned(tps)
	o := make(connect.Offsets)
	for _, tp := range tps {
		o[tp] = at
	}
	r.body.fetched(o)
}

func (r *sinkRig) stop() {
	r.task.softEnd()
	<-r.task.done
}

// pass lets the bubble's clock run.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's clock
	synctest.Wait()
}

var (
	p0 = connect.TopicPartition{Topic: "t", Partition: 0}
	p1 = connect.TopicPartition{Topic: "t", Partition: 1}
)

func TestSinkDeliversAndCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSinkRig(t, &scriptSink{})
		rig.assign(0, p0, p1)
		rig.consumer.deliver(p0, 0, "a", "b")
		rig.consumer.deliver(p1, 0, "c")
		synctest.Wait()
		if got := rig.consumer.lastCommit(p0); got != -1 {
			t.Errorf("committed %d before the interval", got)
		}
		pass(61 * time.Second)
		if got := rig.consumer.lastCommit(p0); got != 2 {
			t.Errorf("committed %d of partition 0 after the interval, want 2", got)
		}
		n := len(rig.consumer.commits)
		pass(3 * time.Minute)
		if len(rig.consumer.commits) != n {
			t.Error("offsets were committed again although nothing was delivered")
		}
		rig.consumer.deliver(p0, 2, "d")
		synctest.Wait()
		rig.stop()
		if got := rig.consumer.lastCommit(p0); got != 3 {
			t.Errorf("committed %d of partition 0 at the stop, want 3", got)
		}
		log := rig.script.log()
		if !strings.HasPrefix(log, "open [{t 0} {t 1}]; put a,b; put c; preCommit map[{t 0}:2 {t 1}:1]") || !strings.HasSuffix(log, "; close [{t 0} {t 1}]; stop") {
			t.Errorf("calls: %s", log)
		}
		if got, want := rig.statuses.states(), "RUNNING UNASSIGNED"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
		if !rig.consumer.closed {
			t.Error("the consumer was not closed")
		}
	})
}

func TestSinkRedeliversAfterARetriableError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		failures := 2
		var script *scriptSink
		script = &scriptSink{put: func(recs []connect.SinkRecord) error {
			if len(recs) > 0 && failures > 0 {
				failures--
				script.tc.RetryIn(time.Second)
				return connect.Retriable(errors.New("busy"))
			}
			return nil
		}}
		rig := newSinkRig(t, script)
		rig.assign(0, p0)
		rig.consumer.deliver(p0, 0, "a", "b")
		pass(5 * time.Second)
		rig.stop()
		if got, want := strings.Count(script.log(), "put a,b"), 3; got != want {
			t.Errorf("the batch was put %d times, want %d: %s", got, want, script.log())
		}
		if got := rig.consumer.lastCommit(p0); got != 2 {
			t.Errorf("committed %d, want 2", got)
		}
	})
}

func TestSinkFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		script *scriptSink
		value  string
		trace  []string
	}{
		{"put", &scriptSink{put: func(recs []connect.SinkRecord) error {
			if len(recs) == 0 {
				return nil
			}
			return errors.New("the table is gone")
		}}, "x", []string{"ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n\tat ", "the table is gone"}},
		{"panic in put", &scriptSink{put: func(recs []connect.SinkRecord) error {
			if len(recs) > 0 {
				panic("oops")
			}
			return nil
		}}, "x", []string{"panic: oops\n\tat "}},
		{"conversion", &scriptSink{}, "unconvertible", []string{"Tolerance exceeded in error handler", "Caused by: org.apache.kafka.connect.errors.DataException: this cannot be converted"}},
		{"open", &scriptSink{open: func([]connect.TopicPartition) error { return errors.New("cannot open") }}, "", []string{"cannot open"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rig := newSinkRig(t, tc.script)
				rig.assign(0, p0)
				if tc.value != "" {
					rig.consumer.deliver(p0, 0, tc.value)
				}
				<-rig.task.done
				last := rig.statuses.last()
				if last.State != event.Failed {
					t.Fatalf("state %s, want FAILED", last.State)
				}
				for _, want := range tc.trace {
					if !strings.Contains(last.Trace, want) {
						t.Errorf("the trace lacks %q:\n%s", want, last.Trace)
					}
				}
				if got := rig.consumer.lastCommit(p0); got > 0 {
					t.Errorf("committed %d although nothing was delivered", got)
				}
			})
		})
	}
}

func TestSinkConversionFailureDeliversNothingOfThePoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSinkRig(t, &scriptSink{})
		rig.assign(0, p0)
		rig.consumer.deliver(p0, 0, "a", "unconvertible", "b")
		<-rig.task.done
		if strings.Contains(rig.script.log(), "put") {
			t.Errorf("records of the failed poll were delivered: %s", rig.script.log())
		}
	})
}

func TestSinkPreCommit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		answer func(connect.Offsets) (connect.Offsets, error)
		want   int64 // committed of partition 0, -1 for nothing
		seek   bool
	}{
		{"less", func(connect.Offsets) (connect.Offsets, error) { return connect.Offsets{p0: 1}, nil }, 1, false},
		{"more", func(connect.Offsets) (connect.Offsets, error) { return connect.Offsets{p0: 9}, nil }, -1, false},
		{"foreign", func(connect.Offsets) (connect.Offsets, error) { return connect.Offsets{p1: 1}, nil }, -1, false},
		{"none", func(connect.Offsets) (connect.Offsets, error) { return nil, nil }, -1, false},
		{"error", func(connect.Offsets) (connect.Offsets, error) { return nil, errors.New("flush failed") }, -1, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rig := newSinkRig(t, &scriptSink{preCommit: tc.answer})
				rig.assign(0, p0)
				rig.consumer.deliver(p0, 0, "a", "b", "c")
				pass(61 * time.Second)
				if got := rig.consumer.lastCommit(p0); got != tc.want {
					t.Errorf("committed %d, want %d", got, tc.want)
				}
				if got := len(rig.consumer.seeks) > 0; got != tc.seek {
					t.Errorf("went back to the last commit: %v, want %v", got, tc.seek)
				}
				rig.stop()
			})
		})
	}
}

func TestSinkRebalance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSinkRig(t, &scriptSink{})
		rig.assign(0, p0, p1)
		rig.consumer.deliver(p0, 0, "a")
		rig.consumer.deliver(p1, 0, "b", "c")
		synctest.Wait()
		rig.body.revoked([]connect.TopicPartition{p0})
		if got := rig.consumer.lastCommit(p0); got != 1 {
			t.Errorf("committed %d of the revoked partition, want 1", got)
		}
		rig.body.lost([]connect.TopicPartition{p1})
		rig.stop()
		if got := rig.consumer.lastCommit(p1); got != -1 {
			t.Errorf("committed %d of the lost partition", got)
		}
		want := "open [{t 0} {t 1}]; put a; put b,c; preCommit map[{t 0}:1]; close [{t 0}]; close [{t 1}]; stop"
		if got := rig.script.log(); got != want {
			t.Errorf("calls:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestSinkRebalanceDuringRedelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Bool
		busy.Store(true)
		rig := newSinkRig(t, &scriptSink{put: func(recs []connect.SinkRecord) error {
			if busy.Load() && len(recs) > 0 {
				return connect.RetryAfter(time.Second, errors.New("busy"))
			}
			return nil
		}})
		rig.assign(0, p0)
		rig.consumer.deliver(p0, 0, "a")
		synctest.Wait()
		rig.body.revoked([]connect.TopicPartition{p0})
		busy.Store(false)
		pass(2 * time.Second)
		rig.stop()
		if got := strings.Count(rig.script.log(), "put a"); got != 1 {
			t.Errorf("a record of a revoked partition was put %d times, want once: %s", got, rig.script.log())
		}
		if got := rig.consumer.lastCommit(p0); got != -1 {
			t.Errorf("committed %d of a record that was not delivered", got)
		}
	})
}

func TestSinkPauseAndResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSinkRig(t, &scriptSink{})
		rig.assign(0, p0, p1)
		rig.consumer.deliver(p0, 0, "a")
		synctest.Wait()
		rig.task.gate.set(true)
		synctest.Wait()
		if !rig.consumer.paused[p0] || !rig.consumer.paused[p1] {
			t.Error("the partitions were not paused")
		}
		if got := rig.consumer.lastCommit(p0); got != 1 {
			t.Errorf("committed %d when it was paused, want 1", got)
		}
		rig.task.gate.set(false)
		synctest.Wait()
		if rig.consumer.paused[p0] {
			t.Error("the partitions were not resumed")
		}
		rig.stop()
		if got, want := rig.statuses.states(), "RUNNING PAUSED RUNNING UNASSIGNED"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
	})
}

func TestSinkTaskContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var script *scriptSink
		var pauseErr error
		script = &scriptSink{
			open: func([]connect.TopicPartition) error {
				script.tc.Seek(connect.Offsets{p0: 40})
				pauseErr = script.tc.Pause(p1)
				return script.tc.Pause(p0)
			},
			put: func(recs []connect.SinkRecord) error {
				if len(recs) > 0 {
					script.tc.RequestCommit()
				}
				return nil
			},
		}
		rig := newSinkRig(t, script)
		rig.body.assigned([]connect.TopicPartition{p0})
		if got := rig.body.fetched(connect.Offsets{p0: 3})[p0]; got != 40 {
			t.Errorf("consumption begins at %d, want the 40 that open asked for", got)
		}
		if !rig.consumer.paused[p0] {
			t.Error("the partition is not paused")
		}
		if pauseErr == nil || pauseErr.Error() != "SinkTasks may not pause partitions that are not currently assigned to them." {
			t.Errorf("pausing a foreign partition: %v", pauseErr)
		}
		rig.consumer.deliver(p0, 40, "a")
		synctest.Wait()
		if got := rig.consumer.lastCommit(p0); got != 41 {
			t.Errorf("committed %d on request, want 41", got)
		}
		rig.stop()
	})
}

func TestSinkCommitTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newSinkRig(t, &scriptSink{})
		rig.assign(0, p0)
		rig.consumer.setHold(true)
		rig.consumer.deliver(p0, 0, "a")
		pass(61 * time.Second)
		rig.consumer.setHold(false)
		pass(61 * time.Second)
		if got := len(rig.consumer.commits); got != 2 {
			t.Errorf("%d commits, want a second one after the first did not end", got)
		}
		rig.stop()
	})
}
