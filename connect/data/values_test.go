package data_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

const (
	dateText      = `INT32<name="org.apache.kafka.connect.data.Date" version=1>`
	timeText      = `INT32<name="org.apache.kafka.connect.data.Time" version=1>`
	timestampText = `INT64<name="org.apache.kafka.connect.data.Timestamp" version=1>`
)

// parsed describes what a text stands for; "whole" for a string that is the text itself.
func parsed(t *testing.T, text string) string {
	t.Helper()
	s, v, err := data.ParseText(text)
	if err != nil {
		t.Fatalf("ParseText(%q): %v", text, err)
	}
	if s == data.StringSchema && v.Str() == text {
		return "whole"
	}
	return golden.Describe(s, v)
}

func TestParseText(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", "whole"},
		{"\u2003", "whole"},
		{" null\n", "no schema null"},
		{"null,", "whole"},
		{"true,", "whole"},
		{" false", "BOOLEAN<> BOOLEAN(false)"},
		{"1\"x", "INT8<> INT8(1)"},
		{" 1 , 5", "INT8<> INT8(1)"},
		{"1x,5", "whole"},
		{`1\,5`, "whole"},
		{"\u00a01,5", "whole"},
		{" :x", "whole"},

		// Where blanks precede a broken list or map, only the blanks come back.
		{"[1", "whole"},
		{" [1", `STRING<> " "`},
		{"\t{1:x}", `STRING<> "\t"`},
		{" x:[", "whole"},
		{"\u2003[1]", "whole"},

		{"[1, ]", "ARRAY<INT8<>> [INT8(1)]"},
		{"[1 , , 2]", "whole"},
		{"[\u0000]", "ARRAY<no schema> []"},
		{"[\u00a0]", "whole"},
		{"[1][2", "ARRAY<INT8<>> [INT8(1)]"},
		{`["a""b"]`, "whole"},
		{`[1\]`, "whole"},
		{`["a\\"]`, `ARRAY<STRING<>> ["a\\\\"]`},
		{`["a\\\"]"]`, `ARRAY<STRING<>> ["a\\\\\\\"]"]`},
		{`["a, ,b", " {", "{ } "]`, `ARRAY<STRING<>> ["a,,b" "{" "{}"]`},
		{`["a , b"]`, `ARRAY<STRING<>> ["a , b"]`},
		{`["null", "1"]`, `ARRAY<STRING<>> ["null" "1"]`},
		{"[null,null]", "ARRAY<no schema> [null null]"},
		{`[1,null,"a"]`, `ARRAY<no schema> [INT8(1) null "a"]`},
		{"[[],null]", "whole"},
		{"[[1],{}]", "ARRAY<no schema> [[INT8(1)] {}]"},
		{"[[1],[]]", "ARRAY<ARRAY<no schema>> [[INT8(1)] []]"},

		{"[1,2.5,70000]", "ARRAY<FLOAT32<>> [FLOAT32(1) FLOAT32(2.5) FLOAT32(70000)]"},
		{"[0.1,1e39]", "ARRAY<FLOAT64<>> [FLOAT64(0.10000000149011612) FLOAT64(1e+39)]"},
		{`["2019-08-23",1.5]`, "whole"},
		{`["2019-08-23",1,300]`, "ARRAY<" + dateText + "> [INSTANT(1566518400000) INSTANT(86400000) INSTANT(25920000000)]"},
		{`["2019-08-23",1,300000]`, "whole"},
		{`[86400000,"14:34:54.346Z"]`, "ARRAY<" + timeText + "> [INSTANT(86400000) INSTANT(52494346)]"},
		{`[86400001,"14:34:54.346Z"]`, "whole"},
		{`["2019-08-23T14:34:54.346Z",1,"2019-08-23"]`, "ARRAY<" + timestampText + "> [INSTANT(1566570894346) INSTANT(1) INSTANT(1566518400000)]"},

		{`{"a":"b""c":"d"}`, `MAP<STRING<>,STRING<>> {"a":"b" "c":"d"}`},
		{`{"a":1[2]:3}`, `MAP<no schema,no schema> {"a":INT8(1) [INT8(2)]:INT8(3)}`},
		{`{"a":1,2:null}`, `MAP<no schema,no schema> {"a":INT8(1) INT8(2):null}`},
		{`{1:1,2.5:"x"}`, `MAP<FLOAT32<>,no schema> {FLOAT32(1):INT8(1) FLOAT32(2.5):"x"}`},
		{"{16777216:1,16777216.5:2}", "MAP<FLOAT32<>,INT8<>> {FLOAT32(1.6777216e+07):INT8(2)}"},
		{`{"a":1:2}`, "whole"},
		{`{"a" 1}`, "whole"},
		{"{,1:2}", "whole"},
		{"{1:2,,}", "whole"},
		{"{[]:{}}", "MAP<ARRAY<no schema>,MAP<no schema,no schema>> {[]:{}}"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, parsed(t, test.text)); diff != "" {
			t.Errorf("ParseText(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"+7", "INT8<> INT8(7)"},
		{"-0", "INT8<> INT8(0)"},
		{"0e999999999", "INT8<> INT8(0)"},
		{"1000000e-6", "INT8<> INT8(1)"},
		{"9.223372036854775807e18", "INT64<> INT64(9223372036854775807)"},
		{"-9223372036854775808.0", "INT64<> INT64(-9223372036854775808)"},
		{"9223372036854775808.0", "FLOAT32<> FLOAT32(9.223372e+18)"},
		{"92233720368547758080e-1", "FLOAT32<> FLOAT32(9.223372e+18)"},
		{"9.223372036854775808e18", `BYTES<name="org.apache.kafka.connect.data.Decimal" version=1 "scale"="0"> DECIMAL(9223372036854775808,0)`},
		{"1.5e999999999", `BYTES<name="org.apache.kafka.connect.data.Decimal" version=1 "scale"="-999999998"> DECIMAL(15,-999999998)`},
		{"1e2147483647", `BYTES<name="org.apache.kafka.connect.data.Decimal" version=1 "scale"="-2147483647"> DECIMAL(1,-2147483647)`},
		{"1e2147483648", "whole"},
		{"1e-2147483647", "FLOAT32<> FLOAT32(0)"},
		{"-1e-50", "FLOAT32<> FLOAT32(-0)"},
		{"7.1e-46", "FLOAT32<> FLOAT32(1e-45)"},
		{"3.4028236e38", "FLOAT64<> FLOAT64(3.4028236e+38)"},
		{"1E+0003", "INT16<> INT16(1000)"},
		{"1e+-3", "whole"},
		{"1e", "whole"},
		{"+.5", "FLOAT32<> FLOAT32(0.5)"},
		{"1..", "whole"},
		{"٣.٥", "FLOAT32<> FLOAT32(3.5)"},
		{"1e٢", "INT8<> INT8(100)"},
		{"１２", "INT8<> INT8(12)"},
		{"\U0001D7CF", "whole"},  // a digit, but not one of the basic plane
		{"1\U0001D7CF", "whole"}, // the same
		{"½", "whole"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, parsed(t, test.text)); diff != "" {
			t.Errorf("ParseText(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestParseTemporal(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		// Leniency.
		{"٢٠١٩-٠٨-٢٣", dateText + " INSTANT(1566518400000)"},
		{"2019--8-23", dateText + " INSTANT(1524441600000)"},
		{"2019-+8-23", "whole"},
		{"2019- 8-23", dateText + " INSTANT(1566518400000)"},
		{"2019 -08-23", "whole"},
		{"1-1-1xxxxx", dateText + " INSTANT(-62135769600000)"},
		{"1-1-1x😀xx", dateText + " INSTANT(-62135769600000)"},
		{"1-1-1x😀x", "whole"},
		{"1-1-1     ", "whole"},
		{"-019-08-23", "whole"},
		{`["-019-08-23"]`, "ARRAY<" + dateText + "> [INSTANT(-62746704000000)]"},
		{"1:1:-1.1Zxxxx", timeText + " INSTANT(3659001)"},
		{"1970-1-1T-1:0:0.0Zxxxxxx", timestampText + " INSTANT(-3600000)"},
		{`2019-08-2\`, dateText + " INSTANT(1564704000000)"},

		// Numbers that are no digits.
		{"1E3-01-01x", dateText + " INSTANT(-30609792000000)"},
		{"1E-3-01-01", dateText + " INSTANT(-62167392000000)"},
		{"1E10-12-1x", dateText + " INSTANT(7603816111384096768)"},
		{"9E19-12-1x", dateText + " INSTANT(-6019000063983806464)"},
		{"99999999999-1-1T1:1:1.1Z", timestampText + " INSTANT(1471883220706157769)"},
		{`["NaN-01-012"]`, "ARRAY<" + dateText + "> [INSTANT(-62166441600000)]"},

		// The change of the calendar.
		{"1582-10-04", dateText + " INSTANT(-12219379200000)"},
		{"1582-10-05", dateText + " INSTANT(-12219292800000)"},
		{"1582-10-14", dateText + " INSTANT(-12218515200000)"},
		{"1582-10-15", dateText + " INSTANT(-12219292800000)"},
		{"1583--3-01", dateText + " INSTANT(-12222230400000)"},
		{"1581-22-20", dateText + " INSTANT(-12217996800000)"},
		{"1500-02-29", dateText + " INSTANT(-14825894400000)"},
		{"1700-02-29", dateText + " INSTANT(-8515238400000)"},
		{"9999-99-99", dateText + " INSTANT(253636790400000)"},
		{"1582-10-15T-1:0:0.0Zxxxx", timestampText + " INSTANT(-12218432400000)"},

		// Five tokens as one.
		{"14:34:54.346Z ", "INT8<> INT8(14)"},
		{"14 :34:54.346Z", timeText + " INSTANT(52494346)"},
		{"14: 34:54.346Z", "INT8<> INT8(14)"},
		{`14:34\:54.346Z`, "INT8<> INT8(14)"},
		{"1-1-11:::", "whole"},
		{"1-1-11:::x", dateText + " INSTANT(-62134905600000)"},
		{"[1-1-1,2,34]", "ARRAY<" + dateText + "> [INSTANT(-62135769600000)]"},
		{"0001-1-1T1:1:1.1Zxxxxxxx", timestampText + " INSTANT(-62135765938999)"},
		{"{14:34:54.346Z:1}", "MAP<" + timeText + ",INT8<>> {INSTANT(52494346):INT8(1)}"},
		{"[14:34:54.346Z ]", "whole"},
		{`[14\:34\:54.346Z ]`, "ARRAY<" + timeText + "> [INSTANT(52494346)]"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, parsed(t, test.text)); diff != "" {
			t.Errorf("ParseText(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestParseTextNesting(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string {
		return strings.Repeat("[", depth) + strings.Repeat("]", depth)
	}
	s, _, err := data.ParseText(nested(1000))
	if err != nil || s.Type() != data.TypeArray {
		t.Errorf("1000 levels: %v, %v", s, err)
	}
	if s, _, err := data.ParseText(nested(1_000_000)); err == nil {
		t.Errorf("1,000,000 levels give %v, want an error", s)
	}
	if got := parsed(t, strings.Repeat("[],", 5000)); got != "ARRAY<no schema> []" {
		t.Errorf("lists in a row give %s", got)
	}
}

func TestParseTextDoesNotAllocate(t *testing.T) {
	for _, text := range []string{"some text", "trace: a, b", "12345", "-1", "true", "2019-08-23", "2019-08-23T14:34:54.346Z"} {
		got := testing.AllocsPerRun(100, func() {
			if _, _, err := data.ParseText(text); err != nil {
				t.Error(err)
			}
		})
		if got > 0 {
			t.Errorf("ParseText(%q) allocates %v times", text, got)
		}
	}
}

func TestAppendHeaderText(t *testing.T) {
	t.Parallel()
	schema := data.NewStructBuilder().Field(`a"b`, data.Int32Schema).Field("c", data.OptionalStringSchema).MustBuild()
	m := data.NewMap(2)
	m.Put(data.Bool(true), data.Float64(1e10))
	m.Put(data.String(`\`), data.Null)
	tests := []struct {
		v    data.Value
		want string
	}{
		{data.String(`a"\`), `a"\`},
		{data.Bytes([]byte{0, 1, 2}), "AAEC"},
		{data.Array([]data.Value{data.Bytes([]byte{0}), data.Null, data.Instant(1)}), `["AA==",null,00:00:00.001Z]`},
		{m.Value(), `{true:1.0E10,"\\":null}`},
		{data.MustStruct(schema).MustPut(`a"b`, data.Int32(1)).Value(), `{"a\"b":1,"c":null}`},
		{data.Instant(-86400000), "00:00:00.000Z"},
		{data.Instant(86399999), "23:59:59.999Z"},
		{data.Instant(86400000), "1970-01-02"},
		{data.Instant(253402300800000), "10000-01-01"},
		{data.Instant(253402300800001), "10000-01-01T00:00:00.001Z"},
	}
	for _, test := range tests {
		if got := string(test.v.AppendHeaderText([]byte("x="))); got != "x="+test.want {
			t.Errorf("%s: got %s, want x=%s", golden.DescribeValue(test.v), got, test.want)
		}
	}
}

func FuzzParseText(f *testing.F) {
	for _, text := range []string{
		"", " null ", "1.5e39", "1e400", "14:34:54.346Z", `{"a":[1,2.5,null],"2019-08-23":{}}`, ` [" {",x`, `["a\"b", 1-1-1,2,34]`,
		`{1:1 2:3}`, "2019-08-23T14\\:34\\:54.346Z", "٣", "1\xff", "\U0001D7CF",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, v, err := data.ParseText(text)
		if err != nil {
			return
		}
		if (s == nil) != v.IsNull() {
			t.Fatalf("schema %v for %s", s, golden.DescribeValue(v))
		}
		if s == nil {
			return
		}
		if s.Type().IsPrimitive() {
			if err := data.ValidateValue("", s, v); err != nil {
				t.Fatal(err)
			}
		}
		if v.Kind() == data.KindString && !strings.HasPrefix(text, v.Str()) {
			t.Fatalf("string %q", v.Str())
		}
		again, w, err := data.ParseText(string(v.AppendHeaderText(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if keepsText(v) && (!again.Equal(s) || !w.Equal(v)) {
			t.Fatalf("%s reads back as %s", golden.Describe(s, v), golden.Describe(again, w))
		}
	})
}

// keepsText tells whether a value that was read from a text is read from its own text, too. Whole floats become
// integers, instants show by their size, backslashes double within collections.
func keepsText(v data.Value) bool {
	switch v.Kind() {
	case data.KindBoolean, data.KindString, data.KindDecimal:
		return true
	default:
		return v.IsInteger()
	}
}
