package group

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bytesOf reads hexadecimal digits with blanks between fields.
func bytesOf(tb testing.TB, text string) []byte {
	tb.Helper()
	return unhex(tb, strings.Join(strings.Fields(text), ""))
}

func TestMetadataBytes(t *testing.T) {
	t.Parallel()
	own := &Assignment{
		Version: Compatible, LeaderID: "l", LeaderURL: "u", Offset: 4,
		Assigned: []Item{{"c", 1}, {"d", ConnectorItem}, {"c", 0}},
	}
	for _, c := range []struct {
		name string
		m    Metadata
		want string
	}{
		{"eager", Metadata{Version: Eager, URL: "u", Offset: 1, Allocation: own}, "0000 0001 75 0000000000000001"},
		{"nothing owned", Metadata{Version: Sessioned, URL: "http://127.0.0.1:8131/", Offset: -1}, "0002 0016 687474703a2f2f3132372e302e302e313a383133312f ffffffffffffffff ffffffff"},
		{"items of a connector together", Metadata{Version: Compatible, URL: "u", Offset: 5, Allocation: own}, `
			0001 0001 75 0000000000000005 00000038
			0001 0000 0001 6c 0001 75 0000000000000004
			00000002 0001 63 00000002 00000001 00000000 0001 64 00000001 ffffffff
			00000000 00000000`},
	} {
		if got := c.m.Append(nil); !bytes.Equal(got, bytesOf(t, c.want)) {
			t.Errorf("%s: %x, want %s", c.name, got, c.want)
		}
	}
}

func TestAssignmentBytes(t *testing.T) {
	t.Parallel()
	a := Assignment{
		Error: ConfigMismatch, LeaderID: "l", LeaderURL: "u", Offset: 4,
		Assigned: []Item{{"c", 0}}, Revoked: []Item{{"d", ConnectorItem}}, Delay: 3 * time.Second,
	}
	const assigned = "0001 0001 6c 0001 75 0000000000000004  00000001 0001 63 00000001 00000000"
	for v, want := range map[Version]string{
		Eager:      "0000" + assigned,
		Compatible: "0001" + assigned + "00000001 0001 64 00000001 ffffffff 00000bb8",
		Sessioned:  "0002" + assigned + "00000001 0001 64 00000001 ffffffff 00000bb8",
	} {
		a.Version = v
		if got := a.Append(nil); !bytes.Equal(got, bytesOf(t, want)) {
			t.Errorf("%v: %x, want %s", v, got, want)
		}
	}
}

// TestEncodeTooMuch wants bytes that can be read again from values that have no place in them.
func TestEncodeTooMuch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", math.MaxInt16+1)
	a := Assignment{
		Version: Sessioned, LeaderID: long, Assigned: []Item{{long, 0}, {long[1:], 1}, {"c", 2}}, Delay: math.MaxInt64,
	}
	got, err := ParseAssignment(a.Append(nil))
	want := Assignment{
		Version: Sessioned, LeaderID: long[1:], Assigned: []Item{{long[1:], 1}, {"c", 2}},
		Delay: math.MaxInt32 * time.Millisecond,
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

func TestParseLeniently(t *testing.T) {
	t.Parallel()
	const head = "0000 0001 6c 0001 75 0000000000000004"
	like := Assignment{LeaderID: "l", LeaderURL: "u", Offset: 4}
	with := func(v Version, change func(*Assignment)) Assignment {
		a := like
		a.Version = v
		change(&a)
		return a
	}
	same := func(*Assignment) {}
	for _, c := range []struct {
		name, raw string
		want      Assignment
	}{
		{"lists and delay missing", "0002" + head, with(Sessioned, same)},
		{"null assigned, rest missing", "0001" + head + "ffffffff", with(Compatible, same)},
		{"null lists", "0001" + head + "ffffffff ffffffff 00000007", with(Compatible, func(a *Assignment) { a.Delay = 7 * time.Millisecond })},
		{"null tasks", "0001" + head + "00000001 0001 63 ffffffff 00000000 00000000", with(Compatible, same)},
		{"version from the future", "0009" + head + "00000001 0001 63 00000001 00000003 00000000 00000000 0a0b", with(9, func(a *Assignment) { a.Assigned = []Item{{"c", 3}} })},
		{"newer fields in version 0", "0000" + head + "00000000 00000001 0001 63 00000001 00000003 00000001", with(Eager, func(a *Assignment) {
			a.Revoked, a.Delay = []Item{{"c", 3}}, time.Millisecond
		})},
	} {
		got, err := ParseAssignment(bytesOf(t, c.raw))
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, d)
		}
	}
	for name, raw := range map[string]string{
		"allocation missing": "0002 0001 75 0000000000000005",
		"allocation null":    "0002 0001 75 0000000000000005 ffffffff",
	} {
		got, err := ParseMetadata(bytesOf(t, raw))
		if d := cmp.Diff(Metadata{Version: Sessioned, URL: "u", Offset: 5}, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}

// TestParseTruncated cuts messages: short of where fields may be missing, they are refused.
func TestParseTruncated(t *testing.T) {
	t.Parallel()
	a := Assignment{Version: Compatible, LeaderID: "l", LeaderURL: "u", Assigned: []Item{{"c", 0}}, Revoked: []Item{{"d", 1}}}
	raw := a.Append(nil)
	ends := map[int]bool{18: true, 18 + 15: true, 18 + 30: true, len(raw): true}
	for n := range len(raw) + 1 {
		if _, err := ParseAssignment(raw[:n]); (err == nil) != ends[n] {
			t.Errorf("%d bytes of the assignment: %v", n, err)
		}
	}
	m := Metadata{Version: Compatible, URL: "u", Allocation: &a}
	raw = m.Append(nil)
	ends = map[int]bool{13: true, len(raw): true}
	for n := range len(raw) + 1 {
		if _, err := ParseMetadata(raw[:n]); (err == nil) != ends[n] {
			t.Errorf("%d bytes of the metadata: %v", n, err)
		}
	}
}

// TestParseHostile is not parallel, as it counts allocations.
func TestParseHostile(t *testing.T) {
	const head = "0001 0000 0000 0000 0000000000000000"
	for name, raw := range map[string]string{
		"negative version":              "ffff 0000 0000 0000 0000000000000000 00000000 00000000 00000000",
		"negative length of a string":   "0001 0000 ffff",
		"more items than bytes":         head + "7fffffff 0000 00000000",
		"more tasks than bytes":         head + "00000001 0001 63 7fffffff 00000000",
		"as many items as bytes":        head + "00000006 0000 00000000",
		"a string longer than the rest": "0001 0000 7fff 00",
	} {
		b := bytesOf(t, raw)
		if allocs := testing.AllocsPerRun(1, func() { _, _ = ParseAssignment(b) }); allocs > 20 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
		if a, err := ParseAssignment(b); err == nil {
			t.Errorf("%s: %v", name, a)
		}
	}
	for name, raw := range map[string]string{
		"negative version":                   "8000 0000 0000000000000000 ffffffff",
		"an allocation longer than the rest": "0001 0000 0000000000000000 7fffffff 00",
		"an empty allocation":                "0001 0000 0000000000000000 00000000",
		"an allocation of version -1":        "0001 0000 0000000000000000 00000002 ffff",
	} {
		if m, err := ParseMetadata(bytesOf(t, raw)); err == nil {
			t.Errorf("%s: %v", name, m)
		}
	}
	if _, err := ParseMetadata(nil); !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "metadata of a worker: unexpected EOF" {
		t.Errorf("nothing: %v", err)
	}
}

func FuzzParseMetadata(f *testing.F) {
	for _, e := range goldenEncoded(f, "metadata") {
		f.Add(e.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseMetadata(raw)
		if err != nil {
			return
		}
		checkStable(t, m, ParseMetadata)
	})
}

func FuzzParseAssignment(f *testing.F) {
	for _, e := range goldenEncoded(f, "assignment") {
		f.Add(e.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ParseAssignment(raw)
		if err != nil {
			return
		}
		if size := len(raw) / taskSize; len(a.Assigned)+len(a.Revoked) > size {
			t.Fatalf("%d items from %d bytes", len(a.Assigned)+len(a.Revoked), len(raw))
		}
		checkStable(t, a, ParseAssignment)
	})
}

// checkStable encodes what came from somewhere, and wants the same bytes after decoding them and encoding again.
func checkStable[M interface{ Append(dst []byte) []byte }](t *testing.T, m M, parse func([]byte) (M, error)) {
	t.Helper()
	first := m.Append(nil)
	again, err := parse(first)
	if err != nil {
		t.Fatalf("%x: %v", first, err)
	}
	if second := again.Append(nil); !bytes.Equal(first, second) {
		t.Fatalf("encoded\n%s\nand then\n%s", hex.EncodeToString(first), hex.EncodeToString(second))
	}
}
