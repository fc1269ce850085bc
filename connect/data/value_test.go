package data_test

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/millrace-io/millrace/connect/data"
)

// structAB is the schema of structs in these tests.
var structAB = data.NewStructBuilder().Field("a", data.Int32Schema).Field("b", data.OptionalStringSchema).MustBuild()

func mapOf(entries ...data.Value) data.Value {
	m := data.NewMap(len(entries) / 2)
	for i := 0; i < len(entries); i += 2 {
		m.Put(entries[i], entries[i+1])
	}
	return m.Value()
}

// distinct returns values that all differ from each other, made anew by each call.
func distinct() []data.Value {
	st := data.MustStruct(structAB).MustPut("a", data.Int32(1))
	return []data.Value{
		data.Null,
		data.Int8(1), data.Int16(1), data.Int32(1), data.Int64(1), data.Instant(1), data.Int8(-1),
		data.Float32(1), data.Float64(1), data.Float64(0), data.Float64(math.Copysign(0, -1)), data.Float64(math.NaN()),
		data.Float32(float32(math.NaN())),
		data.Bool(true), data.Bool(false),
		data.String(""), data.String("a"), data.String(string([]byte("ab"))),
		data.Bytes(nil), data.Bytes([]byte("a")),
		data.Array(nil), data.Array([]data.Value{data.Null}), data.Array([]data.Value{data.Int8(1), data.Int8(2)}),
		mapOf(), mapOf(data.String("a"), data.Null), mapOf(data.String("a"), data.Int8(1)), mapOf(data.String("b"), data.Null),
		data.MustStruct(structAB).Value(), st.Value(),
		data.MustStruct(data.NewStructBuilder().MustBuild()).Value(),
		data.Decimal(big.NewInt(10), 1), data.Decimal(big.NewInt(100), 2), data.Decimal(big.NewInt(-10), 1),
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	a, b := distinct(), distinct()
	for i := range a {
		for j := range b {
			if got := a[i].Equal(b[j]); got != (i == j) {
				t.Errorf("%v %v equal to %v %v: %v", a[i].Kind(), a[i], b[j].Kind(), b[j], got)
			}
		}
	}
	if !data.Float64(math.Float64frombits(0x7ff8000000000001)).Equal(data.Float64(math.NaN())) {
		t.Error("two kinds of NaN differ")
	}
	if !data.DecimalBytes([]byte{0, 0, 5}, 1).Equal(data.Decimal(big.NewInt(5), 1)) {
		t.Error("leading bytes of a decimal count")
	}
}

func TestMapKeysOfAllKinds(t *testing.T) {
	t.Parallel()
	keys := distinct()
	m := data.NewMap(0)
	for i, k := range keys {
		m.Put(k, data.Int64(int64(i)))
	}
	if m.Len() != len(keys) {
		t.Fatalf("%d entries of %d keys", m.Len(), len(keys))
	}
	for i, k := range distinct() {
		if v, ok := m.Get(k); !ok || v.Int64() != int64(i) {
			t.Errorf("key %v %v: %v %v", k.Kind(), k, v, ok)
		}
	}
	if _, ok := m.Get(data.String("zz")); ok {
		t.Error("found a key that is not there")
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	if v := data.Int8(-128); v.Int64() != -128 || !v.IsInteger() || v.Kind() != data.KindInt8 {
		t.Errorf("int8 %v", v)
	}
	if v := data.Int64(math.MinInt64); v.Int64() != math.MinInt64 {
		t.Errorf("int64 %v", v)
	}
	if v := data.Float32(1.1); v.Float32() != 1.1 || v.Float64() != float64(float32(1.1)) || v.IsInteger() {
		t.Errorf("float32 %v", v)
	}
	if !data.Bool(true).Bool() || data.Bool(false).Bool() {
		t.Error("booleans are not what they were made of")
	}
}

func TestAccessors(t *testing.T) {
	t.Parallel()
	if v := data.String("x"); v.Str() != "x" || string(v.Bytes()) != "x" || v.Array() != nil || v.Map() != nil || v.Struct() != nil {
		t.Errorf("string %v", v)
	}
	if v := data.Bytes([]byte("x")); v.Str() != "" || string(v.Bytes()) != "x" || v.UnscaledBytes() != nil {
		t.Errorf("bytes %v", v)
	}
	if !data.Null.IsNull() || data.Int8(0).IsNull() {
		t.Error("wrong idea of null")
	}
	if v := (data.Value{}); !v.IsNull() || !v.Equal(data.Null) {
		t.Error("the zero Value is not null")
	}
}

func TestInstant(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 12, 0, 0, 123_999_999, time.FixedZone("x", 3600))
	v := data.InstantOf(at)
	if v.Int64() != 1709204400123 || !v.Time().Equal(time.UnixMilli(1709204400123)) || v.Time().Location() != time.UTC {
		t.Errorf("instant %v", v)
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	text, raw, unscaled := []byte("text"), []byte{1, 2}, []byte{5}
	elems := []data.Value{data.AliasString(text), data.Bytes(raw), data.DecimalBytes(unscaled, 1), data.Int8(1)}
	st := data.MustStruct(structAB).MustPut("a", data.Int32(1)).MustPut("b", data.AliasString(text))
	v := data.Array([]data.Value{
		data.Array(elems), mapOf(data.AliasString(text), data.Bytes(raw)), st.Value(), data.Null, data.AliasString(nil),
	})
	c := v.Clone()
	if !c.Equal(v) {
		t.Fatalf("%v is no clone of %v", c, v)
	}
	before := c.String()
	text[0], raw[0], unscaled[0], elems[3] = '#', 9, 9, data.Int8(9)
	st.Set(0, data.Int32(9))
	if c.String() != before {
		t.Errorf("the clone changed from %s to %v", before, c)
	}
}

func TestTwosComplement(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		x    int64
		want []byte
	}{
		{0, []byte{0}},
		{1, []byte{1}},
		{127, []byte{127}},
		{128, []byte{0, 128}},
		{255, []byte{0, 255}},
		{256, []byte{1, 0}},
		{-1, []byte{255}},
		{-128, []byte{128}},
		{-129, []byte{255, 127}},
		{-256, []byte{255, 0}},
		{math.MaxInt64, []byte{127, 255, 255, 255, 255, 255, 255, 255}},
		{math.MinInt64, []byte{128, 0, 0, 0, 0, 0, 0, 0}},
	} {
		v := data.Decimal(big.NewInt(tt.x), 3)
		if !bytes.Equal(v.UnscaledBytes(), tt.want) {
			t.Errorf("%d: % x, want % x", tt.x, v.UnscaledBytes(), tt.want)
		}
		if got, ok := v.SmallUnscaled(); !ok || got != tt.x || v.Scale() != 3 {
			t.Errorf("%d: read back as %d, %v", tt.x, got, ok)
		}
		long := append(bytes.Repeat([]byte{byte(tt.x >> 63)}, 12), tt.want...)
		if got := data.MinimalUnscaled(data.DecimalBytes(long, 0)); !bytes.Equal(got, tt.want) {
			t.Errorf("%d: shortened to % x, want % x", tt.x, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		x := new(big.Int).SetBytes(make([]byte, 1))
		for range r.IntN(5) {
			x.Lsh(x, 61).Add(x, big.NewInt(r.Int64()>>r.IntN(63)))
		}
		if r.IntN(2) == 0 {
			x.Neg(x)
		}
		v := data.Decimal(x, 0)
		if v.Unscaled().Cmp(x) != 0 || len(data.MinimalUnscaled(v)) != len(v.UnscaledBytes()) {
			t.Fatalf("%s: % x is read back as %s", x, v.UnscaledBytes(), v.Unscaled())
		}
		if small, ok := v.SmallUnscaled(); ok != x.IsInt64() || ok && small != x.Int64() {
			t.Fatalf("%s: %d, %v", x, small, ok)
		}
	}
}

func TestSizeOfValue(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(data.Value{}); size > 24 {
		t.Errorf("%d bytes, want 24 at most", size)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	st := data.MustStruct(structAB).MustPut("a", data.Int32(1))
	nested := data.NewStructBuilder().Field("x", structAB).Field("l", data.NewArrayBuilder(data.Int8Schema).MustBuild()).MustBuild()
	for _, tt := range []struct {
		v    data.Value
		want string
	}{
		{data.Null, "null"},
		{data.Int8(-5), "-5"},
		{data.Float32(1.1), "1.1"},
		{data.Float64(1e10), "1.0E10"},
		{data.Float64(math.NaN()), "NaN"},
		{data.Bool(true), "true"},
		{data.String("a\"b"), "a\"b"},
		{data.Bytes([]byte{0, 255}), "AP8="},
		{data.Decimal(big.NewInt(12345), 3), "12.345"},
		{data.Decimal(big.NewInt(7), -3), "7E+3"},
		{data.Decimal(new(big.Int).Lsh(big.NewInt(1), 70), 2), "11805916207174113034.24"},
		{data.Instant(0), "Thu Jan 01 00:00:00 UTC 1970"},
		{data.Instant(1709208000123), "Thu Feb 29 12:00:00 UTC 2024"},
		{data.Array(nil), "[]"},
		{data.Array([]data.Value{data.Int64(1), data.String("x"), data.Null}), "[1, x, null]"},
		{mapOf(), "{}"},
		{mapOf(data.String("a"), data.Int64(1), data.Int8(2), mapOf()), "{a=1, 2={}}"},
		{data.MustStruct(structAB).Value(), "Struct{}"},
		{st.Value(), "Struct{a=1}"},
		{
			data.MustStruct(nested).MustPut("x", st.Value()).MustPut("l", data.Array([]data.Value{data.Int8(1), data.Int8(2)})).Value(),
			"Struct{x=Struct{a=1},l=[1, 2]}",
		},
	} {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
		if got := string(tt.v.AppendText([]byte("<"))); got != "<"+tt.want {
			t.Errorf("appended: %s, want %s", got, tt.want)
		}
	}
}
