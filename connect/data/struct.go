package data

import "unsafe"

// Struct is a record of named fields, held by position in the order of its schema. It is filled by one goroutine and
// not changed after its [Struct.Value] became part of a record.
type Struct struct {
	schema *Schema
	values []Value
}

// NewStruct returns a struct without values.
func NewStruct(schema *Schema) (*Struct, error) {
	if schema == nil || schema.typ != TypeStruct {
		return nil, Errorf("Not a struct schema: %s", schema)
	}
	return &Struct{schema: schema, values: make([]Value, len(schema.fields))}, nil
}

// MustStruct is [NewStruct] for schemas that are part of the program: it panics when the schema is not a STRUCT.
func MustStruct(schema *Schema) *Struct {
	s, err := NewStruct(schema)
	if err != nil {
		panic(err)
	}
	return s
}

// Value returns the struct as a value, sharing it.
func (s *Struct) Value() Value { return Value{kind: KindStruct, ptr: unsafe.Pointer(s)} }

// Schema returns the struct's schema.
func (s *Struct) Schema() *Schema { return s.schema }

// Put sets a field after checking the value against the field's schema. A null for a required field fails even
// if the field has a default, as in Connect.
func (s *Struct) Put(name string, v Value) error {
	f := s.schema.Field(name)
	if f == nil {
		return Errorf("%s is not a valid field name", name)
	}
	if err := ValidateValue(name, f.Schema, v); err != nil {
		return err
	}
	s.values[f.Index] = v
	return nil
}

// MustPut is [Struct.Put] for code that knows its schema: it panics on a mistake. It returns the struct.
func (s *Struct) MustPut(name string, v Value) *Struct {
	if err := s.Put(name, v); err != nil {
		panic(err)
	}
	return s
}

// Set sets the field at a position without any check. The caller answers for the value; [Struct.Validate] checks all.
func (s *Struct) Set(i int, v Value) { s.values[i] = v }

// At returns the value at a position as it was put; null if none was.
func (s *Struct) At(i int) Value { return s.values[i] }

// Values returns the values as they were put, by position, not to be changed.
func (s *Struct) Values() []Value { return s.values }

// Get returns a field's value, or its default when the value is null.
func (s *Struct) Get(name string) (Value, error) {
	f := s.schema.Field(name)
	if f == nil {
		return Null, Errorf("%s is not a valid field name", name)
	}
	return s.AtOrDefault(f.Index), nil
}

// AtOrDefault returns the value at a position, or the field's default when the value is null.
func (s *Struct) AtOrDefault(i int) Value {
	if v := s.values[i]; v.kind != KindNull {
		return v
	}
	v, _ := s.schema.fields[i].Schema.Default()
	return v
}

// GetWithoutDefault returns a field's value as it was put.
func (s *Struct) GetWithoutDefault(name string) (Value, error) {
	f := s.schema.Field(name)
	if f == nil {
		return Null, Errorf("%s is not a valid field name", name)
	}
	return s.values[f.Index], nil
}

// GetTyped returns a field's value as it was put, and fails when the field's schema has another type.
func (s *Struct) GetTyped(name string, t Type) (Value, error) {
	v, err := s.GetWithoutDefault(name)
	if err != nil {
		return Null, err
	}
	if s.schema.Field(name).Schema.typ != t {
		return Null, Errorf("Field '%s' is not of type %s", name, t)
	}
	return v, nil
}

// Validate checks every field; a null is fine where the field is optional or has a default.
func (s *Struct) Validate() error {
	for i := range s.schema.fields {
		f := &s.schema.fields[i]
		v := s.values[i]
		if v.kind == KindNull && (f.Schema.optional || f.Schema.hasDefault) {
			continue
		}
		if err := ValidateValue(f.Name, f.Schema, v); err != nil {
			return err
		}
	}
	return nil
}

// Equal tells whether both structs have equal schemas and equal values as they were put.
func (s *Struct) Equal(o *Struct) bool {
	return s == o || (s.schema.Equal(o.schema) && equalAll(s.values, o.values))
}
