package store

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/internal/scripttest"
)

// again decodes a record of the config topic and encodes it.
func again(key string, value []byte) (string, []byte, error) {
	v, err := json.ParseSchemaless(nil, value)
	if err != nil {
		return "", nil, err
	}
	kind, name := kindOf(key)
	switch kind {
	case targetStatePrefix:
		t, err := decodeTargetState(v)
		return TargetStateKey(name), EncodeTargetState(t), err
	case connectorPrefix:
		c, err := decodeProperties(v)
		return ConnectorKey(name), EncodeProperties(c), err
	case taskPrefix:
		id, err := parseTaskID(name)
		if err != nil {
			return "", nil, err
		}
		c, err := decodeProperties(v)
		return TaskKey(id), EncodeProperties(c), err
	case commitPrefix:
		n, err := decodeNumber(v, tasksField)
		return CommitKey(name), EncodeCommit(n), err
	case restartPrefix:
		r, err := decodeRestart(name, v)
		return RestartKey(r.Connector), EncodeRestart(r), err
	case fencingPrefix:
		n, err := decodeNumber(v, taskCountField)
		return FencingKey(name), EncodeTaskCount(n), err
	case SessionKeyKey:
		k, err := decodeSessionKey(v)
		return SessionKeyKey, EncodeSessionKey(k), err
	case loggerPrefix:
		level, err := field(v, levelField, data.KindString)
		return LoggerKey(name), EncodeLoggerLevel(level.Str()), err
	default:
		return "", nil, errUnknownKey
	}
}

func kindOf(key string) (prefix, name string) {
	for _, prefix := range []string{
		targetStatePrefix, connectorPrefix, taskPrefix, commitPrefix, restartPrefix, fencingPrefix, SessionKeyKey, loggerPrefix,
	} {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			return prefix, name
		}
	}
	return "", ""
}

// statusAgain is again for the status topic.
func statusAgain(key string, value []byte) (string, []byte, error) {
	if name, ok := strings.CutPrefix(key, connectorStatusPrefix); ok {
		s, err := ParseStatus(value)
		return ConnectorStatusKey(name), EncodeStatus(s), err
	}
	if name, ok := strings.CutPrefix(key, taskStatusPrefix); ok {
		id, err := parseTaskID(name)
		if err != nil {
			return "", nil, err
		}
		s, err := ParseStatus(value)
		return TaskStatusKey(id), EncodeStatus(s), err
	}
	name, ok := strings.CutPrefix(key, topicStatusPrefix)
	if !ok {
		return "", nil, errNotAStatusKey
	}
	topic, connector, err := parseTopicStatusKey(name)
	if err != nil {
		return "", nil, err
	}
	s, err := ParseTopicStatus(value)
	return TopicStatusKey(topic, connector), EncodeTopicStatus(s), err
}

// offsetAgain is again for the offset topic.
func offsetAgain(key string, value []byte) (string, []byte, error) {
	k, err := parseKey([]byte(key))
	if err != nil {
		return "", nil, err
	}
	newKey, err := json.AppendSchemaless(nil, data.Array([]data.Value{data.String(k.connector), k.partition}))
	if err != nil {
		return "", nil, err
	}
	v, err := parseOffset(value)
	if err != nil {
		return "", nil, err
	}
	newValue, err := encodeOffset(v)
	return string(newKey), newValue, err
}

func TestGoldenTopicsReencode(t *testing.T) {
	t.Parallel()
	for suffix, again := range map[string]func(string, []byte) (string, []byte, error){
		"-configs": again, "-status": statusAgain, "-offsets": offsetAgain,
	} {
		topics, _ := recordedTopics(t, suffix)
		compared := 0
		for _, records := range topics {
			for _, r := range records {
				if r.Value == nil {
					continue
				}
				compared++
				key, value, err := again(r.Key, r.value())
				if err != nil || key != r.Key || !bytes.Equal(value, r.value()) {
					t.Errorf("%s, offset %d of partition %d: %q => %s, %v; want %q => %s", r.Topic, r.Offset, r.Partition, key, value, err, r.Key, *r.Value)
				}
			}
		}
		if compared == 0 {
			t.Errorf("no record of a topic *%s was compared", suffix)
		}
	}
}

// TestGoldenTopicsPartitions finds a number of partitions for each topic with which the partitioner gives each key the partition that it
// was recorded in.
func TestGoldenTopicsPartitions(t *testing.T) {
	t.Parallel()
	const most = 500
	topics, _ := recordedTopics(t, "")
	for topic, records := range topics {
		partitioner := kgo.StickyKeyPartitioner(nil).ForTopic(topic)
		fits := func(n int) bool {
			return !slices.ContainsFunc(records, func(r recorded) bool {
				return partitioner.Partition(&kgo.Record{Key: []byte(r.Key)}, n) != int(r.Partition)
			})
		}
		n := 1
		for _, r := range records {
			n = max(n, int(r.Partition)+1)
		}
		for n <= most && !fits(n) {
			n++
		}
		if n > most {
			t.Errorf("%s: its keys are in other partitions, whatever their number", topic)
		}
		t.Logf("%s: %d partitions", topic, n)
	}
}

func applyAll(t *testing.T, l *ConfigLog, records []recorded) (changes []ConfigChange) {
	t.Helper()
	for _, r := range records {
		c, err := l.Apply(r.Offset, []byte(r.Key), r.value())
		if err != nil {
			t.Fatal(err)
		}
		changes = append(changes, c...)
	}
	return changes
}

func TestGoldenTopicsConfigReplay(t *testing.T) {
	t.Parallel()
	topics, committed := recordedTopics(t, "-configs")
	for topic, records := range topics {
		l := NewConfigLog()
		l.Loaded()
		out := describeSnapshot(l.Snapshot())
		for i, r := range records {
			changes := applyAll(t, l, records[i:i+1])
			s := l.Snapshot()
			out += fmt.Sprintf("\n# %s\n%s\n----\n%s%s", r.Step, r.Key, describeChanges(changes, nil), describeSnapshot(s))
			if s.Offset() != r.Offset+1 {
				t.Errorf("%s: config offset %d after offset %d", topic, s.Offset(), r.Offset)
			}
			// Whoever begins to read here knows the same.
			first := NewConfigLog()
			if early := applyAll(t, first, records[:i+1]); len(early) > 0 {
				t.Errorf("%s: changes are reported during the first read: %v", topic, early)
			}
			first.Loaded()
			if diff := cmp.Diff(describeSnapshot(s), describeSnapshot(first.Snapshot())); diff != "" {
				t.Errorf("%s: a first read up to offset %d differs (-live +first):\n%s", topic, r.Offset, diff)
			}
		}
		if names := l.Snapshot().Names(); len(names) > 0 {
			t.Errorf("%s: connectors at the end: %q, want none", topic, names)
		}
		if committed {
			scripttest.Compare(t, "replay_"+topic+".txt", out)
		}
	}
}

// TestGoldenTopicsConfigCompacted reads the topics as a complete compaction at each point would leave them: all connectors have as many
// tasks as they had, but for those that are inconsistent and those of which it cannot be known.
func TestGoldenTopicsConfigCompacted(t *testing.T) {
	t.Parallel()
	topics, _ := recordedTopics(t, "-configs")
	for topic, records := range topics {
		live := NewConfigLog()
		for i := range records {
			applyAll(t, live, records[i:i+1])
			compacted := NewConfigLog()
			applyAll(t, compacted, compact(records[:i+1]))
			compacted.Loaded()
			want, got := live.Snapshot(), compacted.Snapshot()
			if diff := cmp.Diff(want.Names(), got.Names()); diff != "" {
				t.Fatalf("%s: connectors after offset %d (-want +got):\n%s", topic, records[i].Offset, diff)
			}
			if got.Offset() != want.Offset() {
				t.Errorf("%s: config offset %d, want %d", topic, got.Offset(), want.Offset())
			}
			for _, name := range want.Names() {
				w, _ := want.Logged(name)
				g, _ := got.Logged(name)
				unclear := g.Inconsistent || w.CommitOffset < 0 && w.Target != Started
				if !unclear && w.TaskCount != g.TaskCount || w.Target != g.Target || !w.Config.Equal(g.Config) {
					t.Errorf("%s: %s after offset %d: %s, want %s", topic, name, records[i].Offset, describeLogged(g), describeLogged(w))
				}
			}
		}
	}
}

// compact leaves the last record of each key.
func compact(records []recorded) []recorded {
	last := map[string]int64{}
	for _, r := range records {
		last[r.Key] = r.Offset
	}
	return slices.DeleteFunc(slices.Clone(records), func(r recorded) bool { return last[r.Key] != r.Offset })
}

func TestGoldenTopicsStatusReplay(t *testing.T) {
	t.Parallel()
	topics, committed := recordedTopics(t, "-status")
	for topic, records := range topics {
		c, known := NewStatusCache(), 0
		for _, r := range byTime(records) {
			if err := c.Apply([]byte(r.Key), r.value()); err != nil {
				t.Error(err)
			}
			known = max(known, len(c.Names()))
		}
		if known == 0 {
			t.Errorf("%s: no status was ever known", topic)
		}
		if names := c.Names(); committed && len(names) > 0 {
			t.Errorf("%s: statuses at the end: %q, want none, as all connectors were deleted", topic, names)
		}
	}
}

// TestGoldenTopicsOffsetReplay changes every offset after each record, which must go to the recorded key.
func TestGoldenTopicsOffsetReplay(t *testing.T) {
	t.Parallel()
	topics, _ := recordedTopics(t, "-offsets")
	for topic, records := range topics {
		x := NewOffsetIndex()
		for _, r := range byTime(records) {
			if err := x.Load(OffsetRecord{[]byte(r.Key), r.value()}); err != nil {
				t.Fatal(err)
			}
			k, err := parseKey([]byte(r.Key))
			if err != nil {
				t.Fatal(err)
			}
			change := OffsetChange{Partition: plain(k.partition), Offset: offset("n", int64(1))}
			written, err := x.Records(k.connector, []OffsetChange{change})
			if err != nil || len(written) != 1 || string(written[0].Key) != r.Key {
				t.Errorf("%s: a change of %s: %q, %v", topic, r.Key, written, err)
			}
			got, err := x.Get(t.Context(), k.connector, []map[string]any{plain(k.partition)})
			if err != nil || got[0].IsNull() != (r.Value == nil) {
				t.Errorf("%s: offset of %s: %v, %v", topic, r.Key, got, err)
			}
		}
	}
}

// plain returns a partition as connectors give it.
func plain(partition data.Value) map[string]any {
	if partition.IsNull() {
		return nil
	}
	out := map[string]any{}
	for _, e := range partition.Map().Entries() {
		switch e.Value.Kind() {
		case data.KindNull:
			out[e.Key.Str()] = nil
		case data.KindBoolean:
			out[e.Key.Str()] = e.Value.Bool()
		case data.KindInt64:
			out[e.Key.Str()] = e.Value.Int64()
		case data.KindFloat64:
			out[e.Key.Str()] = e.Value.Float64()
		default:
			out[e.Key.Str()] = e.Value.Str()
		}
	}
	return out
}

func TestRestartImpact(t *testing.T) {
	t.Parallel()
	last := math.MinInt
	for _, r := range []RestartRequest{
		{OnlyFailed: true}, {OnlyFailed: true, IncludeTasks: true}, {}, {IncludeTasks: true},
	} {
		if r.Impact() <= last {
			t.Errorf("%+v has the impact %d, want more than %d", r, r.Impact(), last)
		}
		last = r.Impact()
	}
}
