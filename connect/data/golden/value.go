package golden

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/millrace-io/millrace/connect/data"
)

// Value reads a typed value; null for null and for nothing. The schema is the one around it, which structs are made
// of; the value need not fit it. The error is [ErrNoGoValue] for values that only the reference has.
func Value(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	if isNull(raw) {
		return data.Null, nil
	}
	var tagged map[string]json.RawMessage
	if err := json.Unmarshal(raw, &tagged); err != nil || len(tagged) != 1 {
		return data.Null, fmt.Errorf("typed value %s: not an object with one member (%w)", raw, err)
	}
	for tag, content := range tagged {
		v, err := tagValue(s, tag, content)
		if err != nil {
			return data.Null, fmt.Errorf("typed value %s: %w", raw, err)
		}
		return v, nil
	}
	return data.Null, nil
}

func tagValue(s *data.Schema, tag string, raw json.RawMessage) (data.Value, error) {
	switch tag {
	case "int8", "int16", "int32", "int64", "instant":
		return integer(tag, raw)
	case "float32":
		f, err := float(raw, 32)
		return data.Float32(float32(f)), err
	case "float64":
		f, err := float(raw, 64)
		return data.Float64(f), err
	case "boolean":
		var b bool
		err := json.Unmarshal(raw, &b)
		return data.Bool(b), err
	case "string":
		var t string
		err := json.Unmarshal(raw, &t)
		return data.String(t), err
	case "bytes", "bytebuffer":
		b, err := bytesOf(raw)
		return data.Bytes(b), err
	case "decimal":
		return decimal(raw)
	case "array":
		return array(s, raw, Value)
	case "map":
		return pairs(s, raw, Value)
	case "struct":
		return structOf(s, raw)
	case "object", "bigint":
		return data.Null, ErrNoGoValue
	default:
		return data.Null, fmt.Errorf("unknown tag %q", tag)
	}
}

var widths = map[string]int{"int8": 8, "int16": 16, "int32": 32, "int64": 64, "instant": 64}

func integer(tag string, raw json.RawMessage) (data.Value, error) {
	n, err := strconv.ParseInt(string(raw), 10, widths[tag])
	switch tag {
	case "int8":
		return data.Int8(int8(n)), err
	case "int16":
		return data.Int16(int16(n)), err
	case "int32":
		return data.Int32(int32(n)), err
	case "int64":
		return data.Int64(n), err
	default:
		return data.Instant(n), err
	}
}

// float reads a number, or a string for what JSON has no number for.
func float(raw json.RawMessage, bits int) (float64, error) {
	text := string(raw)
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return 0, err
		}
	}
	if text == "-0.0" {
		return math.Copysign(0, -1), nil
	}
	return strconv.ParseFloat(text, bits)
}

func bytesOf(raw json.RawMessage) ([]byte, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

func decimal(raw json.RawMessage) (data.Value, error) {
	var d struct {
		Unscaled string
		Scale    int32
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return data.Null, err
	}
	x, ok := new(big.Int).SetString(d.Unscaled, 10)
	if !ok {
		return data.Null, fmt.Errorf("unscaled value %q", d.Unscaled)
	}
	return data.Decimal(x, d.Scale), nil
}

// reader reads a value of a schema in one of the notations.
type reader func(*data.Schema, json.RawMessage) (data.Value, error)

func array(s *data.Schema, raw json.RawMessage, read reader) (data.Value, error) {
	var elems []json.RawMessage
	if err := json.Unmarshal(raw, &elems); err != nil {
		return data.Null, err
	}
	vs := make([]data.Value, len(elems))
	for i, e := range elems {
		v, err := read(elemOf(s), e)
		if err != nil {
			return data.Null, err
		}
		vs[i] = v
	}
	return data.Array(vs), nil
}

func elemOf(s *data.Schema) *data.Schema {
	if s == nil {
		return nil
	}
	return s.ValueSchema()
}

func keyOf(s *data.Schema) *data.Schema {
	if s == nil {
		return nil
	}
	return s.KeySchema()
}

func pairs(s *data.Schema, raw json.RawMessage, read reader) (data.Value, error) {
	var entries [][2]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return data.Null, err
	}
	m := data.NewMap(len(entries))
	for _, e := range entries {
		k, err := read(keyOf(s), e[0])
		if err != nil {
			return data.Null, err
		}
		v, err := read(elemOf(s), e[1])
		if err != nil {
			return data.Null, err
		}
		m.Put(k, v)
	}
	return m.Value(), nil
}

// structOf reads a struct of the schema around it, or of one that comes with it.
func structOf(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	if raw[0] == '{' {
		var own struct{ Schema, Fields json.RawMessage }
		if err := json.Unmarshal(raw, &own); err != nil {
			return data.Null, err
		}
		var err error
		if s, err = Schema(own.Schema); err != nil {
			return data.Null, err
		}
		raw = own.Fields
	}
	out, err := data.NewStruct(s)
	if err != nil {
		return data.Null, err
	}
	var fields [][2]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return data.Null, err
	}
	for _, entry := range fields {
		var name string
		if err := json.Unmarshal(entry[0], &name); err != nil {
			return data.Null, err
		}
		f := s.Field(name)
		if f == nil {
			return data.Null, fmt.Errorf("field %q is not in the schema", name)
		}
		v, err := Value(f.Schema, entry[1])
		if err != nil {
			return data.Null, err
		}
		out.Set(f.Index, v)
	}
	return out.Value(), nil
}

// Payload reads a value in the notation of payloads and defaults, which needs the schema. A null or missing member of
// a struct is not set, whatever its default.
func Payload(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	v, err := payload(s, raw)
	if err != nil {
		return data.Null, fmt.Errorf("payload %s: %w", raw, err)
	}
	return v, nil
}

func payload(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	if isNull(raw) {
		return data.Null, nil
	}
	if s.Logical() != data.NotLogical {
		return logicalPayload(s, raw)
	}
	switch s.Type() {
	case data.TypeArray:
		return array(s, raw, Payload)
	case data.TypeMap:
		if raw[0] == '{' {
			return mapPayload(s, raw)
		}
		return pairs(s, raw, Payload)
	case data.TypeStruct:
		return structPayload(s, raw)
	case data.TypeFloat32, data.TypeFloat64, data.TypeBoolean, data.TypeString, data.TypeBytes:
		return tagValue(s, scalarTags[s.Type()], raw)
	default:
		return integer(s.Type().JSONName(), raw)
	}
}

var scalarTags = map[data.Type]string{
	data.TypeFloat32: "float32", data.TypeFloat64: "float64", data.TypeBoolean: "boolean",
	data.TypeString: "string", data.TypeBytes: "bytes",
}

func logicalPayload(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	if s.Logical() == data.LogicalDecimal {
		b, err := bytesOf(raw)
		if err != nil {
			return data.Null, err
		}
		return data.FromUnscaled(s, b)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return data.Null, err
	}
	if s.Logical() == data.LogicalDate {
		return data.FromDays(s, int32(n))
	}
	return data.Instant(n), nil
}

func mapPayload(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	members, err := membersOf(raw)
	if err != nil {
		return data.Null, err
	}
	out := data.NewMap(len(members))
	for _, m := range members {
		v, err := Payload(s.ValueSchema(), m.value)
		if err != nil {
			return data.Null, err
		}
		out.Put(data.String(m.name), v)
	}
	return out.Value(), nil
}

func structPayload(s *data.Schema, raw json.RawMessage) (data.Value, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return data.Null, err
	}
	out, err := data.NewStruct(s)
	if err != nil {
		return data.Null, err
	}
	for _, f := range s.Fields() {
		v, err := Payload(f.Schema, members[f.Name])
		if err != nil {
			return data.Null, err
		}
		out.Set(f.Index, v)
	}
	return out.Value(), nil
}
