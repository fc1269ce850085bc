package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
)

func offset(pairs ...any) data.Value {
	m := data.NewMap(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		v, err := scalarValue(pairs[i+1])
		if err != nil {
			panic(err)
		}
		m.Put(data.String(pairs[i].(string)), v)
	}
	return m.Value()
}

func open(t *testing.T, path string) *FileOffsets {
	t.Helper()
	f, err := OpenFileOffsets(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func get(t *testing.T, o Offsets, connector string, partition map[string]any) string {
	t.Helper()
	v, err := o.Get(t.Context(), connector, []map[string]any{partition})
	if err != nil {
		t.Fatal(err)
	}
	return v[0].String()
}

func TestFileOffsetsSurviveReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "offsets")
	f := open(t, path)
	a, b := map[string]any{"filename": "/tmp/a"}, map[string]any{"filename": "/tmp/b"}
	for _, set := range [][]OffsetChange{
		{{a, offset("position", int64(1))}, {b, offset("position", int64(2))}},
		{{a, offset("position", int64(3))}},
		{{b, data.Null}},
	} {
		if err := f.Set(t.Context(), "c", set); err != nil {
			t.Fatal(err)
		}
	}
	f = open(t, path)
	if got := get(t, f, "c", a); got != "{position=3}" {
		t.Errorf("offset of a: %s, want {position=3}", got)
	}
	if got := get(t, f, "c", b); got != "null" {
		t.Errorf("offset of b: %s, want null after its removal", got)
	}
	if got := get(t, f, "other", a); got != "null" {
		t.Errorf("offset of another connector: %s", got)
	}
	all, err := f.Partitions(t.Context(), "c")
	if err != nil || len(all) != 1 || all[0].Partition.String() != "{filename=/tmp/a}" {
		t.Errorf("partitions: %v, %v", all, err)
	}
	if left, _ := filepath.Glob(path + ".*"); left != nil {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestManyConnectorsCommitAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "offsets")
	f := open(t, path)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for n := range int64(20) {
				if err := f.Set(context.Background(), fmt.Sprint("c", i), []OffsetChange{{map[string]any{"i": i}, offset("n", n)}}); err != nil {
					t.Error(err)
				}
				// What was set is in the file when Set returns, whoever wrote it.
				if n == 19 {
					again, err := OpenFileOffsets(path)
					if err != nil {
						t.Error(err)
						return
					}
					if v, err := again.Get(context.Background(), fmt.Sprint("c", i), []map[string]any{{"i": i}}); err != nil || v[0].String() != "{n=19}" {
						t.Errorf("connector %d: the file has %v, %v; want n=19", i, v, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// javaFile is what the reference writes for one offset, byte for byte.
const javaFile = "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f" +
	"724900097468726573686f6c6478703f4000000000000c77080000001000000001757200025b42acf317f8060854e002" +
	"000078700000001d5b22737263222c7b2266696c656e616d65223a222f746d702f61227d5d7571007e0002000000107b" +
	"22706f736974696f6e223a3231307d78"

func TestFileOffsetsReadAndWriteTheReferencesBytes(t *testing.T) {
	t.Parallel()
	raw, err := hex.DecodeString(javaFile)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "offsets")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	if got := get(t, f, "src", map[string]any{"filename": "/tmp/a"}); got != "{position=210}" {
		t.Errorf("offset: %s, want {position=210}", got)
	}
	if got := encodeOffsetFile(f.merged(nil)); !bytes.Equal(got, raw) {
		t.Errorf("written again it is\n%x, want\n%x", got, raw)
	}
}

func TestOffsetFileForms(t *testing.T) {
	t.Parallel()
	for _, entries := range [][]indexEntry{
		{},
		{{[]byte("k"), nil}},
		{{[]byte{}, []byte{}}},
		{{nil, []byte("v")}},
		manyEntries(13),
		manyEntries(100),
	} {
		raw := encodeOffsetFile(entries)
		got, err := decodeOffsetFile(raw)
		if err != nil {
			t.Fatalf("%d entries: %v", len(entries), err)
		}
		if len(got) != len(entries) {
			t.Fatalf("%d entries came back, want %d", len(got), len(entries))
		}
		for i := range got {
			if diff := cmp.Diff(entries[i], got[i], cmp.AllowUnexported(indexEntry{})); diff != "" {
				t.Errorf("entry %d: %s", i, diff)
			}
		}
		for cut := range raw {
			if _, err := decodeOffsetFile(raw[:cut]); err == nil {
				t.Errorf("a file of %d entries cut to %d bytes was accepted", len(entries), cut)
			}
		}
	}
}

func manyEntries(n int) []indexEntry {
	var out []indexEntry
	for i := range n {
		out = append(out, indexEntry{[]byte{byte(i), byte(i >> 8)}, []byte{byte(i)}})
	}
	return out
}

func TestOffsetFileBackReference(t *testing.T) {
	t.Parallel()
	raw := encodeOffsetFile([]indexEntry{{[]byte("k"), nil}})
	raw = append(raw[:len(raw)-2], 0x71, 0x00, 0x7e, 0x00, 0x03, 0x78)
	got, err := decodeOffsetFile(raw)
	if err != nil || string(got[0].value) != "k" {
		t.Errorf("a reference to the first array: %v, %v; want the array again", got, err)
	}
}

func TestDamagedOffsetFileIsRefused(t *testing.T) {
	t.Parallel()
	good := encodeOffsetFile(manyEntries(3))
	for name, content := range map[string][]byte{
		"foreign":   []byte("position=5\n"),
		"cut off":   good[:len(good)-3],
		"other map": bytes.Replace(good, []byte("HashMap"), []byte("TreeMap"), 1),
		"bad tag":   append(bytes.Clone(good[:len(good)-1]), 0x7b),
	} {
		path := filepath.Join(t.TempDir(), "offsets")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenFileOffsets(path)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("%s: error %v, want one that names the file and says what to do", name, err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, content) {
			t.Errorf("%s: the damaged file was changed", name)
		}
	}
}

func TestOffsetFileInAnUnwritableFolder(t *testing.T) {
	t.Parallel()
	if _, err := OpenFileOffsets(filepath.Join(t.TempDir(), "absent", "offsets")); err == nil || !strings.Contains(err.Error(), "not writable") {
		t.Errorf("error %v, want one about the folder", err)
	}
}

func TestOffsetKeys(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		partition map[string]any
		want      string
	}{
		{nil, `["c",null]`},
		{map[string]any{"filename": nil}, `["c",{"filename":null}]`},
		// Java's HashMap gives these fields in this order, whatever the order of insertion.
		{map[string]any{"table": "t", "protocol": "1"}, `["c",{"protocol":"1","table":"t"}]`},
		{map[string]any{"topic": "t", "partition": int32(2), "cluster": "x"}, `["c",{"cluster":"x","partition":2,"topic":"t"}]`},
		{map[string]any{"sourceClusterAlias": "a", "targetClusterAlias": "b"}, `["c",{"sourceClusterAlias":"a","targetClusterAlias":"b"}]`},
		{map[string]any{"partition": 1, "topic": "t", "group": "g"}, `["c",{"partition":1,"topic":"t","group":"g"}]`},
	} {
		got, err := encodeKey("c", tc.partition)
		if err != nil || string(got) != tc.want {
			t.Errorf("key of %v: %s, %v; want %s", tc.partition, got, err, tc.want)
		}
	}
	if _, err := encodeKey("c", map[string]any{"x": []int{1}}); err == nil || !strings.Contains(err.Error(), "primitive") {
		t.Errorf("nested partition: %v, want an error", err)
	}
}

func TestKnownKeyBytesAreReused(t *testing.T) {
	t.Parallel()
	x := newIndex()
	key := []byte(`["c", {"table":"t", "protocol":"1"}]`)
	x.load(key, []byte(`{"n":1}`))
	partition := map[string]any{"protocol": "1", "table": "t"}
	if got := get(t, memory{x}, "c", partition); got != "{n=1}" {
		t.Errorf("offset under a differently ordered key: %s, want {n=1}", got)
	}
	changes, err := x.encode("c", []OffsetChange{{partition, offset("n", 2)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range changes {
		if !bytes.Equal(e.key, key) {
			t.Errorf("written under %s, want the key that was read: %s", e.key, key)
		}
	}
}

// memory is an index as a store.
type memory struct{ *index }

func (m memory) Set(_ context.Context, connector string, changes []OffsetChange) error {
	encoded, err := m.encode(connector, changes)
	m.apply(encoded)
	return err
}

func TestForeignKeysAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "offsets")
	foreign := []indexEntry{{[]byte("not json"), []byte("x")}, {[]byte(`["c",5]`), []byte("y")}}
	if err := os.WriteFile(path, encodeOffsetFile(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	if err := f.Set(t.Context(), "c", []OffsetChange{{map[string]any{"a": 1}, offset("n", 1)}}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range foreign {
		if !bytes.Contains(raw, e.key) {
			t.Errorf("the entry %q is gone", e.key)
		}
	}
}

func TestOffsetsThatCannotBeStored(t *testing.T) {
	t.Parallel()
	nested := data.NewMap(1)
	nested.Put(data.String("f"), data.Array(nil))
	numbered := data.NewMap(1)
	numbered.Put(data.Int32(1), data.Int32(1))
	for want, v := range map[string]data.Value{
		"Offsets may only contain primitive types as values, but field f contains ARRAY": nested.Value(),
		"Offsets may only use String keys":                                               numbered.Value(),
		"Offsets must be specified as a Map":                                             data.Int64(3),
		"Offsets must be specified as a Map\x00":                                         data.String("x"),
	} {
		err := open(t, filepath.Join(t.TempDir(), "o")).Set(t.Context(), "c", []OffsetChange{{nil, v}})
		if err == nil || err.Error() != strings.TrimRight(want, "\x00") {
			t.Errorf("offset %s: error %v, want %s", v, err, want)
		}
	}
}

func FuzzOffsetFile(f *testing.F) {
	f.Add(encodeOffsetFile(nil))
	f.Add(encodeOffsetFile(manyEntries(3)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, err := decodeOffsetFile(raw)
		if err != nil {
			return
		}
		again, err := decodeOffsetFile(encodeOffsetFile(entries))
		if err != nil || len(again) != len(entries) {
			t.Errorf("%d entries, written and read again: %d, %v", len(entries), len(again), err)
		}
	})
}
