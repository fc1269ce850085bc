package topic

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/store"
)

// statuses is the status store of a worker whose generation can be set.
type statuses struct {
	*Status
	generation atomic.Int64
}

func startStatus(t *testing.T, b *brokertest.Broker, o StatusOptions) *statuses {
	t.Helper()
	s := new(statuses)
	if o.Log == nil {
		o.Log = quiet()
	}
	o.Generation = func() int { return int(s.generation.Load()) }
	s.Status = NewStatus(o)
	start(t, b, s, nil)
	run(t, s.Run)
	return s
}

func (s *statuses) flush(t *testing.T) {
	t.Helper()
	if err := s.Flush(limited(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.log.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
}

func connector(state event.State) event.Status {
	return event.Status{Connector: "c", Task: event.NoTask, State: state, Version: "1.0"}
}

func task(state event.State) event.Status {
	return event.Status{Connector: "c", Task: 0, State: state}
}

func TestStatusRecords(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startStatus(t, b, StatusOptions{WorkerID: "a:1"})
	s.generation.Store(7)
	s.Listen(connector(event.Running))
	s.Listen(task(event.Unassigned))
	failed := task(event.Failed)
	failed.Trace = "x\n"
	s.Listen(failed)
	s.PutTopic(store.TopicStatus{Topic: "o", Connector: "c", Task: 0, Discovered: time.UnixMilli(5)})
	s.flush(t)
	s.PutTopic(store.TopicStatus{Topic: "o", Connector: "c", Task: 1, Discovered: time.UnixMilli(6)})
	if diff := cmp.Diff([]string{"c"}, s.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	want := store.Status{State: event.Failed, WorkerID: "a:1", Generation: 7, Trace: "x\n"}
	if got, ok := s.Task(store.ConnectorTaskID{Connector: "c", Task: 0}); !ok || got != want {
		t.Errorf("task: %+v, %t; want %+v", got, ok, want)
	}
	want = store.Status{State: event.Running, WorkerID: "a:1", Generation: 7, Version: "1.0"}
	if got, ok := s.Connector("c"); !ok || got != want {
		t.Errorf("connector: %+v, %t; want %+v", got, ok, want)
	}
	if got := s.TopicsOf("c"); len(got) != 1 || got[0].Topic != "o" {
		t.Errorf("topics: %v", got)
	}
	s.RemoveTopics("c")
	s.Forget("c")
	s.flush(t)
	if names, topics := s.Names(), s.TopicsOf("c"); len(names)+len(topics) > 0 {
		t.Errorf("left: connectors %q, topics %v", names, topics)
	}
	if diff := cmp.Diff([]string{
		`status-connector-c => {"state":"RUNNING","trace":null,"worker_id":"a:1","generation":7,"version":"1.0"}`,
		`status-task-c-0 => {"state":"UNASSIGNED","trace":null,"worker_id":"a:1","generation":7,"version":null}`,
		`status-task-c-0 => {"state":"FAILED","trace":"x\n","worker_id":"a:1","generation":7,"version":null}`,
		`status-topic-o:connector-c => {"topic":{"name":"o","connector":"c","task":0,"discoverTimestamp":5}}`,
		`status-topic-o:connector-c => tombstone`,
		`status-connector-c => tombstone`,
		`status-task-c-0 => tombstone`,
	}, content(t, b)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestStatusOfALaterOwnerStays(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 2)
	old, owner := startStatus(t, b, StatusOptions{WorkerID: "a:1"}), startStatus(t, b, StatusOptions{WorkerID: "b:1"})
	old.generation.Store(1)
	owner.generation.Store(2)
	for _, s := range []event.Status{connector(event.Running), task(event.Running)} {
		owner.Listen(s)
	}
	owner.flush(t)
	old.flush(t)
	for _, s := range []event.Status{connector(event.Unassigned), task(event.Failed), task(event.Unassigned)} {
		old.Listen(s)
	}
	old.flush(t)
	owner.flush(t)
	if n := len(content(t, b)); n != 2 {
		t.Errorf("%d records, want the 2 of the owner", n)
	}
	old.generation.Store(3)
	old.Listen(task(event.Failed))
	old.flush(t)
	owner.flush(t)
	if got, _ := owner.Task(store.ConnectorTaskID{Connector: "c", Task: 0}); got.State != event.Failed || got.WorkerID != "a:1" {
		t.Errorf("after a failure in a later generation: %+v", got)
	}
}

// refuse lets the broker answer what worker a:1 writes with an error while refusing is set.
func refuse(b *brokertest.Broker, refusing *atomic.Bool, code int16) *atomic.Int64 {
	refused := new(atomic.Int64)
	b.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		req := kreq.(*kmsg.ProduceRequest)
		if !refusing.Load() || !bytes.Contains(req.Topics[0].Partitions[0].Records, []byte(`"a:1"`)) {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, rt := range req.Topics {
			st := kmsg.NewProduceResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				sp := kmsg.NewProduceResponseTopicPartition()
				sp.Partition, sp.ErrorCode = rp.Partition, code
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		refused.Add(1)
		return resp, nil, true
	})
	return refused
}

func TestStatusIsWrittenAgain(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	s := startStatus(t, b, StatusOptions{WorkerID: "a:1"})
	var refusing atomic.Bool
	refusing.Store(true)
	refused := refuse(b, &refusing, kerr.NotEnoughReplicas.Code)
	s.Listen(connector(event.Running))
	s.Listen(task(event.Running))
	s.Listen(task(event.Paused))
	eventually(t, "writes were refused and tried again", func() bool { return refused.Load() > 3 })
	short, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := s.Flush(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush while nothing can be written: %v", err)
	}
	refusing.Store(false)
	s.flush(t)
	if got, _ := s.Connector("c"); got.State != event.Running {
		t.Errorf("connector: %+v", got)
	}
	if got, _ := s.Task(store.ConnectorTaskID{Connector: "c", Task: 0}); got.State != event.Paused {
		t.Errorf("task: %+v, want the newest status", got)
	}
	for _, r := range content(t, b) {
		if strings.Contains(r, "status-task-c-0") && strings.Contains(r, "RUNNING") {
			t.Errorf("a status that is no longer the newest was tried again: %s", r)
		}
	}
}

func TestStatusIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		retriable func(error) bool
		meanwhile func(t *testing.T, b *brokertest.Broker, s *statuses)
		want      int // records at the end
	}{
		"error that stays": {func(error) bool { return false }, nil, 0},
		"new generation":   {nil, func(_ *testing.T, _ *brokertest.Broker, s *statuses) { s.generation.Add(1) }, 0},
		"later owner": {nil, func(t *testing.T, b *brokertest.Broker, _ *statuses) {
			owner := store.Status{State: event.Running, WorkerID: "b:1", Generation: 9}
			produce(t, b, &kgo.Record{Key: []byte("status-task-c-0"), Value: store.EncodeStatus(owner)})
		}, 1},
		"deletion": {nil, func(t *testing.T, b *brokertest.Broker, _ *statuses) {
			produce(t, b, &kgo.Record{Key: []byte("status-task-c-0")})
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, 1)
			errs := newWarnings(slog.LevelError)
			s := startStatus(t, b, StatusOptions{WorkerID: "a:1", Retriable: tc.retriable, Log: slog.New(errs)})
			var refusing atomic.Bool
			refusing.Store(true)
			refused := refuse(b, &refusing, kerr.NotEnoughReplicas.Code)
			s.Listen(task(event.Failed))
			if tc.meanwhile != nil {
				eventually(t, "the write was tried again", func() bool { return refused.Load() > 1 })
				tc.meanwhile(t, b, s)
			}
			s.flush(t)
			refusing.Store(false)
			if got := content(t, b); len(got) != tc.want {
				t.Errorf("records: %q, want %d", got, tc.want)
			}
			if logged := errs.count() > 0; logged != (tc.meanwhile == nil) {
				t.Errorf("an error was logged: %t", logged)
			}
		})
	}
}

func TestStatusSurvivesStrangeRecords(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 1)
	warned := newWarnings(slog.LevelWarn)
	s := startStatus(t, b, StatusOptions{WorkerID: "a:1", Log: slog.New(warned)})
	produce(t, b, &kgo.Record{}, &kgo.Record{Key: []byte("status-task-c-0"), Value: []byte("{")})
	s.Listen(task(event.Running))
	s.flush(t)
	if warned.count() != 2 || len(s.Names()) != 1 {
		t.Errorf("%d records were logged, names %q; want 2 and the one of the status after them", warned.count(), s.Names())
	}
}
