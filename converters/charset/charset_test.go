package charset

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// TestDecode compares with what new String(bytes, charset) gives in Java.
func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		charset  *Charset
		in, want string
	}{
		{UTF8, "", ""},
		{UTF8, "aé€😀", "aé€😀"},
		{UTF8, "\xff\xfea", "��a"},
		{UTF8, "\x9fA\xc1\xac\xbf\xc0\xc3\xfe", "�A������"},
		{UTF8, "\xe2\x82A", "�A"},
		{UTF8, "\xe2\x82", "�"},
		{UTF8, "\xe0\x80\x80", "���"},
		{UTF8, "\xe0\xa0", "�"},
		{UTF8, "\xf0\x90\x8fA", "�A"},
		{UTF8, "\xf0\x80\x80\x80", "����"},
		{UTF8, "\xf4\x8f\xbf", "�"},
		{UTF8, "\xf4\x90\x80\x80", "����"},
		{UTF8, "\xf1\x80\x80", "�"},
		{UTF8, "\xf5\x80", "��"},
		{UTF8, "\xed\xa0\x80", "�"},
		{UTF8, "\xc3", "�"},
		{ASCII, "a\x7f\x80\xff", "a\x7f��"},
		{Latin1, "caf\xe9\x80", "café\u0080"},
		{UTF16, "", ""},
		{UTF16, "\x00a\x20\xac", "a€"},
		{UTF16, "\xfe\xff\x00a", "a"},
		{UTF16, "\xff\xfea\x00\xfe\xff", "a\ufffe"},
		{UTF16, "\xfe\xff", ""},
		{UTF16BE, "\xfe\xff\x00a", "\ufeffa"},
		{UTF16BE, "\xd8\x3d\xde\x00", "😀"},
		{UTF16BE, "\xd8\x3d\x00a\x00b", "�b"},
		{UTF16BE, "\xde\x00\x00b", "�b"},
		{UTF16BE, "\x00b\xd8\x3d\x00", "b�"},
		{UTF16BE, "\x00b\x00", "b�"},
		{UTF16LE, "\xff\xfea\x00", "\ufeffa"},
		{UTF16LE, "\x3d\xd8\x00\xde", "😀"},
	} {
		if got := tt.charset.AppendDecoded([]byte("<"), []byte(tt.in)); string(got) != "<"+tt.want {
			t.Errorf("%s %x: %q, want %q", tt.charset, tt.in, got[1:], tt.want)
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		charset  *Charset
		in, want string
	}{
		{UTF8, "aé€😀", "aé€😀"},
		{UTF8, "a\xff", "a�"},
		{ASCII, "a\x7fé😀b", "a\x7f??b"},
		{Latin1, "café\u00ffĀ😀b", "caf\xe9\xff??b"},
		{UTF16, "", ""},
		{UTF16, "a😀", "\xfe\xff\x00a\xd8\x3d\xde\x00"},
		{UTF16BE, "a€", "\x00a\x20\xac"},
		{UTF16LE, "a😀", "a\x00\x3d\xd8\x00\xde"},
	} {
		if got := tt.charset.AppendEncoded([]byte("<"), []byte(tt.in)); string(got) != "<"+tt.want {
			t.Errorf("%s %q: %x, want %x", tt.charset, tt.in, got[1:], tt.want)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]*Charset{
		"UTF-8": UTF8, "utf8": UTF8, "Unicode-1-1-UTF-8": UTF8, "us-ascii": ASCII, "Default": ASCII, "646": ASCII,
		"latin1": Latin1, "ISO_8859-1:1987": Latin1, "8859_1": Latin1, "UnicodeBig": UTF16, "unicode": UTF16,
		"ISO-10646-UCS-2": UTF16BE, "x-utf-16le": UTF16LE, "UnicodeLittleUnmarked": UTF16LE,
		"nope": nil, "": nil, " UTF-8": nil, "UTF 8": nil, "ISO_8859_1:1987": nil,
	} {
		if got, ok := Lookup(name); got != want || ok != (want != nil) {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xe2\x82A\xf0\x90\xd8\x3d"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for c := range aliases {
			text := c.AppendDecoded(nil, raw)
			if !utf8.Valid(text) {
				t.Errorf("%s %x: %x is not UTF-8", c, raw, text)
			}
		}
		if utf8.Valid(raw) && !bytes.Equal(UTF8.AppendDecoded(nil, raw), raw) {
			t.Errorf("%q was changed", raw)
		}
	})
}
