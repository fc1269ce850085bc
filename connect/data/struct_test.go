package data_test

import (
	"errors"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

// wantData fails unless err is a DataException with that message.
func wantData(t *testing.T, what string, err error, message string) {
	t.Helper()
	e, ok := errors.AsType[*data.Error](err)
	if !ok || e.Class != data.ClassData || e.Message != message {
		t.Errorf("%s: %v, want %s", what, err, message)
	}
}

func TestStruct(t *testing.T) {
	t.Parallel()
	schema := data.NewStructBuilder().
		Field("a", data.NewBuilder(data.TypeInt32).Default(data.Int32(7)).MustBuild()).
		Field("b", data.NewBuilder(data.TypeString).Optional().Default(data.String("dd")).MustBuild()).
		Field("c", data.OptionalInt8Schema).MustBuild()
	s, err := data.NewStruct(schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Errorf("nulls with defaults: %v", err)
	}
	for name, want := range map[string]data.Value{"a": data.Int32(7), "b": data.String("dd"), "c": data.Null} {
		if v, err := s.Get(name); !v.Equal(want) || err != nil {
			t.Errorf("unset %s: %v, %v, want %v", name, v, err, want)
		}
		if v, err := s.GetWithoutDefault(name); !v.IsNull() || err != nil {
			t.Errorf("unset %s without default: %v, %v", name, v, err)
		}
	}
	if err := s.Put("b", data.Null); err != nil {
		t.Errorf("null for an optional field: %v", err)
	}
	if v, _ := s.Get("b"); v.Str() != "dd" {
		t.Errorf("null was put, got %v instead of the default", v)
	}
	if err := s.Put("a", data.Int32(1)); err != nil {
		t.Error(err)
	}
	if v, err := s.GetTyped("a", data.TypeInt32); v.Int64() != 1 || err != nil {
		t.Errorf("a: %v, %v", v, err)
	}
	if v, err := s.GetTyped("b", data.TypeString); !v.IsNull() || err != nil {
		t.Errorf("b with its type: %v, %v, want no default", v, err)
	}
	if s.Schema() != schema || len(s.Values()) != 3 || s.At(0).Int64() != 1 || s.AtOrDefault(1).Str() != "dd" {
		t.Errorf("%v", s)
	}
	if got := s.String(); got != "Struct{a=1}" {
		t.Errorf("text %s", got)
	}
}

func TestStructErrors(t *testing.T) {
	t.Parallel()
	schema := data.NewStructBuilder().
		Field("a", data.NewBuilder(data.TypeInt32).Default(data.Int32(7)).MustBuild()).
		Field("b", data.StringSchema).MustBuild()
	_, err := data.NewStruct(data.Int8Schema)
	wantData(t, "scalar", err, "Not a struct schema: Schema{INT8}")
	_, err = data.NewStruct(nil)
	wantData(t, "no schema", err, "Not a struct schema: null")
	s := data.MustStruct(schema)
	wantData(t, "unknown field", s.Put("x", data.Null), "x is not a valid field name")
	_, err = s.Get("x")
	wantData(t, "get", err, "x is not a valid field name")
	_, err = s.GetWithoutDefault("x")
	wantData(t, "get without default", err, "x is not a valid field name")
	_, err = s.GetTyped("x", data.TypeInt8)
	wantData(t, "get with type", err, "x is not a valid field name")
	_, err = s.GetTyped("a", data.TypeInt8)
	wantData(t, "other type", err, "Field 'a' is not of type INT8")
	wantData(t, "null with a default", s.Put("a", data.Null), `Invalid value: null used for required field: "a", schema type: INT32`)
	wantData(t, "class", s.Put("a", data.Int64(1)), `Invalid Java object for schema with type INT32: class java.lang.Long for field: "a"`)
	wantData(t, "validate", s.Validate(), `Invalid value: null used for required field: "b", schema type: STRING`)
}

func TestStructEqual(t *testing.T) {
	t.Parallel()
	other := data.NewStructBuilder().Field("a", data.Int32Schema).Field("b", data.OptionalStringSchema).MustBuild()
	a := data.MustStruct(structAB).MustPut("a", data.Int32(1))
	b := data.MustStruct(other).MustPut("a", data.Int32(1))
	if !a.Equal(b) || !b.Equal(a) {
		t.Error("structs of equal schemas and values differ")
	}
	if b.MustPut("b", data.String("x")); a.Equal(b) {
		t.Error("structs of different values are equal")
	}
}

func TestMustPanics(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"MustStruct": func() { data.MustStruct(data.Int8Schema) },
		"MustPut":    func() { data.MustStruct(structAB).MustPut("a", data.Int8(1)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}
