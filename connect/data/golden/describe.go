package golden

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/connect/data"
)

// Describe returns a text of a schema and a value that shows everything that makes them equal to others, for messages of
// tests.
func Describe(s *data.Schema, v data.Value) string {
	return DescribeSchema(s) + " " + DescribeValue(v)
}

// DescribeSchema is the part of [Describe] about the schema.
func DescribeSchema(s *data.Schema) string {
	if s == nil {
		return "no schema"
	}
	var b strings.Builder
	b.WriteString(s.Type().String())
	if s.Optional() {
		b.WriteByte('?')
	}
	b.WriteByte('<')
	if s.HasName() {
		fmt.Fprintf(&b, "name=%q ", s.Name())
	}
	if v, ok := s.Version(); ok {
		fmt.Fprintf(&b, "version=%d ", v)
	}
	if doc, ok := s.Doc(); ok {
		fmt.Fprintf(&b, "doc=%q ", doc)
	}
	for _, p := range s.Parameters() {
		fmt.Fprintf(&b, "%q=%q ", p.Name, p.Value)
	}
	if def, ok := s.Default(); ok {
		fmt.Fprintf(&b, "default=%s ", DescribeValue(def))
	}
	switch s.Type() {
	case data.TypeArray:
		b.WriteString(DescribeSchema(s.ValueSchema()))
	case data.TypeMap:
		b.WriteString(DescribeSchema(s.KeySchema()) + "," + DescribeSchema(s.ValueSchema()))
	case data.TypeStruct:
		for _, f := range s.Fields() {
			fmt.Fprintf(&b, "%q:%s ", f.Name, DescribeSchema(f.Schema))
		}
	}
	return strings.TrimSpace(b.String()) + ">"
}

// DescribeValue is the part of [Describe] about the value: its kind and content. Entries of a map come in their order.
func DescribeValue(v data.Value) string {
	switch v.Kind() {
	case data.KindNull:
		return "null"
	case data.KindString:
		return strconv.Quote(v.Str())
	case data.KindBytes:
		return fmt.Sprintf("BYTES(%x)", v.Bytes())
	case data.KindDecimal:
		return fmt.Sprintf("DECIMAL(%s,%d)", v.Unscaled(), v.Scale())
	case data.KindInstant:
		return fmt.Sprintf("INSTANT(%d)", v.Int64())
	case data.KindFloat32:
		return "FLOAT32(" + strconv.FormatFloat(v.Float64(), 'g', -1, 32) + ")"
	case data.KindFloat64:
		return "FLOAT64(" + strconv.FormatFloat(v.Float64(), 'g', -1, 64) + ")"
	case data.KindArray:
		parts := make([]string, len(v.Array()))
		for i, e := range v.Array() {
			parts[i] = DescribeValue(e)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case data.KindMap:
		parts := make([]string, 0, v.Map().Len())
		for _, e := range v.Map().Entries() {
			parts = append(parts, DescribeValue(e.Key)+":"+DescribeValue(e.Value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case data.KindStruct:
		parts := make([]string, 0, len(v.Struct().Values()))
		for i, f := range v.Struct().Schema().Fields() {
			parts = append(parts, f.Name+"="+DescribeValue(v.Struct().At(i)))
		}
		return "(" + strings.Join(parts, " ") + ")"
	default:
		return v.Kind().String() + "(" + v.String() + ")"
	}
}
