package data

import "fmt"

// ValidateValue checks a value against a schema as Connect does, down to the elements of collections and the fields
// of structs. The name, if not empty, is the field that errors speak of. A nil schema accepts everything.
func ValidateValue(name string, s *Schema, v Value) error {
	if s == nil || (v.kind == s.kind && v.kind < KindArray) {
		return nil
	}
	return validate(location{field: name}, s, v)
}

// castError is what the reference reports for values that its checks let through by mistake.
func castError(v Value, want Type) error {
	return &Error{
		Class:   "java.lang.ClassCastException",
		Message: fmt.Sprintf("class %s cannot be cast to %s", v.kind.JavaClass(), want),
	}
}

// location says where in a value an error is; text is made only when there is one.
type location struct {
	field  string
	parent *location
	part   string // "element of array ", "key of map ", "value of map "
}

func (l *location) String() string {
	switch {
	case l.parent != nil:
		return l.part + l.parent.String()
	case l.field != "":
		return fmt.Sprintf("field: %q", l.field)
	default:
		return "value"
	}
}

func validate(at location, s *Schema, v Value) error {
	if s == nil {
		return Errorf("No schema defined for %s", at.String())
	}
	if v.kind == KindNull {
		if s.optional {
			return nil
		}
		return Errorf("Invalid value: null used for required %s, schema type: %s", at.String(), s.typ)
	}
	if v.kind != s.kind {
		return mismatch(at, s, v)
	}
	if s.logical != NotLogical && !s.typ.IsPrimitive() {
		// The name says one thing and the type another; the reference fails at its own cast.
		return castError(v, s.typ)
	}
	switch v.kind {
	case KindArray:
		return validateArray(at, s, v.Array())
	case KindMap:
		return validateMap(at, s, v.Map())
	case KindStruct:
		st := v.Struct()
		if !st.schema.Equal(s) {
			return Errorf("Struct schemas do not match.")
		}
		return st.Validate()
	default:
		return nil
	}
}

func mismatch(at location, s *Schema, v Value) error {
	name := ""
	if s.hasName {
		name = fmt.Sprintf("%q ", s.name)
	}
	return Errorf("Invalid Java object for schema %swith type %s: class %s for %s", name, s.typ, v.kind.JavaClass(), at.String())
}

func validateArray(at location, s *Schema, vs []Value) error {
	for _, v := range vs {
		if s.elem != nil && v.kind == s.elem.kind && v.kind < KindArray {
			continue
		}
		if err := validate(location{parent: &at, part: "element of array "}, s.elem, v); err != nil {
			return err
		}
	}
	return nil
}

func validateMap(at location, s *Schema, m *Map) error {
	for _, e := range m.entries {
		if err := validate(location{parent: &at, part: "key of map "}, s.key, e.Key); err != nil {
			return err
		}
		if err := validate(location{parent: &at, part: "value of map "}, s.elem, e.Value); err != nil {
			return err
		}
	}
	return nil
}
