package data_test

import (
	"math/big"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

func TestValidateValue(t *testing.T) {
	t.Parallel()
	arr := func(s *data.Schema) *data.Schema { return data.NewArrayBuilder(s).MustBuild() }
	dict := data.NewMapBuilder(data.StringSchema, data.OptionalInt8Schema).MustBuild()
	equal := data.NewStructBuilder().Field("a", data.Int32Schema).Field("b", data.OptionalStringSchema).MustBuild()
	oddDate := data.NewStructBuilder().Name(data.DateName).MustBuild()
	for _, tt := range []struct {
		what  string
		field string
		s     *data.Schema
		v     data.Value
		want  string // empty for a valid value
	}{
		{"no schema", "", nil, data.Instant(1), ""},
		{"int8", "", data.Int8Schema, data.Int8(1), ""},
		{"null", "", data.Int8Schema, data.Null, "Invalid value: null used for required value, schema type: INT8"},
		{"null field", "f", data.Int8Schema, data.Null, `Invalid value: null used for required field: "f", schema type: INT8`},
		{"null with default", "", data.NewBuilder(data.TypeInt8).Default(data.Int8(1)).MustBuild(), data.Null, "Invalid value: null used for required value, schema type: INT8"},
		{"optional null", "", data.OptionalInt8Schema, data.Null, ""},
		{"wider", "", data.Int8Schema, data.Int16(1), "Invalid Java object for schema with type INT8: class java.lang.Short for value"},
		{"narrower", "f", data.Float64Schema, data.Float32(1), `Invalid Java object for schema with type FLOAT64: class java.lang.Float for field: "f"`},
		{"bytes", "", data.BytesSchema, data.String("x"), "Invalid Java object for schema with type BYTES: class java.lang.String for value"},
		{"named", "", data.NewBuilder(data.TypeInt8).Name("n.X").MustBuild(), data.String("x"), `Invalid Java object for schema "n.X" with type INT8: class java.lang.String for value`},
		{"date", "", data.NewDateBuilder().MustBuild(), data.Instant(1), ""},
		{"days", "", data.NewDateBuilder().MustBuild(), data.Int32(1), `Invalid Java object for schema "org.apache.kafka.connect.data.Date" with type INT32: class java.lang.Integer for value`},
		{"decimal", "", data.NewDecimalBuilder(2).MustBuild(), data.Decimal(big.NewInt(1), 9), ""},
		{"unscaled", "", data.NewDecimalBuilder(2).MustBuild(), data.Bytes(nil), `Invalid Java object for schema "org.apache.kafka.connect.data.Decimal" with type BYTES: class [B for value`},
		{"string named time", "", data.NewBuilder(data.TypeString).Name(data.TimeName).MustBuild(), data.Instant(1), ""},
		{"struct named date", "", oddDate, data.Instant(1), "class java.util.Date cannot be cast to STRUCT"},

		{"array", "", arr(data.Int8Schema), data.Array([]data.Value{data.Int8(1)}), ""},
		{"map for an array", "", arr(data.Int8Schema), mapOf(), "Invalid Java object for schema with type ARRAY: class java.util.HashMap for value"},
		{"null element", "", arr(data.Int8Schema), data.Array([]data.Value{data.Int8(1), data.Null}), "Invalid value: null used for required element of array value, schema type: INT8"},
		{"bad element", "f", arr(data.Int8Schema), data.Array([]data.Value{data.Int16(1)}), `Invalid Java object for schema with type INT8: class java.lang.Short for element of array field: "f"`},
		{
			"deep", "f", arr(arr(data.Int8Schema)), data.Array([]data.Value{data.Array([]data.Value{data.Null})}),
			`Invalid value: null used for required element of array element of array field: "f", schema type: INT8`,
		},
		{"map", "", dict, mapOf(data.String("a"), data.Null, data.String("b"), data.Int8(1)), ""},
		{"map key", "f", dict, mapOf(data.Null, data.Null), `Invalid value: null used for required key of map field: "f", schema type: STRING`},
		{"map value", "", dict, mapOf(data.String("a"), data.String("b")), "Invalid Java object for schema with type INT8: class java.lang.String for value of map value"},
		{"unknown elements", "", data.UnknownElements(data.TypeArray, nil, nil), data.Array([]data.Value{data.Int8(1)}), "No schema defined for element of array value"},
		{"no unknown element", "", data.UnknownElements(data.TypeArray, nil, nil), data.Array(nil), ""},
		{"unknown keys", "", data.UnknownElements(data.TypeMap, nil, nil), mapOf(data.Int8(1), data.Int8(1)), "No schema defined for key of map value"},
		{"unknown values", "", data.UnknownElements(data.TypeMap, data.Int8Schema, nil), mapOf(data.Int8(1), data.Int8(1)), "No schema defined for value of map value"},

		{"struct", "", structAB, data.MustStruct(equal).MustPut("a", data.Int32(1)).Value(), ""},
		{"other struct", "", structAB, data.MustStruct(oddDate).Value(), "Struct schemas do not match."},
		{"unset field", "", structAB, data.MustStruct(structAB).Value(), `Invalid value: null used for required field: "a", schema type: INT32`},
		{"struct in an array", "", arr(structAB), data.Array([]data.Value{data.MustStruct(structAB).Value()}), `Invalid value: null used for required field: "a", schema type: INT32`},
	} {
		err := data.ValidateValue(tt.field, tt.s, tt.v)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if message != tt.want {
			t.Errorf("%s: %q, want %q", tt.what, message, tt.want)
		}
	}
}
