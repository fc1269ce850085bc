package config

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// The expected entries are those that java.util.Properties of OpenJDK 17 reads
// from the same bytes.
func TestReadProperties(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []Property
	}{
		{"", nil},
		{"a=b", []Property{{"a", "b", 1}}},
		{"a = b \n", []Property{{"a", "b ", 1}}},
		{"a:b\rc d\r\ne\tf", []Property{{"a", "b", 1}, {"c", "d", 2}, {"e", "f", 3}}},
		{" \t\f a \t:\f = b", []Property{{"a", "= b", 1}}},
		{"a", []Property{{"a", "", 1}}},
		{"a==b", []Property{{"a", "=b", 1}}},
		{"=b", []Property{{"", "b", 1}}},
		{"# c\n  ! d\n\n \n#e\\\na=b#c", []Property{{"a", "b#c", 6}}},
		{"a=b\\\n   c\\\r\n d\nx=y", []Property{{"a", "bcd", 1}, {"x", "y", 4}}},
		{"a=b\\\n\nc=d", []Property{{"a", "b", 1}, {"c", "d", 3}}},
		{"a=b\\\n#c", []Property{{"a", "b#c", 1}}},
		{"\\\n#c\na", []Property{{"a", "", 3}}},
		{"a=b\\\\\nc=d", []Property{{"a", `b\`, 1}, {"c", "d", 2}}},
		{"a=b\\", []Property{{"a", "b", 1}}},
		{"\\", []Property{{"", "", 1}}},
		{"\\\n", []Property{{"", "", 1}}},
		{"\\\r\n", nil},
		{`a\ b\:c\=d=e\ f`, []Property{{"a b:c=d", "e f", 1}}},
		{`k=\t\n\r\f\q\"\\`, []Property{{"k", "\t\n\r\fq\"\\", 1}}},
		{`\u0041\u00e9=\u4E2D\ud83d\ude00`, []Property{{"A\u00e9", "\u4e2d\U0001f600", 1}}},
		{`k=\ud83dx\ude00`, []Property{{"k", "\ufffdx\ufffd", 1}}},
		{"k=\xe9\x85\xa0", []Property{{"k", "\u00e9\u0085\u00a0", 1}}},
		{"k=\xc3\xa9", []Property{{"k", "\u00c3\u00a9", 1}}},
		{"k=${file:/a/b.properties:x}${env:Y}", []Property{{"k", "${file:/a/b.properties:x}${env:Y}", 1}}},
		{"k=1\nl=2\nk=3", []Property{{"k", "1", 1}, {"l", "2", 2}, {"k", "3", 3}}},
	} {
		p, err := ReadProperties(strings.NewReader(c.text))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, p.Entries); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestReadPropertiesUTF8(t *testing.T) {
	t.Parallel()
	p, err := ReadPropertiesUTF8(strings.NewReader("\u00e9=\U0001f600\\u0041\xff"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Property{{"\u00e9", "\U0001f600A\ufffd", 1}}, p.Entries); diff != "" {
		t.Error(diff)
	}
}

func TestReadPropertiesErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"a=b\n\nc=\\u12", `read properties: line 3: Malformed \uxxxx encoding.`},
		{"a\\uzzzz=b", `read properties: line 1: Malformed \uxxxx encoding.`},
		{"# x\na=\\ud83d\\u12", `read properties: line 2: Malformed \uxxxx encoding.`},
		{"a=\\u00 1", `read properties: line 1: Malformed \uxxxx encoding.`},
		{"a=\\u00\x101", `read properties: line 1: Malformed \uxxxx encoding.`},
	} {
		_, err := ReadProperties(strings.NewReader(c.text))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.text, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := ReadProperties(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := ReadPropertiesUTF8(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestPropertiesViews(t *testing.T) {
	t.Parallel()
	p, err := ReadProperties(strings.NewReader("b=1\na=2\nb=3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "a"}, p.Keys()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "2", "b": "3"}, p.Map()); diff != "" {
		t.Error(diff)
	}
	if v, ok := p.Get("b"); !ok || v != "3" {
		t.Errorf("b = %q, %v", v, ok)
	}
	if v, ok := p.Get("c"); ok {
		t.Errorf("c = %q", v)
	}
}

func TestWriteProperties(t *testing.T) {
	t.Parallel()
	p := &Properties{Entries: []Property{
		{Key: "a b:c=d#!", Value: " x y#!=: "},
		{Key: "", Value: ""},
		{Key: "k", Value: "\t\n\r\f\\\u00e9\U0001f600\x00~"},
		{Key: "ref", Value: "${env:X}"},
	}}
	var out bytes.Buffer
	if err := WriteProperties(&out, p); err != nil {
		t.Fatal(err)
	}
	want := `a\ b\:c\=d\#\!=\ x y#!=: ` + "\n=\n" + `k=\t\n\r\f\\\u00E9\uD83D\uDE00\u0000~` + "\nref=${env:X}\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if err := WriteProperties(failWriter{}, p); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

var errFull = errors.New("full")

type failWriter struct{}

func (failWriter) Write([]byte) (int, error) { return 0, errFull }

func FuzzProperties(f *testing.F) {
	for _, s := range []string{"a=b", "a\\\n  b:c", "\\u00e9 \\ud83d\\ude00", "#c\n!d\n\\\n", "\xff=\\", " = ", "a\\ b=\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, read := range []func([]byte) (*Properties, error){
			func(b []byte) (*Properties, error) { return ReadProperties(bytes.NewReader(b)) },
			func(b []byte) (*Properties, error) { return ReadPropertiesUTF8(bytes.NewReader(b)) },
		} {
			p, err := read(raw)
			if err != nil {
				continue
			}
			checkRoundTrip(t, p)
		}
		if utf8.Valid(raw) {
			half := len(raw) / 2
			key := strings.ToValidUTF8(string(raw[:half]), "")
			checkRoundTrip(t, &Properties{Entries: []Property{{Key: key, Value: string(raw)}}})
		}
	})
}

func checkRoundTrip(t *testing.T, p *Properties) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteProperties(&out, p); err != nil {
		t.Fatal(err)
	}
	again, err := ReadProperties(&out)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Entries) != len(p.Entries) {
		t.Fatalf("%d entries, want %d", len(again.Entries), len(p.Entries))
	}
	for i, e := range p.Entries {
		if a := again.Entries[i]; a.Key != e.Key || a.Value != e.Value {
			t.Fatalf("entry %d is %q=%q, want %q=%q", i, a.Key, a.Value, e.Key, e.Value)
		}
	}
}
