package data

// InferSchema returns the schema that a value without one has: the plain one of its type, its own for a struct. Lists
// and maps have one if all their elements are of one type; those with nulls among them are optional. Of lists and maps
// in others only the type is known.
//
// It returns nil where the reference finds none: for null, instants and decimals, for empty or mixed collections, and
// for collections of such values. A collection of nothing but nulls is a SchemaBuilderException.
func InferSchema(v Value) (*Schema, error) {
	switch v.kind {
	case KindNull, KindDecimal, KindInstant:
		return nil, nil
	case KindArray:
		return inferArray(v.Array())
	case KindMap:
		return inferMap(v.Map())
	case KindStruct:
		return v.Struct().schema, nil
	default:
		return plainSchemas[v.kind], nil
	}
}

var plainSchemas = [...]*Schema{
	KindInt8: Int8Schema, KindInt16: Int16Schema, KindInt32: Int32Schema, KindInt64: Int64Schema,
	KindFloat32: Float32Schema, KindFloat64: Float64Schema,
	KindBoolean: BooleanSchema, KindString: StringSchema, KindBytes: BytesSchema,
}

func inferArray(values []Value) (*Schema, error) {
	if len(values) == 0 {
		return nil, nil
	}
	var elem typeDetector
	for _, v := range values {
		if ok, err := elem.add(v); !ok {
			return nil, err
		}
	}
	s, err := elem.schema()
	if err != nil {
		return nil, err
	}
	return NewArrayBuilder(s).Build()
}

func inferMap(m *Map) (*Schema, error) {
	if m.Len() == 0 {
		return nil, nil
	}
	var key, elem typeDetector
	for _, e := range m.entries {
		if ok, err := key.add(e.Key); !ok {
			return nil, err
		}
		if ok, err := elem.add(e.Value); !ok {
			return nil, err
		}
	}
	ks, err := key.schema()
	if err != nil {
		return nil, err
	}
	vs, err := elem.schema()
	if err != nil {
		return nil, err
	}
	return NewMapBuilder(ks, vs).Build()
}

// typeDetector finds the one type of the elements of a collection.
type typeDetector struct {
	typ      Type // 0 as long as there were only nulls
	optional bool
}

// add is false if the element has no type or another one than those before.
func (d *typeDetector) add(v Value) (bool, error) {
	if v.kind == KindNull {
		d.optional = true
		return true, nil
	}
	s, err := InferSchema(v)
	if err != nil || s == nil {
		return false, err
	}
	if d.typ == 0 {
		d.typ = s.typ
	}
	return d.typ == s.typ, nil
}

func (d *typeDetector) schema() (*Schema, error) {
	if d.typ == 0 {
		return nil, builderErrorf("type cannot be null")
	}
	return plain(d.typ, d.optional), nil
}
