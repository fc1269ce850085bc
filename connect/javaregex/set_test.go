package javaregex

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestSet(t *testing.T) {
	t.Parallel()
	s := newSet(span{'d', 'f'}, span{'a', 'b'}, span{'c', 'c'}, span{'x', 'z'})
	want := set{{'a', 'f'}, {'x', 'z'}}
	for name, c := range map[string]struct{ got, want set }{
		"new":       {s, want},
		"union":     {s.union(single('g'), single('h')), set{{'a', 'h'}, {'x', 'z'}}},
		"negate":    {s.negate(), set{{0, '`'}, {'g', 'w'}, {'{', unicode.MaxRune}}},
		"twice":     {s.negate().negate(), want},
		"intersect": {s.intersect(set{{'b', 'd'}, {'f', 'y'}}), set{{'b', 'd'}, {'f', 'f'}, {'x', 'y'}}},
		"minus":     {s.minus(set{{'b', 'y'}}), set{{'a', 'a'}, {'z', 'z'}}},
		"all":       {set(nil).negate(), set{{0, unicode.MaxRune}}},
		"surrogate": {set{{0xD000, 0xD900}, {0xDA00, 0xDB00}, {0xDFFF, 0xE001}}.withoutSurrogates(), set{{0xD000, 0xD7FF}, {0xE000, 0xE001}}},
	} {
		if diff := cmp.Diff(c.want, c.got, cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for r, want := range map[rune]bool{'a': true, 'f': true, 'g': false, 'w': false, 'x': true, 0: false} {
		if got := s.contains(r); got != want {
			t.Errorf("contains(%q) = %v", r, got)
		}
	}
}

func TestEmitSet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  set
		want string
	}{
		{single('a'), "a"},
		{single('.'), `\x{2e}`},
		{set{{'a', 'b'}}, "[ab]"},
		{set{{'a', 'c'}, {'-', '-'}}, `[a-c\x{2d}]`},
		{nil, `[^\x{0}-\x{10ffff}]`},
		{set{{0xD800, 0xDFFF}}, `[^\x{0}-\x{10ffff}]`},
	} {
		var out strings.Builder
		c.set.emit(&out)
		if out.String() != c.want {
			t.Errorf("%v is written %s, want %s", c.set, &out, c.want)
		}
	}
}
