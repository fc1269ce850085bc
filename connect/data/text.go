package data

import (
	"encoding/base64"
	"strconv"

	"github.com/millrace-io/millrace/connect/javatext"
)

// String returns the text of [Value.AppendText].
func (v Value) String() string {
	if v.kind == KindString {
		return v.Str()
	}
	return string(v.AppendText(nil))
}

// AppendText appends the text that Java's String.valueOf gives for such a value: what StringConverter and the file
// sink write. Lists print as [1, x, null], maps as {a=1}, structs as Struct{a=1,b=x} with their non-null fields.
// Bytes, for which Java prints an object identity, print as base64.
func (v Value) AppendText(dst []byte) []byte {
	switch v.kind {
	case KindNull:
		return append(dst, "null"...)
	case KindInt8, KindInt16, KindInt32, KindInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case KindFloat32:
		return javatext.AppendFloat32(dst, v.Float32())
	case KindFloat64:
		return javatext.AppendFloat64(dst, v.Float64())
	case KindBoolean:
		return strconv.AppendBool(dst, v.Bool())
	case KindString:
		return append(dst, v.Bytes()...)
	case KindBytes:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes())
	case KindDecimal:
		return v.appendDecimal(dst)
	case KindInstant:
		return v.Time().AppendFormat(dst, "Mon Jan 02 15:04:05 UTC 2006")
	default:
		return v.appendContainer(dst)
	}
}

func (v Value) appendDecimal(dst []byte) []byte {
	if x, ok := v.SmallUnscaled(); ok {
		return javatext.AppendDecimalInt64(dst, x, v.aux)
	}
	return javatext.AppendDecimal(dst, v.Unscaled(), v.aux)
}

func (v Value) appendContainer(dst []byte) []byte {
	switch v.kind {
	case KindArray:
		dst = append(dst, '[')
		for i, e := range v.Array() {
			dst = e.AppendText(appendSeparator(dst, i, ", "))
		}
		return append(dst, ']')
	case KindMap:
		dst = append(dst, '{')
		for i, e := range v.Map().entries {
			dst = append(e.Key.AppendText(appendSeparator(dst, i, ", ")), '=')
			dst = e.Value.AppendText(dst)
		}
		return append(dst, '}')
	default:
		return v.Struct().appendText(dst)
	}
}

func appendSeparator(dst []byte, i int, sep string) []byte {
	if i == 0 {
		return dst
	}
	return append(dst, sep...)
}

// String returns the struct's text, Struct{a=1,b=x}.
func (s *Struct) String() string { return string(s.appendText(nil)) }

func (s *Struct) appendText(dst []byte) []byte {
	dst = append(dst, "Struct{"...)
	n := 0
	for i, v := range s.values {
		if v.kind == KindNull {
			continue
		}
		dst = append(appendSeparator(dst, n, ","), s.schema.fields[i].Name...)
		dst = v.AppendText(append(dst, '='))
		n++
	}
	return append(dst, '}')
}
