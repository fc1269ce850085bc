package generator

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// withOptions returns a schema of the type with those options.
func withOptions(typ, options string) string {
	return strings.TrimSuffix(typ, "}") + `, "arg.properties": {"options": ` + options + `}}`
}

// seen returns the different values of many, rendered, with the schema of each checked.
func seen(t *testing.T, schema string) map[string]bool {
	t.Helper()
	shape := mustParse(t, schema)
	g, out := shape.New(random.New(1)), map[string]bool{}
	for range 200 {
		v := g.Next(nil)
		if err := data.ValidateValue("", shape.Schema(), v); err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		out[render(v)] = true
	}
	return out
}

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ, options string
		want         map[string]bool
	}{
		{`{"type": "boolean"}`, `[true]`, set("true")},
		{`{"type": "int"}`, `[1, -2]`, set("1", "-2")},
		{`{"type": "int", "connect.type": "int8"}`, `[1, -2]`, set("1", "-2")},
		{`{"type": "long"}`, `[9223372036854775807]`, set("9223372036854775807")},
		{`{"type": "float"}`, `[1, 0.1]`, set("1.0", "0.1")},
		{`{"type": "double"}`, `[1, 0.1, 1e300]`, set("1.0", "0.1", "1.0E300")},
		{`{"type": "string"}`, `["a", "ü"]`, set("'a'", "'%fc'")},
		{`{"type": "bytes"}`, `["é"]`, set("c3a9")},
		{`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}`, `["\u0001\u0000"]`, set("0100")},
		{`{"type": "fixed", "name": "F", "size": 2}`, `["ab"]`, set("6162")},
		{`{"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}`, `["C", "A"]`, set("'A'", "'C'")},
		{`{"type": "int", "logicalType": "date"}`, `[1, -1]`, set("86400000", "-86400000")},
		{`{"type": "long", "logicalType": "timestamp-millis"}`, `[1700000000000]`, set("1700000000000")},
		{`{"type": "array", "items": ["null", "int"]}`, `[[1, null], []]`, set("[1 null]", "[]")},
		{`{"type": "map", "values": "int"}`, `[{"b": 1, "a": 2}, {}]`, set("{'a'=2 'b'=1}", "{}")},
		{
			`{"type": "record", "name": "R", "fields": [
			{"name": "a", "type": "int"},
			{"name": "b", "type": "bytes", "default": "\u00e9"},
			{"name": "c", "type": ["null", "string"], "default": null},
			{"name": "d", "type": ["string", "int"], "default": "x"}]}`, `[{"a": 1}, {"d": 7, "c": "y", "b": "é", "a": 2, "z": 0}]`,
			set("{a=1 b=e9 c=null d={string='x' int=null}}", "{a=2 b=c3a9 c='y' d={string=null int=7}}"),
		},
	} {
		got := seen(t, withOptions(test.typ, test.options))
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s of %s:\n%s", test.options, test.typ, d)
		}
	}
}

func TestInstants(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]int64{
		withOptions(`{"type": "int", "logicalType": "date"}`, `[-2]`):                                        -172_800_000,
		withOptions(`{"type": "int", "logicalType": "time-millis"}`, `[86399999]`):                           86_399_999,
		withOptions(`{"type": "long", "logicalType": "timestamp-millis"}`, `[1700000000000]`):                1_700_000_000_000,
		`{"type": "int", "logicalType": "date"}`:                                                             -1170105035 * 86_400_000,
		`{"type": "int", "logicalType": "time-millis"}`:                                                      39_494_965, // -1170105035 plus 14 days
		`{"type": "long", "logicalType": "timestamp-millis", "arg.properties": {"iteration": {"start": 5}}}`: 5,
	} {
		v := mustParse(t, typ).New(random.New(42)).Next(nil)
		if v.Kind() != data.KindInstant || v.Int64() != want {
			t.Errorf("%s: got %d, want %d", typ, v.Int64(), want)
		}
	}
}

// TestOptionsAreShared makes sure that no option is copied, so that records of them cost nothing.
func TestOptionsAreShared(t *testing.T) {
	shape := mustParse(t, withOptions(`{"type": "record", "name": "R", "fields": [{"name": "a", "type": "string"}]}`, `[{"a": "x"}]`))
	g := shape.New(random.New(1))
	first := g.Next(nil).Struct()
	if n := testing.AllocsPerRun(10, func() { _ = g.Next(nil) }); n != 0 || g.Next(nil).Struct() != first {
		t.Errorf("a value costs %v allocations", n)
	}
}

// TestOptionFiles writes the same values in both encodings, with a branch that only its name tells from another.
func TestOptionFiles(t *testing.T) {
	t.Parallel()
	const plain = `{"type": "record", "name": "n.R", "fields": [
		{"name": "a", "type": ["null", "int", "long", {"type": "fixed", "name": "F", "size": 2}]},
		{"name": "b", "type": {"type": "map", "values": {"type": "array", "items": "bytes"}}},
		{"name": "c", "type": {"type": "enum", "name": "E", "symbols": ["X", "Y"]}},
		{"name": "d", "type": ["null", "F"]},
		{"name": "e", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}},
		{"name": "f", "type": {"type": "int", "logicalType": "date"}},
		{"name": "g", "type": {"type": "float"}},
		{"name": "h", "type": {"type": "boolean"}},
		{"name": "i", "type": ["null", "string"]}]}`
	const text = `{"a": {"long": 1}, "b": {"k": ["\u00e9"]}, "c": "Y", "d": {"n.F": "ab"}, "e": "\u0001", "f": 3, "g": 1.5, "h": true, "i": {"string": "s"}}
		// the second
		{"a": null, "b": {}, "c": "X", "d": null, "e": "\u00ff", "f": 4, "g": -2, "h": false, "i": null}`
	want := set(
		"{a={int=null long=1 F=null} b={'k'=[e9]} c='Y' d=6162 e=01 f=259200000 g=1.5 h=true i='s'}",
		"{a=null b={} c='X' d=null e=ff f=345600000 g=-2.0 h=false i=null}")

	schema := avro.MustParse(strings.NewReplacer(`, "logicalType": "decimal", "precision": 4, "scale": 2`, "", `, "logicalType": "date"`, "").Replace(plain))
	var binary []byte
	d := json.NewDecoder(strings.NewReader(strings.Replace(text, "// the second", "", 1)))
	for d.More() {
		var one json.RawMessage
		var v any
		if err := d.Decode(&one); err != nil {
			t.Fatal(err)
		}
		if err := schema.DecodeJSON(one, &v, avro.TaggedUnions()); err != nil {
			t.Fatal(err)
		}
		var err error
		if binary, err = schema.AppendEncode(binary, v); err != nil {
			t.Fatal(err)
		}
	}
	for encoding, content := range map[string]string{"json": text, "binary": string(binary)} {
		got := seen(t, withOptions(plain, file(t, content, encoding)))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", encoding, d)
		}
	}
}

// file writes a file and returns the options that name it.
func file(t *testing.T, content, encoding string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "options")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"file": %q, "encoding": %q}`, path, encoding)
}

func TestBrokenOptionFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, encoding, content, want string }{
		{"int", "json", ``, "must not be empty"},
		{"int", "json", `1 "x"`, "value 2 of file"},
		{"int", "json", `1 {`, "value 2 of file"},
		{"long", "binary", "\x02\x80", "value 2 of file"},
		{"null", "binary", "\x02", "takes no bytes, so the file has no end"},
	} {
		typ := withOptions(`{"type": "`+test.typ+`"}`, file(t, test.content, test.encoding))
		_, err := Parse([]byte(one(`["boolean", ` + typ + `]`)))
		if err == nil || !strings.Contains(err.Error(), "arg.properties: options: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q as %s: got %v, want %s", test.content, test.typ, err, test.want)
		}
	}
}
