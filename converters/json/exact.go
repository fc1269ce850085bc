package json

import (
	"math"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// exact is the exact way of reading: it makes values of nodes, in the order and with the errors of the reference.
type exact struct {
	slab        *data.Slab
	replaceNull bool
}

// value converts a node, which is nil for a missing member, by a schema, which is nil for none.
func (x exact) value(s *data.Schema, n *node) (data.Value, error) {
	if s == nil {
		return x.schemaless(n), nil
	}
	if n == nil || n.kind == null {
		return x.null(s)
	}
	switch s.Logical() {
	case data.LogicalDecimal:
		return x.decimal(s, n)
	case data.LogicalDate:
		return x.date(s, n)
	case data.LogicalTime:
		return x.time(s, n)
	case data.LogicalTimestamp:
		return x.timestamp(s, n)
	default:
		return x.plain(s, n)
	}
}

func (x exact) null(s *data.Schema) (data.Value, error) {
	if def, ok := s.Default(); ok && x.replaceNull {
		return def, nil
	}
	if s.Optional() {
		return data.Null, nil
	}
	return data.Null, data.Errorf("Invalid null value for required %s field", s.Type())
}

// plain converts by the type of the schema. Nodes of another kind are no error for most types: they become zero, false
// or null.
func (x exact) plain(s *data.Schema, n *node) (data.Value, error) {
	switch s.Type() {
	case data.TypeInt8:
		return data.Int8(int8(n.int64())), nil
	case data.TypeInt16:
		return data.Int16(int16(n.int64())), nil
	case data.TypeInt32:
		return data.Int32(int32(n.int64())), nil
	case data.TypeInt64:
		return data.Int64(n.int64()), nil
	case data.TypeFloat32:
		return data.Float32(n.float32()), nil
	case data.TypeFloat64:
		return data.Float64(n.float64()), nil
	case data.TypeBoolean:
		return data.Bool(n.truth), nil
	case data.TypeString:
		if n.kind != text {
			return data.Null, nil
		}
		return data.AliasString(n.text), nil
	case data.TypeBytes:
		return x.bytes(n)
	case data.TypeArray:
		return x.array(s, n)
	case data.TypeMap:
		return x.mapping(s, n)
	default:
		return x.structure(s, n)
	}
}

// int64 returns 0 for what is no number.
func (n *node) int64() int64 {
	if n.kind != numeric {
		return 0
	}
	return n.number.truncate(n.source)
}

func (n *node) float64() float64 {
	if n.kind != numeric {
		return 0
	}
	return n.number.float64(n.source)
}

func (n *node) float32() float32 {
	if n.kind != numeric {
		return 0
	}
	return n.number.float32(n.source)
}

// isInt32 tells whether the node is a number without fraction and exponent that fits 32 bits.
func (n *node) isInt32() bool {
	if n.kind != numeric || !n.number.integer || !n.number.exact || n.number.mantissa > -math.MinInt32 {
		return false
	}
	return n.number.negative || n.number.mantissa <= math.MaxInt32
}

func (x exact) bytes(n *node) (data.Value, error) {
	if n.kind != text {
		return data.Null, nil
	}
	b, ok := decodeBase64(n.text)
	if !ok {
		return data.Null, data.Wrap(errBase64, "Invalid bytes field")
	}
	return data.Bytes(b), nil
}

// errBase64 is the cause of errors about bytes.
var errBase64 = &connect.Error{
	Class:   "com.fasterxml.jackson.databind.exc.InvalidFormatException",
	Message: "Cannot access contents of TextNode as binary due to broken Base64 encoding",
}

// array takes the values of an object, too, and makes an empty list of anything else.
func (x exact) array(s *data.Schema, n *node) (data.Value, error) {
	out := x.slab.Values(len(n.elems))
	for i := range n.elems {
		v, err := x.value(s.ValueSchema(), &n.elems[i])
		if err != nil {
			return data.Null, err
		}
		out[i] = v
	}
	return data.Array(out), nil
}

func (x exact) mapping(s *data.Schema, n *node) (data.Value, error) {
	if hasStringKeys(s) {
		return x.object(s, n)
	}
	return x.pairs(s, n)
}

func (x exact) object(s *data.Schema, n *node) (data.Value, error) {
	if n.kind != object {
		return data.Null, data.Errorf("Maps with string fields should be encoded as JSON objects, but found %s", n.kind)
	}
	m := x.slab.Map(len(n.elems))
	for i := range n.elems {
		v, err := x.value(s.ValueSchema(), &n.elems[i])
		if err != nil {
			return data.Null, err
		}
		m.Append(data.String(n.names[i]), v)
	}
	return m.Value(), nil
}

func (x exact) pairs(s *data.Schema, n *node) (data.Value, error) {
	if n.kind != array {
		return data.Null, data.Errorf("Maps with non-string fields should be encoded as JSON array of tuples, but found %s", n.kind)
	}
	m := x.slab.Map(len(n.elems))
	for i := range n.elems {
		e := &n.elems[i]
		if e.kind != array {
			return data.Null, data.Errorf("Found invalid map entry instead of array tuple: %s", e.kind)
		}
		if len(e.elems) != 2 {
			return data.Null, data.Errorf("Found invalid map entry, expected length 2 but found :%d", len(e.elems))
		}
		k, err := x.value(s.KeySchema(), &e.elems[0])
		if err != nil {
			return data.Null, err
		}
		v, err := x.value(s.ValueSchema(), &e.elems[1])
		if err != nil {
			return data.Null, err
		}
		m.Put(k, v)
	}
	return m.Value(), nil
}

func (x exact) structure(s *data.Schema, n *node) (data.Value, error) {
	if n.kind != object {
		return data.Null, data.Errorf("Structs should be encoded as JSON objects, but found %s", n.kind)
	}
	out := x.slab.Struct(s)
	for _, f := range s.Fields() {
		v, err := x.value(f.Schema, n.get(f.Name))
		if err != nil {
			return data.Null, err
		}
		if err := out.Put(f.Name, v); err != nil {
			return data.Null, err
		}
	}
	return out.Value(), nil
}

func (x exact) decimal(s *data.Schema, n *node) (data.Value, error) {
	switch n.kind {
	case numeric:
		v, ok := data.ParseDecimal(string(n.source))
		if !ok {
			return data.Null, data.Errorf("Invalid number for Decimal field")
		}
		return v, nil
	case text:
		b, ok := decodeBase64(n.text)
		if !ok {
			return data.Null, data.Wrap(errBase64, "Invalid bytes for Decimal field")
		}
		v, err := data.FromUnscaled(s, b)
		if err != nil {
			return data.Null, data.Wrap(err, "Invalid bytes for Decimal field")
		}
		return v, nil
	default:
		return data.Null, wrongNode("Decimal", "numeric or bytes", n)
	}
}

func wrongNode(name, want string, n *node) error {
	return data.Errorf("Invalid type for %s, underlying representation should be %s but was %s", name, want, n.kind)
}

func (x exact) date(s *data.Schema, n *node) (data.Value, error) {
	if !n.isInt32() {
		return data.Null, wrongNode("Date", "integer", n)
	}
	return data.FromDays(s, int32(n.int64()))
}

func (x exact) time(s *data.Schema, n *node) (data.Value, error) {
	if !n.isInt32() {
		return data.Null, wrongNode("Time", "integer", n)
	}
	return data.FromMillisOfDay(s, int32(n.int64()))
}

func (x exact) timestamp(s *data.Schema, n *node) (data.Value, error) {
	if n.kind != numeric || !n.number.integer {
		return data.Null, wrongNode("Timestamp", "integral", n)
	}
	return data.FromMillis(s, n.int64())
}

// schemaless converts a node by its kind.
func (x exact) schemaless(n *node) data.Value {
	switch n.kind {
	case boolean:
		return data.Bool(n.truth)
	case numeric:
		if n.number.integer {
			return data.Int64(n.int64())
		}
		return data.Float64(n.float64())
	case text:
		return data.AliasString(n.text)
	case array:
		out := x.slab.Values(len(n.elems))
		for i := range n.elems {
			out[i] = x.schemaless(&n.elems[i])
		}
		return data.Array(out)
	case object:
		m := x.slab.Map(len(n.elems))
		for i := range n.elems {
			m.Append(data.String(n.names[i]), x.schemaless(&n.elems[i]))
		}
		return m.Value()
	default:
		return data.Null
	}
}
