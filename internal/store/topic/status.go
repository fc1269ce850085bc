package topic

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// StatusOptions are the options of [NewStatus].
type StatusOptions struct {
	WorkerID   string
	Generation func() int // of the group now; it must not block nor call the store
	Log        *slog.Logger

	// Retriable tells whether a write that failed with this error may be tried again. Nil means all.
	Retriable func(error) bool
}

// Status is the status store. It knows what it has read from the topic, not what it is about to write: the topic's order decides
// between workers, and to show a status that another worker's record is about to overrule would be showing one that never
// was. A write is read back within milliseconds. Methods are for any number of goroutines unless they say otherwise.
type Status struct {
	o   StatusOptions
	log Log

	sending sync.Mutex // held while writes are entered below and handed to log, so that both see one order

	mu     sync.RWMutex // guards what follows; taken after sending
	cache  *store.StatusCache
	latest map[string]*write // by key, the newest write of those under way
	failed map[string]*write // by key, what is to be tried again; a subset of latest
	calm   bool              // a write has succeeded since failed ones were tried again
	settle chan struct{}     // closed and replaced when a write is over
	wake   chan struct{}     // holds a token when failed has got an entry
}

// write is a record on its way to the topic.
type write struct {
	connector string
	task      int // or event.NoTask
	key       string
	value     []byte

	kind       writeKind
	generation int

	retried bool // it has failed before
	deleted bool // a tombstone was read since
}

// writeKind says what may speak against a write.
type writeKind uint8

const (
	plain writeKind = iota // against trying it again: a new generation
	safe                   // the same, and the status of a later owner against it at all
	topic                  // nothing
)

// NewStatus returns a store of which nothing has been read.
func NewStatus(o StatusOptions) *Status {
	if o.Retriable == nil {
		o.Retriable = func(error) bool { return true }
	}
	return &Status{
		o:      o,
		cache:  store.NewStatusCache(),
		latest: make(map[string]*write),
		failed: make(map[string]*write),
		settle: make(chan struct{}),
		wake:   make(chan struct{}, 1),
	}
}

// SetLog gives the store its topic, before anything else is done with it.
func (s *Status) SetLog(l Log) { s.log = l }

// Apply takes over records of the topic. It is what reads the topic that calls it, from one goroutine at a time.
func (s *Status) Apply(records []kafka.LogRecord) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if err := s.cache.Apply(r.Key, r.Value); err != nil {
			s.o.Log.Warn("a record of the status topic is ignored", "error", err)
		}
		if w := s.latest[string(r.Key)]; r.Value == nil && w != nil && w.retried {
			w.deleted = true
		}
	}
}

// Listen writes a status, or removes it if the state is Destroyed. It is an [event.Listener]. The present generation of the group goes
// with it. A failure or the end of an instance is not written if the topic has the status of a later owner.
func (s *Status) Listen(e event.Status) {
	w := s.about(e.Connector, e.Task)
	switch e.State {
	case event.Destroyed:
		if e.Task == event.NoTask {
			s.Forget(e.Connector)
		} else {
			s.put(w)
		}
		return
	case event.Unassigned, event.Failed:
		w.kind = safe
	default:
	}
	w.value = store.EncodeStatus(store.Status{
		State: e.State, WorkerID: s.o.WorkerID, Generation: w.generation, Version: e.Version, Trace: e.Trace,
	})
	s.put(w)
}

// about returns a tombstone for the status of a connector or task.
func (s *Status) about(connector string, task int) *write {
	key := store.ConnectorStatusKey(connector)
	if task != event.NoTask {
		key = store.TaskStatusKey(store.ConnectorTaskID{Connector: connector, Task: task})
	}
	return &write{connector: connector, task: task, key: key, generation: s.o.Generation()}
}

// Forget removes the statuses of a connector and of those of its tasks that have one. The leader does so after a rebalance in which
// the connector was no more.
func (s *Status) Forget(connector string) {
	tasks := s.Tasks(connector) // reading the connector's tombstone takes them along
	s.put(s.about(connector, event.NoTask))
	for _, n := range tasks {
		s.put(s.about(connector, n))
	}
}

// ForgetTask removes the status of a task. The leader does so after a rebalance in which the task was no more.
func (s *Status) ForgetTask(id store.ConnectorTaskID) { s.put(s.about(id.Connector, id.Task)) }

// PutTopic writes that a connector uses a topic, unless that is known or on its way. It is cheap if so.
func (s *Status) PutTopic(t store.TopicStatus) {
	key := store.TopicStatusKey(t.Topic, t.Connector)
	s.mu.RLock()
	_, known := s.cache.Topic(t.Connector, t.Topic)
	under := s.latest[key]
	s.mu.RUnlock()
	if known || under != nil && under.value != nil {
		return
	}
	s.put(&write{connector: t.Connector, task: t.Task, key: key, kind: topic, value: store.EncodeTopicStatus(t)})
}

// RemoveTopics makes all topics of a connector unknown again.
func (s *Status) RemoveTopics(connector string) {
	for _, t := range s.TopicsOf(connector) {
		s.put(&write{connector: connector, task: t.Task, key: store.TopicStatusKey(t.Topic, connector), kind: topic})
	}
}

// put sends a write, unless a later owner's status speaks against it.
func (s *Status) put(w *write) {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	ok := s.isSafe(w)
	if ok {
		s.latest[w.key] = w
		delete(s.failed, w.key)
	}
	s.mu.Unlock()
	if ok {
		s.send(w)
	}
}

// isSafe tells whether a write may overrule what the topic has.
func (s *Status) isSafe(w *write) bool {
	return w.kind != safe || s.cache.Safe(w.connector, w.task, s.o.WorkerID, w.generation)
}

// isCurrent tells whether a write that has failed still says something: after a rebalance or a deletion it may be about what another
// worker runs, or none.
func (s *Status) isCurrent(w *write) bool {
	return w.kind == topic || w.generation == s.o.Generation() && !(w.deleted && w.value != nil)
}

func (s *Status) send(w *write) {
	s.log.Send(record(w.key, w.value), func(err error) { s.sent(w, err) })
}

// sent ends a write, or lets Run try it again if it is the newest of its key.
func (s *Status) sent(w *write, err error) {
	again := err != nil && s.o.Retriable(err)
	if err != nil && !again {
		s.o.Log.Error("a status cannot be written", "key", w.key, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calm = s.calm || err == nil
	if s.latest[w.key] != w {
		return
	}
	if !again {
		s.drop(w)
		return
	}
	w.retried = true
	s.failed[w.key] = w
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// drop ends a write that is the newest of its key.
func (s *Status) drop(w *write) {
	delete(s.latest, w.key)
	delete(s.failed, w.key)
	close(s.settle)
	s.settle = make(chan struct{})
}

// Pauses before writes are tried again.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// Run tries failed writes again until ctx ends, which is no error. Only the newest write of a key is, and only while it may be.
func (s *Status) Run(ctx context.Context) error {
	pause := firstPause
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
		if s.again() {
			pause = firstPause
		}
	}
}

// again sends what has failed. It tells whether other writes have succeeded since the last time.
func (s *Status) again() (calm bool) {
	s.sending.Lock()
	defer s.sending.Unlock()
	s.mu.Lock()
	calm, s.calm = s.calm, false
	var writes []*write
	for _, w := range s.failed {
		if s.isCurrent(w) && s.isSafe(w) {
			writes = append(writes, w)
		} else {
			s.drop(w)
		}
	}
	clear(s.failed)
	s.mu.Unlock()
	for _, w := range writes {
		s.send(w)
	}
	return calm
}

// Flush waits until everything that was written before the call is durable or given up, also what has to be tried again.
func (s *Status) Flush(ctx context.Context) error {
	s.mu.RLock()
	waiting := slices.Collect(maps.Values(s.latest))
	s.mu.RUnlock()
	if err := s.log.Flush(ctx); err != nil {
		return err
	}
	for {
		s.mu.RLock()
		waiting = slices.DeleteFunc(waiting, func(w *write) bool { return s.latest[w.key] != w })
		settle := s.settle
		s.mu.RUnlock()
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-settle:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d statuses to be written: %w", len(waiting), ctx.Err())
		}
	}
}

// Connector returns a connector's status; false if there is none.
func (s *Status) Connector(name string) (store.Status, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cache.Connector(name)
}

// Task returns a task's status; false if there is none.
func (s *Status) Task(id store.ConnectorTaskID) (store.Status, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cache.Task(id)
}

// Tasks returns the numbers of the tasks that have a status, ascending.
func (s *Status) Tasks(connector string) []int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cache.Tasks(connector)
}

// TopicsOf returns the topics that a connector uses, sorted by name.
func (s *Status) TopicsOf(connector string) []store.TopicStatus {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cache.Topics(connector)
}

// Names returns the names of the connectors that have a status or a task with one, sorted.
func (s *Status) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cache.Names()
}
