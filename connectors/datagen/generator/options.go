package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connect/data"
)

// coercer turns the values of options and defaults, which are JSON or decoded Avro, into values of a type.
type coercer struct {
	tagged bool // the values of unions are null, or an object of one member that names the branch
	latin1 bool // bytes are one character each, as in the default values of Avro, instead of UTF-8
	made   int  // how many values were tried; records in records with defaults can be many
}

// value returns v as a value of the type. Errors say what the type accepts.
func (c *coercer) value(t *typed, v any) (data.Value, error) {
	if c.made++; c.made > maxWeight {
		return data.Null, errWeight
	}
	switch t.node.kind {
	case kindNull:
		if v == nil {
			return data.Null, nil
		}
		return data.Null, errors.New("null accepts nothing but null")
	case kindBoolean:
		if b, ok := v.(bool); ok {
			return data.Bool(b), nil
		}
		return data.Null, refuse(t, "true or false", v)
	case kindInt, kindLong:
		return c.integer(t, v)
	case kindFloat, kindDouble:
		return c.float(t, v)
	case kindString, kindEnum:
		return c.text(t, v)
	case kindBytes, kindFixed:
		return c.bytes(t, v)
	case kindArray:
		return c.array(t, v)
	case kindMap:
		return c.mapping(t, v)
	case kindRecord:
		return c.record(t, v)
	default:
		return c.union(t, v)
	}
}

// refuse makes the error for a value that a type does not accept.
func refuse(t *typed, accepted string, v any) error {
	return fmt.Errorf("%s accepts %s, not %s", t.node.kind, accepted, show(v))
}

// show returns a short text for a value in an error.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if len(v) > 40 {
			v = v[:40] + "…"
		}
		return strconv.Quote(v)
	case object, map[string]any:
		return "an object"
	case []any:
		return "an array"
	default:
		return fmt.Sprint(v)
	}
}

func (c *coercer) integer(t *typed, v any) (data.Value, error) {
	bits := 64
	if t.node.kind == kindInt {
		bits = 32
	}
	var i int64
	switch v := v.(type) {
	case int32:
		i = int64(v)
	case int64:
		i = v
	default:
		n, err := integer(v, bits)
		if err != nil {
			return data.Null, refuse(t, fmt.Sprintf("integers of %d bits", bits), v)
		}
		i = n
	}
	if t.node.logical == logicalTime && (i < 0 || i > millisPerDay) {
		return data.Null, refuse(t, "the milliseconds of a day", v)
	}
	return t.node.integers().value(i), nil
}

func (c *coercer) float(t *typed, v any) (data.Value, error) {
	var f float64
	switch v := v.(type) {
	case float32:
		f = float64(v)
	case float64:
		f = v
	case json.Number:
		var err error
		if f, err = strconv.ParseFloat(string(v), 64); err != nil {
			return data.Null, refuse(t, "numbers in its range", v)
		}
	default:
		return data.Null, refuse(t, "numbers", v)
	}
	if t.node.kind == kindDouble {
		return data.Float64(f), nil
	}
	if math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
		return data.Null, refuse(t, "numbers in its range", v)
	}
	return data.Float32(float32(f)), nil
}

func (c *coercer) text(t *typed, v any) (data.Value, error) {
	s, ok := v.(string)
	if !ok {
		return data.Null, refuse(t, "strings", v)
	}
	if t.node.kind == kindEnum && !slices.Contains(t.node.symbols, s) {
		return data.Null, refuse(t, "its symbols", v)
	}
	return data.String(s), nil
}

func (c *coercer) bytes(t *typed, v any) (data.Value, error) {
	b, ok := v.([]byte)
	if s, isText := v.(string); isText {
		var err error
		if b, err = c.encode(s); err != nil {
			return data.Null, err
		}
		ok = true
	}
	if !ok {
		return data.Null, refuse(t, "strings", v)
	}
	if t.node.kind == kindFixed && len(b) != t.node.size {
		return data.Null, refuse(t, fmt.Sprintf("strings of %d bytes", t.node.size), v)
	}
	if t.node.logical != logicalDecimal {
		return data.Bytes(b), nil
	}
	if len(b) == 0 {
		return data.Null, refuse(t, "at least one byte of a decimal", v)
	}
	return data.DecimalBytes(b, t.node.scale), nil
}

// encode returns the bytes that a string stands for.
func (c *coercer) encode(s string) ([]byte, error) {
	if !c.latin1 {
		return []byte(s), nil
	}
	b := make([]byte, 0, utf8.RuneCountInString(s))
	for _, r := range s {
		if r > math.MaxUint8 {
			return nil, fmt.Errorf("bytes accept characters up to U+00FF, not %q", r)
		}
		b = append(b, byte(r))
	}
	return b, nil
}

func (c *coercer) array(t *typed, v any) (data.Value, error) {
	list, ok := v.([]any)
	if !ok {
		return data.Null, refuse(t, "arrays", v)
	}
	out := make([]data.Value, len(list))
	for i, v := range list {
		var err error
		if out[i], err = c.value(t.elem, v); err != nil {
			return data.Null, fmt.Errorf("element %d: %w", i+1, err)
		}
	}
	return data.Array(out), nil
}

// members returns the members of a JSON object in their order, or those of decoded Avro in the order of the names.
func members(v any) (object, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		o, ok := v.(object)
		return o, ok
	}
	o := make(object, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		o = append(o, member{name, m[name]})
	}
	return o, true
}

func (c *coercer) mapping(t *typed, v any) (data.Value, error) {
	o, ok := members(v)
	if !ok {
		return data.Null, refuse(t, "objects", v)
	}
	m := data.NewMap(len(o))
	for _, e := range o {
		v, err := c.value(t.elem, e.value)
		if err != nil {
			return data.Null, fmt.Errorf("key %q: %w", e.name, err)
		}
		m.Put(data.String(e.name), v)
	}
	return m.Value(), nil
}

// record takes fields that the object lacks from the record's defaults.
func (c *coercer) record(t *typed, v any) (data.Value, error) {
	o, ok := members(v)
	if !ok {
		return data.Null, refuse(t, "objects", v)
	}
	st := data.MustStruct(t.schema)
	for i := range t.node.fields {
		fv, err := c.field(t.fields[i], &t.node.fields[i], o)
		if err != nil {
			return data.Null, fmt.Errorf("field %q: %w", t.node.fields[i].name, err)
		}
		st.Set(i, fv)
	}
	return st.Value(), nil
}

func (c *coercer) field(t *typed, f *field, o object) (data.Value, error) {
	if v, ok := o.get(f.name); ok {
		return c.value(t, v)
	}
	if !f.hasDefault {
		return data.Null, errors.New("is missing and has no default")
	}
	defaults := coercer{latin1: true, made: c.made}
	v, err := defaults.value(t, f.def)
	c.made = defaults.made
	return v, err
}

// union takes the first branch that accepts the value, unless the value names its branch.
func (c *coercer) union(t *typed, v any) (data.Value, error) {
	if o, ok := members(v); ok && c.tagged && len(o) == 1 {
		for i, b := range t.branches {
			if b.node.kind != kindNull && (o[0].name == b.node.name || o[0].name == b.node.kind.String()) {
				out, err := c.value(b, o[0].value)
				return t.wrap(i, out), err
			}
		}
	}
	for i, b := range t.branches {
		if out, err := c.value(b, v); err == nil {
			return t.wrap(i, out), nil
		}
	}
	return data.Null, fmt.Errorf("no branch of the union accepts %s", show(v))
}

// wrap returns the value of a branch as one of the union.
func (t *typed) wrap(branch int, v data.Value) data.Value {
	if t.nullable || t.branches[branch].node.kind == kindNull {
		return v
	}
	st := data.MustStruct(t.schema)
	st.Set(t.position(branch), v)
	return st.Value()
}

// position returns the place of a branch's field in the struct of the union.
func (t *typed) position(branch int) int {
	for _, b := range t.branches[:branch] {
		if b.node.kind == kindNull {
			return branch - 1
		}
	}
	return branch
}
