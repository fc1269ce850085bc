package data

import "strings"

// Names of the logical types. A schema is logical if it has one of these names, whatever its type and version.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"
)

// ScaleParameter is the schema parameter that holds the scale of a Decimal, as decimal text.
const ScaleParameter = "scale"

// Logical says which logical type a schema has.
type Logical uint8

// The logical types.
const (
	NotLogical Logical = iota
	LogicalDecimal
	LogicalDate
	LogicalTime
	LogicalTimestamp
)

// Plain schemas without attributes.
var (
	Int8Schema    = plain(TypeInt8, false)
	Int16Schema   = plain(TypeInt16, false)
	Int32Schema   = plain(TypeInt32, false)
	Int64Schema   = plain(TypeInt64, false)
	Float32Schema = plain(TypeFloat32, false)
	Float64Schema = plain(TypeFloat64, false)
	BooleanSchema = plain(TypeBoolean, false)
	StringSchema  = plain(TypeString, false)
	BytesSchema   = plain(TypeBytes, false)

	OptionalInt8Schema    = plain(TypeInt8, true)
	OptionalInt16Schema   = plain(TypeInt16, true)
	OptionalInt32Schema   = plain(TypeInt32, true)
	OptionalInt64Schema   = plain(TypeInt64, true)
	OptionalFloat32Schema = plain(TypeFloat32, true)
	OptionalFloat64Schema = plain(TypeFloat64, true)
	OptionalBooleanSchema = plain(TypeBoolean, true)
	OptionalStringSchema  = plain(TypeString, true)
	OptionalBytesSchema   = plain(TypeBytes, true)
)

// Schema describes values: their type, whether null is allowed, and attributes. It is immutable and safe for use by
// any number of goroutines. Compare with [Schema.Equal], which is fast for the same pointer.
type Schema struct {
	attributes
	typ     Type
	logical Logical
	kind    Kind           // of the values that fit
	hash    uint64         // equal schemas have equal hashes
	fields  []Field        // STRUCT
	index   map[string]int // STRUCT: field name to position
	key     *Schema        // MAP
	elem    *Schema        // ARRAY, MAP
}

type attributes struct {
	optional, hasName, hasVersion, hasDoc, hasDefault bool

	version int32
	name    string
	doc     string
	def     Value
	params  []Parameter
}

// Parameter is one entry of a schema's ordered parameters.
type Parameter struct{ Name, Value string }

// Field is one named member of a STRUCT schema.
type Field struct {
	Name   string
	Index  int
	Schema *Schema
}

func plain(t Type, optional bool) *Schema {
	s := &Schema{typ: t}
	s.optional = optional
	return s.seal()
}

// Type returns the type.
func (s *Schema) Type() Type { return s.typ }

// Optional tells whether null is allowed.
func (s *Schema) Optional() bool { return s.optional }

// Name returns the name, empty if there is none.
func (s *Schema) Name() string { return s.name }

// HasName tells a schema named "" from one without a name.
func (s *Schema) HasName() bool { return s.hasName }

// Version returns the version; false if there is none.
func (s *Schema) Version() (int32, bool) { return s.version, s.hasVersion }

// Doc returns the documentation; false if there is none.
func (s *Schema) Doc() (string, bool) { return s.doc, s.hasDoc }

// Default returns the default value; false if there is none.
func (s *Schema) Default() (Value, bool) { return s.def, s.hasDefault }

// Parameters returns the parameters in their order, not to be changed; nil if there are none.
func (s *Schema) Parameters() []Parameter { return s.params }

// Parameter returns the value of one parameter; false if there is none.
func (s *Schema) Parameter(name string) (string, bool) {
	for _, p := range s.params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Fields returns the fields of a STRUCT in their order, not to be changed.
func (s *Schema) Fields() []Field { return s.fields }

// Field returns the field of that name; nil if there is none.
func (s *Schema) Field(name string) *Field {
	if i, ok := s.index[name]; ok {
		return &s.fields[i]
	}
	return nil
}

// FieldBytes is [Schema.Field] for a name still in a buffer.
func (s *Schema) FieldBytes(name []byte) *Field {
	if i, ok := s.index[string(name)]; ok {
		return &s.fields[i]
	}
	return nil
}

// KeySchema returns the schema of a MAP's keys; nil for other types and for maps of mixed keys.
func (s *Schema) KeySchema() *Schema { return s.key }

// ValueSchema returns the schema of an ARRAY's or MAP's elements; nil for other types and for mixed elements.
func (s *Schema) ValueSchema() *Schema { return s.elem }

// Logical returns the logical type that the name stands for.
func (s *Schema) Logical() Logical { return s.logical }

// ValueKind returns the kind of the non-null values that fit this schema.
func (s *Schema) ValueKind() Kind { return s.kind }

// Equal tells whether both schemas have the same type and attributes, down to documentation, defaults and
// parameters; the order of parameters does not matter. Two nil schemas are equal.
func (s *Schema) Equal(o *Schema) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil || s.hash != o.hash {
		return false
	}
	return s.typ == o.typ && s.attributes.equal(&o.attributes) && s.key.Equal(o.key) && s.elem.Equal(o.elem) && equalFields(s.fields, o.fields)
}

func (a *attributes) equal(o *attributes) bool {
	return a.optional == o.optional && a.hasName == o.hasName && a.name == o.name &&
		a.hasVersion == o.hasVersion && a.version == o.version && a.hasDoc == o.hasDoc && a.doc == o.doc &&
		a.hasDefault == o.hasDefault && a.def.Equal(o.def) && equalParameters(a.params, o.params)
}

func equalFields(a, b []Field) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !a[i].Schema.Equal(b[i].Schema) {
			return false
		}
	}
	return true
}

func equalParameters(a, b []Parameter) bool {
	if len(a) != len(b) {
		return false
	}
	values := make(map[string]string, len(a))
	for _, p := range a {
		values[p.Name] = p.Value
	}
	for _, p := range b {
		if v, ok := values[p.Name]; !ok || v != p.Value {
			return false
		}
	}
	return true
}

// seal computes what is derived from the attributes. The schema does not change afterwards.
func (s *Schema) seal() *Schema {
	s.logical, s.kind = logicalOf(s.name), Kind(s.typ)
	switch s.logical {
	case LogicalDecimal:
		s.kind = KindDecimal
	case LogicalDate, LogicalTime, LogicalTimestamp:
		s.kind = KindInstant
	case NotLogical:
	}
	s.hash = s.computeHash()
	return s
}

func logicalOf(name string) Logical {
	switch name {
	case DecimalName:
		return LogicalDecimal
	case DateName:
		return LogicalDate
	case TimeName:
		return LogicalTime
	case TimestampName:
		return LogicalTimestamp
	default:
		return NotLogical
	}
}

func (s *Schema) computeHash() uint64 {
	h := mix(uint64(s.typ), String(s.name).hash())
	h = mix(h, String(s.doc).hash())
	h = mix(h, uint64(s.version))
	if s.optional {
		h = mix(h, 1)
	}
	h = mix(h, s.def.hash())
	var params uint64
	for _, p := range s.params {
		params += mix(String(p.Name).hash(), String(p.Value).hash())
	}
	h = mix(h, params)
	for _, f := range s.fields {
		h = mix(mix(h, String(f.Name).hash()), f.Schema.hash)
	}
	for _, sub := range []*Schema{s.key, s.elem} {
		if sub != nil {
			h = mix(h, sub.hash)
		}
	}
	return h
}

func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// String returns the form in which Connect's messages show a schema: Schema{name:TYPE} or Schema{TYPE}.
func (s *Schema) String() string {
	if s == nil {
		return "null"
	}
	var b strings.Builder
	b.WriteString("Schema{")
	if s.hasName {
		b.WriteString(s.name)
		b.WriteByte(':')
	}
	b.WriteString(s.typ.String())
	b.WriteByte('}')
	return b.String()
}
