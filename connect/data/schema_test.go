package data_test

import (
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

// differing returns schemas that all differ from each other, made anew by each call.
func differing() []*data.Schema {
	str := func() *data.Builder { return data.NewBuilder(data.TypeString) }
	return []*data.Schema{
		str().MustBuild(),
		str().Optional().MustBuild(),
		str().Name("").MustBuild(),
		str().Name("n").MustBuild(),
		str().Version(0).MustBuild(),
		str().Version(1).MustBuild(),
		str().Doc("").MustBuild(),
		str().Doc("d").MustBuild(),
		str().Default(data.String("")).MustBuild(),
		str().Default(data.String("x")).MustBuild(),
		str().Parameter("a", "1").MustBuild(),
		str().Parameter("a", "2").MustBuild(),
		str().Parameter("b", "1").MustBuild(),
		str().Parameter("a", "1").Parameter("b", "2").MustBuild(),
		data.NewBuilder(data.TypeBytes).MustBuild(),
		data.NewArrayBuilder(str().MustBuild()).MustBuild(),
		data.NewArrayBuilder(str().Optional().MustBuild()).MustBuild(),
		data.UnknownElements(data.TypeArray, nil, nil),
		data.NewMapBuilder(str().MustBuild(), data.Int8Schema).MustBuild(),
		data.NewMapBuilder(data.Int8Schema, str().MustBuild()).MustBuild(),
		data.UnknownElements(data.TypeMap, str().MustBuild(), nil),
		data.UnknownElements(data.TypeMap, nil, str().MustBuild()),
		data.NewStructBuilder().MustBuild(),
		data.NewStructBuilder().Field("a", str().MustBuild()).MustBuild(),
		data.NewStructBuilder().Field("b", str().MustBuild()).MustBuild(),
		data.NewStructBuilder().Field("a", str().Doc("d").MustBuild()).MustBuild(),
		data.NewStructBuilder().Field("a", data.Int8Schema).Field("b", data.Int8Schema).MustBuild(),
		data.NewStructBuilder().Field("b", data.Int8Schema).Field("a", data.Int8Schema).MustBuild(),
		data.NewDecimalBuilder(1).MustBuild(),
		data.NewDecimalBuilder(2).MustBuild(),
	}
}

func TestSchemaEqual(t *testing.T) {
	t.Parallel()
	a, b := differing(), differing()
	for i := range a {
		for j := range b {
			if got := a[i].Equal(b[j]); got != (i == j) {
				t.Errorf("%v number %d equal to %v number %d: %v", a[i], i, b[j], j, got)
			}
		}
		if a[i].Equal(nil) {
			t.Errorf("%v is equal to nil", a[i])
		}
	}
	var none *data.Schema
	if !none.Equal(nil) || none.Equal(a[0]) {
		t.Error("no schema is equal to no schema and nothing else")
	}
	ab := data.NewBuilder(data.TypeInt8).Parameter("a", "1").Parameter("b", "2").MustBuild()
	ba := data.NewBuilder(data.TypeInt8).Parameter("b", "2").Parameter("a", "1").MustBuild()
	if !ab.Equal(ba) {
		t.Error("the order of parameters counts")
	}
}

func TestSchemaFields(t *testing.T) {
	t.Parallel()
	s := data.NewStructBuilder().Field("a", data.Int8Schema).Field("é", data.StringSchema).MustBuild()
	if f := s.Field("é"); f == nil || f.Index != 1 || f.Schema != data.StringSchema {
		t.Errorf("field é: %v", f)
	}
	if f := s.FieldBytes([]byte("a")); f == nil || f.Index != 0 {
		t.Errorf("field a: %v", f)
	}
	if s.Field("b") != nil || s.FieldBytes(nil) != nil || data.Int8Schema.Field("a") != nil {
		t.Error("a field that is not there was found")
	}
}

func TestSchemaString(t *testing.T) {
	t.Parallel()
	var none *data.Schema
	for _, tt := range []struct {
		s    *data.Schema
		want string
	}{
		{data.Int8Schema, "Schema{INT8}"},
		{data.NewStructBuilder().Name("a.B").MustBuild(), "Schema{a.B:STRUCT}"},
		{none, "null"},
	} {
		if got := tt.s.String(); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

func TestTypeNames(t *testing.T) {
	t.Parallel()
	for typ, want := range map[data.Type][2]string{
		data.TypeInt8: {"INT8", "int8"}, data.TypeFloat32: {"FLOAT32", "float"}, data.TypeFloat64: {"FLOAT64", "double"},
		data.TypeStruct: {"STRUCT", "struct"}, 0: {"", ""}, 99: {"", ""},
	} {
		if typ.String() != want[0] || typ.JSONName() != want[1] {
			t.Errorf("%d: %s %s, want %v", typ, typ, typ.JSONName(), want)
		}
	}
	for _, name := range []string{"", "INT8", "float32", "long"} {
		if typ, ok := data.TypeOfJSONName(name); ok {
			t.Errorf("%q is %v", name, typ)
		}
	}
	if typ, ok := data.TypeOfJSONName("double"); typ != data.TypeFloat64 || !ok {
		t.Errorf("double is %v", typ)
	}
	if !data.TypeBytes.IsPrimitive() || data.TypeArray.IsPrimitive() || data.Type(0).IsPrimitive() {
		t.Error("wrong idea of primitive types")
	}
	for k, want := range map[data.Kind][2]string{
		data.KindNull: {"NULL", "null"}, data.KindInstant: {"INSTANT", "java.util.Date"},
		data.KindDecimal: {"DECIMAL", "java.math.BigDecimal"}, data.KindBytes: {"BYTES", "[B"}, 99: {"", ""},
	} {
		if k.String() != want[0] || k.JavaClass() != want[1] {
			t.Errorf("%d: %s %s, want %v", k, k, k.JavaClass(), want)
		}
	}
}
