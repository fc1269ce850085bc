package file

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// feed puts text into the buffer in pieces of n bytes and returns the lines as they come, and what is left.
func feed(b *lineBuffer, text string, n int) (lines []string, rest string) {
	for in := []byte(text); len(in) > 0; {
		k := copy(b.space(), in[:min(n, len(in))])
		b.added(k)
		in = in[k:]
		for {
			s, ok := b.line()
			if !ok {
				break
			}
			lines = append(lines, string(b.buf[s.start:s.end]))
		}
	}
	return lines, string(b.buf[b.next:b.to])
}

// split is feed in the obvious way.
func split(text string) (lines []string, rest string) {
	for {
		i := strings.IndexAny(text, "\r\n")
		if i < 0 || i == len(text)-1 && text[i] == '\r' {
			return lines, text
		}
		lines = append(lines, text[:i])
		if strings.HasPrefix(text[i:], "\r\n") {
			i++
		}
		text = text[i+1:]
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*readSize)
	for _, tc := range []struct {
		name, text string
		want       []string
		rest       string
	}{
		{"nothing", "", nil, ""},
		{"LF", "a\nbc\n", []string{"a", "bc"}, ""},
		{"CR LF", "a\r\nbc\r\n", []string{"a", "bc"}, ""},
		{"CR", "a\rbc\rd", []string{"a", "bc"}, "d"},
		{"CR at the end waits", "a\nb\r", []string{"a"}, "b\r"},
		{"only a CR", "\r", nil, "\r"},
		{"two CR", "\r\r", []string{""}, "\r"},
		{"CR CR LF", "a\r\r\n", []string{"a", ""}, ""},
		{"LF CR", "a\n\rb\n", []string{"a", "", "b"}, ""},
		{"mixed", "a\nb\rc\r\nd\n", []string{"a", "b", "c", "d"}, ""},
		{"empty lines", "\n\n\r\n\n", []string{"", "", "", ""}, ""},
		{"no terminator", "abc", nil, "abc"},
		{"long line", long + "\nshort\n", []string{long, "short"}, ""},
		{"long line without end", "a\n" + long, []string{"a"}, long},
		{"other separators of Unicode are text", "a\u0085b\u2028c\vd\n", []string{"a\u0085b\u2028c\vd"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1, 2, 3, 1000, readSize, 1 << 30} {
				if n < 1000 && len(tc.text) > readSize {
					continue
				}
				lines, rest := feed(new(lineBuffer), tc.text, n)
				if !slices.Equal(tc.want, lines) || rest != tc.rest {
					t.Errorf("in pieces of %d: %d lines and rest of %d bytes, want %d and %d", n, len(lines), len(rest), len(tc.want), len(tc.rest))
				}
			}
		})
	}
}

func FuzzLines(f *testing.F) {
	f.Add("a\r\nb\rc\n\r\r\n", 1)
	f.Add("\r\n", 2)
	f.Fuzz(func(t *testing.T, text string, n int) {
		want, rest := split(text)
		got, gotRest := feed(new(lineBuffer), text, max(n, 1))
		if diff := cmp.Diff(want, got); diff != "" || rest != gotRest {
			t.Errorf("%q in pieces of %d: rest %q, want %q; lines (-want +got):\n%s", text, n, gotRest, rest, diff)
		}
	})
}

// TestBufferShrinks feeds a long line and then short ones.
func TestBufferShrinks(t *testing.T) {
	t.Parallel()
	b := new(lineBuffer)
	feed(b, strings.Repeat("x", 4*keepSize)+"\na\nb", 1<<30)
	if len(b.buf) <= keepSize {
		t.Fatalf("buffer has %d bytes, the line is longer", len(b.buf))
	}
	_, rest := feed(b, "c", 1)
	if len(b.buf) != readSize || rest != "bc" {
		t.Errorf("buffer has %d bytes and %q pending, want %d and %q", len(b.buf), rest, readSize, "bc")
	}
}

// TestDecode has what JDK 17 makes of these bytes when it reads a line as UTF-8.
func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{"plain", "plain"},
		{"ä€😀", "ä€😀"},
		{"a\x80b", "a\uFFFDb"},
		{"\xff\xfe", "\uFFFD\uFFFD"},
		{"\xc0\xaf", "\uFFFD\uFFFD"},
		{"\xc3", "\uFFFD"},
		{"\xc3A", "\uFFFDA"},
		{"\xe2\x82", "\uFFFD"},
		{"\xe2\x82A", "\uFFFDA"},
		{"\xe0\x80\xaf", "\uFFFD\uFFFD\uFFFD"},
		{"\xed\xa0\x80", "\uFFFD"},
		{"\xed\xa0", "\uFFFD"},
		{"\xf0\x9f\x98", "\uFFFD"},
		{"\xf0\x9f\x98x", "\uFFFDx"},
		{"\xf0\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"\xf5\x80", "\uFFFD\uFFFD"},
		{"\uFFFD", "\uFFFD"},
	} {
		if got := string(appendDecoded(nil, []byte(tc.in))); got != tc.want {
			t.Errorf("%q decodes to %q, want %q", tc.in, got, tc.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xe2\x82A"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := appendDecoded(nil, b)
		if want := bytes.ToValidUTF8(got, nil); !bytes.Equal(got, want) {
			t.Errorf("%q decodes to %q, which is not UTF-8", b, got)
		}
		if bytes.Equal(b, bytes.ToValidUTF8(b, nil)) && !bytes.Equal(got, b) {
			t.Errorf("%q decodes to %q", b, got)
		}
	})
}
