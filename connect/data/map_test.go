package data_test

import (
	"fmt"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

// TestMapSizes goes past the size from which a map has an index.
func TestMapSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 7, 8, 9, 10, 100} {
		m := data.NewMap(0)
		for i := range size {
			m.Put(data.String(fmt.Sprint("k", i)), data.Int64(int64(i)))
			if v, ok := m.Get(data.String(fmt.Sprint("k", i/2))); !ok || v.Int64() != int64(i/2) {
				t.Fatalf("size %d: entry %d is %v", i+1, i/2, v)
			}
		}
		for i := range size {
			m.Put(data.String(fmt.Sprint("k", i)), data.Int64(int64(-i)))
		}
		if m.Len() != size {
			t.Fatalf("size %d after replacing all of %d", m.Len(), size)
		}
		for i, e := range m.Entries() {
			if e.Key.Str() != fmt.Sprint("k", i) || e.Value.Int64() != int64(-i) || m.GetString(e.Key.Str()).Int64() != int64(-i) {
				t.Fatalf("size %d: entry %d is %v=%v", size, i, e.Key, e.Value)
			}
		}
		if v := m.GetString("x"); !v.IsNull() {
			t.Errorf("size %d: %v for a key that is not there", size, v)
		}
	}
}

func TestMapAppend(t *testing.T) {
	t.Parallel()
	m := data.NewMap(0)
	for i := range 30 {
		m.Append(data.Int64(int64(i)), data.Int64(int64(i)))
		if _, ok := m.Get(data.Int64(int64(i))); !ok {
			t.Fatalf("entry %d is not found", i)
		}
	}
}

func TestMapEqual(t *testing.T) {
	t.Parallel()
	forward, backward := data.NewMap(20), data.NewMap(20)
	for i := range 20 {
		forward.Put(data.Int64(int64(i)), data.Int8(1))
		backward.Put(data.Int64(int64(19-i)), data.Int8(1))
	}
	if !forward.Value().Equal(backward.Value()) {
		t.Error("the order of entries counts")
	}
	backward.Put(data.Int64(0), data.Int8(2))
	if forward.Value().Equal(backward.Value()) {
		t.Error("values do not count")
	}
	backward.Put(data.Int64(0), data.Int8(1))
	backward.Put(data.Int64(20), data.Int8(1))
	if forward.Value().Equal(backward.Value()) {
		t.Error("further entries do not count")
	}
}
