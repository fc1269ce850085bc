package data

import (
	"errors"
	"strings"
)

// Project converts a value from the schema it was written with to the schema a reader wants: numbers widen, missing
// fields take their defaults, fields the reader does not know are dropped. Versions are not compared. Failures are
// SchemaProjectorExceptions, and DataExceptions where a struct's field does not take its new value.
func Project(source *Schema, v Value, target *Schema) (Value, error) {
	if err := projectable(source, target); err != nil {
		return Null, err
	}
	narrower := source.optional && !target.optional
	switch {
	case narrower && !target.hasDefault:
		return Null, projectorErrorf("Writer schema is optional, however, target schema does not provide a default value.")
	case v.kind == KindNull && narrower:
		return target.def, nil
	case v.kind == KindNull:
		return Null, nil
	default:
		return projectValue(source, v, target)
	}
}

func projectValue(source *Schema, v Value, target *Schema) (Value, error) {
	if !target.typ.IsPrimitive() && v.kind != Kind(target.typ) {
		return Null, castError(v, target.typ)
	}
	switch target.typ {
	case TypeStruct:
		return projectStruct(v.Struct(), target)
	case TypeArray:
		return projectArray(source, v, target)
	case TypeMap:
		return projectMap(source, v, target)
	default:
		return widen(v, target), nil
	}
}

func projectable(source, target *Schema) error {
	switch {
	case source.typ != target.typ && !promotable(source.typ, target.typ):
		return projectorErrorf("Schema type mismatch. source type: %s and target type: %s", source.typ, target.typ)
	case source.hasName != target.hasName || source.name != target.name:
		return projectorErrorf("Schema name mismatch. source name: %s and target name: %s", orNull(source), orNull(target))
	case !equalParameters(source.params, target.params):
		return projectorErrorf("Schema parameters not equal. source parameters: %s and target parameters: %s",
			parametersText(source.params), parametersText(target.params))
	default:
		return nil
	}
}

func orNull(s *Schema) string {
	if !s.hasName {
		return "null"
	}
	return s.name
}

func parametersText(ps []Parameter) string {
	if ps == nil {
		return "null"
	}
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = p.Name + "=" + p.Value
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// promotable tells whether a number widens along int8 < int16 < int32 < int64 < float < double.
func promotable(source, target Type) bool {
	return source >= TypeInt8 && source < target && target <= TypeFloat64
}

func widen(v Value, target *Schema) Value {
	if v.kind == target.kind || !v.IsInteger() && v.kind != KindFloat32 {
		return v
	}
	switch target.kind {
	case KindFloat32:
		return Float32(float32(v.Int64()))
	case KindFloat64:
		if v.kind == KindFloat32 {
			return Float64(v.Float64())
		}
		return Float64(float64(v.Int64()))
	case KindInt16, KindInt32, KindInt64:
		return Value{kind: target.kind, num: v.num}
	default:
		return v
	}
}

func projectStruct(s *Struct, target *Schema) (Value, error) {
	out := &Struct{schema: target, values: make([]Value, len(target.fields))}
	for i := range target.fields {
		f := &target.fields[i]
		v, err := projectField(s, f)
		if err != nil {
			return Null, err
		}
		if v.kind == KindNull && f.Schema.optional {
			continue
		}
		if err := ValidateValue(f.Name, f.Schema, v); err != nil {
			return Null, err
		}
		out.values[i] = v
	}
	return out.Value(), nil
}

// projectField returns the value of one field of the target.
func projectField(s *Struct, f *Field) (Value, error) {
	src := s.schema.Field(f.Name)
	switch {
	case src != nil:
		v, err := Project(src.Schema, s.AtOrDefault(src.Index), f.Schema)
		if e, ok := errors.AsType[*Error](err); ok && e.Class == ClassSchemaProjector {
			return Null, &Error{Class: ClassSchemaProjector, Message: "Error projecting " + f.Name, Cause: err}
		}
		return v, err
	case f.Schema.optional:
		return Null, nil
	case f.Schema.hasDefault:
		return f.Schema.def, nil
	default:
		return Null, projectorErrorf("Required field `%s` is missing from source schema: %s", f.Name, s.schema)
	}
}

func projectArray(source *Schema, v Value, target *Schema) (Value, error) {
	out := make([]Value, len(v.Array()))
	for i, e := range v.Array() {
		p, err := Project(source.elem, e, target.elem)
		if err != nil {
			return Null, err
		}
		out[i] = p
	}
	return Array(out), nil
}

func projectMap(source *Schema, v Value, target *Schema) (Value, error) {
	out := NewMap(v.Map().Len())
	for _, e := range v.Map().entries {
		key, err := Project(source.key, e.Key, target.key)
		if err != nil {
			return Null, err
		}
		elem, err := Project(source.elem, e.Value, target.elem)
		if err != nil {
			return Null, err
		}
		out.Put(key, elem)
	}
	return out.Value(), nil
}
