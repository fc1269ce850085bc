package data_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

var (
	dateSchema      = data.NewDateBuilder().MustBuild()
	timeSchema      = data.NewTimeBuilder().MustBuild()
	timestampSchema = data.NewTimestampBuilder().MustBuild()
)

type conversion = func(*data.Schema, data.Value) (data.Value, error)

// withoutSchema makes conversions alike.
func withoutSchema(f func(data.Value) (data.Value, error)) conversion {
	return func(_ *data.Schema, v data.Value) (data.Value, error) { return f(v) }
}

func toDecimal(_ *data.Schema, v data.Value) (data.Value, error) { return data.ConvertToDecimal(v, 2) }

func TestConvert(t *testing.T) {
	t.Parallel()
	five9 := data.Float64(5e9 + 7)
	list := data.Array([]data.Value{data.Int8(1)})
	tests := []struct {
		name   string
		f      conversion
		schema *data.Schema
		v      data.Value
		want   string // a description, or the text of an error
	}{
		{"boolean", data.ConvertToBoolean, nil, data.Null, "null"},
		{"boolean", data.ConvertToBoolean, nil, data.Float64(math.NaN()), "BOOLEAN(false)"},
		{"boolean", data.ConvertToBoolean, nil, data.String("-٣"), "BOOLEAN(true)"},
		{"boolean", data.ConvertToBoolean, nil, data.String(" true "), "BOOLEAN(true)"},
		{"boolean", data.ConvertToBoolean, nil, data.String("null"), "The text null stands for no value"},
		{"boolean", data.ConvertToBoolean, nil, data.String(" 7 "), "Unable to convert  7  (class java.lang.String) to a number"},
		{"boolean", data.ConvertToBoolean, data.StringSchema, list, "Unable to convert [1] (class java.util.ArrayList) to Schema{STRING}"},
		{"boolean", data.ConvertToBoolean, timestampSchema, data.Instant(-5), "BOOLEAN(true)"},

		{"int8", data.ConvertToInt8, nil, five9, "INT8(7)"},
		{"int16", data.ConvertToInt16, nil, five9, "INT16(-3577)"},
		{"int32", data.ConvertToInt32, nil, data.Float64(-5e9 - 7), "INT32(-705032711)"},
		{"int32", data.ConvertToInt32, nil, data.String("5e30"), "INT32(1073741824)"},
		{"int64", data.ConvertToInt64, nil, data.Float64(1e20), "INT64(9223372036854775807)"},
		{"int64", data.ConvertToInt64, nil, data.Float64(-1e20), "INT64(-9223372036854775808)"},
		{"int64", data.ConvertToInt64, nil, data.String("1e2147483647"), "INT64(0)"},
		{"int64", data.ConvertToInt64, nil, data.String("1e-2147483647"), "INT64(0)"},
		{"int64", data.ConvertToInt64, nil, data.Decimal(big.NewInt(-12999), 3), "INT64(-12)"},
		{"int64", data.ConvertToInt64, dateSchema, data.Instant(1), "Kafka Connect Date type should not have any time fields set to non-zero values."},
		{"int64", data.ConvertToInt64, data.Int64Schema, data.Instant(1), "Unable to convert Thu Jan 01 00:00:00 UTC 1970 (class java.util.Date) to Schema{INT64}"},
		{"float32", data.ConvertToFloat32, nil, data.String("16777217.000000001"), "FLOAT32(1.6777216e+07)"},
		{"float64", data.ConvertToFloat64, nil, data.String("1e400"), "FLOAT64(+Inf)"},
		{"float64", data.ConvertToFloat64, dateSchema, data.Instant(86400000), "FLOAT64(1)"},
		{"float64", data.ConvertToFloat64, nil, data.String("x"), "Unable to convert x (class java.lang.String) to a number"},

		{"list", withoutSchema(data.ConvertToArray), nil, data.String("[1]x"), "[INT8(1)]"},
		{"list", withoutSchema(data.ConvertToArray), nil, data.String("1,2"), "Unable to convert 1 (class java.lang.Byte) to Schema{ARRAY}"},
		{"map", withoutSchema(data.ConvertToMap), nil, data.String("[1]"), "Unable to convert [1] (class java.util.ArrayList) to Schema{MAP}"},
		{"map", withoutSchema(data.ConvertToMap), nil, data.Null, "Unable to convert a null value to a schema that requires a value"},
		{"struct", withoutSchema(data.ConvertToStruct), nil, data.String("[1]"), "Unable to convert [1] (class java.lang.String) to Schema{STRUCT}"},

		{"date", data.ConvertToDate, nil, data.Instant(5), "INSTANT(5)"},
		{"date", data.ConvertToDate, timestampSchema, data.Instant(-1), "INSTANT(0)"},
		{"date", data.ConvertToDate, timestampSchema, data.Instant(-86400001), "INSTANT(-86400000)"},
		{"date", data.ConvertToDate, timeSchema, data.Instant(5), "INSTANT(432000000)"},
		{"date", data.ConvertToDate, nil, data.String(" 7 "), "INSTANT(604800000)"},
		{"date", data.ConvertToDate, nil, data.Float64(1e20), "INSTANT(-86400000)"},
		{"date", data.ConvertToDate, data.StringSchema, data.String("2019-08-23"), "Unable to convert Fri Aug 23 00:00:00 UTC 2019 (class java.util.Date) to Schema{STRING}"},
		{"time", data.ConvertToTime, timestampSchema, data.Instant(-5), "INSTANT(86399995)"},
		{"time", data.ConvertToTime, dateSchema, data.Instant(86400000), "INSTANT(1)"},
		{"time", data.ConvertToTime, timestampSchema, data.Instant(-91748810000000), "Time values must use number of milliseconds greater than 0 and less than 86400000"},
		{"time", data.ConvertToTime, nil, data.Int64(5e9), "Time values must use number of milliseconds greater than 0 and less than 86400000"},
		{"timestamp", data.ConvertToTimestamp, nil, data.Instant(-5), "INSTANT(-5)"},
		{"timestamp", data.ConvertToTimestamp, timeSchema, data.Instant(-5), "Kafka Connect Time type should not have any date fields set to non-zero values."},
		{"timestamp", data.ConvertToTimestamp, nil, data.Null, "Unable to convert a null value to a schema that requires a value"},

		{"decimal", toDecimal, nil, data.Int64(5e9), "DECIMAL(50,-8)"},
		{"decimal", toDecimal, nil, data.Float32(1.5), "DECIMAL(15,1)"},
		{"decimal", toDecimal, nil, data.Bytes([]byte{0, 150}), "DECIMAL(150,2)"},
		{"decimal", toDecimal, nil, data.Bytes(nil), "Zero length BigInteger"},
		{"decimal", toDecimal, nil, data.String("-٣.50"), "DECIMAL(-350,2)"},
		{"decimal", toDecimal, nil, data.Instant(0), "Unable to convert Thu Jan 01 00:00:00 UTC 1970 (class java.util.Date) to Schema{org.apache.kafka.connect.data.Decimal:BYTES}"},
	}
	for _, test := range tests {
		got, err := test.f(test.schema, test.v)
		result := golden.DescribeValue(got)
		if err != nil {
			result = messageOf(t, err)
		}
		if diff := cmp.Diff(test.want, result); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", test.name, golden.DescribeValue(test.v), diff)
		}
	}
}

func messageOf(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*data.Error](err)
	if !ok {
		t.Fatalf("error of type %T", err)
	}
	return e.ErrorMessage()
}

func TestConvertToDecimalComplaints(t *testing.T) {
	t.Parallel()
	const (
		missing  = `Character array is missing "e" notation exponential mark.`
		points   = "Character array contains more than one decimal point."
		noDigits = "No digits found."
		notDigit = "Not a digit."
	)
	stranger := func(c string) string {
		return "Character " + c + ` is neither a decimal digit number, decimal point, nor "e" notation exponential mark.`
	}
	tests := []struct{ text, want string }{
		{"", ""},
		{"-", noDigits},
		{"+.", noDigits},
		{"e5", noDigits},
		{"..", points},
		{"1.2.3", points},
		{"e", ""},
		{"1e+", ""},
		{"1e+-", notDigit},
		{"1e1.5", notDigit},
		{"1e99999999999", "Too many nonzero exponent digits."},
		{"1e2147483648", "Exponent overflow."},
		{"1e-2147483648", "Scale out of range."},
		{"1.5e-2147483647", "Scale out of range."},
		{"--", stranger("-")},
		{"1é", stranger("é")},
		{"1😀", stranger("?")},
		{"xxxxxxxxxxxxxxxxxx", stranger("x")},
		{"-xxxxxxxxxxxxxxxxxx", stranger("x")},
		{"xxxxxxxxxxxxxxxxxxx", missing},
	}
	for _, test := range tests {
		v, err := data.ConvertToDecimal(data.String(test.text), 0)
		if err == nil {
			t.Errorf("%q is %s", test.text, v)
			continue
		}
		if diff := cmp.Diff(test.want, messageOf(t, err)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestConvertToString(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]data.Value{
		"null":    data.Null,
		`"[1]"`:   data.Array([]data.Value{data.Int8(1)}),
		`"a\"b"`:  data.String(`a"b`),
		`"1.5"`:   data.Float32(1.5),
		`"1E+20"`: data.Decimal(big.NewInt(1), -20),
	} {
		if got := golden.DescribeValue(data.ConvertToString(v)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestInferSchema(t *testing.T) {
	t.Parallel()
	list := func(vs ...data.Value) data.Value { return data.Array(vs) }
	entry := func(k, v data.Value) data.Value {
		m := data.NewMap(1)
		m.Put(k, v)
		return m.Value()
	}
	i, a := data.Int32(1), data.String("a")
	st := data.MustStruct(data.NewStructBuilder().Field("f", data.Int32Schema).MustBuild()).Value()
	tests := []struct {
		v    data.Value
		want string
	}{
		{data.Null, "no schema"},
		{data.Bytes(nil), "BYTES<>"},
		{data.Instant(0), "no schema"},
		{list(data.Null, i), "ARRAY<INT32?<>>"},
		{list(i, data.Int64(1)), "no schema"},
		{list(data.Null), "type cannot be null"},
		{list(i, data.Instant(0)), "no schema"},
		{list(list(i), list(a), data.Null), "ARRAY<ARRAY?<no schema>>"},
		{list(list()), "no schema"},
		{list(list(data.Null)), "type cannot be null"},
		{list(st), "ARRAY<STRUCT<>>"},
		{st, `STRUCT<"f":INT32<>>`},
		{entry(a, i), "MAP<STRING<>,INT32<>>"},
		{entry(a, data.Null), "type cannot be null"},
		{entry(data.Null, i), "type cannot be null"},
		{entry(a, data.Instant(0)), "no schema"},
		{entry(a, entry(a, i)), "MAP<STRING<>,MAP<no schema,no schema>>"},
		{data.NewMap(0).Value(), "no schema"},
	}
	for _, test := range tests {
		s, err := data.InferSchema(test.v)
		got := golden.DescribeSchema(s)
		if err != nil {
			got = messageOf(t, err)
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", golden.DescribeValue(test.v), got, test.want)
		}
	}
}
