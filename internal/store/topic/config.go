package topic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// writeBudget bounds each writing method of the config store, as in the reference.
const writeBudget = 30 * time.Second

// ErrPrivileged marks the error of a transaction that failed. The producer must be claimed anew before the next one (KIP-618). Its
// message, without that of the cause, is what the reference tells users.
var ErrPrivileged = errors.New("privileged write to the config topic")

const privilegedMessage = "Failed to write to config topic; this may be due to a transient error and the request can be safely retried"

// privilegedError is an [ErrPrivileged] with its cause.
type privilegedError struct{ cause error }

// Error returns the message and the cause.
func (e *privilegedError) Error() string { return privilegedMessage + ": " + e.cause.Error() }

// ErrorMessage returns the words for users.
func (e *privilegedError) ErrorMessage() string { return privilegedMessage }

// Unwrap returns why the transaction failed.
func (e *privilegedError) Unwrap() error { return e.cause }

// Is makes it an [ErrPrivileged].
func (e *privilegedError) Is(target error) bool { return target == ErrPrivileged }

// Privileged writes records in a transaction, if no later leader has fenced this one. A [kafka.Transactor] does. It is used by
// several goroutines.
type Privileged interface {
	// Write writes all records in one transaction and returns the offset of the last.
	Write(ctx context.Context, records ...kafka.LogRecord) (lastOffset int64, err error)
}

var _ Privileged = (*kafka.Transactor)(nil)

// ConfigOptions are the options of [NewConfig].
type ConfigOptions struct {
	Log *slog.Logger

	// Changed gets the state after a batch of records and the changes that it brought, in order, on the goroutine that
	// applies them. It is called for a batch without changes too, as that moves the config offset, and not before Loaded. It
	// must not block, nor call methods that write or wait. It may be nil.
	Changed func(*store.ConfigSnapshot, []store.ConfigChange)
}

// Config is the config store. Its state is what has been read from the topic: what a method wrote is in the next snapshot only
// if the method waits for that. Methods are for any number of goroutines unless they say otherwise.
type Config struct {
	o   ConfigOptions
	log Log

	state    *store.ConfigLog // of the goroutine that applies
	loaded   bool             // likewise
	snapshot atomic.Pointer[store.ConfigSnapshot]

	mu         sync.Mutex // guards privileged
	privileged Privileged
}

// NewConfig returns a store of which nothing has been read.
func NewConfig(o ConfigOptions) *Config {
	c := &Config{o: o, state: store.NewConfigLog()}
	c.snapshot.Store(c.state.Snapshot())
	return c
}

// SetLog gives the store its topic, before anything else is done with it.
func (c *Config) SetLog(l Log) { c.log = l }

// SetPrivileged gives the store the producer for the records that only the leader may write. While it is nil, as at first, they
// are written like the others.
func (c *Config) SetPrivileged(p Privileged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.privileged = p
}

// Apply takes over records of the topic, in order. It is what reads the topic that calls it, from one goroutine at a time.
func (c *Config) Apply(records []kafka.LogRecord) {
	var changes []store.ConfigChange
	for _, r := range records {
		change, err := c.state.Apply(r.Offset, r.Key, r.Value)
		if err != nil {
			c.o.Log.Error("a record of the config topic is ignored", "error", err)
		}
		changes = append(changes, change...)
	}
	if c.loaded {
		c.publish(changes)
	}
}

func (c *Config) publish(changes []store.ConfigChange) {
	s := c.state.Snapshot()
	c.snapshot.Store(s)
	if c.o.Changed != nil {
		c.o.Changed(s, changes)
	}
}

// Loaded says that the first read is over. It is called between the first read and the first batch after it; from then on there
// are snapshots and changes. Changed is called with the state at this point.
func (c *Config) Loaded() {
	c.state.Loaded()
	c.loaded = true
	c.publish(nil)
}

// Snapshot returns what has been read. Before Loaded it is empty, with offset -1.
func (c *Config) Snapshot() *store.ConfigSnapshot { return c.snapshot.Load() }

// Names returns the names of all connectors, sorted, never nil and not to be changed.
func (c *Config) Names() []string { return c.Snapshot().Names() }

// Connector returns a connector's state; false if it does not exist.
func (c *Config) Connector(name string) (store.ConnectorState, bool) {
	return c.Snapshot().Connector(name)
}

// ReadToEnd returns when Snapshot has everything that was in the topic at the time of the call.
func (c *Config) ReadToEnd(ctx context.Context) error {
	if err := c.log.ReadToEnd(ctx); err != nil {
		return fmt.Errorf("read the config topic to its end: %w", err)
	}
	return nil
}

// PutConnector writes a connector's configuration and before it, unless that is nil, its target state, and waits for the
// snapshot to have them. Privileged.
func (c *Config) PutConnector(ctx context.Context, name string, cfg store.Config, initial *store.TargetState) error {
	var records []kafka.LogRecord
	if initial != nil {
		records = append(records, record(store.TargetStateKey(name), store.EncodeTargetState(*initial)))
	}
	return c.writePrivileged(ctx, append(records, record(store.ConnectorKey(name), store.EncodeProperties(cfg)))...)
}

// RemoveConnector writes the tombstones of a connector and waits for the snapshot to have lost it. Privileged.
func (c *Config) RemoveConnector(ctx context.Context, name string) error {
	return c.writePrivileged(ctx, record(store.ConnectorKey(name), nil), record(store.TargetStateKey(name), nil))
}

// PutTasks writes the configurations of a connector's tasks and their commit, and waits for the snapshot to have them. All of
// them are one ordered write. The reference waits for the tasks before it writes the commit, so that a
// commit without its tasks is no more likely here. Privileged.
func (c *Config) PutTasks(ctx context.Context, name string, tasks []store.Config) error {
	records := make([]kafka.LogRecord, 0, len(tasks)+1)
	for i, t := range tasks {
		id := store.ConnectorTaskID{Connector: name, Task: i}
		records = append(records, record(store.TaskKey(id), store.EncodeProperties(t)))
	}
	return c.writePrivileged(ctx, append(records, record(store.CommitKey(name), store.EncodeCommit(len(tasks))))...)
}

// PutRestart writes a restart request and waits until it was read. Privileged.
func (c *Config) PutRestart(ctx context.Context, r store.RestartRequest) error {
	return c.writePrivileged(ctx, record(store.RestartKey(r.Connector), store.EncodeRestart(r)))
}

// PutTaskCount writes that the producers of so many tasks were fenced, and waits for the snapshot to have it. Privileged.
func (c *Config) PutTaskCount(ctx context.Context, name string, n int) error {
	return c.writePrivileged(ctx, record(store.FencingKey(name), store.EncodeTaskCount(n)))
}

// PutSessionKey writes a session key and waits for the snapshot to have it. Privileged. After an error the key may be in the topic:
// read that to its end before making another.
func (c *Config) PutSessionKey(ctx context.Context, k store.SessionKey) error {
	return c.writePrivileged(ctx, record(store.SessionKeyKey, store.EncodeSessionKey(k)))
}

// PutTarget writes a connector's target state and waits for the snapshot to have it. Any worker may.
func (c *Config) PutTarget(ctx context.Context, name string, t store.TargetState) error {
	return c.write(ctx, record(store.TargetStateKey(name), store.EncodeTargetState(t)))
}

// PutLoggerLevel writes the level of a logger on all workers, as it was sent, and waits until it was read. Any worker may.
func (c *Config) PutLoggerLevel(ctx context.Context, logger, level string) error {
	return c.write(ctx, record(store.LoggerKey(logger), store.EncodeLoggerLevel(level)))
}

func (c *Config) write(ctx context.Context, r kafka.LogRecord) error {
	ctx, cancel := context.WithTimeout(ctx, writeBudget)
	defer cancel()
	return wrap(r, c.log.WriteAndRead(ctx, r))
}

// writePrivileged writes records that only the leader may write, and waits until they were applied.
func (c *Config) writePrivileged(ctx context.Context, records ...kafka.LogRecord) error {
	ctx, cancel := context.WithTimeout(ctx, writeBudget)
	defer cancel()
	c.mu.Lock()
	p := c.privileged
	c.mu.Unlock()
	last := records[len(records)-1]
	if p == nil {
		return wrap(last, c.log.WriteAndRead(ctx, records...))
	}
	if _, err := p.Write(ctx, records...); err != nil {
		return &privilegedError{cause: wrap(last, err)}
	}
	return c.ReadToEnd(ctx)
}

// wrap says which record could not be written, by its key.
func wrap(r kafka.LogRecord, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %q to the config topic: %w", r.Key, err)
}
