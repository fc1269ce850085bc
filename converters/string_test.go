package converters_test

import (
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
	"github.com/millrace-io/millrace/converters"
)

func newConverter(t *testing.T, p connect.ConverterPlugin, props connect.Props) connect.Converter {
	t.Helper()
	c, err := p.New(props, connect.ForValue)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStringEncode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		encoding string
		v        data.Value
		want     []byte
	}{
		{"UTF-8", data.Null, nil},
		{"UTF-8", data.String(""), []byte{}},
		{"UTF-8", data.String("é"), []byte("é")},
		{"UTF-8", data.Float64(1e10), []byte("1.0E10")},
		{"UTF-8", data.Array([]data.Value{data.Int8(1), data.Null}), []byte("[1, null]")},
		{"latin1", data.String("é"), []byte{0xe9}},
		{"us-ascii", data.Array([]data.Value{data.String("é")}), []byte("[?]")},
		{"UTF-16LE", data.Int64(5), []byte("5\x00")},
		{"UTF-16", data.String(""), []byte{}},
	} {
		c := newConverter(t, converters.String, connect.Props{converters.EncodingKey: tt.encoding})
		got, err := c.Encode(nil, "t", nil, nil, tt.v)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%v in %s: %v (-want +got)\n%s", tt.v, tt.encoding, err, diff)
		}
		if got, err := c.Encode([]byte("x"), "t", nil, nil, tt.v); tt.want != nil && string(got) != "x"+string(tt.want) || err != nil {
			t.Errorf("%v in %s behind x: %q, %v", tt.v, tt.encoding, got, err)
		}
	}
}

func TestStringDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		encoding string
		raw      []byte
		want     string
	}{
		{"UTF-8", nil, "null"},
		{"UTF-8", []byte{}, `""`},
		{"UTF-8", []byte("aé"), `"aé"`},
		{"UTF-8", []byte("a\xe2\x82b"), `"a�b"`},
		{"ISO-8859-1", []byte("\xe9"), `"é"`},
		{"utf-16", []byte("\xff\xfea\x00"), `"a"`},
	} {
		c := newConverter(t, converters.String, connect.Props{converters.EncodingKey: tt.encoding})
		for _, slab := range []*data.Slab{nil, {}} {
			s, v, err := c.Decode(slab, "t", nil, tt.raw)
			if got := golden.DescribeValue(v); got != tt.want || s != data.OptionalStringSchema || err != nil {
				t.Errorf("%x in %s: %v %s %v, want %s", tt.raw, tt.encoding, s, got, err, tt.want)
			}
		}
	}
}

func TestStringDecodeDoesNotCopy(t *testing.T) {
	c := newConverter(t, converters.String, nil)
	raw := []byte("some text, é")
	_, v, err := c.Decode(nil, "t", nil, raw)
	if err != nil || unsafe.StringData(v.Str()) != &raw[0] {
		t.Errorf("text was copied (%v)", err)
	}
	if n := testing.AllocsPerRun(100, func() { _, v, err = c.Decode(nil, "t", nil, raw) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestStringConfigure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		encoding string
		want     string
	}{
		{"nope", "Unsupported encoding nope"},
		{"", "Unsupported encoding "},
		{"a b", "Unsupported encoding a b"},
	} {
		want := golden.Error{Stage: golden.Configure, Class: connect.ClassSerialization, Message: tt.want, Portable: true}
		_, err := converters.String.New(connect.Props{converters.EncodingKey: tt.encoding}, connect.ForKey)
		if m := want.Mismatch(golden.Configure, err); m != "" {
			t.Errorf("%q: %s", tt.encoding, m)
		}
	}
	if _, err := converters.String.New(connect.Props{converters.EncodingKey: " utf-8 "}, connect.ForKey); err != nil {
		t.Errorf("blanks around the name: %v", err)
	}
	_, err := converters.String.New(nil, "other")
	want := golden.Error{
		Stage: golden.Configure, Class: config.ExceptionClass, Portable: true,
		Message: "Invalid value other for configuration converter.type: String must be one of: key, value, header",
	}
	if m := want.Mismatch(golden.Configure, err); m != "" {
		t.Error(m)
	}
}

func TestByteArray(t *testing.T) {
	t.Parallel()
	c := newConverter(t, converters.ByteArray, nil)
	decimal := data.NewDecimalBuilder(0).MustBuild()
	for _, tt := range []struct {
		s    *data.Schema
		v    data.Value
		want []byte
		err  string
	}{
		{nil, data.Null, nil, ""},
		{nil, data.Bytes([]byte{1}), []byte{1}, ""},
		{nil, data.Bytes(nil), []byte{}, ""},
		{data.BytesSchema, data.Null, nil, ""},
		{data.StringSchema, data.Bytes(nil), nil, "Invalid schema type for ByteArrayConverter: STRING"},
		{data.OptionalInt32Schema, data.Null, nil, "Invalid schema type for ByteArrayConverter: INT32"},
		{nil, data.String("x"), nil, "ByteArrayConverter is not compatible with objects of type class java.lang.String"},
		{decimal, data.DecimalBytes([]byte{1}, 0), nil, "ByteArrayConverter is not compatible with objects of type class java.math.BigDecimal"},
	} {
		got, err := c.Encode(nil, "t", nil, tt.s, tt.v)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || message != tt.err {
			t.Errorf("%v %v: error %q, want %q (-want +got)\n%s", tt.s, tt.v, message, tt.err, diff)
		}
	}
	for raw, want := range map[string]string{"": "BYTES()", "\x01\xff": "BYTES(01ff)"} {
		s, v, err := c.Decode(nil, "t", nil, []byte(raw))
		if got := golden.DescribeValue(v); got != want || s != data.OptionalBytesSchema || err != nil {
			t.Errorf("%x: %v %s %v, want %s", raw, s, got, err, want)
		}
	}
	if s, v, err := c.Decode(nil, "t", nil, nil); s != data.OptionalBytesSchema || !v.IsNull() || err != nil {
		t.Errorf("null bytes: %v %v %v", s, v, err)
	}
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p    connect.ConverterPlugin
		keys []string
	}{
		{converters.String, []string{"converter.type", "converter.encoding"}},
		{converters.ByteArray, []string{"converter.type"}},
	} {
		var keys []string
		for _, k := range tt.p.Def.Keys() {
			keys = append(keys, k.Name)
		}
		if diff := cmp.Diff(tt.keys, keys); diff != "" || tt.p.Version != "4.3.1" {
			t.Errorf("%s %s (-want +got)\n%s", tt.p.Class, tt.p.Version, diff)
		}
		h, err := tt.p.NewHeader(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, v, err := h.DecodeHeader(nil, "t", "h", []byte("x"))
		if string(v.Bytes()) != "x" || err != nil {
			t.Errorf("%s: header %v, %v", tt.p.Class, v, err)
		}
	}
}
