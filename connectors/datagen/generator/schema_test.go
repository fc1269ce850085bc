package generator

import (
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

// TestSchemas compares the schema of the field f, or of the whole record where the case says so.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, typ string
		want      *data.Schema
	}{
		{"boolean", `"boolean"`, data.BooleanSchema},
		{"int", `"int"`, data.Int32Schema},
		{"long", `{"type": "long", "logicalType": "timestamp-micros"}`, data.Int64Schema},
		{"float", `"float"`, data.Float32Schema},
		{"double", `{"type": "double"}`, data.Float64Schema},
		{"string", `{"type": "string", "logicalType": "uuid", "format_as_time": "x", "doc": "not of a name"}`, data.StringSchema},
		{"bytes", `"bytes"`, data.BytesSchema},
		{"int8", `{"type": "int", "connect.type": "int8"}`, data.Int8Schema},
		{"int16", `{"type": "int", "connect.type": "int16"}`, data.Int16Schema},
		{"date", `{"type": "int", "logicalType": "date"}`, data.NewDateBuilder().MustBuild()},
		{"time", `{"type": "int", "logicalType": "time-millis"}`, data.NewTimeBuilder().MustBuild()},
		{"timestamp", `{"type": "long", "logicalType": "timestamp-millis"}`, data.NewTimestampBuilder().MustBuild()},
		{
			"decimal", `{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}`,
			data.NewDecimalBuilder(2).Parameter("connect.decimal.precision", "4").MustBuild(),
		},
		{"usual decimal", `{"type": "bytes", "logicalType": "decimal", "precision": 64}`, data.NewDecimalBuilder(0).MustBuild()},
		{"impossible decimal", `{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 5}`, data.BytesSchema},
		{
			"fixed decimal", `{"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "precision": 9}`,
			data.NewDecimalBuilder(0).Parameter("connect.decimal.precision", "9").MustBuild(),
		},
		{
			"decimal that is too long", `{"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "precision": 10}`,
			data.NewBuilder(data.TypeBytes).Parameter("connect.fixed.size", "4").Name("n.F").MustBuild(),
		},
		{"enum", `{"type": "enum", "name": "E", "doc": "words", "symbols": ["A", "B"]}`, data.NewBuilder(data.TypeString).
			Parameter("io.confluent.connect.avro.Enum", "n.E").Parameter("io.confluent.connect.avro.Enum.A", "A").
			Parameter("io.confluent.connect.avro.Enum.B", "B").Name("n.E").Doc("words").MustBuild()},
		{"array", `{"type": "array", "items": ["null", "int"]}`, data.NewArrayBuilder(data.OptionalInt32Schema).MustBuild()},
		{"map", `{"type": "map", "values": "long", "connect.doc": "d"}`, data.NewMapBuilder(data.StringSchema, data.Int64Schema).Doc("d").MustBuild()},
		{"null first", `["null", "string"]`, data.OptionalStringSchema},
		{"null last", `[{"type": "int", "logicalType": "date"}, "null"]`, data.NewDateBuilder().Optional().MustBuild()},
		{
			"record", `{"type": "record", "name": "other.S", "doc": "s", "fields": [{"name": "g", "type": "int", "doc": "gg"}]}`,
			data.NewStructBuilder().Name("other.S").Doc("s").
				Field("g", data.NewBuilder(data.TypeInt32).Doc("gg").MustBuild()).
				Parameter("io.confluent.connect.avro.record.doc", "s").Parameter("io.confluent.connect.avro.field.doc.g", "gg").MustBuild(),
		},
		{"union", `["int", "null", {"type": "enum", "name": "E", "symbols": ["A"]}]`, data.NewStructBuilder().
			Name("io.confluent.connect.avro.Union").Optional().Field("int", data.OptionalInt32Schema).
			Field("E", data.NewBuilder(data.TypeString).Optional().Name("n.E").Parameter("io.confluent.connect.avro.Enum", "n.E").
				Parameter("io.confluent.connect.avro.Enum.A", "A").MustBuild()).MustBuild()},
		{"union of one", `["int"]`, data.NewStructBuilder().Name("io.confluent.connect.avro.Union").Field("int", data.OptionalInt32Schema).MustBuild()},
		{"attributes", `{"type": "int", "connect.name": "N", "connect.version": 3, "connect.doc": "d", "connect.default": 7,
			"connect.parameters": {"a": "1"}, "avro.java.string": "String"}`, data.NewBuilder(data.TypeInt32).Name("N").Version(3).Doc("d").
			Default(data.Int32(7)).Parameter("a", "1").Parameter("avro.java.string", "String").MustBuild()},
		{"name of nothing", `{"type": "record", "name": "ConnectDefault", "namespace": "", "fields": []}`, data.NewStructBuilder().MustBuild()},
		{
			"defaults of a type", `{"type": "array", "items": "bytes", "connect.default": ["é"]}`,
			data.NewArrayBuilder(data.BytesSchema).Default(data.Array([]data.Value{data.Bytes([]byte{0xe9})})).MustBuild(),
		},
	} {
		s := mustParse(t, `// a comment, "not" a string
			{"type": "record", "name": "R", "namespace": "n", /* "doc": */ "fields": [{"name": "f", "type": `+test.typ+`}]} and more`).Schema()
		if s.Name() != "n.R" {
			t.Errorf("%s: the record is named %q", test.name, s.Name())
		}
		if got := s.Field("f").Schema; !got.Equal(test.want) {
			t.Errorf("%s: got %#v\nwant %#v", test.name, got, test.want)
		}
	}
}

func TestFieldsGiveDocAndDefault(t *testing.T) {
	t.Parallel()
	got := mustParse(t, `{"type": "record", "name": "R", "doc": "about //R", "fields": [
		{"name": "a", "type": "long", "default": 5, "doc": "an a"},
		{"name": "b", "type": ["null", {"type": "string", "connect.doc": "inner"}], "default": null, "doc": "a b"},
		{"name": "c", "type": ["null", "string"], "default": null},
		{"name": "d", "type": {"type": "record", "name": "D", "doc": "of D", "fields": []}, "default": {}},
		{"name": "e", "type": "D", "doc": "of e"}]}`).Schema()
	d := func(doc string) *data.Schema {
		return data.NewStructBuilder().Name("D").Doc(doc).Parameter("io.confluent.connect.avro.record.doc", "of D").MustBuild()
	}
	want := data.NewStructBuilder().Name("R").Doc("about //R").
		Field("a", data.NewBuilder(data.TypeInt64).Doc("an a").Parameter("io.confluent.connect.avro.field.default", "true").
			Default(data.Int64(5)).MustBuild()).
		Field("b", data.NewBuilder(data.TypeString).Optional().Doc("a b").MustBuild()).
		Field("c", data.OptionalStringSchema).Field("d", d("of D")).Field("e", d("of e")).
		Parameter("io.confluent.connect.avro.record.doc", "about //R").
		Parameter("io.confluent.connect.avro.field.doc.a", "an a").
		Parameter("io.confluent.connect.avro.field.doc.b", "a b").
		Parameter("io.confluent.connect.avro.field.doc.e", "of e").MustBuild()
	if !got.Equal(want) {
		t.Errorf("got %#v\nwant %#v", got, want)
	}
}
