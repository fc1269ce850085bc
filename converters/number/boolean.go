package number

import (
	"fmt"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Boolean is the plugin of BooleanConverter: one byte, 0 or 1. Unlike the converters for numbers it wants the schema of
// what it writes to be BOOLEAN, if there is one.
var Boolean = plugin("BooleanConverter", booleanConverter{})

type booleanConverter struct{}

// Encode appends the byte of a BOOLEAN value. A schema of another type is an error, even for null.
func (booleanConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, s *data.Schema, v data.Value) ([]byte, error) {
	if s != nil && s.Type() != data.TypeBoolean {
		return nil, data.Errorf("Invalid schema type for BooleanConverter: %s", s.Type())
	}
	switch v.Kind() {
	case data.KindNull:
		return nil, nil
	case data.KindBoolean:
		if v.Bool() {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	default:
		return nil, data.Errorf("BooleanConverter is not compatible with objects of type class %s", v.Kind().JavaClass())
	}
}

// Decode returns an optional boolean.
func (booleanConverter) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	switch {
	case raw == nil:
		return data.OptionalBooleanSchema, data.Null, nil
	case len(raw) != 1:
		return nil, data.Null, unreadable("boolean", "Size of data received by BooleanDeserializer is not 1")
	case raw[0] > 1:
		// Java's bytes are signed.
		return nil, data.Null, unreadable("boolean", fmt.Sprintf("Unexpected byte received by BooleanDeserializer: %d", int8(raw[0])))
	default:
		return data.OptionalBooleanSchema, data.Bool(raw[0] == 1), nil
	}
}
