package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/herder/herdertest"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
	"github.com/millrace-io/millrace/internal/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	configTopic = "configs"
	offsetTopic = "offsets"
	statusTopic = "statuses"
	groupID     = "workers"

	patience  = 20 * time.Second
	pollEvery = 2 * time.Millisecond
)

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("still not so: %s", what)
		}
	}
}

// rig is a broker, and the workers of a group on it, all in this process.
type rig struct {
	t      *testing.T
	b      *brokertest.Broker
	script herdertest.Script

	mu      sync.Mutex // guards the rest
	nodes   map[string]*node
	records map[string][]kafka.LogRecord // of the config and status topics, by topic
	seen    map[string]int               // how much of a sequence has been compared, by what it is of
	puts    []string                     // what was sent to leaders: URL, connector, whether signed
}

// newRig starts a broker. Whatever is started on it ends with the test.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, nodes: make(map[string]*node), records: make(map[string][]kafka.LogRecord), seen: make(map[string]int)}
	r.b = brokertest.Start(t,
		kfake.SeedTopics(1, configTopic, offsetTopic, statusTopic),
		kfake.BrokerConfigs(map[string]string{"group.min.session.timeout.ms": "100"}))
	for _, name := range []string{configTopic, statusTopic} {
		l := r.newLog(name, "test", func(records []kafka.LogRecord) { r.note(name, records) })
		t.Cleanup(l.Close)
		r.must(l.Load(limited(t)))
		r.run(l.Run)
	}
	return r
}

func (r *rig) props() map[string]string {
	return map[string]string{
		"bootstrap.servers": r.b.Bootstrap, "retry.backoff.ms": "10", "retry.backoff.max.ms": "50",
		"key.converter": herdertest.ConverterClass, "value.converter": herdertest.ConverterClass, "header.converter": herdertest.ConverterClass,
	}
}

func (r *rig) newLog(name, client string, apply func([]kafka.LogRecord)) *kafka.Log {
	r.t.Helper()
	l, err := kafka.NewLog(kafka.LogOptions{Topic: name, ClientID: client + "-" + name, Worker: r.props(), Apply: apply})
	r.must(err)
	return l
}

// run runs something until the test ends.
func (r *rig) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) note(topic string, records []kafka.LogRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records[topic] = append(r.records[topic], records...)
}

// node is a worker of the group.
type node struct {
	*Herder
	rig  *rig
	url  string
	log  *lockedBuffer
	done chan struct{} // closed when Run has returned
	err  error         // of Run, after done
	stop func()        // ends Run and waits for it
}

type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// settings are what nodes differ in.
type settings struct {
	Options
	session    time.Duration
	transactor *kafka.Transactor
	claimer    interface{ Claim(context.Context) error } // instead of the transactor
}

// urlOf is where a node would be reached.
func urlOf(name string) string { return "http://" + name + ":8083/" }

// start starts a worker and waits until it is in the group.
func (r *rig) start(name string, change ...func(*settings)) *node {
	r.t.Helper()
	n := r.launch(name, change...)
	select {
	case <-n.Ready():
	case <-n.done:
		r.t.Fatalf("%s has ended: %v", name, n.err)
	case <-time.After(patience):
		r.t.Fatalf("%s is not ready", name)
	}
	return n
}

// launch starts a worker.
func (r *rig) launch(name string, change ...func(*settings)) *node {
	r.t.Helper()
	n := &node{rig: r, url: urlOf(name), log: new(lockedBuffer), done: make(chan struct{})}
	log := slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := settings{session: 10 * time.Second, Options: Options{
		Core: CoreOptions{
			URL: n.url, Mode: group.Sessioned, UnsyncBackoff: time.Second, KeyTTL: time.Hour, KeyAlgorithm: "HmacSHA256", KeyBytes: 32,
		},
		Group: groupID, Leader: r, SyncTimeout: 3 * time.Second, TrackTopics: true, Log: log,
		Plugins: plugin.New([]connect.Plugin{r.script.Plugin()}, []connect.ConverterPlugin{herdertest.Converter()}),
	}}
	for _, f := range change {
		f(&o)
	}
	stores := r.stores(name, n, &o)
	var err error
	o.Member, err = kafka.NewMember(kafka.MemberOptions{
		Group: groupID, ClientID: "connect-" + name, Worker: r.props(), Session: o.session, Rebalance: 10 * time.Second,
		Heartbeat: 20 * time.Millisecond, Log: log, Signal: func(s kafka.Signal) { n.Signal(s) },
	})
	r.must(err)
	n.Herder = New(o.Options)
	r.mu.Lock()
	r.nodes[n.url] = n
	r.mu.Unlock()
	r.live(name, n, stores)
	return n
}

// stores are what a node reads and writes.
type stores struct {
	logs   []*kafka.Log
	config *topic.Config
	status *topic.Status
}

func (r *rig) stores(name string, n *node, o *settings) *stores {
	s := &stores{
		config: topic.NewConfig(topic.ConfigOptions{
			Log: o.Log, Changed: func(c *store.ConfigSnapshot, changes []store.ConfigChange) { n.Configured(c, changes) },
		}),
		status: topic.NewStatus(topic.StatusOptions{WorkerID: name + ":8083", Generation: func() int { return n.Generation() }, Log: o.Log}),
	}
	offsets := topic.NewOffsets(o.Log)
	for _, l := range []struct {
		topic string
		apply func([]kafka.LogRecord)
		set   func(topic.Log)
	}{
		{offsetTopic, offsets.Apply, offsets.SetLog},
		{statusTopic, s.status.Apply, s.status.SetLog},
		{configTopic, s.config.Apply, s.config.SetLog},
	} {
		log := r.newLog(l.topic, name, l.apply)
		l.set(log)
		s.logs = append(s.logs, log)
	}
	if o.transactor != nil {
		s.config.SetPrivileged(o.transactor)
		o.Claimer, o.Core.Privileged = o.transactor, true
		if o.claimer != nil {
			o.Claimer = o.claimer
		}
	}
	o.Config, o.Status = s.config, s.status
	o.Events = s.status.Listen
	o.Worker = worker.New(worker.Options{
		Props: r.props(), FlushInterval: time.Minute, FlushTimeout: 5 * time.Second, StopTimeout: 5 * time.Second,
		Plugins: o.Plugins, Offsets: offsets, Status: s.status.Listen, Log: o.Log,
	})
	return s
}

// live loads the topics and runs the node until the test or stop ends it. The stores outlive the herder, as in a worker.
func (r *rig) live(name string, n *node, s *stores) {
	for _, l := range s.logs {
		r.must(l.Load(limited(r.t)))
	}
	s.config.Loaded()
	reading, stopReading := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for _, run := range []func(context.Context) error{s.logs[0].Run, s.logs[1].Run, s.logs[2].Run, s.status.Run} {
		readers.Go(func() {
			if err := run(reading); err != nil {
				r.t.Errorf("a store of %s: %v", name, err)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(n.done)
		n.err = n.Run(ctx)
	}()
	n.stop = sync.OnceFunc(func() {
		cancel()
		<-n.done
		stopReading()
		readers.Wait()
		for _, l := range s.logs {
			l.Close()
		}
		r.mu.Lock()
		delete(r.nodes, n.url)
		r.mu.Unlock()
	})
	r.t.Cleanup(func() {
		n.stop()
		if r.t.Failed() {
			r.t.Logf("%s:\n%s", name, n.log)
		}
	})
}

// PutTasks is how the nodes reach their leader.
func (r *rig) PutTasks(ctx context.Context, url, connector string, tasks []store.Config, key *store.SessionKey) error {
	r.mu.Lock()
	n := r.nodes[url]
	signed := "unsigned"
	if key != nil {
		signed = "signed"
	}
	r.puts = append(r.puts, url+" "+connector+" "+signed)
	r.mu.Unlock()
	if n == nil {
		return errors.New("no worker at " + url)
	}
	return n.PutTasks(ctx, connector, tasks)
}

// sent returns what was sent to leaders.
func (r *rig) sent() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.puts)
}

// statuses returns the statuses of a connector, or of a task as name-0, from all workers, in the order of the topic. A removal is a nil,
// and several in a row are one: two rounds can both find that a status has to go.
func (r *rig) statuses(item string) []*store.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*store.Status
	for _, record := range r.records[statusTopic] {
		if string(record.Key) != statusKey(item) {
			continue
		}
		if record.Value == nil {
			if len(out) == 0 || out[len(out)-1] != nil {
				out = append(out, nil)
			}
			continue
		}
		s, err := store.ParseStatus(record.Value)
		if err != nil {
			r.t.Error(err)
		}
		out = append(out, &s)
	}
	return out
}

func statusKey(name string) string {
	i := item(name)
	if i.Task == group.ConnectorItem {
		return store.ConnectorStatusKey(i.Connector)
	}
	return store.TaskStatusKey(taskID(i))
}

const removed = "removed"

// course returns the states of an item, "removed" for a tombstone.
func (r *rig) course(item string) []string {
	var out []string
	for _, s := range r.statuses(item) {
		if s == nil {
			out = append(out, removed)
		} else {
			out = append(out, string(s.State))
		}
	}
	return out
}

// expect waits until the items have gone through states since the last call, and these only.
func (r *rig) expect(courses map[string]string) {
	r.t.Helper()
	for item, want := range courses {
		r.sequence("course of "+item, func() []string { return r.course(item) }, want)
	}
}

// expectWritten waits until records with these keys were written to the config topic since the last call, and these only. Session keys,
// which come when they come, do not count.
func (r *rig) expectWritten(want string) {
	r.t.Helper()
	r.sequence("records of the config topic", func() []string {
		r.mu.Lock()
		defer r.mu.Unlock()
		var out []string
		for _, record := range r.records[configTopic] {
			if key := string(record.Key); key != store.SessionKeyKey {
				if record.Value == nil {
					key = "-" + key
				}
				out = append(out, key)
			}
		}
		return out
	}, want)
}

// sequence compares what has come of a growing sequence since the last call.
func (r *rig) sequence(of string, all func() []string, want string) {
	r.t.Helper()
	words := strings.Fields(want)
	begin := r.seen[of]
	deadline := time.After(patience)
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		got := all()[begin:]
		if len(got) >= len(words) {
			r.seen[of] = begin + len(words)
			if !slices.Equal(got, words) {
				r.t.Fatalf("%s: %v, want %v", of, got, words)
			}
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			r.t.Fatalf("%s: %v, and nothing more comes; want %v", of, got, words)
		}
	}
}

// write appends records to the config topic, as another worker would.
func (r *rig) write(records ...kafka.LogRecord) {
	r.t.Helper()
	l := r.newLog(configTopic, "other", func([]kafka.LogRecord) {})
	defer l.Close()
	r.must(l.Write(limited(r.t), records...))
}

func entry(key string, value []byte) kafka.LogRecord {
	return kafka.LogRecord{Key: []byte(key), Value: value}
}

// put creates or changes a connector of the script.
func (n *node) put(name string, target store.TargetState, more ...string) herder.ConnectorInfo {
	n.rig.t.Helper()
	info, _, err := n.Put(limited(n.rig.t), name, herdertest.Config(name, more...), target, true)
	n.rig.must(err)
	return info
}

// create creates a connector and waits until it and its tasks run.
func (n *node) create(name string, tasks int, more ...string) {
	n.rig.t.Helper()
	n.rig.makes(name, tasks)
	n.put(name, "", append(more, "tasks.max", "9")...)
	n.rig.running(name, tasks)
}

// makes says that a connector makes so many tasks.
func (r *rig) makes(name string, tasks int) {
	r.script.Set(name, herdertest.Hooks{Tasks: func(int) ([]connect.Props, error) { return herdertest.Tasks(name, tasks) }})
}

// running waits until the last statuses of a connector and its tasks are RUNNING, and skips what came before.
func (r *rig) running(name string, tasks int) {
	r.t.Helper()
	items := []string{name}
	for i := range tasks {
		items = append(items, fmt.Sprintf("%s-%d", name, i))
	}
	for _, i := range items {
		r.state(i, event.Running)
	}
}

// state waits until the last status of an item is that, returns it, and skips what came before.
func (r *rig) state(item string, want event.State) *store.Status {
	r.t.Helper()
	var last *store.Status
	eventually(r.t, item+" is "+string(want), func() bool {
		all := r.statuses(item)
		if len(all) == 0 {
			return false
		}
		last = all[len(all)-1]
		r.seen["course of "+item] = len(all)
		return last != nil && last.State == want
	})
	return last
}

// reads waits until the worker has read the last statuses of items from the topic. What it has not read is not there for it: the status
// of a task that it does not know is not removed with its connector.
func (n *node) reads(items ...string) {
	n.rig.t.Helper()
	for _, name := range items {
		eventually(n.rig.t, "the status of "+name+" has been read", func() bool {
			states := n.rig.course(name)
			i := item(name)
			if i.Task == group.ConnectorItem {
				s, _ := n.Status.Connector(i.Connector)
				return string(s.State) == states[len(states)-1]
			}
			s, _ := n.Status.Task(taskID(i))
			return string(s.State) == states[len(states)-1]
		})
	}
}

// where returns the worker that runs an item by its last status, empty if none does.
func (r *rig) where(item string) string {
	all := r.statuses(item)
	if len(all) == 0 || all[len(all)-1] == nil || all[len(all)-1].State != event.Running {
		return ""
	}
	return strings.TrimSuffix(all[len(all)-1].WorkerID, ":8083")
}

// failsWith compares an error with what users are told.
func (r *rig) failsWith(err error, kind herder.Kind, message string) {
	r.t.Helper()
	if err == nil {
		r.t.Errorf("no error; want %q", message)
		return
	}
	if k, m := kindOf(err); k != kind || m != message {
		r.t.Errorf("kind %d, %q; want kind %d, %q", k, m, kind, message)
	}
}

// elsewhere expects to be sent to a worker.
func (r *rig) elsewhere(err error, name string) {
	r.t.Helper()
	if e, ok := errors.AsType[*herder.Error](err); !ok || e.Kind != herder.Elsewhere || e.URL != urlOf(name) {
		r.t.Errorf("%#v; want to be sent to %s", err, urlOf(name))
	}
}
