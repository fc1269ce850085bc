package json

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/javatext"
)

// appendValue appends a value by plan p.
func appendValue(dst []byte, p *plan, v data.Value) ([]byte, error) {
	if p == nil {
		return appendSchemaless(dst, v)
	}
	if v.IsNull() {
		return appendNull(dst, p)
	}
	if v.Kind() != p.kind {
		return nil, wrongKind(p, v)
	}
	switch p.op {
	case opString:
		return appendString(dst, v.Bytes()), nil
	case opStruct:
		return appendStruct(dst, p, v.Struct())
	case opArray:
		return appendArray(dst, p.elem, v.Array())
	case opObject:
		return appendObject(dst, p, v.Map())
	case opPairs:
		return appendPairs(dst, p, v.Map())
	case opDecimal, opDecimalNumber:
		return appendDecimal(dst, p, v)
	case opDate, opTime:
		return appendDateTime(dst, p, v)
	case opFloat32, opFloat64, opBoolean, opBytes:
		return appendScalar(dst, v), nil
	default:
		return strconv.AppendInt(dst, v.Int64(), 10), nil
	}
}

// appendScalar appends a value whose text does not depend on a schema. Instants are written as milliseconds.
func appendScalar(dst []byte, v data.Value) []byte {
	switch v.Kind() {
	case data.KindFloat32:
		return appendFloat(dst, v.Float64(), 32)
	case data.KindFloat64:
		return appendFloat(dst, v.Float64(), 64)
	case data.KindBoolean:
		return strconv.AppendBool(dst, v.Bool())
	case data.KindBytes:
		return appendBase64(dst, v.Bytes())
	default:
		return strconv.AppendInt(dst, v.Int64(), 10)
	}
}

func appendBase64(dst, b []byte) []byte {
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), b)
	return append(dst, '"')
}

// appendFloat appends Java's text of a number, in quotes if JSON has none for it.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		return appendPlainFloat(dst, f, bits)
	}
	quoted := math.IsNaN(f) || math.IsInf(f, 0)
	if quoted {
		dst = append(dst, '"')
	}
	if bits == 32 {
		dst = javatext.AppendFloat32(dst, float32(f))
	} else {
		dst = javatext.AppendFloat64(dst, f)
	}
	if quoted {
		dst = append(dst, '"')
	}
	return dst
}

// appendPlainFloat appends a number of the range in which Java's text is the shortest one without an exponent and with
// at least one digit behind the point.
func appendPlainFloat(dst []byte, f float64, bits int) []byte {
	if hundreds := f * 100; bits == 64 && hundreds == math.Trunc(hundreds) && hundreds/100 == f {
		// No other number of so few digits is that close to f.
		return appendHundreds(dst, int64(hundreds))
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
	if bytes.IndexByte(dst[start:], '.') >= 0 {
		return dst
	}
	return append(dst, '.', '0')
}

// appendHundreds appends n/100 with one or two digits behind the point.
func appendHundreds(dst []byte, n int64) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = append(strconv.AppendInt(dst, n/100, 10), '.', byte('0'+n/10%10))
	if n%10 == 0 {
		return dst
	}
	return append(dst, byte('0'+n%10))
}

func appendNull(dst []byte, p *plan) ([]byte, error) {
	switch p.null {
	case nullIsDefault:
		return appendValue(dst, p, p.def)
	case nullAllowed:
		return append(dst, "null"...), nil
	default:
		return nil, data.Errorf("Conversion error: null value for field that is required and has no default value")
	}
}

// wrongKind is the error about a value of another kind than the schema asks for.
func wrongKind(p *plan, v data.Value) error {
	class := v.Kind().JavaClass()
	switch p.op {
	case opDecimal, opDecimalNumber:
		return data.Errorf("Invalid type for Decimal, expected BigDecimal but was class %s", class)
	case opDate:
		return data.Errorf("Invalid type for Date, expected Date but was class %s", class)
	case opTime:
		return data.Errorf("Invalid type for Time, expected Date but was class %s", class)
	case opTimestamp:
		return data.Errorf("Invalid type for Timestamp, expected Date but was class %s", class)
	case opBytes:
		return data.Errorf("Invalid type for bytes type: class %s", class)
	default:
		return data.Errorf("Invalid type for %s: class %s", p.schema.Type(), class)
	}
}

func appendStruct(dst []byte, p *plan, s *data.Struct) ([]byte, error) {
	if s.Schema() != p.schema && !s.Schema().Equal(p.schema) {
		return nil, errMismatchingSchema()
	}
	values := s.Values()
	if len(values) == 0 {
		return append(dst, "{}"...), nil
	}
	for i := range values {
		f := &p.fields[i]
		var err error
		if dst, err = appendValue(append(dst, f.lead...), f.plan, values[i]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func errMismatchingSchema() error { return data.Errorf("Mismatching schema.") }

func appendArray(dst []byte, elem *plan, vs []data.Value) ([]byte, error) {
	dst = append(dst, '[')
	for i := range vs {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendValue(dst, elem, vs[i]); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// appendObject appends a map whose key schema is of type STRING.
func appendObject(dst []byte, p *plan, m *data.Map) ([]byte, error) {
	if p.key.op != opString || !allStrings(m) {
		return appendOddKeys(dst, p, m)
	}
	return appendStringKeys(dst, p.elem, m)
}

func allStrings(m *data.Map) bool {
	entries := m.Entries()
	for i := range entries {
		if entries[i].Key.Kind() != data.KindString {
			return false
		}
	}
	return true
}

func appendStringKeys(dst []byte, elem *plan, m *data.Map) ([]byte, error) {
	dst = append(dst, '{')
	entries := m.Entries()
	for i := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, entries[i].Key.Bytes()), ':')
		var err error
		if dst, err = appendValue(dst, elem, entries[i].Value); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// appendOddKeys is appendObject for keys that are null, or not strings because the key schema is logical. Names that
// come out alike are one member, with the value of the last of them.
func appendOddKeys(dst []byte, p *plan, m *data.Map) ([]byte, error) {
	var names, values [][]byte
	places := make(map[string]int)
	for _, e := range m.Entries() {
		name, err := appendValue(nil, p.key, e.Key)
		if err != nil {
			return nil, err
		}
		value, err := appendValue(nil, p.elem, e.Value)
		if err != nil {
			return nil, err
		}
		if name[0] != '"' {
			name = append(append([]byte{'"'}, name...), '"')
		}
		if i, ok := places[string(name)]; ok {
			values[i] = value
			continue
		}
		places[string(name)] = len(names)
		names, values = append(names, name), append(values, value)
	}
	dst = append(dst, '{')
	for i := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, names[i]...), ':'), values[i]...)
	}
	return append(dst, '}'), nil
}

// appendPairs appends a map as a list of pairs. A plan without a key plan is one of a map whose keys have no schema in
// common, which the reference cannot write.
func appendPairs(dst []byte, p *plan, m *data.Map) ([]byte, error) {
	if p.key == nil {
		return nil, &connect.Error{Class: "java.lang.NullPointerException", Message: "map schema without a key schema"}
	}
	return appendPairsOf(dst, p.key, p.elem, m)
}

func appendPairsOf(dst []byte, key, elem *plan, m *data.Map) ([]byte, error) {
	dst = append(dst, '[')
	for i, e := range m.Entries() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendValue(append(dst, '['), key, e.Key); err != nil {
			return nil, err
		}
		if dst, err = appendValue(append(dst, ','), elem, e.Value); err != nil {
			return nil, err
		}
		dst = append(dst, ']')
	}
	return append(dst, ']'), nil
}

func appendDecimal(dst []byte, p *plan, v data.Value) ([]byte, error) {
	if p.op == opDecimalNumber {
		return v.AppendText(dst), nil
	}
	if p.scaled && p.scale == v.Scale() {
		return appendBase64(dst, data.MinimalUnscaled(v)), nil
	}
	b, err := data.ToUnscaled(p.schema, v)
	if err != nil {
		return nil, err
	}
	return appendBase64(dst, b), nil
}

func appendDateTime(dst []byte, p *plan, v data.Value) ([]byte, error) {
	var n int32
	var err error
	if p.op == opDate {
		n, err = data.ToDays(p.schema, v)
	} else {
		n, err = data.ToMillisOfDay(p.schema, v)
	}
	if err != nil {
		return nil, err
	}
	return strconv.AppendInt(dst, int64(n), 10), nil
}

// appendSchemaless appends a value by its kind.
func appendSchemaless(dst []byte, v data.Value) ([]byte, error) {
	switch v.Kind() {
	case data.KindNull:
		return append(dst, "null"...), nil
	case data.KindString:
		return appendString(dst, v.Bytes()), nil
	case data.KindArray:
		return appendArray(dst, nil, v.Array())
	case data.KindMap:
		if allStrings(v.Map()) {
			return appendStringKeys(dst, nil, v.Map())
		}
		return appendPairsOf(dst, nil, nil, v.Map())
	case data.KindStruct:
		return nil, errMismatchingSchema()
	case data.KindDecimal, data.KindInstant:
		return nil, data.Errorf("Java class class %s does not have corresponding schema type.", v.Kind().JavaClass())
	default:
		return appendScalar(dst, v), nil
	}
}
