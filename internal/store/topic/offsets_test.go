package topic

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
	"github.com/millrace-io/millrace/internal/store"
)

func startOffsets(t *testing.T, b *brokertest.Broker, log *slog.Logger) *Offsets {
	t.Helper()
	o := NewOffsets(log)
	start(t, b, o, nil)
	return o
}

func at(n int64) data.Value {
	m := data.NewMap(1)
	m.Put(data.String("n"), data.Int64(n))
	return m.Value()
}

func set(t *testing.T, o store.Offsets, changes ...store.OffsetChange) {
	t.Helper()
	if err := o.Set(limited(t), "c", changes); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, o store.Offsets, partition map[string]any) string {
	t.Helper()
	v, err := o.Get(limited(t), "c", []map[string]any{partition})
	if err != nil {
		t.Fatal(err)
	}
	return v[0].String()
}

// listed returns all partitions of connector c with their offsets, sorted.
func listed(t *testing.T, o store.Offsets) []string {
	t.Helper()
	all, err := o.Partitions(limited(t), "c")
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, p := range all {
		out = append(out, p.Partition.String()+" "+p.Offset.String())
	}
	slices.Sort(out)
	return out
}

var (
	partA = map[string]any{"f": "a"}
	partB = map[string]any{"f": "b"}
	partC = map[string]any{"f": "c"}
)

func TestOffsetsAreSeenByAll(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	mine, other := startOffsets(t, b, quiet()), startOffsets(t, b, quiet())
	set(t, mine, store.OffsetChange{Partition: partA, Offset: at(1)}, store.OffsetChange{Partition: partB, Offset: at(2)})
	for name, o := range map[string]*Offsets{"mine": mine, "other": other} {
		if got := get(t, o, partA); got != "{n=1}" {
			t.Errorf("%s: %s", name, got)
		}
	}
	set(t, mine, store.OffsetChange{Partition: partA, Offset: at(3)}, store.OffsetChange{Partition: partB})
	set(t, mine)
	if diff := cmp.Diff([]string{"{f=a} {n=3}"}, listed(t, other)); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	if err := mine.Set(limited(t), "c", []store.OffsetChange{{Partition: partA, Offset: data.Int64(1)}}); err == nil {
		t.Error("an offset that is no map was stored")
	}
	late := startOffsets(t, b, quiet())
	if diff := cmp.Diff([]string{"{f=a} {n=3}"}, listed(t, late)); diff != "" {
		t.Errorf("partitions after the first read (-want +got):\n%s", diff)
	}
}

func TestOffsetsKeepTheKeysOfOthers(t *testing.T) {
	t.Parallel()
	b := startBroker(t, 3)
	warned := newWarnings(slog.LevelWarn)
	o := startOffsets(t, b, slog.New(warned))
	const key = `["c",{"table":"t", "protocol":"1"}]`
	produce(t, b,
		&kgo.Record{Key: []byte(key), Value: []byte(`{"n":1}`)},
		&kgo.Record{Key: []byte(`["c"]`), Value: []byte(`{"n":1}`)},
		&kgo.Record{Value: []byte(`{"n":1}`)},
	)
	partition := map[string]any{"protocol": "1", "table": "t"}
	if got := get(t, o, partition); got != "{n=1}" {
		t.Errorf("offset under a key with another order of fields: %s", got)
	}
	if n := warned.count(); n != 2 {
		t.Errorf("%d records were logged, want 2", n)
	}
	set(t, o, store.OffsetChange{Partition: partition, Offset: at(2)}, store.OffsetChange{Partition: partA, Offset: at(3)})
	records := content(t, b)
	for _, want := range []string{key + ` => {"n":2}`, `["c",{"f":"a"}] => {"n":3}`} {
		if !slices.Contains(records, want) {
			t.Errorf("no record %s in %q", want, records)
		}
	}
}

func TestMergedOffsets(t *testing.T) {
	t.Parallel()
	primary := startOffsets(t, startBroker(t, 1), quiet())
	secondary := startOffsets(t, startBroker(t, 1), quiet())
	m := NewMerged(primary, secondary, quiet())
	set(t, secondary, store.OffsetChange{Partition: partA, Offset: at(1)}, store.OffsetChange{Partition: partB, Offset: at(2)})
	set(t, primary, store.OffsetChange{Partition: partB, Offset: at(3)}, store.OffsetChange{Partition: partC, Offset: at(4)})
	for want, p := range map[string]map[string]any{"{n=1}": partA, "{n=3}": partB, "{n=4}": partC} {
		if got := get(t, m, p); got != want {
			t.Errorf("%v: %s, want %s", p, got, want)
		}
	}
	if diff := cmp.Diff([]string{"{f=a} {n=1}", "{f=b} {n=3}", "{f=c} {n=4}"}, listed(t, m)); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	set(t, m, store.OffsetChange{Partition: partA}, store.OffsetChange{Partition: partC, Offset: at(5)})
	want := []string{"{f=b} {n=3}", "{f=c} {n=5}"}
	if diff := cmp.Diff(want, listed(t, primary)); diff != "" {
		t.Errorf("primary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"{f=b} {n=2}", "{f=c} {n=5}"}, listed(t, secondary)); diff != "" {
		t.Errorf("secondary (-want +got):\n%s", diff)
	}
}

// unwritable refuses all changes.
type unwritable struct{ store.Offsets }

var errUnwritable = errors.New("unwritable")

func (unwritable) Set(context.Context, string, []store.OffsetChange) error { return errUnwritable }

func TestMergedOffsetsWhenAStoreFails(t *testing.T) {
	t.Parallel()
	good := startOffsets(t, startBroker(t, 1), quiet())
	offset := []store.OffsetChange{{Partition: partA, Offset: at(1)}}
	mixed := []store.OffsetChange{{Partition: partA}, {Partition: partB, Offset: at(2)}}

	warned := newWarnings(slog.LevelWarn)
	m := NewMerged(good, unwritable{good}, slog.New(warned))
	if err := m.Set(limited(t), "c", offset); err != nil || warned.count() != 1 {
		t.Errorf("offsets that only the secondary store refuses: %v, %d lines logged; want a line and no error", err, warned.count())
	}
	if err := m.Set(limited(t), "c", mixed); !errors.Is(err, errUnwritable) {
		t.Errorf("a removal that the secondary store refuses: %v", err)
	}
	if diff := cmp.Diff([]string{"{f=a} {n=1}"}, listed(t, good)); diff != "" {
		t.Errorf("the primary store after that (-want +got):\n%s", diff)
	}
	if err := NewMerged(unwritable{good}, good, quiet()).Set(limited(t), "c", offset); !errors.Is(err, errUnwritable) {
		t.Errorf("offsets that the primary store refuses: %v", err)
	}
}
