package number

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
)

// The plugins of the converters for numbers. They read optional numbers. What they write must be of exactly their type,
// whatever its schema says.
var (
	Short = plugin("ShortConverter", &format{
		name: "short", reader: "ShortDeserializer", size: 2, kind: data.KindInt16, schema: data.OptionalInt16Schema,
		read:   func(b []byte) data.Value { return data.Int16(int16(binary.BigEndian.Uint16(b))) },
		append: func(dst []byte, v data.Value) []byte { return binary.BigEndian.AppendUint16(dst, uint16(v.Int64())) },
	})
	Integer = plugin("IntegerConverter", &format{
		name: "integer", reader: "IntegerDeserializer", size: 4, kind: data.KindInt32, schema: data.OptionalInt32Schema,
		read:   func(b []byte) data.Value { return data.Int32(int32(binary.BigEndian.Uint32(b))) },
		append: func(dst []byte, v data.Value) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v.Int64())) },
	})
	Long = plugin("LongConverter", &format{
		name: "long", reader: "LongDeserializer", size: 8, kind: data.KindInt64, schema: data.OptionalInt64Schema,
		read:   func(b []byte) data.Value { return data.Int64(int64(binary.BigEndian.Uint64(b))) },
		append: func(dst []byte, v data.Value) []byte { return binary.BigEndian.AppendUint64(dst, uint64(v.Int64())) },
	})
	Float = plugin("FloatConverter", &format{
		name: "float", reader: "Deserializer", size: 4, kind: data.KindFloat32, schema: data.OptionalFloat32Schema,
		read: func(b []byte) data.Value { return data.Float32(math.Float32frombits(binary.BigEndian.Uint32(b))) },
		append: func(dst []byte, v data.Value) []byte {
			return binary.BigEndian.AppendUint32(dst, math.Float32bits(v.Float32()))
		},
	})
	Double = plugin("DoubleConverter", &format{
		name: "double", reader: "Deserializer", size: 8, kind: data.KindFloat64, schema: data.OptionalFloat64Schema,
		read: func(b []byte) data.Value { return data.Float64(math.Float64frombits(binary.BigEndian.Uint64(b))) },
		append: func(dst []byte, v data.Value) []byte {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Float64()))
		},
	})
)

const (
	packagePrefix  = "org.apache.kafka.connect.converters."
	classClassCast = "java.lang.ClassCastException"
)

func plugin(class string, c connect.Converter) connect.ConverterPlugin {
	def := config.New()
	def.String(connect.ConverterTypeKey, config.Low,
		config.OneOf(string(connect.ForKey), string(connect.ForValue), string(connect.ForHeader)),
		config.Doc("What the converter is used for. The worker sets it."))
	create := func(p connect.Props, use connect.ConverterUse) (connect.Converter, error) {
		if _, err := connect.ParseConverter(def, p, use); err != nil {
			return nil, err
		}
		return c, nil
	}
	return connect.ConverterPlugin{
		Class:     packagePrefix + class,
		Version:   connect.KafkaVersion,
		Def:       def,
		New:       create,
		NewHeader: connect.HeadersOf(create),
	}
}

// format is the converter for one type of numbers. It has no state: one serves all tasks.
type format struct {
	name   string // in messages
	reader string // what messages about a wrong size name
	size   int
	kind   data.Kind
	schema *data.Schema
	read   func(b []byte) data.Value
	append func(dst []byte, v data.Value) []byte
}

// Encode appends the number. The schema is not looked at.
func (f *format) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	switch v.Kind() {
	case data.KindNull:
		return nil, nil
	case f.kind:
		return f.append(dst, v), nil
	default:
		class := v.Kind().JavaClass()
		cause := &connect.Error{
			Class:   classClassCast,
			Message: fmt.Sprintf("class %s cannot be cast to class %s", class, f.kind.JavaClass()),
		}
		return nil, data.Wrap(cause, "Failed to serialize to %s (was class %s): ", f.name, class)
	}
}

// Decode returns an optional number.
func (f *format) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	switch {
	case raw == nil:
		return f.schema, data.Null, nil
	case len(raw) != f.size:
		return nil, data.Null, unreadable(f.name, fmt.Sprintf("Size of data received by %s is not %d", f.reader, f.size))
	default:
		return f.schema, f.read(raw), nil
	}
}

func unreadable(name, why string) error {
	return data.Wrap(&connect.Error{Class: connect.ClassSerialization, Message: why}, "Failed to deserialize %s: ", name)
}
