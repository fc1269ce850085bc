package datagen

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/quickstart"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

const countSchema = `{"type":"record","name":"count","namespace":"n","fields":[
	{"name":"n","type":{"type":"long","arg.properties":{"iteration":{"start":0}}}}, // it counts
	{"name":"r","type":{"type":"long","arg.properties":{}}}]}`

// gate is a pause that ends when a record may be made.
type gate struct {
	mu      sync.Mutex // guards the rest
	allowed int64
	changed chan struct{} // closed when allowed grows
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

func (g *gate) allow(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed = n
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) pause(ctx context.Context, _ *time.Timer, _ time.Duration, made int64) bool {
	for {
		g.mu.Lock()
		allowed, changed := g.allowed, g.changed
		g.mu.Unlock()
		if made < allowed {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	g := newGate()
	conntest.RunSource(t, conntest.SourceCase{
		Plugin: newSource(g.pause),
		Setup: func(conntest.TB) conntest.SourceEnv {
			g.allow(0)
			return conntest.SourceEnv{
				Props:   connect.Props{keyTopic: "t", keySchema: countSchema, keyField: "n"},
				Produce: func(from, n int) error { g.allow(int64(from + n)); return nil },
				Number: func(r connect.SourceRecord) (int, error) {
					n := r.Value.Struct().At(0)
					if !r.Key.Equal(n) || r.Topic != "t" || r.Headers[2].Value.Int64() != n.Int64() {
						return 0, fmt.Errorf("record %+v", r)
					}
					return int(n.Int64()), nil
				},
			}
		},
	})
}

// make returns records of a task, which goes on from the offsets of the store.
func records(t *testing.T, n int, o conntest.Options, props connect.Props) []connect.SourceRecord {
	t.Helper()
	all := connect.Props{keyTopic: "t", keyInterval: "0"}
	for k, v := range props {
		all[k] = v
	}
	s, err := conntest.StartSource(Source, all, o)
	if err != nil {
		t.Fatal(err)
	}
	recs, err := s.Next(n)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	return recs[:n]
}

func TestRecord(t *testing.T) {
	t.Parallel()
	r := records(t, 2, conntest.Options{}, connect.Props{keySchema: countSchema, keyField: "n", keySeed: "42"})[1]
	value, _ := data.NewStructBuilder().Name("n.count").Field("n", data.Int64Schema).Field("r", data.Int64Schema).Build()
	if !r.ValueSchema.Equal(value) || !r.KeySchema.Equal(data.Int64Schema) {
		t.Errorf("schemas %v and %v", r.KeySchema, r.ValueSchema)
	}
	// What a Java program prints for the same numbers: r of the second record, after one new seed.
	rnd := random.New(42)
	rnd.NextInt64()
	rnd.Seed(rnd.NextInt64())
	second := rnd.NextInt64()
	next := rnd.NextInt64()
	if got := r.Value.Struct().Values(); got[0].Int64() != 1 || got[1].Int64() != second {
		t.Errorf("value %v, want 1 and %d", got, second)
	}
	if r.Key.Int64() != 1 || r.Timestamp != connect.NoTimestamp || r.Partition != connect.NoPartition {
		t.Errorf("key %v, timestamp %d, partition %d", r.Key, r.Timestamp, r.Partition)
	}
	var headers []string
	for _, h := range r.Headers {
		if h.Schema != data.Int64Schema {
			t.Errorf("header %s has schema %v", h.Key, h.Schema)
		}
		headers = append(headers, h.Key+"="+h.Value.String())
	}
	if diff := cmp.Diff([]string{"task.generation=0", "task.id=0", "current.iteration=1"}, headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if got, want := r.SourcePartition.String(), `{"task.id":0}`; got != want {
		t.Errorf("partition %s, want %s", got, want)
	}
	if got, want := r.SourceOffset.String(), fmt.Sprintf("Struct{task.generation=1,current.iteration=2,random.seed=%d}", next); got != want {
		t.Errorf("offset %s, want %s", got, want)
	}
}

func TestSameSeedSameRecords(t *testing.T) {
	t.Parallel()
	text := func(seed string) string {
		var b strings.Builder
		for _, r := range records(t, 50, conntest.Options{}, connect.Props{keyQuickstart: "users", keySeed: seed}) {
			b.WriteString(r.Value.String())
		}
		return b.String()
	}
	one := text("1")
	if one != text("1") {
		t.Error("equal seeds give different records")
	}
	if one == text("2") {
		t.Error("different seeds give equal records")
	}
}

// Each task begins with the seed that as many draws as its number lead to.
func TestTasksDiffer(t *testing.T) {
	t.Parallel()
	c := Source.Source()
	cc := connect.NewConnectorContext(connect.ConnectorRuntime{})
	if err := c.Start(t.Context(), cc, connect.Props{keyTopic: "t", keySchema: countSchema, keySeed: "7", keyInterval: "0"}); err != nil {
		t.Fatal(err)
	}
	configs, err := c.TaskConfigs(t.Context(), 3)
	if err != nil || len(configs) != 3 {
		t.Fatalf("task configurations %v, %v", configs, err)
	}
	seed := int64(7)
	for i, p := range configs {
		task := c.NewTask()
		tc := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
			Offsets: func(_ context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
				return make([]data.Value, len(ps)), nil
			},
		})
		if err := task.Start(t.Context(), tc, p); err != nil {
			t.Fatal(err)
		}
		out := connect.NewBatch(1)
		if err := task.Poll(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		r := out.Records()[0]
		if got, want := r.Value.Struct().At(1).Int64(), random.New(seed).NextInt64(); got != want || p[keyTask] != fmt.Sprint(i) {
			t.Errorf("task %d (%s): first number %d, want %d", i, p[keyTask], got, want)
		}
		seed = random.New(seed).NextInt64()
	}
}

// A restart goes on with the numbers and sequences that would have come without it.
func TestGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	props := connect.Props{keyTopic: "t", keySchema: countSchema, keySeed: "3", keyInterval: "0"}
	whole := records(t, 200, conntest.Options{}, props)
	store := conntest.NewStore()
	var got []connect.SourceRecord
	for life := range 4 {
		s, err := conntest.StartSource(Source, props, conntest.Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		recs, err := s.Next(1)
		if err != nil {
			t.Fatal(err)
		}
		const keep = 50
		if err := s.Ack(keep); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(); err != nil {
			t.Fatal(err)
		}
		got = append(got, recs[:keep]...)
		if g := recs[0].Headers[0].Value.Int64(); g != int64(life) {
			t.Errorf("life %d has task.generation %d", life, g)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
	for i := range got {
		if !got[i].Value.Equal(whole[i].Value) {
			t.Fatalf("record %d is %s, want %s as without restarts", i, got[i].Value, whole[i].Value)
		}
	}
}

func TestIterations(t *testing.T) {
	t.Parallel()
	s, err := conntest.StartSource(Source, connect.Props{keyTopic: "t", keyQuickstart: "orders", keyInterval: "0", keyIterations: "5"}, conntest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	recs, err := s.Poll(t.Context())
	if err != nil || len(recs) != 5 {
		t.Errorf("%d records, %v; want 5", len(recs), err)
	}
	const want = "Stopping connector: generated the configured 5 number of messages"
	for range 2 {
		if _, err := s.Poll(t.Context()); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("then %v, want %q at its end", err, want)
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	timer := time.NewTimer(0)
	if !randomPause(t.Context(), timer, time.Millisecond, 0) {
		t.Error("a pause of a millisecond did not come to its end")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 { // a random pause may be over at once
		if !randomPause(ctx, timer, time.Hour, 0) {
			return
		}
	}
	t.Error("pauses go on after their context has ended")
}

// Every quickstart makes records that are valid by their own schema and have the key that belongs to it.
func TestQuickstarts(t *testing.T) {
	t.Parallel()
	for _, q := range quickstart.All() {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			for i, r := range records(t, 1000, conntest.Options{}, connect.Props{keyQuickstart: strings.ToUpper(q.Name)}) {
				if err := r.Value.Struct().Validate(); err != nil {
					t.Fatalf("record %d %s: %v", i, r.Value, err)
				}
				key, err := r.Value.Struct().Get(q.KeyField)
				if err != nil || !r.Key.Equal(key) || r.Key.IsNull() {
					t.Fatalf("record %d has key %s, want %s of %s (%v)", i, r.Key, q.KeyField, r.Value, err)
				}
			}
		})
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		props connect.Props
		key   *data.Schema
		null  bool
	}{
		{connect.Props{keySchema: countSchema}, data.OptionalStringSchema, true},
		{connect.Props{keySchema: countSchema, keyField: "r"}, data.Int64Schema, false},
		{connect.Props{keyQuickstart: "users"}, data.StringSchema, false},
		{connect.Props{keyQuickstart: "users", keyField: "registertime"}, data.Int64Schema, false},
		{connect.Props{keyFile: "users_schema.avro"}, data.OptionalStringSchema, true},
	} {
		r := records(t, 1, conntest.Options{}, tc.props)[0]
		if !r.KeySchema.Equal(tc.key) || r.Key.IsNull() != tc.null {
			t.Errorf("%v: key %v of schema %v, want %v, null %v", tc.props, r.Key, r.KeySchema, tc.key, tc.null)
		}
	}
}

func TestSchemaFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "users_schema.avro")
	if err := os.WriteFile(path, []byte(countSchema), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := records(t, 1, conntest.Options{}, connect.Props{keyFile: path})[0].ValueSchema.Name(); got != "n.count" {
		t.Errorf("schema %s, want the file's and not the bundled one of the same name", got)
	}
}

// Each wrong configuration has one sentence on each key that is to blame.
func TestValidate(t *testing.T) {
	t.Parallel()
	const exclusive = "Exactly one of schema.string, schema.filename and quickstart must be set"
	shapes := []string{keySchema, keyFile, keyQuickstart}
	for _, tc := range []struct {
		props connect.Props
		keys  []string
		want  string
	}{
		{connect.Props{keyQuickstart: "Users"}, nil, ""},
		{connect.Props{keyFile: "pageviews_schema.avro"}, nil, ""},
		{connect.Props{}, shapes, exclusive},
		{connect.Props{keyQuickstart: "users", keyFile: "pageviews_schema.avro"}, []string{keyFile, keyQuickstart}, exclusive},
		{connect.Props{keyQuickstart: "user"}, []string{keyQuickstart}, "there is no such quickstart; did you mean users"},
		{connect.Props{keyFile: "/no/such/file"}, []string{keyFile}, "there is no such file on the worker, and no bundled schema of that name"},
		{connect.Props{keySchema: "{"}, []string{keySchema}, "Invalid value for configuration schema.string: "},
		{connect.Props{keySchema: `{"type":"record","name":"x","fields":[{"name":"f","type":"strin"}]}`}, []string{keySchema}, `"strin"`},
		{connect.Props{keySchema: `"string"`}, []string{keySchema}, "the schema must be a record"},
		{connect.Props{keyQuickstart: "users", keyField: "id"}, []string{keyField}, "there are gender, regionid, registertime, userid"},
		{connect.Props{keyQuickstart: "users", keyInterval: "often"}, []string{keyInterval}, "Not a number of type LONG"},
		{connect.Props{keyQuickstart: "users", keySeed: "x"}, []string{keySeed}, "Not a number of type LONG"},
		{connect.Props{keyQuickstart: "users", keyTopic: ""}, []string{keyTopic}, "kafka.topic"},
	} {
		props := connect.Props{keyTopic: "t"}
		for k, v := range tc.props {
			props[k] = v
		}
		var blamed []string
		for _, v := range new(connector).Validate(t.Context(), props) {
			for _, e := range v.Errors {
				blamed = append(blamed, v.Name)
				if !strings.Contains(e, tc.want) || strings.Contains(e, "\n") {
					t.Errorf("%v: %q, want one line with %q", tc.props, e, tc.want)
				}
			}
		}
		slices.Sort(blamed)
		want := slices.Clone(tc.keys)
		slices.Sort(want)
		if !slices.Equal(blamed, want) {
			t.Errorf("%v: errors on %v, want one on each of %v", tc.props, blamed, want)
		}
	}
}

func TestValidateShowsEveryKey(t *testing.T) {
	t.Parallel()
	var names []string
	for _, v := range new(connector).Validate(t.Context(), connect.Props{keyTopic: "t", keyQuickstart: "users"}) {
		names = append(names, v.Name)
		if v.Name == keyQuickstart && len(v.Recommended) != len(quickstart.All()) {
			t.Errorf("%d quickstarts recommended, want all", len(v.Recommended))
		}
	}
	want := []string{keyTopic, keyInterval, keyIterations, keySchema, keyFile, keyField, keyQuickstart, keySeed}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestStoredOffsetThatIsNone(t *testing.T) {
	t.Parallel()
	v, err := def.Parse(map[string]string{keyTopic: "t", keyQuickstart: "users"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		offset map[string]data.Value
		want   string
	}{
		{map[string]data.Value{}, "task.generation=null"},
		{map[string]data.Value{fieldGeneration: data.Int64(1), fieldIteration: data.String("9"), fieldSeed: data.Int64(1)}, "current.iteration=9"},
	} {
		m := data.NewMap(len(tc.offset))
		for k, v := range tc.offset {
			m.Put(data.String(k), v)
		}
		ctx := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
			Offsets: func(context.Context, []*connect.SourcePartition) ([]data.Value, error) {
				return []data.Value{m.Value()}, nil
			},
		})
		err := (&task{partition: ctx.Partition(map[string]any{keyTask: int64(0)})}).seed(t.Context(), ctx, v)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `{"task.id":0}`) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}
