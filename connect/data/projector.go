package data

import "strings"

// Project converts a value from the schema it was written with to the schema a reader wants: numbers widen, missing
// fields take their defaults, fields the reader does not know are dropped. Versions are not compared. Failures are
// SchemaProjectorExceptions.
func Project(source *Schema, v Value, target *Schema) (Value, error) {
	if source.optional && !target.optional {
		if !target.hasDefault {
			return Null, projectorErrorf("Writer schema is optional, however, target schema does not provide a default value.")
		}
		if v.kind == KindNull {
			return target.def, nil
		}
	}
	return projectRequired(source, v, target)
}

func projectRequired(source *Schema, v Value, target *Schema) (Value, error) {
	if err := projectable(source, target); err != nil {
		return Null, err
	}
	if v.kind == KindNull {
		return Null, nil
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
	case source.hasName != target.hasName || source.name != target.name:
		return projectorErrorf("Schema name mismatch. source name: %s and target name: %s", orNull(source), orNull(target))
	case !equalParameters(source.params, target.params):
		return projectorErrorf("Schema parameters not equal. source parameters: %s and target parameters: %s",
			parametersText(source.params), parametersText(target.params))
	case source.typ != target.typ && !promotable(source.typ, target.typ):
		return projectorErrorf("Schema type mismatch. source type: %s and target type: %s", source.typ, target.typ)
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
		src := s.schema.Field(f.Name)
		switch {
		case src != nil:
			v, err := Project(src.Schema, s.AtOrDefault(src.Index), f.Schema)
			if err != nil {
				return Null, &Error{Class: ClassSchemaProjector, Message: "Error projecting " + f.Name, Cause: err}
			}
			out.values[i] = v
		case f.Schema.optional:
		case f.Schema.hasDefault:
			out.values[i] = f.Schema.def
		default:
			return Null, projectorErrorf("Required field `%s` is missing from source schema: %s", f.Name, s.schema)
		}
	}
	return out.Value(), nil
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
