package data

// Type is the type of a schema.
type Type uint8

// The types of Connect's data model. The zero Type is no type.
const (
	TypeInt8 Type = iota + 1
	TypeInt16
	TypeInt32
	TypeInt64
	TypeFloat32
	TypeFloat64
	TypeBoolean
	TypeString
	TypeBytes
	TypeArray
	TypeMap
	TypeStruct
)

var typeNames = [...]string{
	"", "INT8", "INT16", "INT32", "INT64", "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES", "ARRAY", "MAP", "STRUCT",
}

var typeJSONNames = [...]string{
	"", "int8", "int16", "int32", "int64", "float", "double", "boolean", "string", "bytes", "array", "map", "struct",
}

// String returns the name used in Connect's messages, such as INT8.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return ""
}

// JSONName returns the name used in the JSON form of schemas, such as int8, float and double.
func (t Type) JSONName() string {
	if int(t) < len(typeJSONNames) {
		return typeJSONNames[t]
	}
	return ""
}

// TypeOfJSONName returns the type with that JSON name; false if there is none. Names are case-sensitive.
func TypeOfJSONName(name string) (Type, bool) {
	for t := TypeInt8; t <= TypeStruct; t++ {
		if typeJSONNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// IsPrimitive tells whether values of the type contain no other values.
func (t Type) IsPrimitive() bool { return t >= TypeInt8 && t <= TypeBytes }

// Kind is what a [Value] holds. The kinds of the plain types have the numbers of their [Type].
type Kind uint8

// The kinds of values.
const (
	KindNull Kind = iota
	KindInt8
	KindInt16
	KindInt32
	KindInt64
	KindFloat32
	KindFloat64
	KindBoolean
	KindString
	KindBytes
	KindArray
	KindMap
	KindStruct
	KindDecimal // unscaled integer and scale; the value of schemas named Decimal
	KindInstant // milliseconds since the epoch; the value of schemas named Date, Time and Timestamp
)

var javaClasses = [...]string{
	"null",
	"java.lang.Byte", "java.lang.Short", "java.lang.Integer", "java.lang.Long",
	"java.lang.Float", "java.lang.Double", "java.lang.Boolean", "java.lang.String",
	"[B", "java.util.ArrayList", "java.util.HashMap", "org.apache.kafka.connect.data.Struct",
	"java.math.BigDecimal", "java.util.Date",
}

// JavaClass returns the class that such a value has in the reference implementation; error texts name it.
func (k Kind) JavaClass() string {
	if int(k) < len(javaClasses) {
		return javaClasses[k]
	}
	return ""
}

// String returns the name of the schema type of that kind, or NULL, DECIMAL, INSTANT.
func (k Kind) String() string {
	switch k {
	case KindNull:
		return "NULL"
	case KindDecimal:
		return "DECIMAL"
	case KindInstant:
		return "INSTANT"
	default:
		return Type(k).String()
	}
}
