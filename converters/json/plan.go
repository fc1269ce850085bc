package json

import (
	"github.com/millrace-io/millrace/connect/data"
)

// op says how values of a schema are read and written.
type op uint8

const (
	opInt8 op = iota
	opInt16
	opInt32
	opInt64
	opFloat32
	opFloat64
	opBoolean
	opString
	opBytes
	opArray
	opObject // a MAP written as an object, because its keys are STRINGs
	opPairs  // a MAP written as a list of pairs
	opStruct
	opDecimal
	opDecimalNumber // a Decimal written as a number
	opDate
	opTime
	opTimestamp
	opExact // not read the fast way
)

// nullRule says what a null stands for.
type nullRule uint8

const (
	nullForbidden nullRule = iota
	nullAllowed
	nullIsDefault
)

// options are the settings of a converter that change what values look like.
type options struct {
	replaceNull bool // a null becomes the default, if there is one
	numeric     bool // decimals are written as numbers
}

// plan is what is worked out once for a schema. A nil *plan stands for no schema.
type plan struct {
	schema *data.Schema
	op     op // of writing
	read   op
	null   nullRule
	kind   data.Kind  // of values that are not null
	def    data.Value // for nullIsDefault
	scale  int32      // for opDecimal
	scaled bool       // scale is valid
	fields []field    // for opStruct
	key    *plan      // for opObject and opPairs
	elem   *plan      // for opArray, opObject and opPairs

	// What comes before a value in an envelope: prefix as it is written, head as it was read, in a text of the usual
	// form. A plan has only the one it was used for.
	prefix []byte
	head   string
}

// field is a field of a STRUCT.
type field struct {
	plan   *plan
	name   string
	quoted string // as it is written: "name":
	lead   string // the same behind a brace or a comma
}

func newPlan(s *data.Schema, o options) *plan {
	if s == nil {
		return nil
	}
	p := &plan{schema: s, op: opOf(s, o), kind: s.ValueKind()}
	if p.read = p.op; s.Logical() != data.NotLogical && !s.Type().IsPrimitive() {
		// A collection or a struct by its type and an instant or a decimal by its name, which no STRUCT can hold.
		p.read = opExact
	}
	def, hasDefault := s.Default()
	switch {
	case hasDefault && o.replaceNull:
		p.null, p.def = nullIsDefault, def
	case s.Optional():
		p.null = nullAllowed
	}
	if p.op == opDecimal || p.op == opDecimalNumber {
		scale, err := data.DecimalScale(s)
		p.scale, p.scaled = scale, err == nil
	}
	p.key, p.elem = newPlan(s.KeySchema(), o), newPlan(s.ValueSchema(), o)
	p.fields = newFields(s, o)
	return p
}

func newFields(s *data.Schema, o options) []field {
	fields := make([]field, len(s.Fields()))
	lead := "{"
	for i, f := range s.Fields() {
		quoted := string(append(appendString(nil, []byte(f.Name)), ':'))
		fields[i] = field{plan: newPlan(f.Schema, o), name: f.Name, quoted: quoted, lead: lead + quoted}
		lead = ","
	}
	return fields
}

// opOf looks at the name first: a schema of any type becomes logical by its name.
func opOf(s *data.Schema, o options) op {
	switch s.Logical() {
	case data.LogicalDecimal:
		if o.numeric {
			return opDecimalNumber
		}
		return opDecimal
	case data.LogicalDate:
		return opDate
	case data.LogicalTime:
		return opTime
	case data.LogicalTimestamp:
		return opTimestamp
	default:
		return opOfType(s)
	}
}

var opsOfTypes = [...]op{
	data.TypeInt8: opInt8, data.TypeInt16: opInt16, data.TypeInt32: opInt32, data.TypeInt64: opInt64,
	data.TypeFloat32: opFloat32, data.TypeFloat64: opFloat64, data.TypeBoolean: opBoolean, data.TypeString: opString,
	data.TypeBytes: opBytes, data.TypeArray: opArray, data.TypeMap: opPairs, data.TypeStruct: opStruct,
}

func opOfType(s *data.Schema) op {
	if s.Type() == data.TypeMap && hasStringKeys(s) {
		return opObject
	}
	return opsOfTypes[s.Type()]
}

// hasStringKeys tells whether a MAP is written as an object. Only the type of the key schema counts.
func hasStringKeys(s *data.Schema) bool {
	k := s.KeySchema()
	return k != nil && k.Type() == data.TypeString
}
