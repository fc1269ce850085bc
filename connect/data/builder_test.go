package data_test

import (
	"errors"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

func TestBuilderErrors(t *testing.T) {
	t.Parallel()
	int32s, strs := data.Int32Schema, data.StringSchema
	for _, tt := range []struct {
		name string
		b    *data.Builder
		want string
	}{
		{"no type", data.NewBuilder(0), "type cannot be null"},
		{"unknown type", data.NewBuilder(data.TypeStruct + 1), "type cannot be null"},
		{"optional twice", data.NewBuilder(data.TypeInt8).Optional().Required(), "Invalid SchemaBuilder call: optional has already been set."},
		{"default twice", data.NewBuilder(data.TypeInt8).Default(data.Int8(1)).Default(data.Int8(2)), "Invalid SchemaBuilder call: default has already been set."},
		{"name twice", data.NewBuilder(data.TypeInt8).Name("a").Name("b"), "Invalid SchemaBuilder call: name has already been set."},
		{"version twice", data.NewBuilder(data.TypeInt8).Version(1).Version(2), "Invalid SchemaBuilder call: version has already been set."},
		{"doc twice", data.NewBuilder(data.TypeInt8).Doc("a").Doc("b"), "Invalid SchemaBuilder call: doc has already been set."},
		{"the first mistake counts", data.NewBuilder(data.TypeInt8).Doc("a").Doc("b").Name("a").Name("b"), "Invalid SchemaBuilder call: doc has already been set."},
		{"wrong default", data.NewBuilder(data.TypeInt8).Default(data.Int16(1)), "Invalid default value"},
		{"null default of a required schema", data.NewBuilder(data.TypeInt8).Default(data.Null), "Invalid default value"},
		{"optional after a null default", data.NewBuilder(data.TypeInt8).Default(data.Null).Optional(), "Invalid default value"},
		{"struct default", data.NewStructBuilder().Default(data.MustStruct(data.NewStructBuilder().MustBuild()).Value()), "Invalid default value"},
		{"field of a scalar", data.NewBuilder(data.TypeInt8).Field("a", int32s), "Cannot create fields on type INT8"},
		{"field without a name", data.NewStructBuilder().Field("", int32s), "fieldName cannot be null."},
		{"field without a schema", data.NewStructBuilder().Field("a", nil), "fieldSchema for field a cannot be null."},
		{"first field again", data.NewStructBuilder().Field("a", int32s).Field("a", strs), "Cannot create field because of field name duplication a"},
		{"second field again", data.NewStructBuilder().Field("a", int32s).Field("b", int32s).Field("b", strs), "Cannot create field because of field name duplication b"},
		{"array of nothing", data.NewArrayBuilder(nil), "valueSchema cannot be null."},
		{"map without keys", data.NewMapBuilder(nil, int32s), "keySchema cannot be null."},
		{"map without values", data.NewMapBuilder(int32s, nil), "valueSchema cannot be null."},
		{"map without both", data.NewMapBuilder(nil, nil), "keySchema cannot be null."},
	} {
		if tt.b.Err() == nil {
			t.Errorf("%s: no error before Build", tt.name)
		}
		s, err := tt.b.Build()
		e, ok := errors.AsType[*data.Error](err)
		if s != nil || !ok || e.Class != data.ClassSchemaBuilder || e.ErrorMessage() != tt.want {
			t.Errorf("%s: %v, %v, want %q", tt.name, s, err, tt.want)
		}
	}
}

func TestBuilderDefaultCause(t *testing.T) {
	t.Parallel()
	_, err := data.NewBuilder(data.TypeInt8).Default(data.Null).Build()
	const want = "Invalid default value: Invalid value: null used for required value, schema type: INT8"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestBuilderDefaultOfOddSchema(t *testing.T) {
	t.Parallel()
	_, err := data.NewArrayBuilder(data.Int8Schema).Name(data.DateName).Default(data.Instant(0)).Build()
	if e, ok := errors.AsType[*data.Error](err); !ok || e.Class != "java.lang.ClassCastException" {
		t.Errorf("%v, want a ClassCastException", err)
	}
}

func TestBuilderAllows(t *testing.T) {
	t.Parallel()
	b := data.NewBuilder(data.TypeString).Name("n").Name("n").Version(1).Version(1).Doc("d").Doc("d").
		Optional().Optional().Default(data.Null).Default(data.String("x")).Default(data.String("x")).
		Parameter("p", "1").Parameter("q", "2").Parameter("p", "3")
	s, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	version, hasVersion := s.Version()
	doc, hasDoc := s.Doc()
	def, hasDefault := s.Default()
	p, _ := s.Parameter("p")
	if s.Name() != "n" || version != 1 || !hasVersion || doc != "d" || !hasDoc || !s.Optional() || def.Str() != "x" || !hasDefault {
		t.Errorf("attributes are lost: %v", s)
	}
	if p != "3" || len(s.Parameters()) != 2 || s.Parameters()[0].Name != "p" {
		t.Errorf("parameters %v", s.Parameters())
	}
}

func TestBuilderNullDefaultIsNone(t *testing.T) {
	t.Parallel()
	s := data.NewBuilder(data.TypeInt8).Optional().Default(data.Null).MustBuild()
	if _, ok := s.Default(); ok || !s.Equal(data.OptionalInt8Schema) {
		t.Error("a null default makes a schema another one")
	}
}

// TestBuilderGoesOn checks that a schema does not change with the builder it came from.
func TestBuilderGoesOn(t *testing.T) {
	t.Parallel()
	b := data.NewStructBuilder().Field("a", data.Int8Schema).Parameter("p", "1")
	first := b.MustBuild()
	second := b.Field("b", data.Int8Schema).Parameter("p", "2").Parameter("q", "3").MustBuild()
	third := b.Field("c", data.Int8Schema).MustBuild()
	want := data.NewStructBuilder().Field("a", data.Int8Schema).Parameter("p", "1").MustBuild()
	if !first.Equal(want) || first.Field("b") != nil {
		t.Errorf("the first schema changed: %v", first.Fields())
	}
	if second.Field("c") != nil || len(second.Fields()) != 2 || third.Field("c") == nil {
		t.Error("later fields are not where they belong")
	}
}

func TestMustBuildPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	data.NewArrayBuilder(nil).MustBuild()
}

func TestLogicalBuilders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		b       *data.Builder
		typ     data.Type
		logical data.Logical
		kind    data.Kind
		name    string
	}{
		{data.NewDecimalBuilder(-3), data.TypeBytes, data.LogicalDecimal, data.KindDecimal, "org.apache.kafka.connect.data.Decimal"},
		{data.NewDateBuilder(), data.TypeInt32, data.LogicalDate, data.KindInstant, "org.apache.kafka.connect.data.Date"},
		{data.NewTimeBuilder(), data.TypeInt32, data.LogicalTime, data.KindInstant, "org.apache.kafka.connect.data.Time"},
		{data.NewTimestampBuilder(), data.TypeInt64, data.LogicalTimestamp, data.KindInstant, "org.apache.kafka.connect.data.Timestamp"},
		{data.NewBuilder(data.TypeString).Name("x").Version(1), data.TypeString, data.NotLogical, data.KindString, "x"},
		{data.NewBuilder(data.TypeString).Name(data.TimeName).Version(1), data.TypeString, data.LogicalTime, data.KindInstant, data.TimeName},
	} {
		s := tt.b.MustBuild()
		version, _ := s.Version()
		if s.Type() != tt.typ || s.Logical() != tt.logical || s.ValueKind() != tt.kind || s.Name() != tt.name || version != 1 {
			t.Errorf("%v: %v %v %v version %d", s, s.Type(), s.Logical(), s.ValueKind(), version)
		}
	}
	if scale, err := data.DecimalScale(data.NewDecimalBuilder(-3).MustBuild()); scale != -3 || err != nil {
		t.Errorf("scale %d, %v, want -3", scale, err)
	}
}
