package converters

import (
	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

const byteArrayClass = "org.apache.kafka.connect.converters.ByteArrayConverter"

// ByteArray is the plugin of ByteArrayConverter, which passes bytes through.
var ByteArray = connect.ConverterPlugin{
	Class:     byteArrayClass,
	Version:   connect.KafkaVersion,
	Def:       newDef(),
	New:       newByteArray,
	NewHeader: connect.HeadersOf(newByteArray),
}

type byteArrayConverter struct{}

func newByteArray(connect.Props, connect.ConverterUse) (connect.Converter, error) {
	return byteArrayConverter{}, nil
}

// Encode appends the bytes of a BYTES value. A schema of another type is an error, even for null.
func (byteArrayConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, s *data.Schema, v data.Value) ([]byte, error) {
	if s != nil && s.Type() != data.TypeBytes {
		return nil, data.Errorf("Invalid schema type for ByteArrayConverter: %s", s.Type())
	}
	switch v.Kind() {
	case data.KindNull:
		return nil, nil
	case data.KindBytes:
		if dst == nil {
			dst = []byte{}
		}
		return append(dst, v.Bytes()...), nil
	default:
		return nil, data.Errorf("ByteArrayConverter is not compatible with objects of type class %s", v.Kind().JavaClass())
	}
}

// Decode returns optional bytes without copying them.
func (byteArrayConverter) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	if raw == nil {
		return data.OptionalBytesSchema, data.Null, nil
	}
	return data.OptionalBytesSchema, data.Bytes(raw), nil
}
