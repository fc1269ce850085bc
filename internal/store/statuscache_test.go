package store

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/scripttest"
)

// TestStatusCacheScripts plays records of the status topic.
func TestStatusCacheScripts(t *testing.T) {
	t.Parallel()
	scripttest.Run(t, "statuscache*.txt", func(*testing.T) func([]string) string {
		c := NewStatusCache()
		return func(commands []string) string {
			var out strings.Builder
			for _, command := range commands {
				key, value := recordOf(command)
				if err := c.Apply([]byte(key), value); err != nil {
					fmt.Fprintf(&out, "! %v\n", err)
				}
			}
			return out.String() + describeStatuses(c)
		}
	})
}

func describeStatuses(c *StatusCache) string {
	var out strings.Builder
	for _, name := range c.Names() {
		if s, ok := c.Connector(name); ok {
			fmt.Fprintf(&out, "%s: %s\n", name, describeStatus(s))
		}
		for _, n := range c.Tasks(name) {
			s, _ := c.Task(ConnectorTaskID{name, n})
			fmt.Fprintf(&out, "%s-%d: %s\n", name, n, describeStatus(s))
		}
	}
	for _, name := range []string{"c", "a:connector-b"} {
		for _, topic := range c.Topics(name) {
			fmt.Fprintf(&out, "%s uses %s since %d, task %d\n", topic.Connector, topic.Topic, topic.Discovered.UnixMilli(), topic.Task)
		}
	}
	return out.String()
}

func describeStatus(s Status) string {
	return fmt.Sprintf("%s at %s, generation %d, version %q, trace %q", s.State, s.WorkerID, s.Generation, s.Version, s.Trace)
}

func TestStatusCacheSafe(t *testing.T) {
	t.Parallel()
	c := NewStatusCache()
	cached := EncodeStatus(Status{State: event.Running, WorkerID: "a:1", Generation: 5})
	for _, key := range []string{ConnectorStatusKey("c"), TaskStatusKey(ConnectorTaskID{"c", 2})} {
		if err := c.Apply([]byte(key), cached); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		task       int
		worker     string
		generation int
		want       bool
	}{
		{event.NoTask, "a:1", 4, true},
		{event.NoTask, "b:1", 4, false},
		{event.NoTask, "b:1", 5, true},
		{2, "a:1", 4, true},
		{2, "b:1", 4, false},
		{2, "b:1", 6, true},
		{3, "b:1", 1, true},
	} {
		if got := c.Safe("c", tc.task, tc.worker, tc.generation); got != tc.want {
			t.Errorf("%+v: %t", tc, got)
		}
	}
}

func FuzzStatusRecord(f *testing.F) {
	for _, seed := range [][2]string{
		{"status-connector-c", `{"state":"RUNNING","trace":null,"worker_id":"a:1","generation":1,"version":"1"}`},
		{"status-task-c-0", `{"state":"FAILED","trace":"x\n\tat y","worker_id":"a:1","generation":-1}`},
		{"status-topic-t:connector-c", `{"topic":{"name":"t","connector":"c","task":0,"discoverTimestamp":1}}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		c := NewStatusCache()
		if err := c.Apply(key, value); err != nil {
			return
		}
		describeStatuses(c)
		checkAgain(t, statusAgain, string(key), value)
	})
}

// checkAgain checks that what was encoded once stays as it is.
func checkAgain(t *testing.T, again func(string, []byte) (string, []byte, error), key string, value []byte) {
	t.Helper()
	key1, value1, err := again(key, value)
	if err != nil {
		return // a tombstone
	}
	key2, value2, err := again(key1, value1)
	if err != nil || key2 != key1 || !bytes.Equal(value2, value1) {
		t.Errorf("%q => %q\nbecomes %q => %q,\nthen %q => %q, %v", key, value, key1, value1, key2, value2, err)
	}
}
