package data_test

import (
	"errors"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

func TestGoldenProjection(t *testing.T) {
	t.Parallel()
	ran, others := 0, 0
	for _, c := range golden.Cases(t, "header_values.jsonl") {
		if c.Kind != "project" {
			others++
			continue
		}
		ran++
		if m, err := checkProjection(&c); m != "" || err != nil {
			t.Errorf("%s %s: %s %v", c.ID, c.Note, m, err)
		}
	}
	t.Logf("%d cases of kind project ran; %d of other kinds are not about projection", ran, others)
	if ran == 0 {
		t.Error("no case ran")
	}
}

func checkProjection(c *golden.Case) (mismatch string, err error) {
	source, v, err := c.SchemaAndValue()
	if err != nil {
		return "", err
	}
	target, err := golden.Schema(c.Target)
	if err != nil {
		return "", err
	}
	before := golden.DescribeValue(v)
	got, projectErr := data.Project(source, v, target)
	if after := golden.DescribeValue(v); after != before {
		return "the input changed to " + after, nil
	}
	if m := c.Error.Mismatch(golden.Convert, projectErr); m != "" || projectErr != nil {
		return m, nil
	}
	want, err := golden.Value(target, c.Result)
	if err != nil || got.Equal(want) {
		return "", err
	}
	return "got " + golden.DescribeValue(got) + ", want " + golden.DescribeValue(want), nil
}

func TestProject(t *testing.T) {
	t.Parallel()
	str := func() *data.Builder { return data.NewBuilder(data.TypeString) }
	withDefault := data.NewBuilder(data.TypeInt32).Default(data.Int32(4)).MustBuild()
	optionalDefault := str().Optional().Default(data.String("dd")).MustBuild()
	one := func(name string, s *data.Schema) *data.Schema {
		return data.NewStructBuilder().Field(name, s).MustBuild()
	}
	of := func(s *data.Schema, v data.Value) data.Value {
		st := data.MustStruct(s)
		st.Set(0, v)
		return st.Value()
	}
	list := func(s *data.Schema) *data.Schema { return data.NewArrayBuilder(s).MustBuild() }
	for _, tt := range []struct {
		what   string
		source *data.Schema
		v      data.Value
		target *data.Schema
		want   string
	}{
		{"int8 to int16", data.Int8Schema, data.Int8(-5), data.Int16Schema, "INT16(-5)"},
		{"int16 to int64", data.Int16Schema, data.Int16(-5), data.Int64Schema, "INT64(-5)"},
		{"int64 to float", data.Int64Schema, data.Int64(1<<62 + 1), data.Float32Schema, "FLOAT32(4.611686e+18)"},
		{"int64 to double", data.Int64Schema, data.Int64(-3), data.Float64Schema, "FLOAT64(-3)"},
		{"float to double", data.Float32Schema, data.Float32(1.1), data.Float64Schema, "FLOAT64(1.100000023841858)"},
		{"the same", data.BytesSchema, data.Bytes([]byte{1}), data.BytesSchema, "BYTES(01)"},
		{"date", data.NewDateBuilder().MustBuild(), data.Instant(day), data.NewDateBuilder().MustBuild(), "INSTANT(86400000)"},
		{"date to int64", data.NewDateBuilder().MustBuild(), data.Instant(day), data.NewBuilder(data.TypeInt64).Name(data.DateName).MustBuild(), "INSTANT(86400000)"},
		{"required to optional", data.Int8Schema, data.Int8(1), data.OptionalInt8Schema, "INT8(1)"},
		{"null to optional", data.OptionalInt8Schema, data.Null, data.OptionalInt8Schema, "null"},
		{"null to an optional default", str().Optional().MustBuild(), data.Null, optionalDefault, "null"},
		{"null to a default", data.OptionalInt32Schema, data.Null, withDefault, "INT32(4)"},
		{"versions", str().Version(1).MustBuild(), data.String("x"), str().Version(2).MustBuild(), `"x"`},

		{"the type comes first", data.OptionalInt64Schema, data.Null, data.NewBuilder(data.TypeInt8).Name("n").MustBuild(), "Schema type mismatch. source type: INT64 and target type: INT8"},
		{"then the name", data.OptionalInt8Schema, data.Null, data.NewBuilder(data.TypeInt8).Name("n").Parameter("a", "1").MustBuild(), "Schema name mismatch. source name: null and target name: n"},
		{"then the parameters", data.OptionalInt8Schema, data.Null, data.NewBuilder(data.TypeInt8).Parameter("a", "1").Parameter("b", "2").MustBuild(), "Schema parameters not equal. source parameters: null and target parameters: {a=1, b=2}"},
		{"then null", data.OptionalInt8Schema, data.Int8(1), data.Int8Schema, "Writer schema is optional, however, target schema does not provide a default value."},
		{"an empty name", str().Name("").MustBuild(), data.String("x"), data.StringSchema, "Schema name mismatch. source name:  and target name: null"},
		{"double to float", data.Float64Schema, data.Float64(1), data.Float32Schema, "Schema type mismatch. source type: FLOAT64 and target type: FLOAT32"},
		{"boolean to int8", data.BooleanSchema, data.Bool(true), data.Int8Schema, "Schema type mismatch. source type: BOOLEAN and target type: INT8"},

		{"source default", one("b", optionalDefault), of(one("b", optionalDefault), data.Null), one("b", data.OptionalStringSchema), `(b="dd")`},
		{"missing optional with default", one("a", data.Int8Schema), of(one("a", data.Int8Schema), data.Int8(1)), one("b", optionalDefault), "(b=null)"},
		{"missing with default", one("a", data.Int8Schema), of(one("a", data.Int8Schema), data.Int8(1)), one("b", withDefault), "(b=INT32(4))"},
		{"missing", one("a", data.Int8Schema), of(one("a", data.Int8Schema), data.Int8(1)), one("b", data.Int8Schema), "Required field `b` is missing from source schema: Schema{STRUCT}"},
		{"field", one("a", data.StringSchema), of(one("a", data.StringSchema), data.String("x")), one("a", data.Int8Schema), "Error projecting a: Schema type mismatch. source type: STRING and target type: INT8"},
		{
			"field of a field", one("a", one("b", data.StringSchema)), of(one("a", one("b", data.StringSchema)), of(one("b", data.StringSchema), data.String("x"))),
			one("a", one("b", data.Int8Schema)), "Error projecting a: Error projecting b: Schema type mismatch. source type: STRING and target type: INT8",
		},
		{"unset field", one("a", data.Int8Schema), of(one("a", data.Int8Schema), data.Null), one("a", data.Int8Schema), `Invalid value: null used for required field: "a", schema type: INT8`},
		{"elements", list(data.OptionalInt8Schema), data.Array([]data.Value{data.Int8(1), data.Null}), list(data.NewBuilder(data.TypeInt16).Default(data.Int16(9)).MustBuild()), "[INT16(1) INT16(9)]"},
		{"bad elements", list(data.StringSchema), data.Array([]data.Value{data.String("x")}), list(data.Int8Schema), "Schema type mismatch. source type: STRING and target type: INT8"},
		{
			"entries", data.NewMapBuilder(data.Int8Schema, data.Int8Schema).MustBuild(), mapOf(data.Int8(1), data.Int8(2)),
			data.NewMapBuilder(data.Int16Schema, data.Float64Schema).MustBuild(), "{INT16(1):FLOAT64(2)}",
		},
		{
			"bad keys", data.NewMapBuilder(data.StringSchema, data.Int8Schema).MustBuild(), mapOf(data.String("x"), data.Int8(2)),
			data.NewMapBuilder(data.Int16Schema, data.Int8Schema).MustBuild(), "Schema type mismatch. source type: STRING and target type: INT16",
		},
		{
			"bad values", data.NewMapBuilder(data.StringSchema, data.StringSchema).MustBuild(), mapOf(data.String("x"), data.String("y")),
			data.NewMapBuilder(data.StringSchema, data.Int8Schema).MustBuild(), "Schema type mismatch. source type: STRING and target type: INT8",
		},
		{"struct named date", data.NewStructBuilder().Name(data.DateName).MustBuild(), data.Instant(0), data.NewStructBuilder().Name(data.DateName).MustBuild(), "class java.util.Date cannot be cast to STRUCT"},
	} {
		v, err := data.Project(tt.source, tt.v, tt.target)
		got := golden.DescribeValue(v)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
	_, err := data.Project(data.OptionalInt8Schema, data.Int8(1), data.Int8Schema)
	if e, ok := errors.AsType[*data.Error](err); !ok || e.Class != data.ClassSchemaProjector {
		t.Errorf("%v is no SchemaProjectorException", err)
	}
}
