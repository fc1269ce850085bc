package json

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

var schemaless = connect.Props{SchemasEnableKey: "false"}

const (
	syntaxMessage   = "Converting byte[] to Kafka Connect data failed due to serialization error: "
	envelopeMessage = `JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional ` +
		`fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.`
)

// text returns what decoding gives, in the notation of package golden, or the message of its error.
func decodeText(t *testing.T, c *Converter, in string) string {
	t.Helper()
	s, v, err := c.Decode(new(data.Slab), "t", nil, []byte(in))
	if err != nil {
		var m interface{ ErrorMessage() string }
		if !errors.As(err, &m) {
			t.Fatalf("error without a message for users: %v", err)
		}
		return m.ErrorMessage()
	}
	if s == nil {
		return golden.DescribeValue(v)
	}
	return golden.Describe(s, v)
}

func TestDecodeSchemaless(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`0`, `INT64(0)`},
		{`-0`, `INT64(0)`},
		{`00012`, `INT64(12)`},
		{`-007`, `INT64(-7)`},
		{`9223372036854775808`, `INT64(-9223372036854775808)`},
		{`-9223372036854775809`, `INT64(9223372036854775807)`},
		{`18446744073709551616`, `INT64(0)`},
		{strings.Repeat("1", 1000), `INT64(8198552921648689607)`},
		{strings.Repeat("0", 1200), `INT64(0)`},
		{strings.Repeat("1", 1001), syntaxMessage},
		{`0.` + strings.Repeat("0", 999), `FLOAT64(0)`},
		{`0.` + strings.Repeat("0", 1000), syntaxMessage},
		{strings.Repeat("0", 1200) + `.5`, `FLOAT64(0.5)`},
		{strings.Repeat("1", 500) + "." + strings.Repeat("1", 495) + "e00001", `FLOAT64(+Inf)`},
		{strings.Repeat("1", 500) + "." + strings.Repeat("1", 495) + "e000001", syntaxMessage},
		{`1.0`, `FLOAT64(1)`},
		{`-0.0`, `FLOAT64(0)`},
		{`-0e5`, `FLOAT64(0)`},
		{`00.5`, `FLOAT64(0.5)`},
		{`1E+5`, `FLOAT64(100000)`},
		{`1e-5`, `FLOAT64(1e-05)`},
		{`1e0000000000000005`, `FLOAT64(100000)`},
		{`1e400`, `FLOAT64(+Inf)`},
		{`-1e400`, `FLOAT64(-Inf)`},
		{`-1e-400`, `FLOAT64(-0)`},
		{`1e2147483647`, `FLOAT64(+Inf)`},
		{`1e2147483648`, syntaxMessage},
		{`0.1e2147483648`, syntaxMessage},
		{`1e-2147483648`, syntaxMessage},
		{`0e99999999999`, syntaxMessage},
		{`2.4703282292062328e-324`, `FLOAT64(5e-324)`},
		{`9007199254740993.0`, `FLOAT64(9.007199254740992e+15)`},
		{`0.1234567890123456789012345`, `FLOAT64(0.12345678901234568)`},
		{`1.`, syntaxMessage},
		{`1.e3`, syntaxMessage},
		{`.5`, syntaxMessage},
		{`-`, syntaxMessage},
		{`- 1`, syntaxMessage},
		{`+1`, syntaxMessage},
		{`1e`, syntaxMessage},
		{`1e+`, syntaxMessage},
		{`0x10`, syntaxMessage},
		{`1_0`, syntaxMessage},
		{`1f`, syntaxMessage},
		{`NaN`, syntaxMessage},
		{`-Infinity`, syntaxMessage},
		{`true`, `BOOLEAN(true)`},
		{`false`, `BOOLEAN(false)`},
		{`null`, `null`},
		{`nul`, syntaxMessage},
		{`True`, syntaxMessage},
		{``, `null`},
		{" \t\r\n", `null`},
		{"\x0b1", syntaxMessage},

		{`"a\"b\\c\/d\b\f\n\r\t"`, `"a\"b\\c/d\b\f\n\r\t"`},
		{`"\u00e9\u4E2d\ud83d\ude00"`, `"é中😀"`},
		{`"\u0000"`, `"\x00"`},
		{`"\ud800"`, `"�"`},
		{`"\ud800x\udc00"`, `"�x�"`},
		{`"\udc00\ud800"`, `"��"`},
		{`"\ud800\ud83d\ude00"`, `"�😀"`},
		{`"\x"`, syntaxMessage},
		{`"\u12"`, syntaxMessage},
		{`"\u12G4"`, syntaxMessage},
		{`"\`, syntaxMessage},
		{`"a`, syntaxMessage},
		{"\"a\nb\"", syntaxMessage},
		{"\"0123456789\x1f0123456789\"", syntaxMessage},
		{"\"a\x7fb\"", `"a\x7fb"`},
		{"\"\xc0\x80\"", `"\x00"`},
		{"\"\xe0\x80\x80\"", `"\x00"`},
		{"\"\xf4\x90\x80\x80\"", `"��"`},
		{"\"\xed\xa0\x80\"", syntaxMessage},
		{"\"\xf8\x80\x80\x80\x80\"", syntaxMessage},
		{"\"\x80\"", syntaxMessage},
		{"\"\xc3\"", syntaxMessage},
		{"\"\xc3(\"", syntaxMessage},

		{`[]`, `[]`},
		{` [ 1 , "x" , [ null ] ] `, `[INT64(1) "x" [null]]`},
		{`[1,]`, syntaxMessage},
		{`[,1]`, syntaxMessage},
		{`[1 2]`, syntaxMessage},
		{`[1`, syntaxMessage},
		{`[true:1]`, syntaxMessage},
		{`{ }`, `{}`},
		{"{\n \"a\" : 1 ,\t\"b\" : { \"c\" : [ ] } }\r\n", `{"a":INT64(1) "b":{"c":[]}}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":INT64(3) "b":INT64(2)}`},
		{`{"\u0061":1,"a":2}`, `{"a":INT64(2)}`},
		{`{"":1}`, `{"":INT64(1)}`},
		{`{"\ud83d\ude00":1}`, `{"😀":INT64(1)}`},
		{`{"\ud800":1}`, syntaxMessage},
		{`{"\udc00":1}`, syntaxMessage},
		{"{\"\xc0\x80\":1}", `{"\x00":INT64(1)}`},
		{`{"a":1,}`, syntaxMessage},
		{`{,}`, syntaxMessage},
		{`{"a"}`, syntaxMessage},
		{`{"a":}`, syntaxMessage},
		{`{a:1}`, syntaxMessage},
		{`{'a':1}`, syntaxMessage},
		{`{"a":1`, syntaxMessage},
		{`/* c */1`, syntaxMessage},
		{
			`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10}`,
			`{"a":INT64(1) "b":INT64(2) "c":INT64(3) "d":INT64(4) "e":INT64(5) "f":INT64(6) "g":INT64(7) "h":INT64(8) "i":INT64(9) "j":INT64(10)}`,
		},
		{
			`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"b":10}`,
			`{"a":INT64(1) "b":INT64(10) "c":INT64(3) "d":INT64(4) "e":INT64(5) "f":INT64(6) "g":INT64(7) "h":INT64(8) "i":INT64(9)}`,
		},

		// What follows the first value.
		{`1 x`, `INT64(1)`},
		{`1x`, syntaxMessage},
		{`1,`, syntaxMessage},
		{`1]`, syntaxMessage},
		{`1"`, syntaxMessage},
		{`1é`, syntaxMessage},
		{`true x`, `BOOLEAN(true)`},
		{`true,`, `BOOLEAN(true)`},
		{`true$`, `BOOLEAN(true)`},
		{`true\`, `BOOLEAN(true)`},
		{`truex`, syntaxMessage},
		{`true1`, syntaxMessage},
		{`true_`, syntaxMessage},
		{`trueé`, syntaxMessage},
		{`"a"x`, `"a"`},
		{`{"a":1}{"b":2}`, `{"a":INT64(1)}`},
		{`[1]]`, `[INT64(1)]`},
	} {
		if diff := cmp.Diff(tt.want, decodeText(t, newConverter(t, schemaless), tt.in)); diff != "" {
			t.Errorf("%.200q (-want +got)\n%s", tt.in, diff)
		}
	}
}

func TestDecodeCharset(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"\xef\xbb\xbf1", `INT64(1)`},
		{"\xef\xbb\xbf", syntaxMessage},
		{" \xef\xbb\xbf1", syntaxMessage},
		{"\xfe\xff\x001", `INT64(1)`},
		{"\xff\xfe1\x00", `INT64(1)`},
		{"\xff\xfe", syntaxMessage},
		{"1\x00", `INT64(1)`},
		{"\x001", `INT64(1)`},
		{"\x00", syntaxMessage},
		{"\"\x00\xe9\x00\"\x00", `"é"`},
		{"\x00\"\x00\xe9\xd8\x3d\xde\x00\x00\"", `"é😀"`},
		{"\x00\x00\x00\"\x00\x01\xf6\x00\x00\x00\x00\"", `"😀"`},
		{"\"\x00\x00\x00\x00\xf6\x01\x00\"\x00\x00\x00", `"😀"`},
		{"\x00\x00\xfe\xff\x00\x00\x001", `INT64(1)`},
		{"\xff\xfe\x00\x001\x00\x00\x00", `INT64(1)`},
		{"\x00\x00\xff\xfe1", syntaxMessage},
		{"\xfe\xff\x00\x00", syntaxMessage},
		{"\x00\x001\x00", syntaxMessage},
		{"\x001\x00\x00", syntaxMessage},
		{"1\x00\x00\x00\x00", syntaxMessage},
		{"\x00\x00\x00\"\x00\x11\x00\x00\x00\x00\x00\"", syntaxMessage},
		{"1\x002", syntaxMessage},
		// A high surrogate takes the quote with it.
		{"\"\x00\x00\xd8\"\x00", syntaxMessage},
		{"[\x001\x00,\x00\"\x00\x00\xdc\"\x00]\x00", `[INT64(1) "�"]`},
	} {
		if diff := cmp.Diff(tt.want, decodeText(t, newConverter(t, schemaless), tt.in)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tt.in, diff)
		}
	}
}

func TestDecodeLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		ok       bool
	}{
		{"1000 arrays", strings.Repeat("[", 1000) + strings.Repeat("]", 1000), true},
		{"1001 arrays", strings.Repeat("[", 1001) + strings.Repeat("]", 1001), false},
		{"1000 objects", strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), true},
		{"1001 objects", strings.Repeat(`{"a":`, 1001) + "1" + strings.Repeat("}", 1001), false},
		{"name of 50000", `{"` + strings.Repeat("a", 50_000) + `":1}`, true},
		{"name of 50001", `{"` + strings.Repeat("a", 50_001) + `":1}`, false},
		{"name of 50002 bytes", `{"` + strings.Repeat("é", 25_001) + `":1}`, false},
		{"string of 20 million", `"` + strings.Repeat("a", 20_000_000) + `"`, true},
		{"string of 20 million wide", `"` + strings.Repeat("é", 20_000_000) + `"`, true},
		{"string of 20 million and one", `"` + strings.Repeat("a", 20_000_001) + `"`, false},
	} {
		_, _, err := newConverter(t, schemaless).Decode(nil, "t", nil, []byte(tt.in))
		if (err == nil) != tt.ok {
			t.Errorf("%s: error %v, want success %v", tt.name, err, tt.ok)
		}
	}
	// The envelope is a level, too.
	for depth, ok := range map[int]bool{999: true, 1000: false} {
		in := `{"schema":null,"payload":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
		c := newConverter(t, nil)
		for range 2 {
			if _, _, err := c.Decode(nil, "t", nil, []byte(in)); (err == nil) != ok {
				t.Errorf("%d levels in an envelope: error %v, want success %v", depth, err, ok)
			}
		}
	}
}

const (
	intSchema     = `{"type":"int32","optional":false}`
	decimalSchema = `{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}`
	dateSchema    = `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date"}`
	timeSchema    = `{"type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Time"}`
	stampSchema   = `{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp"}`
	structSchema  = `{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"string","optional":true,"field":"b"}]}`
)

// TestDecodePayload reads payloads of a schema. Only the value is compared.
func TestDecodePayload(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schema, payload, want string }{
		{`{"type":"int8"}`, `300`, `INT8(44)`},
		{`{"type":"int8"}`, `99999999999`, `INT8(-1)`},
		{`{"type":"int16"}`, `70000.7`, `INT16(4464)`},
		{intSchema, `2147483648`, `INT32(-2147483648)`},
		{intSchema, `-7.99`, `INT32(-7)`},
		{intSchema, `1.5e3`, `INT32(1500)`},
		{intSchema, `12345e-2`, `INT32(123)`},
		{intSchema, `1e-400`, `INT32(0)`},
		{intSchema, `1e63`, `INT32(0)`},
		{`{"type":"int64"}`, `1e63`, `INT64(-9223372036854775808)`},
		{`{"type":"int64"}`, `1e64`, `INT64(0)`},
		{`{"type":"int64"}`, `3e19`, `INT64(-6893488147419103232)`},
		{`{"type":"int64"}`, `-18446744073709551617.5`, `INT64(-1)`},
		{`{"type":"int64"}`, `"5"`, `INT64(0)`},
		{`{"type":"int64"}`, `[5]`, `INT64(0)`},
		{`{"type":"float"}`, `1e39`, `FLOAT32(+Inf)`},
		{`{"type":"float"}`, `16777217`, `FLOAT32(1.6777216e+07)`},
		{`{"type":"float"}`, `16777217.5`, `FLOAT32(1.6777218e+07)`},
		// Twice rounded it would be 1.
		{`{"type":"float"}`, `1.00000005960464477540`, `FLOAT32(1.0000001)`},
		{`{"type":"float"}`, `-0.1`, `FLOAT32(-0.1)`},
		{`{"type":"float"}`, `1e10`, `FLOAT32(1e+10)`},
		{`{"type":"float"}`, `-0`, `FLOAT32(0)`},
		{`{"type":"double"}`, `-0`, `FLOAT64(0)`},
		{`{"type":"double"}`, `-12.34`, `FLOAT64(-12.34)`},
		{`{"type":"double"}`, `123456789012345678901234567890`, `FLOAT64(1.2345678901234568e+29)`},
		{`{"type":"double"}`, `true`, `FLOAT64(0)`},
		{`{"type":"boolean"}`, `"true"`, `BOOLEAN(false)`},
		{`{"type":"string"}`, `5`, `null`},
		{`{"type":"string"}`, `null`, `Invalid null value for required STRING field`},

		{`{"type":"bytes"}`, `"QQ=="`, `BYTES(41)`},
		{`{"type":"bytes"}`, `"QR=="`, `BYTES(41)`},
		{`{"type":"bytes"}`, `"QQ==QQ=="`, `BYTES(4141)`},
		{`{"type":"bytes"}`, `"QUI=QUI="`, `BYTES(41424142)`},
		{`{"type":"bytes"}`, `" QUJD\n QUJD\u0000"`, `BYTES(414243414243)`},
		{`{"type":"bytes"}`, `"   "`, `BYTES()`},
		{`{"type":"bytes"}`, `"QU\nJD"`, `Invalid bytes field`},
		{`{"type":"bytes"}`, `"Q\n\n\n\nUJD"`, `Invalid bytes field`},
		{`{"type":"bytes"}`, `"QQ"`, `Invalid bytes field`},
		{`{"type":"bytes"}`, `"QQ= ="`, `Invalid bytes field`},
		{`{"type":"bytes"}`, `"QU=D"`, `Invalid bytes field`},
		{`{"type":"bytes"}`, `"QU-_"`, `Invalid bytes field`},
		{`{"type":"bytes"}`, `7`, `null`},

		{decimalSchema, `"AJY="`, `DECIMAL(150,2)`},
		{decimalSchema, `"/w=="`, `DECIMAL(-1,2)`},
		{decimalSchema, `"AAAAAQ=="`, `DECIMAL(1,2)`},
		{decimalSchema, `1.50`, `DECIMAL(150,2)`},
		{decimalSchema, `-1.50`, `DECIMAL(-150,2)`},
		{decimalSchema, `-128`, `DECIMAL(-128,0)`},
		{decimalSchema, `1E+3`, `DECIMAL(1,-3)`},
		{decimalSchema, `1e400`, `DECIMAL(1,-400)`},
		{decimalSchema, `-0.00`, `DECIMAL(0,2)`},
		{decimalSchema, `007`, `DECIMAL(7,0)`},
		{decimalSchema, `12345678901234567890.12`, `DECIMAL(1234567890123456789012,2)`},
		{decimalSchema, `""`, `Invalid bytes for Decimal field`},
		{decimalSchema, `"x"`, `Invalid bytes for Decimal field`},
		{decimalSchema, `[]`, `Invalid type for Decimal, underlying representation should be numeric or bytes but was ARRAY`},
		{dateSchema, `2147483647`, `INSTANT(185542587100800000)`},
		{dateSchema, `00000000001`, `INSTANT(86400000)`},
		{dateSchema, `2147483648`, `Invalid type for Date, underlying representation should be integer but was NUMBER`},
		{dateSchema, `-2147483649`, `Invalid type for Date, underlying representation should be integer but was NUMBER`},
		{dateSchema, `18446744073709551617`, `Invalid type for Date, underlying representation should be integer but was NUMBER`},
		{dateSchema, `1e1`, `Invalid type for Date, underlying representation should be integer but was NUMBER`},
		{timeSchema, `86400000`, `INSTANT(86400000)`},
		{timeSchema, `86400001`, `Time values must use number of milliseconds greater than 0 and less than 86400000`},
		{timeSchema, `{}`, `Invalid type for Time, underlying representation should be integer but was OBJECT`},
		{stampSchema, `99999999999999999999`, `INSTANT(7766279631452241919)`},
		{stampSchema, `1.0`, `Invalid type for Timestamp, underlying representation should be integral but was NUMBER`},
		{stampSchema, `null`, `Invalid null value for required INT64 field`},
		{
			`{"type":"struct","name":"org.apache.kafka.connect.data.Decimal","fields":[],"parameters":{"scale":"2"}}`,
			`1.5`, `DECIMAL(15,1)`,
		},

		{`{"type":"array","items":{"type":"string"}}`, `["a",5]`, `["a" null]`},
		{`{"type":"array","items":{"type":"int32"}}`, `{"a":1,"b":2,"a":3}`, `[INT32(3) INT32(2)]`},
		{`{"type":"array","items":{"type":"int32"}}`, `"x"`, `[]`},
		{`{"type":"array","items":{"type":"int32","default":7}}`, `[null]`, `[INT32(7)]`},
		{`{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int8"}}`, `{"a":1,"a":2}`, `{"a":INT8(2)}`},
		{`{"type":"map","keys":{"type":"string","name":"org.apache.kafka.connect.data.Time"},"values":{"type":"int8"}}`, `{"1":2}`, `{"1":INT8(2)}`},
		{`{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}}`, `5`, `Maps with string fields should be encoded as JSON objects, but found NUMBER`},
		{`{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}`, `[[1,2],[257,3]]`, `{INT8(1):INT8(3)}`},
		{`{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}`, `[ [ 1 , 2 ] ]`, `{INT8(1):INT8(2)}`},
		{`{"type":"map","keys":{"type":"int8","optional":true},"values":{"type":"int8"}}`, `[[null,3]]`, `{null:INT8(3)}`},
		{`{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}`, `[[1,2,3]]`, `Found invalid map entry, expected length 2 but found :3`},
		{`{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}`, `["x"]`, `Found invalid map entry instead of array tuple: STRING`},
		{`{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}}`, `null`, `Invalid null value for required MAP field`},

		{structSchema, `{"a":1,"b":"x"}`, `(a=INT32(1) b="x")`},
		{structSchema, ` { "b" : "x" , "a" : 1 } `, `(a=INT32(1) b="x")`},
		{structSchema, `{"b":"x","a":1,"a":2}`, `(a=INT32(2) b="x")`},
		{structSchema, `{"a":1,"b":"x","b":null}`, `(a=INT32(1) b=null)`},
		{structSchema, `{"a":"bad","b":5,"a":2}`, `(a=INT32(2) b=null)`},
		{structSchema, `{"a":1,"c":{"d":[1,{}, "\u00e9",true,false,null,-1.5e3]},"b":"x"}`, `(a=INT32(1) b="x")`},
		{structSchema, `{"a":1,"c":[`, syntaxMessage},
		{structSchema, `{"a":1,"c":tru}`, syntaxMessage},
		{structSchema, `{"a":1,"c":"\x"}`, syntaxMessage},
		{structSchema, `{"\u0061":1}`, `(a=INT32(1) b=null)`},
		{structSchema, `{"a":1,"b":"x",}`, syntaxMessage},
		{structSchema, `{"a":1 "b":"x"}`, syntaxMessage},
		{structSchema, `{"b":5}`, `Invalid null value for required INT32 field`},
		{structSchema, `{}`, `Invalid null value for required INT32 field`},
		{structSchema, `"x"`, `Structs should be encoded as JSON objects, but found STRING`},
		{`{"type":"struct","fields":[]}`, `{"x":1}`, `()`},
		{
			`{"type":"struct","fields":[{"type":"array","items":{"type":"string"},"field":"l"}]}`, `{"l":["a",5]}`,
			`Invalid value: null used for required element of array field: "l", schema type: STRING`,
		},
		{
			`{"type":"struct","fields":[{"type":"map","keys":{"type":"string"},"values":{"type":"bytes"},"field":"m"}]}`, `{"m":{"k":5}}`,
			`Invalid value: null used for required value of map field: "m", schema type: BYTES`,
		},
		{
			`{"type":"struct","fields":[{"type":"struct","fields":[],"name":"org.apache.kafka.connect.data.Date","field":"d"}]}`, `{"d":1}`,
			`class java.util.Date cannot be cast to STRUCT`,
		},
	} {
		c := newConverter(t, nil)
		in := `{"schema":` + tt.schema + `,"payload":` + tt.payload + `}`
		for _, when := range []string{"first", "second"} {
			_, v, err := c.Decode(new(data.Slab), "t", nil, []byte(in))
			got := golden.DescribeValue(v)
			if err != nil {
				got = decodeText(t, c, in)
			}
			if got != tt.want {
				t.Errorf("%s of %s, %s time: %s, want %s", tt.payload, tt.schema, when, got, tt.want)
			}
		}
	}
}

func TestDecodeEnvelope(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{`{"payload":1,"schema":{"type":"int8"}}`, `INT8<> INT8(1)`},
		{`{"payload":1,"schema":{"type":"int8"},"schema":{"type":"int16"}}`, `INT16<> INT16(1)`},
		{`{"schema":{"type":"int8"},"payload":true,"payload":2}`, `INT8<> INT8(2)`},
		{` { "schema" : { "type" : "int8" } , "payload" : 3 } x`, `INT8<> INT8(3)`},
		{`{"sch\u0065ma":null,"payload":{"a":1}}`, `{"a":INT64(1)}`},
		{`{"payload":[1],"schema":null}`, `[INT64(1)]`},
		{`{"schema":null,"payload":null}`, `null`},
		{`{"schema":null,"payload":1,"x":2}`, envelopeMessage},
		{`{"schema":null,"payload":1,"x":}`, syntaxMessage},
		{`{"schema":null}`, envelopeMessage},
		{`{"schema":null,"schema":null}`, envelopeMessage},
		{`{"payload":1}`, envelopeMessage},
		{`{"a":1,"b":2}`, envelopeMessage},
		{`{}`, envelopeMessage},
		{`5`, envelopeMessage},
		{`null`, envelopeMessage},
		{``, envelopeMessage},
		{` `, envelopeMessage},
		{`{"schema":{"type":"int8"},"payload":1`, syntaxMessage},
		{`{"schema":{"type":"nope"},"payload":1`, syntaxMessage},
		{"\xef\xbb\xbf" + `{"schema":{"type":"int8"},"payload":1}`, `INT8<> INT8(1)`},
	} {
		c := newConverter(t, nil)
		for _, when := range []string{"first", "second"} {
			if got := decodeText(t, c, tt.in); got != tt.want {
				t.Errorf("%s, %s time: %s, want %s", tt.in, when, got, tt.want)
			}
		}
	}
}

func TestDecodeContent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ content, in, want string }{
		{`{"type":"int8"}`, ``, `INT8<> INT8(0)`},
		{`{"type":"int8"}`, ` `, `INT8<> INT8(0)`},
		{`{"type":"int8"} x`, `5 `, `INT8<> INT8(5)`},
		{`{"type":"int8"}`, `5x`, syntaxMessage},
		{`{"type":"int8"}`, `null`, `Invalid null value for required INT8 field`},
		{`{"type":"string","optional":true,"default":"d"}`, ``, `STRING?<default="d"> null`},
		{`{"type":"string","optional":true,"default":"d"}`, `null`, `STRING?<default="d"> "d"`},
		{`null`, `{"schema":null,"payload":1}`, `INT64(1)`},
		{`null`, `1`, envelopeMessage},
	} {
		c := newConverter(t, connect.Props{SchemaContentKey: tt.content})
		if got := decodeText(t, c, tt.in); got != tt.want {
			t.Errorf("%q with %s: %s, want %s", tt.in, tt.content, got, tt.want)
		}
		if s, v, err := c.Decode(nil, "t", nil, nil); s != nil || !v.IsNull() || err != nil {
			t.Errorf("null bytes with %s: %v %v %v, want nothing", tt.content, s, v, err)
		}
	}
}

// TestDecodeKeepsSchemas makes sure that records with the same schema text share a schema, however they are read.
func TestDecodeKeepsSchemas(t *testing.T) {
	t.Parallel()
	c := newConverter(t, nil)
	first, _, err := c.Decode(nil, "t", nil, []byte(`{"schema":`+structSchema+`,"payload":{"a":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{
		`{"schema":` + structSchema + `,"payload":{"a":2}}`,
		`{"schema": ` + structSchema + ` , "payload":{"a":3}}`,
		`{"payload":{"a":4},"schema":` + structSchema + `}`,
		`{"schema":` + structSchema + `,"payload":{"a":1.5}}`,
	} {
		if s, _, err := c.Decode(nil, "t", nil, []byte(in)); s != first || err != nil {
			t.Errorf("%s: another schema %v, error %v", in, s, err)
		}
	}
}

// TestDecodeAliases makes sure that text without escapes is not copied, and that schemas do not alias the text.
func TestDecodeAliases(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"schema":{"type":"array","items":{"type":"string"},"name":"nnn","doc":"ddd","default":["xyz"]},"payload":["abc","d\u0065f"]}`)
	c := newConverter(t, nil)
	s, v, err := c.Decode(nil, "t", nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = '#'
	}
	want := `ARRAY<name="nnn" doc="ddd" default=["xyz"] STRING<>> ["###" "def"]`
	if diff := cmp.Diff(want, golden.Describe(s, v)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDecodeCauses(t *testing.T) {
	t.Parallel()
	_, _, err := newConverter(t, nil).Decode(nil, "t", nil, []byte(`{"a":1`))
	cause, ok := errors.AsType[*connect.Error](err)
	if !ok || cause.Class != connect.ClassSerialization {
		t.Errorf("cause %v of %v, want a SerializationException", cause, err)
	}
	const in = `{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"x"}},"payload":"AQ=="}`
	_, _, err = newConverter(t, nil).Decode(nil, "t", nil, []byte(in))
	if want := "Invalid scale parameter found in Decimal schema: "; !strings.Contains(err.Error(), want) {
		t.Errorf("error %v without its cause, want %q in it", err, want)
	}
}

// TestDecodeCache reads records of more schemas than may be remembered.
func TestDecodeCache(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"0", "1", "2", "-1", "1000"} {
		c := newConverter(t, connect.Props{SchemasCacheSizeKey: size})
		for i := range 20 {
			name := string(rune('a' + i%5))
			in := `{"schema":{"type":"int8","name":"` + name + `"},"payload":1}`
			if got, want := decodeText(t, c, in), `INT8<name="`+name+`"> INT8(1)`; got != want {
				t.Fatalf("cache of %s, record %d: %s, want %s", size, i, got, want)
			}
		}
		if len(c.read.plans) > 1000 || size == "2" && len(c.read.plans) != 2 {
			t.Errorf("cache of %s holds %d", size, len(c.read.plans))
		}
	}
}

// TestDecodeAllocations holds the fast way to not allocating once the slab has its size.
func TestDecodeAllocations(t *testing.T) {
	for _, tt := range []struct {
		props connect.Props
		in    string
	}{
		{nil, customerText},
		{schemaless, customerPayload},
		{connect.Props{SchemaContentKey: customerSchema}, customerPayload},
	} {
		c := newConverter(t, tt.props)
		raw := []byte(tt.in)
		var slab data.Slab
		out := make([]byte, 0, 2*len(customerText))
		n := testing.AllocsPerRun(100, func() {
			slab.Reset()
			s, v, err := c.Decode(&slab, "t", nil, raw)
			if err == nil {
				_, err = c.Encode(out, "t", nil, s, v)
			}
			if err != nil {
				t.Error(err)
			}
		})
		if n > 0 {
			t.Errorf("%v: %v allocations for reading and writing a record", tt.props, n)
		}
	}
}

func TestParseSchemaless(t *testing.T) {
	t.Parallel()
	v, err := ParseSchemaless(nil, []byte(`{"a":[1,2.5]}`))
	if got, want := golden.DescribeValue(v), `{"a":[INT64(1) FLOAT64(2.5)]}`; got != want || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	for _, raw := range [][]byte{nil, {}, []byte(" ")} {
		if v, err := ParseSchemaless(nil, raw); !v.IsNull() || err != nil {
			t.Errorf("%q: %v, %v, want null", raw, v, err)
		}
	}
	if _, err := ParseSchemaless(nil, []byte("{")); err == nil {
		t.Error("no error for broken text")
	}
}

func TestNestedRoundTrip(t *testing.T) {
	t.Parallel()
	c := newConverter(t, nil)
	s, v, err := c.Decode(nil, "t", nil, []byte(customerText))
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Encode(nil, "t", nil, s, v)
	if err != nil || !bytes.Equal(out, []byte(customerText)) {
		t.Errorf("%v\n%s", err, cmp.Diff(customerText, string(out)))
	}
}
