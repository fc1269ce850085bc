package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/herder/herdertest"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
)

type hooks = herdertest.Hooks

// TestLife holds what the topics get in the life of a connector.
func TestLife(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	r.makes("c", 2)
	info := n.put("c", "", "tasks.max", "9")
	if info.Name != "c" {
		t.Errorf("%+v", info)
	}
	r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING", "c-1": "RUNNING"})
	r.expectWritten("connector-c task-c-0 task-c-1 commit-c")

	n.put("c", "", "tasks.max", "9", "other", "x")
	r.expect(map[string]string{"c": "UNASSIGNED RUNNING", "c-0": "UNASSIGNED RUNNING", "c-1": "UNASSIGNED RUNNING"})
	r.expectWritten("connector-c task-c-0 task-c-1 commit-c")

	n.put("c", "", "tasks.max", "9", "other", "x")
	r.expectWritten("connector-c task-c-0 task-c-1 commit-c")
	r.expect(map[string]string{"c": "UNASSIGNED RUNNING", "c-0": "UNASSIGNED RUNNING", "c-1": "UNASSIGNED RUNNING"})

	n.reads("c", "c-0", "c-1")
	r.makes("c", 1)
	r.script.Context("c").RequestReconfiguration()
	r.expectWritten("task-c-0 commit-c")
	r.expect(map[string]string{"c": "", "c-0": "UNASSIGNED RUNNING", "c-1": "UNASSIGNED removed"})

	r.must(n.SetTarget(limited(t), "c", store.Paused))
	r.expectWritten("target-state-c")
	r.expect(map[string]string{"c": "PAUSED", "c-0": "PAUSED"})

	r.must(n.SetTarget(limited(t), "c", store.Started))
	r.expectWritten("target-state-c")
	r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})

	n.reads("c-0")
	r.must(n.SetTarget(limited(t), "c", store.Stopped))
	r.expectWritten("commit-c target-state-c")
	r.expect(map[string]string{"c": "STOPPED", "c-0": "UNASSIGNED removed"})

	r.must(n.SetTarget(limited(t), "c", store.Started))
	r.expectWritten("target-state-c task-c-0 commit-c")
	r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})

	n.reads("c", "c-0")
	n.Status.PutTopic(store.TopicStatus{Topic: "t", Connector: "c", Discovered: time.UnixMilli(1)})
	eventually(t, "the topic is known", func() bool { return len(n.Status.TopicsOf("c")) == 1 })
	r.must(n.Delete(limited(t), "c"))
	r.expectWritten("-connector-c -target-state-c")
	r.expect(map[string]string{"c": "UNASSIGNED removed", "c-0": "UNASSIGNED removed"})
	eventually(t, "nothing is known of the connector", func() bool { return len(n.Status.Names()) == 0 && len(n.Status.TopicsOf("c")) == 0 })

	n.put("c", "")
	r.expectWritten("connector-c task-c-0 commit-c")
	r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING"})

	n.stop()
	r.expect(map[string]string{"c": "UNASSIGNED", "c-0": "UNASSIGNED"})
}

func TestInitialTargetStates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	for _, tc := range []struct {
		target                  store.TargetState
		records, connector      string
		task                    string
		resumed, connectorAfter string
	}{
		{store.Started, "target-state-c connector-c task-c-0 commit-c", "RUNNING", "RUNNING", "", ""},
		{store.Paused, "target-state-c connector-c", "PAUSED", "", "target-state-c task-c-0 commit-c", "RUNNING"},
		{store.Stopped, "target-state-c connector-c", "STOPPED", "", "target-state-c task-c-0 commit-c", "RUNNING"},
	} {
		n.put("c", tc.target)
		r.expectWritten(tc.records)
		r.expect(map[string]string{"c": tc.connector, "c-0": tc.task})
		r.must(n.SetTarget(limited(t), "c", store.Started))
		if tc.resumed == "" {
			tc.resumed = "target-state-c"
		} else {
			r.expect(map[string]string{"c-0": "RUNNING"})
		}
		r.expectWritten(tc.resumed)
		if tc.connectorAfter != "" {
			r.expect(map[string]string{"c": tc.connectorAfter})
		}
		n.reads("c", "c-0")
		r.must(n.Delete(limited(t), "c"))
		r.expect(map[string]string{"c": "UNASSIGNED removed", "c-0": "UNASSIGNED removed"})
		r.expectWritten("-connector-c -target-state-c")
	}
}

// TestAHangingConnector holds that a call of a connector that does not return concerns this connector only.
func TestAHangingConnector(t *testing.T) {
	t.Parallel()
	put := func(n *node, more ...string) error {
		_, _, err := n.Put(context.Background(), "slow", herdertest.Config("slow", more...), "", true)
		return err
	}
	for _, tc := range []struct {
		name  string
		hooks func(hang func()) hooks
	}{
		{"start", func(hang func()) hooks { return hooks{Start: func(context.Context) error { hang(); return nil }} }},
		{"stop", func(hang func()) hooks { return hooks{Stop: func() error { hang(); return nil }} }},
		{"validate", func(hang func()) hooks { return hooks{Validate: func() []config.Value { hang(); return nil }} }},
		{"task configurations", func(hang func()) hooks {
			return hooks{Tasks: func(int) ([]connect.Props, error) { hang(); return herdertest.Tasks("slow", 1) }}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			begun, release := make(chan struct{}, 100), make(chan struct{})
			goOn := sync.OnceFunc(func() { close(release) })
			defer goOn()
			h := tc.hooks(func() { begun <- struct{}{}; <-release })
			n := r.start("w1")
			if tc.name == "stop" {
				n.create("slow", 1)
			}
			r.script.Set("slow", h)
			answer := make(chan error, 1)
			go func() { answer <- put(n, "changed", "x") }()
			select {
			case <-begun:
			case <-time.After(patience):
				t.Fatal("the connector was not called")
			}
			r.workOnOthers(n)
			w2 := r.start("w2") // when it is ready, a round of both is complete
			goOn()
			r.must(<-answer)
			r.state("slow", event.Running)
			r.state("slow-0", event.Running)
			r.must(w2.SetTarget(limited(t), "slow", store.Paused))
			r.state("slow", event.Paused)
		})
	}
}

// workOnOthers takes a connector of the same worker through its life.
func (r *rig) workOnOthers(n *node) {
	r.t.Helper()
	r.makes("quick", 2)
	n.put("quick", "", "tasks.max", "2")
	r.expect(map[string]string{"quick": "RUNNING", "quick-0": "RUNNING", "quick-1": "RUNNING"})
	r.must(n.SetTarget(limited(r.t), "quick", store.Paused))
	r.expect(map[string]string{"quick": "PAUSED", "quick-0": "PAUSED", "quick-1": "PAUSED"})
	r.must(n.SetTarget(limited(r.t), "quick", store.Started))
	r.expect(map[string]string{"quick": "RUNNING", "quick-0": "RUNNING", "quick-1": "RUNNING"})
	r.must(n.RestartConnector(limited(r.t), "quick"))
	r.must(n.RestartTask(limited(r.t), store.ConnectorTaskID{Connector: "quick", Task: 1}))
	r.expect(map[string]string{"quick": "UNASSIGNED RUNNING", "quick-0": "", "quick-1": "UNASSIGNED RUNNING"})
	n.reads("quick", "quick-0", "quick-1")
	if st, err := n.ConnectorStatus("quick"); err != nil || st.Connector.State != "RUNNING" || len(st.Tasks) != 2 {
		r.t.Errorf("status %+v, %v", st, err)
	}
	r.must(n.Delete(limited(r.t), "quick"))
	r.expect(map[string]string{"quick": "UNASSIGNED removed", "quick-0": "UNASSIGNED removed", "quick-1": "UNASSIGNED removed"})
}

// TestAStopThatHangsEnds holds that a deleted connector that does not stop is given up, after which rounds go on, and that the worker does
// meanwhile what needs no round.
func TestAStopThatHangsEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1")
	n.create("slow", 1)
	n.create("quick", 1)
	begun, release := make(chan struct{}, 9), make(chan struct{})
	defer close(release)
	r.script.Set("slow", hooks{Stop: func() error { begun <- struct{}{}; <-release; return nil }})
	n.reads("slow", "slow-0")
	r.must(n.Delete(limited(t), "slow"))
	<-begun
	r.must(n.SetTarget(limited(t), "quick", store.Paused))
	r.expect(map[string]string{"quick": "PAUSED", "quick-0": "PAUSED"})
	_, err := n.Restart(limited(t), "quick", herder.Restart{})
	r.must(err)
	r.expect(map[string]string{"quick": "UNASSIGNED RESTARTING PAUSED", "slow": ""})
	n.create("another", 1) // needs a round
	r.expect(map[string]string{"slow": "UNASSIGNED removed", "slow-0": "UNASSIGNED removed"})
	if _, err := n.ConnectorStatus("slow"); err == nil {
		t.Error("the deleted connector has a status")
	}
}

// evenly waits until each worker has the same share of connectors and tasks, and all of them run there.
func (r *rig) evenly(leader *node, workers, connectors, tasks int) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("%d workers have %d connectors and %d tasks each", workers, connectors, tasks), func() bool {
		v := leader.View()
		share := make(map[string][2]int)
		for i, url := range v.Owners {
			s := share[url]
			if i.Task == group.ConnectorItem {
				s[0]++
			} else {
				s[1]++
			}
			share[url] = s
			if urlOf(r.where(i.String())) != url {
				return false
			}
		}
		for _, s := range share {
			if s != [2]int{connectors, tasks} {
				return false
			}
		}
		return v.Leader && v.Settled && len(share) == workers
	})
}

func TestThreeWorkers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w1 := r.start("w1")
	w1.create("a", 2)
	w1.create("b", 2)
	w1.create("c", 2)
	w2 := r.start("w2")
	w3 := r.start("w3")
	r.evenly(w1, 3, 1, 2)
	for _, n := range []*node{w2, w3} {
		eventually(t, "followers know their leader", func() bool {
			v := n.View()
			return v.Settled && !v.Leader && v.LeaderURL == w1.url && v.LeaderID == w1.View().MemberID && v.Version == group.Sessioned
		})
	}

	before := w1.View().Owners
	var left, late atomic.Bool
	r.b.ControlKey(int16(kmsg.LeaveGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		left.Store(true)
		return nil, nil, false
	})
	moved := make(map[string]string)
	for i, url := range before {
		if url == w2.url {
			moved[i.String()] = "UNASSIGNED RUNNING"
			r.seen["course of "+i.String()] = len(r.course(i.String()))
			name := i.Connector
			note := func() { late.Store(late.Load() || left.Load()) }
			r.script.Set(name, hooks{
				Tasks:    func(int) ([]connect.Props, error) { return herdertest.Tasks(name, 2) },
				Stop:     func() error { note(); return nil },
				StopTask: func(connect.Props) error { note(); return nil },
			})
		}
	}
	w2.stop()
	if w2.err != nil {
		t.Errorf("Run: %v", w2.err)
	}
	if !left.Load() || late.Load() {
		t.Errorf("left the group: %t, with something running: %t", left.Load(), late.Load())
	}
	if len(moved) != 3 {
		t.Errorf("w2 had %v", moved)
	}
	r.expect(moved)
	for i := range moved {
		all := r.statuses(i)
		if end := all[len(all)-2]; end.WorkerID != "w2:8083" {
			t.Errorf("%s was ended by %s", i, end.WorkerID)
		}
	}
	eventually(t, "the others run all", func() bool {
		for i := range before {
			if w := r.where(i.String()); w != "w1" && w != "w3" {
				return false
			}
		}
		return true
	})
}

// TestTasksOfAFollowersConnector holds that they get to the config topic by way of the leader.
func TestTasksOfAFollowersConnector(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		mode   group.Version
		signed string
	}{{group.Sessioned, "signed"}, {group.Compatible, "unsigned"}, {group.Eager, "unsigned"}} {
		t.Run(tc.mode.String(), func(t *testing.T) {
			t.Parallel()
			mode := func(s *settings) { s.Core.Mode = tc.mode }
			r := newRig(t)
			if tc.mode != group.Sessioned { // a key from better times
				r.write(entry(store.SessionKeyKey, store.EncodeSessionKey(store.SessionKey{Key: make([]byte, 32), Algorithm: "HmacSHA256", Created: time.UnixMilli(1)})))
			}
			w1, w2, _, name := r.twoWorkers(mode)
			before := len(r.sent())
			r.makes(name, 3)
			r.script.Context(name).RequestReconfiguration()
			r.running(name, 3)
			sent := r.sent()[before:]
			if diff := cmp.Diff([]string{w1.url + " " + name + " " + tc.signed}, sent); diff != "" {
				t.Errorf("sent to the leader (-want +got):\n%s", diff)
			}
			if tasks, err := w2.Tasks(name); err != nil || len(tasks) != 3 {
				t.Errorf("tasks %v, %v", tasks, err)
			}
		})
	}
}

// TestALostWorker holds that a worker whose group does not answer for the session timeout runs nothing until it does, and that the others
// go on with its work.
func TestALostWorker(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	short := func(s *settings) { s.session = 400 * time.Millisecond }
	w1, w2, _, mine := r.twoWorkers(short)
	var stopped atomic.Int64
	r.script.Set(mine, hooks{Stop: func() error { stopped.Add(1); return nil }})

	var away atomic.Bool
	away.Store(true)
	cut := func(member func(kmsg.Request) string) func(kmsg.Request) (kmsg.Response, error, bool) {
		return func(req kmsg.Request) (kmsg.Response, error, bool) {
			r.b.KeepControl()
			if away.Load() && strings.HasPrefix(member(req), "connect-w2-") {
				return nil, errors.New("no answer"), true
			}
			return nil, nil, false
		}
	}
	r.b.ControlKey(int16(kmsg.Heartbeat), cut(func(req kmsg.Request) string { return req.(*kmsg.HeartbeatRequest).MemberID }))
	r.b.ControlKey(int16(kmsg.JoinGroup), cut(func(req kmsg.Request) string { return req.(*kmsg.JoinGroupRequest).MemberID }))
	r.b.ControlKey(int16(kmsg.SyncGroup), cut(func(req kmsg.Request) string { return req.(*kmsg.SyncGroupRequest).MemberID }))
	eventually(t, "the other worker runs all", func() bool {
		return stopped.Load() == 1 && r.where("a") == "w1" && r.where("b") == "w1" && r.where("a-0") == "w1" && r.where("b-0") == "w1"
	})
	if v := w2.View(); v.Settled || v.Leader {
		t.Errorf("the lost worker sees itself as a member: %+v", v)
	}
	away.Store(false)
	r.evenly(w1, 2, 1, 1)
}

func TestALostWorkerAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.start("w1", func(s *settings) { s.session = 400 * time.Millisecond })
	n.create("c", 2)
	var away atomic.Bool
	away.Store(true)
	for _, key := range []kmsg.Key{kmsg.Heartbeat, kmsg.JoinGroup} {
		r.b.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			r.b.KeepControl()
			if away.Load() {
				return nil, errors.New("no answer"), true
			}
			return nil, nil, false
		})
	}
	r.expect(map[string]string{"c": "UNASSIGNED", "c-0": "UNASSIGNED", "c-1": "UNASSIGNED"})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.failsWith(n.Delete(ctx, "c"), herder.Timeout, rebalancing)
	if names := n.Connectors(); len(names) != 1 {
		t.Errorf("connectors %v", names)
	}
	away.Store(false)
	r.expect(map[string]string{"c": "RUNNING", "c-0": "RUNNING", "c-1": "RUNNING"})
}

const rebalancing = "Request timed out. The worker is waiting for its group to finish a rebalance"

// TestAForeignGroup holds that a worker ends whose group is not one of workers.
func TestAForeignGroup(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	consumer, err := kgo.NewClient(kgo.SeedBrokers(r.b.Bootstrap), kgo.ConsumerGroup(groupID), kgo.ConsumeTopics(offsetTopic))
	r.must(err)
	defer consumer.Close()
	eventually(t, "the consumer is in its group", func() bool { id, _ := consumer.GroupMetadata(); return id != "" })
	n := r.launch("w1")
	select {
	case <-n.done:
	case <-time.After(patience):
		t.Fatal("the worker has not ended")
	}
	if fatal, ok := errors.AsType[*kafka.FatalGroupError](n.err); !ok || fatal.Group != groupID {
		t.Errorf("Run: %v", n.err)
	}
	_, _, err = n.Put(t.Context(), "c", herdertest.Config("c"), "", false)
	r.failsWith(err, herder.Unavailable, "Worker is shutting down")
}

// TestTransactions holds that what only the leader writes is in transactions, and that a leader that has been fenced claims the topic again.
func TestTransactions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	transactor := func() *kafka.Transactor {
		x, err := kafka.NewTransactor(r.props(), "leader", "connect-cluster-"+groupID, configTopic, nil)
		r.must(err)
		t.Cleanup(x.Close)
		return x
	}
	n := r.start("w1", func(s *settings) { s.transactor = transactor() })
	n.create("c", 1)
	r.must(n.SetTarget(limited(t), "c", store.Paused))
	r.expectWritten("connector-c task-c-0 commit-c target-state-c")
	r.must(n.SetTarget(limited(t), "c", store.Started))
	r.expectWritten("target-state-c")
	r.must(n.SetTarget(limited(t), "c", store.Stopped))
	r.expectWritten("commit-c target-state-c")
	transactional := map[string]bool{"session-key": true, "connector-c": true, "task-c-0": true, "commit-c": true, "target-state-c": false}
	for _, w := range r.readConfigs(8) {
		if w.transactional != transactional[w.key] {
			t.Errorf("%s: in a transaction: %t", w.key, w.transactional)
		}
	}

	other := transactor()
	r.must(other.Claim(limited(t)))
	_, _, err := n.Put(limited(t), "d", herdertest.Config("d"), "", false)
	if !errors.Is(err, topic.ErrPrivileged) || !strings.HasPrefix(err.Error(), "Failed to write to config topic; this may be due to a transient error and the request can be safely retried") {
		t.Fatalf("after another worker has claimed the topic: %v", err)
	}
	n.create("d", 1)
	if _, err := other.Write(limited(t), entry("connector-e", nil)); !errors.Is(err, kafka.ErrFenced) {
		t.Errorf("the other claimer: %v, want that it is fenced", err)
	}
}

type written struct {
	key           string
	transactional bool
}

// readConfigs reads so many records of the config topic.
func (r *rig) readConfigs(n int) []written {
	r.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.b.Bootstrap), kgo.ConsumeTopics(configTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	r.must(err)
	defer client.Close()
	var out []written
	for len(out) < n {
		f := client.PollFetches(limited(r.t))
		r.must(f.Err())
		f.EachRecord(func(record *kgo.Record) {
			out = append(out, written{string(record.Key), record.Attrs.IsTransactional()})
		})
	}
	return out
}
