package data

import (
	"errors"
	"maps"
	"slices"
)

// Builder makes a [Schema]. Its methods return the builder, so that calls chain; the first mistake is kept and
// returned by [Builder.Build]. Attributes cannot be changed once set; parameters can.
type Builder struct {
	s   Schema
	opt bool // optional or required was called
	err error
}

// NewBuilder starts a schema of that type.
func NewBuilder(t Type) *Builder {
	b := &Builder{s: Schema{typ: t}}
	if t < TypeInt8 || t > TypeStruct {
		b.fail("type cannot be null")
	}
	return b
}

// NewStructBuilder starts a STRUCT schema.
func NewStructBuilder() *Builder { return NewBuilder(TypeStruct) }

// NewArrayBuilder starts an ARRAY schema.
func NewArrayBuilder(elem *Schema) *Builder {
	b := NewBuilder(TypeArray)
	b.s.elem = elem
	if elem == nil {
		b.fail("valueSchema cannot be null.")
	}
	return b
}

// NewMapBuilder starts a MAP schema.
func NewMapBuilder(key, elem *Schema) *Builder {
	b := NewBuilder(TypeMap)
	b.s.key, b.s.elem = key, elem
	if key == nil {
		b.fail("keySchema cannot be null.")
	} else if elem == nil {
		b.fail("valueSchema cannot be null.")
	}
	return b
}

// NewDecimalBuilder starts a Decimal schema of that scale.
func NewDecimalBuilder(scale int32) *Builder {
	return NewBuilder(TypeBytes).Name(DecimalName).Parameter(ScaleParameter, Int32(scale).String()).Version(1)
}

// NewDateBuilder starts a Date schema: days since the epoch.
func NewDateBuilder() *Builder { return NewBuilder(TypeInt32).Name(DateName).Version(1) }

// NewTimeBuilder starts a Time schema: milliseconds since midnight.
func NewTimeBuilder() *Builder { return NewBuilder(TypeInt32).Name(TimeName).Version(1) }

// NewTimestampBuilder starts a Timestamp schema: milliseconds since the epoch.
func NewTimestampBuilder() *Builder { return NewBuilder(TypeInt64).Name(TimestampName).Version(1) }

// UnknownElements returns an ARRAY or MAP schema without element schemas, which is what a header holds whose elements
// have nothing in common. A map may still know one of the two.
func UnknownElements(t Type, key, elem *Schema) *Schema {
	s := &Schema{typ: t, key: key, elem: elem}
	return s.seal()
}

func (b *Builder) fail(format string, args ...any) *Builder {
	if b.err == nil {
		b.err = builderErrorf(format, args...)
	}
	return b
}

func (b *Builder) once(attribute string, set, same bool) bool {
	if set && !same {
		b.fail("Invalid SchemaBuilder call: %s has already been set.", attribute)
	}
	return !set
}

// Optional allows null.
func (b *Builder) Optional() *Builder { return b.setOptional(true) }

// Required forbids null, which is the default.
func (b *Builder) Required() *Builder { return b.setOptional(false) }

func (b *Builder) setOptional(v bool) *Builder {
	if b.once("optional", b.opt, b.s.optional == v) {
		b.s.optional, b.opt = v, true
	}
	return b
}

// Name sets the name. The names of the logical types make the schema logical.
func (b *Builder) Name(name string) *Builder {
	if b.once("name", b.s.hasName, b.s.name == name) {
		b.s.name, b.s.hasName = name, true
		b.s.seal()
	}
	return b
}

// Version sets the version.
func (b *Builder) Version(v int32) *Builder {
	if b.once("version", b.s.hasVersion, b.s.version == v) {
		b.s.version, b.s.hasVersion = v, true
	}
	return b
}

// Doc sets the documentation.
func (b *Builder) Doc(doc string) *Builder {
	if b.once("doc", b.s.hasDoc, b.s.doc == doc) {
		b.s.doc, b.s.hasDoc = doc, true
	}
	return b
}

// Default sets the default value, which must fit the schema as it is at this moment: call Optional before a null
// default. A null default is checked, too, but is the same as none. A struct never fits, as in Connect, because a
// schema under construction equals no other.
func (b *Builder) Default(v Value) *Builder {
	if !b.once("default", b.s.hasDefault, b.s.def.Equal(v)) {
		return b
	}
	if err := b.checkDefault(v); err != nil && b.err == nil {
		b.err = defaultError(err)
	}
	b.s.def, b.s.hasDefault = v, v.kind != KindNull
	return b
}

// defaultError wraps what the data model reports, but no error that the reference does not mean to make.
func defaultError(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Class != ClassData {
		return err
	}
	return &Error{Class: ClassSchemaBuilder, Message: "Invalid default value", Cause: err}
}

func (b *Builder) checkDefault(v Value) error {
	b.s.seal()
	if b.s.typ == TypeStruct && v.kind == KindStruct {
		return Errorf("Struct schemas do not match.")
	}
	return ValidateValue("", &b.s, v)
}

// Parameter adds or replaces one parameter.
func (b *Builder) Parameter(name, value string) *Builder {
	for i := range b.s.params {
		if b.s.params[i].Name == name {
			b.s.params[i].Value = value
			return b
		}
	}
	b.s.params = append(b.s.params, Parameter{name, value})
	return b
}

// Field adds a field to a STRUCT.
func (b *Builder) Field(name string, schema *Schema) *Builder {
	switch {
	case b.s.typ != TypeStruct:
		return b.fail("Cannot create fields on type %s", b.s.typ)
	case name == "":
		return b.fail("fieldName cannot be null.")
	case schema == nil:
		return b.fail("fieldSchema for field %s cannot be null.", name)
	case b.s.index[name] != 0 || (len(b.s.fields) > 0 && b.s.fields[0].Name == name):
		return b.fail("Cannot create field because of field name duplication %s", name)
	}
	if b.s.index == nil {
		b.s.index = make(map[string]int)
	}
	b.s.index[name] = len(b.s.fields)
	b.s.fields = append(b.s.fields, Field{Name: name, Index: len(b.s.fields), Schema: schema})
	return b
}

// Err returns the first mistake so far, nil if there is none, for code that must stop at it.
func (b *Builder) Err() error { return b.err }

// Build returns the schema, or the first mistake as a SchemaBuilderException. What is added to the builder afterwards
// is not part of the schema.
func (b *Builder) Build() (*Schema, error) {
	if b.err != nil {
		return nil, b.err
	}
	s := b.s
	s.params, s.fields, s.index = slices.Clone(s.params), slices.Clip(s.fields), maps.Clone(s.index)
	return s.seal(), nil
}

// MustBuild is [Builder.Build] for schemas that are part of the program: it panics on a mistake.
func (b *Builder) MustBuild() *Schema {
	s, err := b.Build()
	if err != nil {
		panic(err)
	}
	return s
}
