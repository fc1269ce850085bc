package data_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
)

// build makes a value of all parts of a slab.
func build(s *data.Slab, i int) data.Value {
	st := s.Struct(structAB)
	st.Set(0, data.Int32(int32(i)))
	st.Set(1, s.String([]byte(fmt.Sprint("text", i))))
	vs := s.Values(3)
	vs[0], vs[1] = st.Value(), data.Bytes(s.Copy([]byte{byte(i), 2}))
	m := s.Map(2)
	m.Put(data.String("k"), data.Array(vs))
	m.Put(s.String([]byte("i")), data.Int64(int64(i)))
	n := s.MapOf(m.Entries()[1:])
	n.Put(data.String("m"), m.Value())
	return n.Value()
}

func textOf(i int) string {
	return fmt.Sprintf("{i=%[1]d, m={k=[Struct{a=%[1]d,b=text%[1]d}, %[2]s, null], i=%[1]d}}", i, data.Bytes([]byte{byte(i), 2}))
}

// TestSlab checks that what a slab hands out never overlaps, with and without a slab, over many chunks and rounds.
func TestSlab(t *testing.T) {
	t.Parallel()
	var slab data.Slab
	for round := range 4 {
		for _, s := range []*data.Slab{&slab, nil} {
			var got, want []string
			vs := make([]data.Value, 5000)
			for i := range vs {
				vs[i] = build(s, i)
			}
			for i, v := range vs {
				got, want = append(got, v.String()), append(want, textOf(i))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("round %d: (-want +got)\n%.2000s", round, diff)
			}
		}
		slab.Reset()
	}
}

// TestSlabIsClean checks that memory comes back empty after a reset.
func TestSlabIsClean(t *testing.T) {
	t.Parallel()
	var slab data.Slab
	for range 3 {
		for i := range 10_000 {
			vs, b, m, st := slab.Values(2), slab.Bytes(7), slab.Map(2), slab.Struct(structAB)
			if !vs[0].IsNull() || !vs[1].IsNull() || m.Len() != 0 || !st.At(0).IsNull() || !st.At(1).IsNull() {
				t.Fatalf("piece %d is not empty", i)
			}
			for _, c := range b {
				if c != 0 {
					t.Fatalf("piece %d has the byte %d", i, c)
				}
			}
			vs[0], vs[1] = data.Int8(1), data.String("x")
			st.Set(0, data.Int32(1))
			st.Set(1, data.String("x"))
			for k := range 12 {
				m.Put(data.Int64(int64(k)), data.Int8(1))
			}
			copy(b, "1234567")
		}
		slab.Reset()
	}
}

func TestSlabPiecesDoNotGrow(t *testing.T) {
	t.Parallel()
	var slab data.Slab
	first := slab.Values(2)
	first = append(first, data.Int8(1))
	if second := slab.Values(1); !second[0].IsNull() || len(first) != 3 {
		t.Error("appending to one piece writes into the next")
	}
	if b := slab.Bytes(0); len(b) != 0 {
		t.Errorf("%d bytes, want none", len(b))
	}
	if big := slab.Bytes(1 << 20); len(big) != 1<<20 {
		t.Errorf("%d bytes, want a piece larger than a chunk", len(big))
	}
}

// TestSlabSettles checks that a slab in use does not allocate any more.
func TestSlabSettles(t *testing.T) {
	var slab data.Slab
	round := func() {
		for range 8_000 {
			slab.Values(3)
			slab.Struct(structAB)
			slab.Map(2)
			slab.Bytes(20)
		}
		slab.Reset()
	}
	round()
	round()
	if n := testing.AllocsPerRun(5, round); n > 0 {
		t.Errorf("%v allocations a round", n)
	}
}
