package data

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func TestASCII(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		b := bytes.Repeat([]byte{0x7f}, n)
		if !ascii(b) {
			t.Errorf("%d bytes of 0x7f are ASCII", n)
		}
		for i := range b {
			b[i] = 0x80
			if ascii(b) {
				t.Errorf("%d bytes with 0x80 at %d are not ASCII", n, i)
			}
			b[i] = 0x7f
		}
	}
}

func TestValidUTF8(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "größe", "水🙂", "\xff", "\xc3", "a\xed\xa0\x80b", string(bytes.Repeat([]byte("x"), 40)) + "\x80"} {
		if got, want := ValidUTF8([]byte(s)), utf8.ValidString(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
