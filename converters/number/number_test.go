package number_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
	"github.com/millrace-io/millrace/converters/number"
)

var plugins = []connect.ConverterPlugin{
	number.Short, number.Integer, number.Long, number.Float, number.Double, number.Boolean,
}

func newConverter(tb testing.TB, p connect.ConverterPlugin) connect.Converter {
	tb.Helper()
	c, err := p.New(nil, connect.ForValue)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	var classes []string
	for _, p := range plugins {
		classes = append(classes, p.Class)
		if keys := p.Def.Keys(); len(keys) != 1 || keys[0].Name != "converter.type" || p.Version != "4.3.1" {
			t.Errorf("%s: version %s, keys %v", p.Class, p.Version, keys)
		}
		if _, err := p.NewHeader(nil); err != nil {
			t.Errorf("%s as header converter: %v", p.Class, err)
		}
		want := golden.Error{
			Stage: golden.Configure, Class: config.ExceptionClass, Portable: true,
			Message: "Invalid value other for configuration converter.type: String must be one of: key, value, header",
		}
		_, err := p.New(nil, "other")
		if m := want.Mismatch(golden.Configure, err); m != "" {
			t.Errorf("%s: %s", p.Class, m)
		}
	}
	want := []string{
		"org.apache.kafka.connect.converters.ShortConverter",
		"org.apache.kafka.connect.converters.IntegerConverter",
		"org.apache.kafka.connect.converters.LongConverter",
		"org.apache.kafka.connect.converters.FloatConverter",
		"org.apache.kafka.connect.converters.DoubleConverter",
		"org.apache.kafka.connect.converters.BooleanConverter",
	}
	if diff := cmp.Diff(want, classes); diff != "" {
		t.Errorf("classes (-want +got)\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p    connect.ConverterPlugin
		v    data.Value
		want []byte
	}{
		{number.Short, data.Int16(math.MinInt16), []byte{0x80, 0}},
		{number.Short, data.Int16(-2), []byte{0xff, 0xfe}},
		{number.Integer, data.Int32(math.MaxInt32), []byte{0x7f, 0xff, 0xff, 0xff}},
		{number.Integer, data.Int32(-2), []byte{0xff, 0xff, 0xff, 0xfe}},
		{number.Long, data.Int64(math.MinInt64), []byte{0x80, 0, 0, 0, 0, 0, 0, 0}},
		{number.Float, data.Float32(-1.5), []byte{0xbf, 0xc0, 0, 0}},
		{number.Float, data.Float32(float32(math.Inf(1))), []byte{0x7f, 0x80, 0, 0}},
		{number.Float, data.Float32(math.Float32frombits(0x7fc00000)), []byte{0x7f, 0xc0, 0, 0}},
		{number.Double, data.Float64(math.Copysign(0, -1)), []byte{0x80, 0, 0, 0, 0, 0, 0, 0}},
		{number.Double, data.Float64(math.Float64frombits(0x7ff8000000000000)), []byte{0x7f, 0xf8, 0, 0, 0, 0, 0, 0}},
		{number.Boolean, data.Bool(false), []byte{0}},
		{number.Boolean, data.Bool(true), []byte{1}},
	} {
		c := newConverter(t, tt.p)
		got, err := c.Encode([]byte("x"), "t", nil, nil, tt.v)
		if diff := cmp.Diff(append([]byte("x"), tt.want...), got); diff != "" || err != nil {
			t.Errorf("%s of %s: %v (-want +got)\n%s", tt.p.Class, golden.DescribeValue(tt.v), err, diff)
		}
		_, v, err := c.Decode(nil, "t", nil, tt.want)
		if !v.Equal(tt.v) || err != nil {
			t.Errorf("%s of %x: %s, %v, want %s", tt.p.Class, tt.want, golden.DescribeValue(v), err, golden.DescribeValue(tt.v))
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p     connect.ConverterPlugin
		s     *data.Schema
		v     data.Value
		want  string
		cause string
	}{
		{
			number.Short, data.Int16Schema, data.Int32(1), "Failed to serialize to short (was class java.lang.Integer): ",
			"class java.lang.Integer cannot be cast to class java.lang.Short",
		},
		{
			number.Integer, data.Int32Schema, data.Int8(1), "Failed to serialize to integer (was class java.lang.Byte): ",
			"class java.lang.Byte cannot be cast to class java.lang.Integer",
		},
		{
			number.Long, nil, data.String("1"), "Failed to serialize to long (was class java.lang.String): ",
			"class java.lang.String cannot be cast to class java.lang.Long",
		},
		{
			number.Float, nil, data.Float64(1), "Failed to serialize to float (was class java.lang.Double): ",
			"class java.lang.Double cannot be cast to class java.lang.Float",
		},
		{
			number.Double, nil, data.Instant(1), "Failed to serialize to double (was class java.util.Date): ",
			"class java.util.Date cannot be cast to class java.lang.Double",
		},
		{number.Boolean, data.Int8Schema, data.Bool(true), "Invalid schema type for BooleanConverter: INT8", ""},
		{number.Boolean, data.OptionalStringSchema, data.Null, "Invalid schema type for BooleanConverter: STRING", ""},
		{
			number.Boolean, data.BooleanSchema, data.Int64(1),
			"BooleanConverter is not compatible with objects of type class java.lang.Long", "",
		},
	} {
		out, err := newConverter(t, tt.p).Encode([]byte("x"), "t", nil, tt.s, tt.v)
		e, ok := errors.AsType[*data.Error](err)
		if !ok || out != nil {
			t.Errorf("%s: %x, %v", tt.p.Class, out, err)
			continue
		}
		cause := ""
		if e.Cause != nil {
			cause = e.Cause.Error()
		}
		if e.Class != data.ClassData || e.Message != tt.want || cause != tt.cause {
			t.Errorf("%s: %s %q caused by %q, want %q caused by %q", tt.p.Class, e.Class, e.Message, cause, tt.want, tt.cause)
		}
	}
}

// TestDecodeErrors has causes, too, which traces show; recordings compare the messages only.
func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p     connect.ConverterPlugin
		raw   []byte
		want  string
		cause string
	}{
		{number.Short, []byte{1}, "Failed to deserialize short: ", "Size of data received by ShortDeserializer is not 2"},
		{number.Integer, []byte{}, "Failed to deserialize integer: ", "Size of data received by IntegerDeserializer is not 4"},
		{number.Long, make([]byte, 9), "Failed to deserialize long: ", "Size of data received by LongDeserializer is not 8"},
		{number.Float, make([]byte, 8), "Failed to deserialize float: ", "Size of data received by Deserializer is not 4"},
		{number.Double, make([]byte, 4), "Failed to deserialize double: ", "Size of data received by Deserializer is not 8"},
		{number.Boolean, []byte{}, "Failed to deserialize boolean: ", "Size of data received by BooleanDeserializer is not 1"},
		{number.Boolean, []byte{0xff}, "Failed to deserialize boolean: ", "Unexpected byte received by BooleanDeserializer: -1"},
	} {
		_, _, err := newConverter(t, tt.p).Decode(nil, "t", nil, tt.raw)
		e, ok := errors.AsType[*data.Error](err)
		if !ok {
			t.Errorf("%s of %x: %v", tt.p.Class, tt.raw, err)
			continue
		}
		cause, ok := errors.AsType[*connect.Error](e.Cause)
		if !ok || cause.Class != connect.ClassSerialization || cause.Message != tt.cause || e.Class != data.ClassData || e.Message != tt.want {
			t.Errorf("%s of %x: %#v, want %q caused by %q", tt.p.Class, tt.raw, e, tt.want, tt.cause)
		}
	}
}

// FuzzDecode checks that bytes are either refused or written again as they were, and that only nil is null.
func FuzzDecode(f *testing.F) {
	for _, raw := range []string{"", "\x00", "\x01", "\x02", "\x7f\xff", "\x7f\xa0\x00\x01", "\x7f\xf4\x00\x00\x00\x00\x00\x01", "123456789"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, p := range plugins {
			c := newConverter(t, p)
			s, v, err := c.Decode(nil, "t", nil, raw)
			if err != nil {
				continue
			}
			if v.IsNull() != (raw == nil) {
				t.Fatalf("%s of %x: %v", p.Class, raw, v)
			}
			if err := data.ValidateValue("", s, v); err != nil {
				t.Fatalf("%s of %x: %v", p.Class, raw, err)
			}
			if again, err := c.Encode(nil, "t", nil, s, v); !bytes.Equal(again, raw) || err != nil {
				t.Fatalf("%s of %x: written again as %x, %v", p.Class, raw, again, err)
			}
		}
	})
}
