package data

import (
	"math"
	"math/big"
	"time"
	"unsafe"
)

// Value is one immutable value of any [Kind]; the zero Value is null.
//
// It is 24 bytes and is passed by value. Strings and bytes may alias a buffer of the consumer or of a [Slab]: they stay
// valid for as long as the Value is held, because the garbage collector keeps the whole buffer. [Value.Clone] cuts that tie.
//
// Accessors do not check the kind: asking a value for another kind than it has gives a meaningless result for
// scalars and an empty one for the others.
type Value struct {
	ptr  unsafe.Pointer // first byte, first element, *Map or *Struct; nil for scalars
	num  uint64         // bits of a scalar, or a length
	aux  int32          // scale of a decimal
	kind Kind
}

// Null is the null value.
var Null Value

// Int8 returns an INT8 value.
func Int8(v int8) Value { return Value{kind: KindInt8, num: uint64(int64(v))} }

// Int16 returns an INT16 value.
func Int16(v int16) Value { return Value{kind: KindInt16, num: uint64(int64(v))} }

// Int32 returns an INT32 value.
func Int32(v int32) Value { return Value{kind: KindInt32, num: uint64(int64(v))} }

// Int64 returns an INT64 value.
func Int64(v int64) Value { return Value{kind: KindInt64, num: uint64(v)} }

// Float32 returns a FLOAT32 value.
func Float32(v float32) Value {
	return Value{kind: KindFloat32, num: uint64(math.Float32bits(v))}
}

// Float64 returns a FLOAT64 value.
func Float64(v float64) Value { return Value{kind: KindFloat64, num: math.Float64bits(v)} }

// Bool returns a BOOLEAN value.
func Bool(v bool) Value {
	if v {
		return Value{kind: KindBoolean, num: 1}
	}
	return Value{kind: KindBoolean}
}

// String returns a STRING value that shares the string's bytes.
func String(s string) Value {
	return Value{kind: KindString, ptr: unsafe.Pointer(unsafe.StringData(s)), num: uint64(len(s))}
}

// AliasString returns a STRING value over b, which must not change afterwards.
func AliasString(b []byte) Value {
	return Value{kind: KindString, ptr: unsafe.Pointer(unsafe.SliceData(b)), num: uint64(len(b))}
}

// Bytes returns a BYTES value over b, which must not change afterwards. A nil b is an empty value, not null.
func Bytes(b []byte) Value {
	return Value{kind: KindBytes, ptr: unsafe.Pointer(unsafe.SliceData(b)), num: uint64(len(b))}
}

// Array returns an ARRAY value over vs, which must not change afterwards. A nil vs is an empty array, not null.
func Array(vs []Value) Value {
	return Value{kind: KindArray, ptr: unsafe.Pointer(unsafe.SliceData(vs)), num: uint64(len(vs))}
}

// Instant returns a moment in milliseconds since the epoch, the in-memory value of Date, Time and Timestamp.
func Instant(ms int64) Value { return Value{kind: KindInstant, num: uint64(ms)} }

// InstantOf returns t as a value, cut to milliseconds.
func InstantOf(t time.Time) Value { return Instant(t.UnixMilli()) }

// Decimal returns unscaled * 10^-scale. The scale is part of the value: 1.0 and 1.00 differ.
func Decimal(unscaled *big.Int, scale int32) Value {
	return DecimalBytes(twosComplement(unscaled), scale)
}

// DecimalBytes returns the decimal whose unscaled value is given as big-endian two's complement, which must have at
// least one byte and must not change afterwards.
func DecimalBytes(unscaled []byte, scale int32) Value {
	return Value{kind: KindDecimal, ptr: unsafe.Pointer(unsafe.SliceData(unscaled)), num: uint64(len(unscaled)), aux: scale}
}

// Kind returns what the value holds.
func (v Value) Kind() Kind { return v.kind }

// IsNull tells whether the value is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Int64 returns an integer of any width, or an instant's milliseconds.
func (v Value) Int64() int64 { return int64(v.num) }

// Float64 returns a FLOAT32 or FLOAT64.
func (v Value) Float64() float64 {
	if v.kind == KindFloat32 {
		return float64(math.Float32frombits(uint32(v.num)))
	}
	return math.Float64frombits(v.num)
}

// Float32 returns a FLOAT32.
func (v Value) Float32() float32 { return math.Float32frombits(uint32(v.num)) }

// Bool returns a BOOLEAN.
func (v Value) Bool() bool { return v.num != 0 }

// Str returns the text of a STRING without copying it.
func (v Value) Str() string {
	if v.kind != KindString {
		return ""
	}
	return unsafe.String((*byte)(v.ptr), int(v.num))
}

// Bytes returns the content of BYTES, or the bytes of a STRING, without copying. They must not be changed.
func (v Value) Bytes() []byte {
	if v.kind != KindBytes && v.kind != KindString {
		return nil
	}
	return unsafe.Slice((*byte)(v.ptr), int(v.num))
}

// Array returns the elements of an ARRAY without copying. They must not be changed.
func (v Value) Array() []Value {
	if v.kind != KindArray {
		return nil
	}
	return unsafe.Slice((*Value)(v.ptr), int(v.num))
}

// Map returns the entries of a MAP; nil for other kinds.
func (v Value) Map() *Map {
	if v.kind != KindMap {
		return nil
	}
	return (*Map)(v.ptr)
}

// Struct returns the STRUCT; nil for other kinds.
func (v Value) Struct() *Struct {
	if v.kind != KindStruct {
		return nil
	}
	return (*Struct)(v.ptr)
}

// Time returns an instant in UTC.
func (v Value) Time() time.Time { return time.UnixMilli(v.Int64()).UTC() }

// Scale returns the scale of a decimal.
func (v Value) Scale() int32 { return v.aux }

// UnscaledBytes returns the unscaled value of a decimal as big-endian two's complement, not to be changed.
func (v Value) UnscaledBytes() []byte {
	if v.kind != KindDecimal {
		return nil
	}
	return unsafe.Slice((*byte)(v.ptr), int(v.num))
}

// Unscaled returns the unscaled value of a decimal.
func (v Value) Unscaled() *big.Int { return fromTwosComplement(v.UnscaledBytes()) }

// IsInteger tells whether the value is an integer of any width.
func (v Value) IsInteger() bool { return v.kind >= KindInt8 && v.kind <= KindInt64 }

// Clone returns a deep copy that shares no memory with the batch the value came from. A connector that keeps single
// values of many batches clones them, lest each pins its whole batch.
func (v Value) Clone() Value { return v.CloneTo(nil) }

// CloneTo is [Value.Clone] with memory of the slab.
func (v Value) CloneTo(slab *Slab) Value {
	switch v.kind {
	case KindString:
		return slab.String(v.Bytes())
	case KindBytes:
		return Bytes(slab.Copy(v.Bytes()))
	case KindDecimal:
		return DecimalBytes(slab.Copy(v.UnscaledBytes()), v.aux)
	case KindArray:
		out := slab.Values(len(v.Array()))
		cloneAll(slab, out, v.Array())
		return Array(out)
	case KindMap:
		return v.Map().cloneTo(slab).Value()
	case KindStruct:
		out := slab.Struct(v.Struct().schema)
		cloneAll(slab, out.values, v.Struct().values)
		return out.Value()
	default:
		return v
	}
}

func cloneAll(slab *Slab, out, vs []Value) {
	for i, v := range vs {
		out[i] = v.CloneTo(slab)
	}
}

// Equal tells whether two values are equal as the reference compares them: same kind and same content. Numbers of
// different widths differ, decimals of different scales differ, NaN equals itself, 0.0 and -0.0 differ, the
// order of map entries does not matter.
func (v Value) Equal(o Value) bool {
	if v.kind != o.kind {
		return false
	}
	switch v.kind {
	case KindString, KindBytes:
		return string(v.Bytes()) == string(o.Bytes())
	case KindDecimal:
		return v.aux == o.aux && v.Unscaled().Cmp(o.Unscaled()) == 0
	case KindFloat32, KindFloat64:
		return v.num == o.num || (math.IsNaN(v.Float64()) && math.IsNaN(o.Float64()))
	case KindArray:
		return equalAll(v.Array(), o.Array())
	case KindMap:
		return v.Map().equal(o.Map())
	case KindStruct:
		return v.Struct().Equal(o.Struct())
	default:
		return v.num == o.num
	}
}

func equalAll(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// twosComplement returns the shortest big-endian two's complement form of x, at least one byte.
func twosComplement(x *big.Int) []byte {
	if x.Sign() >= 0 {
		b := x.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	// -x-1 has the bits of x inverted.
	b := new(big.Int).Not(x).Bytes()
	if len(b) == 0 || b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

func fromTwosComplement(b []byte) *big.Int {
	x := new(big.Int)
	if len(b) == 0 {
		return x
	}
	x.SetBytes(b)
	if b[0]&0x80 != 0 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return x
}
