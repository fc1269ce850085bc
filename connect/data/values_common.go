package data

// commonSchema is the schema that the elements of a collection have in common. Only the base types are compared:
// numbers widen, of two equal types the later schema counts, with its name and its element schemas. Nulls say nothing.
type commonSchema struct {
	schema *Schema // nil before the first element, and when they have nothing in common
	mixed  bool
}

func (c *commonSchema) add(s *Schema) {
	if s == nil || c.mixed {
		return
	}
	switch {
	case c.schema == nil || s.typ == c.schema.typ:
		c.schema = s
	case !isNumber(s.typ) || !isNumber(c.schema.typ):
		c.schema, c.mixed = nil, true
	case s.typ > c.schema.typ:
		c.schema = s
	}
}

// isNumber tells whether values of the type widen: those from INT8 to FLOAT64 do, in the order of their numbers.
func isNumber(t Type) bool { return t >= TypeInt8 && t <= TypeFloat64 }

// alignAll converts all values to the common schema in place. It changes nothing if there is none, and fails if one
// cannot be converted; a null never can.
func (c *commonSchema) alignAll(values []Value) error {
	for i, v := range values {
		aligned, err := c.align(v)
		if err != nil {
			return err
		}
		values[i] = aligned
	}
	return nil
}

func (c *commonSchema) align(v Value) (Value, error) {
	if c.schema == nil {
		return v, nil
	}
	if v.kind == KindNull {
		return Null, errNullRequired
	}
	switch c.schema.logical {
	case LogicalDate:
		return ConvertToDate(nil, v)
	case LogicalTime:
		return ConvertToTime(nil, v)
	case LogicalTimestamp:
		return ConvertToTimestamp(nil, v)
	default:
		if !isNumber(c.schema.typ) {
			return v, nil
		}
		return convertToNumber(c.schema.typ, nil, v)
	}
}

// alignMap converts the keys and values of a map. Keys that become equal by that are one: the last value counts.
func alignMap(m *Map, keys, values *commonSchema) (*Map, error) {
	out := NewMap(m.Len())
	for _, e := range m.entries {
		k, err := keys.align(e.Key)
		if err != nil {
			return nil, err
		}
		v, err := values.align(e.Value)
		if err != nil {
			return nil, err
		}
		out.Put(k, v)
	}
	return out, nil
}
