package json

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/javatext"
)

func encodeText(t *testing.T, c *Converter, s *data.Schema, v data.Value) string {
	t.Helper()
	out, err := c.Encode(nil, "t", nil, s, v)
	if err != nil {
		return err.Error()
	}
	if out == nil {
		return "nil"
	}
	return string(out)
}

func mapOf(entries ...data.Value) data.Value {
	m := data.NewMap(len(entries) / 2)
	for i := 0; i < len(entries); i += 2 {
		m.Put(entries[i], entries[i+1])
	}
	return m.Value()
}

func TestEncodeSchemaless(t *testing.T) {
	t.Parallel()
	str := data.String
	for _, tt := range []struct {
		v    data.Value
		want string
	}{
		{data.Null, `nil`},
		{data.Int8(-128), `-128`},
		{data.Int16(300), `300`},
		{data.Int32(-1), `-1`},
		{data.Int64(math.MinInt64), `-9223372036854775808`},
		{data.Float32(1.1), `1.1`},
		{data.Float32(16777216), `1.6777216E7`},
		{data.Float64(100), `100.0`},
		{data.Float64(-0.05), `-0.05`},
		{data.Float64(-12.3), `-12.3`},
		{data.Float64(1234567.89), `1234567.89`},
		{data.Float64(9999999.999), `9999999.999`},
		{data.Float64(1e7), `1.0E7`},
		{data.Float64(0.001), `0.001`},
		{data.Float64(0.0001), `1.0E-4`},
		{data.Float64(math.Copysign(0, -1)), `-0.0`},
		{data.Float64(math.NaN()), `"NaN"`},
		{data.Float64(math.Inf(-1)), `"-Infinity"`},
		{data.Float32(float32(math.Inf(1))), `"Infinity"`},
		{data.Bool(true), `true`},
		{data.Bytes(nil), `""`},
		{data.Bytes([]byte{0, 1, 255}), `"AAH/"`},
		{data.Array(nil), `[]`},
		{data.Array([]data.Value{data.Int8(1), data.Null, data.Array([]data.Value{str("x")})}), `[1,null,["x"]]`},
		{mapOf(), `{}`},
		{mapOf(str("a"), data.Null, str(`q"`), mapOf()), `{"a":null,"q\"":{}}`},
		{mapOf(str("a"), data.Int8(1), data.Int8(2), data.Int8(3)), `[["a",1],[2,3]]`},
		{mapOf(data.Null, str("x")), `[[null,"x"]]`},
		{data.Instant(5), `Java class class java.util.Date does not have corresponding schema type.`},
		{data.Decimal(big.NewInt(5), 1), `Java class class java.math.BigDecimal does not have corresponding schema type.`},
		{data.Array([]data.Value{data.Instant(5)}), `Java class class java.util.Date does not have corresponding schema type.`},
		{data.MustStruct(data.NewStructBuilder().MustBuild()).Value(), `Mismatching schema.`},

		{str(""), `""`},
		{str("plain text of some length"), `"plain text of some length"`},
		{str("\"\\\b\f\n\r\t"), `"\"\\\b\f\n\r\t"`},
		{str("\x00\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001F\x7f\""},
		{str("0123456\n89abcdef\"h"), `"0123456\n89abcdef\"h"`},
		{str("a/<>&'é€\u2028"), "\"a/<>&'é€\u2028\""},
		{str("😀"), `"\uD83D\uDE00"`},
		{str("é\U00010000\U0010FFFFé\n"), `"é\uD800\uDC00\uDBFF\uDFFFé\n"`},
		{str("a\xffb\xed\xa0\x80"), `"a�b�"`},
	} {
		c := newConverter(t, schemaless)
		if diff := cmp.Diff(tt.want, encodeText(t, c, nil, tt.v)); diff != "" {
			t.Errorf("%v (-want +got)\n%s", tt.v, diff)
		}
	}
}

func TestEncodeSchema(t *testing.T) {
	t.Parallel()
	str := data.String
	optionalKey := data.OptionalStringSchema
	timeKey := data.NewBuilder(data.TypeString).Name(data.TimeName).MustBuild()
	decimalKey := data.NewBuilder(data.TypeString).Name(data.DecimalName).Parameter(data.ScaleParameter, "0").MustBuild()
	oneField := data.NewStructBuilder().Field("a", data.Int32Schema).MustBuild()
	sameField := data.NewStructBuilder().Field("a", data.Int32Schema).MustBuild()
	otherField := data.NewStructBuilder().Field("a", data.Int64Schema).MustBuild()
	strings := func(key *data.Schema) *data.Schema { return data.NewMapBuilder(key, data.Int8Schema).MustBuild() }
	for _, tt := range []struct {
		name string
		s    *data.Schema
		v    data.Value
		want string
	}{
		{"optional null", data.OptionalStringSchema, data.Null, `null`},
		{"required null", data.StringSchema, data.Null, `Conversion error: null value for field that is required and has no default value`},
		{"default", data.NewBuilder(data.TypeInt8).Default(data.Int8(7)).MustBuild(), data.Null, `7`},
		{"width", data.Int32Schema, data.Int64(5), `Invalid type for INT32: class java.lang.Long`},
		{"bytes", data.BytesSchema, str("x"), `Invalid type for bytes type: class java.lang.String`},
		{"array", data.NewArrayBuilder(data.Int8Schema).MustBuild(), mapOf(), `Invalid type for ARRAY: class java.util.HashMap`},
		{"element", data.NewArrayBuilder(data.Int8Schema).MustBuild(), data.Array([]data.Value{data.Null}), `Conversion error: null value for field that is required and has no default value`},
		{"struct", oneField, data.Int8(1), `Invalid type for STRUCT: class java.lang.Byte`},
		{"equal struct", oneField, data.MustStruct(sameField).MustPut("a", data.Int32(1)).Value(), `{"a":1}`},
		{"other struct", oneField, data.MustStruct(otherField).MustPut("a", data.Int64(1)).Value(), `Mismatching schema.`},
		{"empty struct", data.NewStructBuilder().MustBuild(), data.MustStruct(data.NewStructBuilder().MustBuild()).Value(), `{}`},

		{"decimal", data.NewDecimalBuilder(2).MustBuild(), data.Decimal(big.NewInt(-129), 2), `"/38="`},
		{"long decimal", data.NewDecimalBuilder(2).MustBuild(), data.DecimalBytes([]byte{0, 0, 1}, 2), `"AQ=="`},
		{"scale", data.NewDecimalBuilder(2).MustBuild(), data.Decimal(big.NewInt(1), 3), `Decimal value has mismatching scale for given Decimal schema. Schema has scale 2, value has scale 3.`},
		{"no scale", data.NewBuilder(data.TypeBytes).Name(data.DecimalName).MustBuild(), data.Decimal(big.NewInt(1), 3), `Invalid Decimal schema: scale parameter not found.`},
		{"decimal class", data.NewDecimalBuilder(2).MustBuild(), data.Bytes(nil), `Invalid type for Decimal, expected BigDecimal but was class [B`},
		{"date", data.NewDateBuilder().MustBuild(), data.Instant(-86_400_000), `-1`},
		{"time of date", data.NewDateBuilder().MustBuild(), data.Instant(1), `Kafka Connect Date type should not have any time fields set to non-zero values.`},
		{"date class", data.NewDateBuilder().MustBuild(), data.Int32(1), `Invalid type for Date, expected Date but was class java.lang.Integer`},
		{"time", data.NewTimeBuilder().MustBuild(), data.Instant(86_400_000), `86400000`},
		{"date of time", data.NewTimeBuilder().MustBuild(), data.Instant(-1), `Kafka Connect Time type should not have any date fields set to non-zero values.`},
		{"time class", data.NewTimeBuilder().MustBuild(), str("x"), `Invalid type for Time, expected Date but was class java.lang.String`},
		{"timestamp", data.NewTimestampBuilder().MustBuild(), data.Instant(-5), `-5`},
		{"timestamp class", data.NewTimestampBuilder().MustBuild(), data.Int64(1), `Invalid type for Timestamp, expected Date but was class java.lang.Long`},

		{"null key", strings(optionalKey), mapOf(data.Null, data.Int8(1), str("a"), data.Int8(2)), `{"null":1,"a":2}`},
		{"equal keys", strings(optionalKey), mapOf(str("null"), data.Int8(1), str("b"), data.Int8(2), data.Null, data.Int8(3)), `{"null":3,"b":2}`},
		{"integer key", strings(data.StringSchema), mapOf(data.Int8(1), data.Int8(1)), `Invalid type for STRING: class java.lang.Byte`},
		{"required key", strings(data.StringSchema), mapOf(data.Null, data.Int8(1)), `Conversion error: null value for field that is required and has no default value`},
		{"bad value of a null key", strings(optionalKey), mapOf(data.Null, data.Int16(1)), `Invalid type for INT8: class java.lang.Short`},
		{"logical key", strings(timeKey), mapOf(data.Instant(5), data.Int8(1)), `{"5":1}`},
		{"decimal key", strings(decimalKey), mapOf(data.Decimal(big.NewInt(5), 0), data.Int8(1)), `{"BQ==":1}`},
		{"pairs", data.NewMapBuilder(data.Int8Schema, data.OptionalInt8Schema).MustBuild(), mapOf(data.Int8(1), data.Null, data.Int8(2), data.Int8(3)), `[[1,null],[2,3]]`},
		{"bad key of a pair", data.NewMapBuilder(data.Int8Schema, data.Int8Schema).MustBuild(), mapOf(str("x"), data.Null), `Invalid type for INT8: class java.lang.String`},

		{"mixed array", data.UnknownElements(data.TypeArray, nil, nil), data.Array([]data.Value{data.Int8(1), str("x")}), `[1,"x"]`},
		{"mixed map", data.UnknownElements(data.TypeMap, nil, nil), mapOf(str("a"), data.Int8(1)), `map schema without a key schema`},
		{"mixed values", data.UnknownElements(data.TypeMap, data.StringSchema, nil), mapOf(str("a"), data.Int8(1), str("b"), data.Null), `{"a":1,"b":null}`},
	} {
		c := newConverter(t, schemaless)
		for range 2 {
			if diff := cmp.Diff(tt.want, encodeText(t, c, tt.s, tt.v)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tt.name, diff)
			}
		}
	}
}

func TestEncodeEnvelope(t *testing.T) {
	t.Parallel()
	decimal := data.NewDecimalBuilder(2).Default(data.Decimal(big.NewInt(150), 2)).MustBuild()
	odd := data.NewBuilder(data.TypeInt8).Name("").Doc("").Version(-1).Parameter("z\"", "1").Parameter("a", "😀").MustBuild()
	for _, tt := range []struct {
		props connect.Props
		s     *data.Schema
		v     data.Value
		want  string
	}{
		{nil, nil, data.Null, `nil`},
		{nil, nil, data.Int8(1), `{"schema":null,"payload":1}`},
		{nil, nil, data.Instant(1), `Java class class java.util.Date does not have corresponding schema type.`},
		{nil, data.OptionalInt8Schema, data.Null, `{"schema":{"type":"int8","optional":true},"payload":null}`},
		{nil, odd, data.Int8(1), `{"schema":{"type":"int8","optional":false,"name":"","version":-1,"doc":"","parameters":{"z\"":"1","a":"\uD83D\uDE00"}},"payload":1}`},
		{nil, decimal, data.Null, `{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"default":"AJY="},"payload":"AJY="}`},
		{connect.Props{DecimalFormatKey: "Numeric"}, decimal, data.Null, `{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"default":1.50},"payload":1.50}`},
		{nil, data.UnknownElements(data.TypeArray, nil, nil), data.Array(nil), `{"schema":{"type":"array","items":null,"optional":false},"payload":[]}`},
		{nil, data.NewDecimalBuilder(1).Default(data.Decimal(big.NewInt(150), 2)).MustBuild(), data.Decimal(big.NewInt(1), 1), `Decimal value has mismatching scale for given Decimal schema. Schema has scale 1, value has scale 2.`},
		{connect.Props{ReplaceNullWithDefaultKey: "false"}, decimal, data.Null, `Conversion error: null value for field that is required and has no default value`},
		// Values are written with their own schema, whatever schema.content says.
		{connect.Props{SchemaContentKey: intSchema}, data.Int8Schema, data.Int8(1), `{"schema":{"type":"int8","optional":false},"payload":1}`},
	} {
		c := newConverter(t, tt.props)
		for range 2 {
			if diff := cmp.Diff(tt.want, encodeText(t, c, tt.s, tt.v)); diff != "" {
				t.Errorf("%v (-want +got)\n%s", tt.s, diff)
			}
		}
	}
}

// TestEncodeCache writes values of more schemas than may be remembered.
func TestEncodeCache(t *testing.T) {
	t.Parallel()
	for _, size := range []string{"0", "1", "3"} {
		c := newConverter(t, connect.Props{SchemasCacheSizeKey: size})
		for range 3 {
			for _, name := range []string{"a", "b", "c", "d"} {
				s := data.NewBuilder(data.TypeInt8).Name(name).MustBuild()
				want := `{"schema":{"type":"int8","optional":false,"name":"` + name + `"},"payload":1}`
				if got := encodeText(t, c, s, data.Int8(1)); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		}
		if n := len(c.written.plans); n > 3 {
			t.Errorf("cache of %s holds %d", size, n)
		}
	}
}

// TestAppendFloat compares the short cuts with Java's text.
func TestAppendFloat(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		f := math.Float64frombits(r.Uint64())
		switch r.IntN(4) {
		case 0:
			f = float64(r.IntN(2_000_000_000)-1_000_000_000) / 100
		case 1:
			f = float64(r.IntN(2_000_000)-1_000_000) / 1000
		case 2:
			f = (r.Float64() - 0.5) * 3e7
		}
		want := javatext.Float64(f)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			want = `"` + want + `"`
		}
		if got := string(appendFloat(nil, f, 64)); got != want {
			t.Fatalf("%v: %s, want %s", f, got, want)
		}
		narrow := float32(r.Float64() * 2e4)
		if got := string(appendFloat(nil, float64(narrow), 32)); got != javatext.Float32(narrow) {
			t.Fatalf("%v: %s, want %s", narrow, got, javatext.Float32(narrow))
		}
	}
}

func TestAppendSchemaless(t *testing.T) {
	t.Parallel()
	got, err := AppendSchemaless([]byte("x"), mapOf(data.String("a"), data.Int64(1)))
	if want := `x{"a":1}`; string(got) != want || err != nil {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if got, err := AppendSchemaless(nil, data.Null); string(got) != "null" || err != nil {
		t.Errorf("%s, %v, want null", got, err)
	}
	if got, err := AppendSchemaless([]byte("x"), data.Instant(1)); got != nil || err == nil {
		t.Errorf("%s, %v, want an error", got, err)
	}
}
