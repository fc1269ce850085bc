package worker

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/store"
)

// alterer is a connector that is asked about offsets and never runs.
type alterer struct {
	connect.Connector
	source func([]connect.SourceOffset) (bool, error)
	sink   func(map[connect.TopicPartition]*int64) (bool, error)
}

type sourceAlterer struct{ alterer }

func (sourceAlterer) NewTask() connect.SourceTask { return nil }

func (a sourceAlterer) AlterOffsets(_ context.Context, _ connect.Props, offsets []connect.SourceOffset) (bool, error) {
	return a.source(offsets)
}

type sinkAlterer struct{ alterer }

func (sinkAlterer) NewTask() connect.SinkTask { return nil }

func (a sinkAlterer) AlterOffsets(_ context.Context, _ connect.Props, offsets map[connect.TopicPartition]*int64) (bool, error) {
	return a.sink(offsets)
}

type plainSource struct{ connect.Connector }

func (plainSource) NewTask() connect.SourceTask { return nil }

type plainSink struct{ connect.Connector }

func (plainSink) NewTask() connect.SinkTask { return nil }

// offsetsWorker returns a worker with a connector of each kind that has the hook, and one that has not.
func offsetsWorker(t *testing.T, bootstrap string, a alterer) *Worker {
	t.Helper()
	offsets, err := store.OpenFileOffsets(filepath.Join(t.TempDir(), "offsets"))
	if err != nil {
		t.Fatal(err)
	}
	plugins := testPlugins(
		connect.Plugin{Class: "test.Source", Def: config.New(), Source: func() connect.SourceConnector { return sourceAlterer{a} }},
		connect.Plugin{Class: "test.Sink", Def: config.New(), Sink: func() connect.SinkConnector { return sinkAlterer{a} }},
		connect.Plugin{Class: "test.PlainSource", Def: config.New(), Source: func() connect.SourceConnector { return plainSource{} }},
		connect.Plugin{Class: "test.PlainSink", Def: config.New(), Sink: func() connect.SinkConnector { return plainSink{} }},
	)
	return New(Options{Props: map[string]string{"bootstrap.servers": bootstrap}, Plugins: plugins, Offsets: offsets, Log: discard()})
}

func classed(class string, more ...string) connect.Props {
	p := connect.Props{ConnectorClassKey: class}
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

// entry makes an offset of two JSON texts.
func entry(t *testing.T, partition, offset string) store.PartitionOffset {
	t.Helper()
	return store.PartitionOffset{Partition: value(t, partition), Offset: value(t, offset)}
}

func value(t *testing.T, text string) data.Value {
	t.Helper()
	v, err := json.ParseSchemaless(nil, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func jsonOf(t *testing.T, v data.Value) string {
	t.Helper()
	text, err := json.AppendSchemaless(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shown returns the offsets of a connector as text.
func shown(t *testing.T, w *Worker, name string, props connect.Props) map[string]string {
	t.Helper()
	offsets, err := w.ConnectorOffsets(t.Context(), name, props)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, o := range offsets {
		out[jsonOf(t, o.Partition)] = jsonOf(t, o.Offset)
	}
	return out
}

const (
	altered        = "The offsets for this connector have been altered successfully"
	wasReset       = "The offsets for this connector have been reset successfully"
	alteredHere    = "The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses."
	resetHere      = "The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages offsets externally, they will need to be manually reset in the system that the connector uses."
	notSupported   = "Failed to modify offsets for connector c because it doesn't support external modification of offsets"
	unreachableRef = "127.0.0.1:1"
)

func TestSourceOffsets(t *testing.T) {
	t.Parallel()
	var asked []string
	w := offsetsWorker(t, unreachableRef, alterer{source: func(offsets []connect.SourceOffset) (bool, error) {
		asked = nil
		for _, o := range offsets {
			asked = append(asked, jsonOf(t, o.Partition)+"="+jsonOf(t, o.Offset))
		}
		return true, nil
	}})
	props := classed("test.Source")
	for _, step := range []struct {
		name  string
		alter []store.PartitionOffset // nil: reset
		asked []string
		want  map[string]string
	}{
		{"reset of nothing", nil, nil, map[string]string{}},
		{
			"new ones",
			[]store.PartitionOffset{entry(t, `{"b":1,"a":"x"}`, `{"z":1,"y":2.5,"x":null,"w":true,"v":"t"}`), entry(t, `{"n":1.0}`, `{"p":9007199254740993}`)},
			[]string{`{"b":1,"a":"x"}={"z":1,"y":2.5,"x":null,"w":true,"v":"t"}`, `{"n":1.0}={"p":9007199254740993}`},
			map[string]string{`{"a":"x","b":1}`: `{"z":1,"y":2.5,"x":null,"w":true,"v":"t"}`, `{"n":1.0}`: `{"p":9007199254740993}`},
		},
		{
			"the last of equal partitions counts",
			[]store.PartitionOffset{entry(t, `{"a":"x","b":1}`, `{"z":1}`), entry(t, `{"b":1,"a":"x"}`, `{"z":2}`)},
			[]string{`{"b":1,"a":"x"}={"z":2}`},
			map[string]string{`{"a":"x","b":1}`: `{"z":2}`, `{"n":1.0}`: `{"p":9007199254740993}`},
		},
		{
			"removal, also of what is not there",
			[]store.PartitionOffset{entry(t, `{"n":1.0}`, "null"), entry(t, `{"n":1}`, "null"), entry(t, "null", "null")},
			[]string{`{"n":1.0}=null`, `{"n":1}=null`, "null=null"},
			map[string]string{`{"a":"x","b":1}`: `{"z":2}`},
		},
		{"a null partition is not shown", []store.PartitionOffset{entry(t, "null", `{"a":1}`)}, []string{`null={"a":1}`}, map[string]string{`{"a":"x","b":1}`: `{"z":2}`}},
		{"reset", nil, []string{`{"a":"x","b":1}=null`}, map[string]string{}},
		{"reset again", nil, nil, map[string]string{}},
	} {
		message, err := "", error(nil)
		want := altered
		if step.alter == nil {
			want = wasReset
			message, err = w.ResetOffsets(t.Context(), "c", props)
		} else {
			message, err = w.AlterOffsets(t.Context(), "c", props, step.alter)
		}
		if err != nil || message != want {
			t.Errorf("%s: %q, %v", step.name, message, err)
		}
		if diff := cmp.Diff(step.asked, asked); diff != "" {
			t.Errorf("%s: the connector was asked about\n%s", step.name, diff)
		}
		if diff := cmp.Diff(step.want, shown(t, w, "c", props)); diff != "" {
			t.Errorf("%s: stored\n%s", step.name, diff)
		}
	}
}

func TestSourceOffsetsThatAreRefused(t *testing.T) {
	t.Parallel()
	before := map[string]string{`{"a":1}`: `{"p":1}`}
	good := []store.PartitionOffset{entry(t, `{"a":1}`, `{"p":2}`)}
	for _, tc := range []struct {
		name  string
		hook  func([]connect.SourceOffset) (bool, error)
		alter []store.PartitionOffset
		want  string
	}{
		{"nested offset", nil, []store.PartitionOffset{entry(t, `{"a":1}`, `{"position":{"a":1}}`)}, "Offsets may only contain primitive types as values, but field position contains MAP"},
		{"list in an offset", nil, []store.PartitionOffset{entry(t, `{"a":1}`, `{"position":[1]}`)}, "Offsets may only contain primitive types as values, but field position contains ARRAY"},
		{"nested partition", nil, []store.PartitionOffset{entry(t, `{"a":{}}`, "null")}, "Offsets may only contain primitive types as values, but field a contains MAP"},
		{"the connector refuses", func([]connect.SourceOffset) (bool, error) { return false, connect.NewError("no good", nil) }, good, "no good"},
		{"the connector cannot", func([]connect.SourceOffset) (bool, error) { return false, errors.ErrUnsupported }, good, notSupported},
		{"the connector panics", func([]connect.SourceOffset) (bool, error) { panic("at the disco") }, good, "panic: at the disco"},
	} {
		w := offsetsWorker(t, unreachableRef, alterer{source: tc.hook})
		if _, err := w.AlterOffsets(t.Context(), "c", classed("test.PlainSource"), []store.PartitionOffset{entry(t, `{"a":1}`, `{"p":1}`)}); err != nil {
			t.Fatal(err)
		}
		_, err := w.AlterOffsets(t.Context(), "c", classed("test.Source"), tc.alter)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
		if diff := cmp.Diff(before, shown(t, w, "c", classed("test.Source"))); diff != "" {
			t.Errorf("%s: stored\n%s", tc.name, diff)
		}
	}
}

func TestOffsetsOfConnectorsWithoutOpinion(t *testing.T) {
	t.Parallel()
	w := offsetsWorker(t, unreachableRef, alterer{source: func([]connect.SourceOffset) (bool, error) { return false, nil }})
	for _, class := range []string{"test.PlainSource", "test.Source"} {
		message, err := w.AlterOffsets(t.Context(), "c", classed(class), []store.PartitionOffset{entry(t, `{"a":1}`, `{"p":2}`)})
		if err != nil || message != alteredHere {
			t.Errorf("%s: %q, %v", class, message, err)
		}
		if message, err = w.ResetOffsets(t.Context(), "c", classed(class)); err != nil || message != resetHere {
			t.Errorf("%s: %q, %v", class, message, err)
		}
	}
	const unknown = "Failed to find any class that implements Connector and which name matches Nope"
	_, err := w.ConnectorOffsets(t.Context(), "c", classed("Nope"))
	_, alterErr := w.AlterOffsets(t.Context(), "c", classed("Nope"), nil)
	_, resetErr := w.ResetOffsets(t.Context(), "c", classed("Nope"))
	for _, err := range []error{err, alterErr, resetErr} {
		if err == nil || !strings.HasPrefix(err.Error(), unknown) {
			t.Errorf("unknown class: %v", err)
		}
	}
}

func TestOffsetsOfASourceWithItsOwnTopic(t *testing.T) {
	t.Parallel()
	w := offsetsWorker(t, unreachableRef, alterer{})
	own, err := store.OpenFileOffsets(filepath.Join(t.TempDir(), "own"))
	if err != nil {
		t.Fatal(err)
	}
	opened, closed := 0, 0
	w.OwnOffsets = func(_ context.Context, o OwnTopic) (store.Offsets, func(), error) {
		if o.Topic == "broken" {
			return nil, nil, errors.New("no such topic")
		}
		opened++
		return own, func() { closed++ }, nil
	}
	props := classed("test.PlainSource", OffsetsTopicKey, "mine")
	if _, err := w.AlterOffsets(t.Context(), "c", props, []store.PartitionOffset{entry(t, `{"a":1}`, `{"p":2}`)}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{`{"a":1}`: `{"p":2}`}, shown(t, w, "c", props)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{}, shown(t, w, "c", classed("test.PlainSource"))); diff != "" {
		t.Errorf("in the worker's own store\n%s", diff)
	}
	if _, err := w.ResetOffsets(t.Context(), "c", props); err != nil {
		t.Fatal(err)
	}
	if opened != 3 || closed != 3 {
		t.Errorf("the store was opened %d times and closed %d times, want 3", opened, closed)
	}
	if _, err := w.ResetOffsets(t.Context(), "c", classed("test.PlainSource", OffsetsTopicKey, "broken")); err == nil || err.Error() != "no such topic" {
		t.Errorf("a store that cannot be opened: %v", err)
	}
}

func TestParseSinkOffsets(t *testing.T) {
	t.Parallel()
	const (
		needed       = "The partition for a sink connector offset cannot be null or missing"
		keys         = "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"
		topicNull    = "Kafka topic names must be valid strings and may not be null"
		numberNull   = "Kafka partitions must be valid numbers and may not be null"
		offsetNeeded = "The offset for a sink connector should either be null or contain the key 'kafka_offset'"
	)
	noPartition := func(v string) string {
		return "Failed to parse the following Kafka partition value in the provided offsets: '" + v + "'. Partition values for sink connectors need to be integers."
	}
	noOffset := func(v string) string {
		return "Failed to parse the following Kafka offset value in the provided offsets: '" + v + "'. Offset values for sink connectors need to be integers."
	}
	for _, tc := range []struct {
		partition, offset string
		want              string // the message, or topic, partition and offset
	}{
		{`{"kafka_topic":"t","kafka_partition":1}`, `{"kafka_offset":5}`, "t-1=5"},
		{`{"kafka_topic":"t","kafka_partition":"1","more":[]}`, `{"kafka_offset":"5","more":{}}`, "t-1=5"},
		{`{"kafka_topic":"t","kafka_partition":0}`, "null", "t-0=null"},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"kafka_offset":-5}`, "t-0=-5"},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"kafka_offset":"9223372036854775807"}`, "t-0=9223372036854775807"},
		{"null", `{"kafka_offset":5}`, needed},
		{`{"kafka_partition":0}`, `{"kafka_offset":5}`, keys},
		{`{"kafka_topic":"t"}`, `{"kafka_offset":5}`, keys},
		{`{}`, "null", keys},
		{`{"kafka_topic":null,"kafka_partition":null}`, "null", topicNull},
		{`{"kafka_topic":{},"kafka_partition":0}`, "null", topicNull},
		{`{"kafka_topic":"t","kafka_partition":null}`, "null", numberNull},
		{`{"kafka_topic":"t","kafka_partition":"x"}`, "null", noPartition("x")},
		{`{"kafka_topic":"t","kafka_partition":1.0}`, "null", noPartition("1.0")},
		{`{"kafka_topic":"t","kafka_partition":true}`, "null", noPartition("true")},
		{`{"kafka_topic":"t","kafka_partition":""}`, "null", noPartition("")},
		{`{"kafka_topic":"t","kafka_partition":2147483648}`, "null", noPartition("2147483648")},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{}`, offsetNeeded},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"offset":1}`, offsetNeeded},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"kafka_offset":null}`, noOffset("null")},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"kafka_offset":"z"}`, noOffset("z")},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"kafka_offset":1.5}`, noOffset("1.5")},
		{`{"kafka_topic":"t","kafka_partition":0}`, `{"kafka_offset":1e10}`, noOffset("1.0E10")},
	} {
		got := ""
		offsets, err := parseSinkOffsets([]store.PartitionOffset{entry(t, tc.partition, tc.offset)})
		if err != nil {
			got = err.Error()
			if _, ok := errors.AsType[BadOffsetsError](err); !ok {
				t.Errorf("%s %s: a %T", tc.partition, tc.offset, err)
			}
		}
		for tp, at := range offsets {
			got = jsonOf(t, data.Int64(int64(tp.Partition)))
			got = tp.Topic + "-" + got + "="
			if at == nil {
				got += "null"
			} else {
				got += jsonOf(t, data.Int64(*at))
			}
		}
		if got != tc.want {
			t.Errorf("%s %s: %s\nwant %s", tc.partition, tc.offset, got, tc.want)
		}
	}
}

// brokerWithTopic starts a broker with a topic t of two partitions.
func brokerWithTopic(t *testing.T) (bootstrap string) {
	t.Helper()
	bootstrap = brokertest.Start(t).Bootstrap
	admin, err := kafka.NewAdmin(map[string]string{"bootstrap.servers": bootstrap}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.Client().CreateTopic(t.Context(), 2, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	return bootstrap
}

func TestSinkOffsets(t *testing.T) {
	t.Parallel()
	var asked map[connect.TopicPartition]string
	w := offsetsWorker(t, brokerWithTopic(t), alterer{sink: func(offsets map[connect.TopicPartition]*int64) (bool, error) {
		asked = make(map[connect.TopicPartition]string)
		for tp, at := range offsets {
			asked[tp] = "null"
			if at != nil {
				asked[tp] = jsonOf(t, data.Int64(*at))
			}
		}
		return true, nil
	}})
	const p0, p1 = `{"kafka_partition":0,"kafka_topic":"t"}`, `{"kafka_partition":1,"kafka_topic":"t"}`
	t0, t1 := connect.TopicPartition{Topic: "t"}, connect.TopicPartition{Topic: "t", Partition: 1}
	for _, props := range []connect.Props{classed("test.Sink"), classed("test.Sink", "consumer.override.group.id", "mine")} {
		for _, step := range []struct {
			name  string
			alter []store.PartitionOffset // nil: reset
			asked map[connect.TopicPartition]string
			want  map[string]string
		}{
			{"reset of nothing", nil, map[connect.TopicPartition]string{}, map[string]string{}},
			{
				"set",
				[]store.PartitionOffset{entry(t, p0, `{"kafka_offset":"3"}`), entry(t, p1, `{"kafka_offset":4}`)},
				map[connect.TopicPartition]string{t0: "3", t1: "4"},
				map[string]string{p0: `{"kafka_offset":3}`, p1: `{"kafka_offset":4}`},
			},
			{
				"set and remove",
				[]store.PartitionOffset{entry(t, p0, "null"), entry(t, p1, `{"kafka_offset":5}`)},
				map[connect.TopicPartition]string{t0: "null", t1: "5"},
				map[string]string{p1: `{"kafka_offset":5}`},
			},
			{"reset", nil, map[connect.TopicPartition]string{t1: "null"}, map[string]string{}},
			{"reset again", nil, map[connect.TopicPartition]string{}, map[string]string{}},
		} {
			message, err := "", error(nil)
			want := altered
			if step.alter == nil {
				want = wasReset
				message, err = w.ResetOffsets(t.Context(), "c", props)
			} else {
				message, err = w.AlterOffsets(t.Context(), "c", props, step.alter)
			}
			if err != nil || message != want {
				t.Errorf("%s: %q, %v", step.name, message, err)
			}
			if diff := cmp.Diff(step.asked, asked); diff != "" {
				t.Errorf("%s: the connector was asked about\n%s", step.name, diff)
			}
			if diff := cmp.Diff(step.want, shown(t, w, "c", props)); diff != "" {
				t.Errorf("%s: committed\n%s", step.name, diff)
			}
		}
	}
}

func TestSinkOffsetsThatFail(t *testing.T) {
	t.Parallel()
	w := offsetsWorker(t, brokerWithTopic(t), alterer{sink: func(map[connect.TopicPartition]*int64) (bool, error) { return false, errors.ErrUnsupported }})
	const p0 = `{"kafka_partition":0,"kafka_topic":"t"}`
	set := func(class, partition, offset string, more ...string) func() (string, error) {
		return func() (string, error) {
			return w.AlterOffsets(t.Context(), "c", classed(class, more...), []store.PartitionOffset{entry(t, partition, offset)})
		}
	}
	const inUse = " consumer group offsets for connector c either because its tasks haven't stopped completely yet or the connector was resumed before the request to "
	const advice = " its offsets could be successfully completed. If the connector is in a stopped state, this operation can be safely retried. " +
		"If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink tasks."
	resetOf := func(class string) func() (string, error) {
		return func() (string, error) { return w.ResetOffsets(t.Context(), "c", classed(class)) }
	}
	for _, tc := range []struct {
		name string
		do   func() (string, error)
		want string // with a final … its beginning
	}{
		{"negative", set("test.PlainSink", p0, `{"kafka_offset":-5}`), "Failed to modify offsets for sink connector c: Invalid negative offset"},
		{"unknown topic", set("test.PlainSink", `{"kafka_topic":"unknown","kafka_partition":0}`, `{"kafka_offset":5}`), "Failed to alter consumer group offsets for connector c: …"},
		{"the connector cannot", set("test.Sink", p0, `{"kafka_offset":5}`), notSupported},
		{"the connector cannot reset", resetOf("test.Sink"), notSupported},
		{"refused override", set("test.PlainSink", p0, `{"kafka_offset":5}`, "admin.override.default.api.timeout.ms", "-1"), "configure the admin client with the worker's keys and admin.override.* of the connector: …"},
	} {
		_, err := tc.do()
		begin, open := strings.CutSuffix(tc.want, "…")
		if err == nil || err.Error() != begin && !(open && strings.HasPrefix(err.Error(), begin)) {
			t.Errorf("%s: %v\nwant %s", tc.name, err, tc.want)
		}
	}

	member(t, w.Props["bootstrap.servers"], "connect-c", "t")
	for want, do := range map[string]func() (string, error){
		"Failed to alter" + inUse + "alter" + advice: set("test.PlainSink", p0, `{"kafka_offset":5}`),
		"Failed to reset" + inUse + "reset" + advice: resetOf("test.PlainSink"),
	} {
		if _, err := do(); err == nil || err.Error() != want {
			t.Errorf("a group in use: %v\nwant %s", err, want)
		}
	}
	if _, err := set("test.PlainSink", p0, "null")(); err == nil || err.Error() != "Failed to alter"+inUse+"alter"+advice {
		t.Errorf("removal in a group in use: %v", err)
	}
}

// member consumes a topic in a group until the end of the test. It returns when the group has assigned it partitions.
func member(t *testing.T, bootstrap, group, topic string) {
	t.Helper()
	assigned := make(chan struct{}, 1)
	c, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) {
			select {
			case assigned <- struct{}{}:
			default:
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	select {
	case <-assigned:
	case <-time.After(20 * time.Second):
		t.Fatal("the group has assigned nothing")
	}
}

func TestSinkOffsetsWithoutBroker(t *testing.T) {
	t.Parallel()
	w := offsetsWorker(t, unreachableRef, alterer{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.ConnectorOffsets(ctx, "c", classed("test.PlainSink"))
	if want := "Failed to retrieve consumer group offsets for sink connector c: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("get: %v", err)
	}
	_, err = w.ResetOffsets(ctx, "c", classed("test.PlainSink"))
	if want := "Failed to list offsets prior to resetting offsets for sink connector c: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("reset: %v", err)
	}
}
