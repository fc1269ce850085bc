package generator

import (
	"errors"
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/connect/data"
)

// Attributes of Avro types that Connect's Avro converter reads.
const (
	connectName       = "connect.name"
	connectDoc        = "connect.doc"
	connectVersion    = "connect.version"
	connectDefault    = "connect.default"
	connectParameters = "connect.parameters"
	connectType       = "connect.type"
)

// Names that Connect's Avro converter gives to schemas and parameters.
const (
	unionName        = "io.confluent.connect.avro.Union"
	enumParameter    = "io.confluent.connect.avro.Enum"
	recordDoc        = "io.confluent.connect.avro.record.doc"
	fieldDoc         = "io.confluent.connect.avro.field.doc."
	fieldDefault     = "io.confluent.connect.avro.field.default"
	fixedSize        = "connect.fixed.size"
	decimalPrecision = "connect.decimal.precision"
	anonymousName    = "ConnectDefault" // of records whose Connect schema had no name
	avroPrefix       = "avro"
	usualPrecision   = 64 // of a decimal, which goes without saying
)

// use is what the place of a type in a schema adds to its Connect schema.
type use struct {
	optional bool
	doc      string // of the field
	hasDoc   bool
}

// typed is a type of Avro in its place, with the Connect schema it has there.
type typed struct {
	node     *node
	schema   *data.Schema // nil for the branch null of a union
	fields   []*typed     // of a record
	elem     *typed       // of an array or map
	branches []*typed     // of a union
	nullable bool         // the union is one of null and another type, whose schema it has
}

// place identifies a type in a place; equal ones share what is made of them.
type place struct {
	node *node
	use  use
}

// mapper makes Connect schemas of types.
type mapper struct{ done map[place]*typed }

// typed maps a type that has no default value in its place.
func (m *mapper) typed(n *node, u use) (*typed, error) {
	at := place{n, u}
	if t := m.done[at]; t != nil {
		return t, nil
	}
	t, err := m.build(n, u, nil)
	if err == nil {
		m.done[at] = t
	}
	return t, err
}

// field maps the type of a field.
func (m *mapper) field(f *field) (*typed, error) {
	u := use{doc: f.doc, hasDoc: f.hasDoc}
	if !f.hasDefault || f.def == nil || f.typ.kind == kindRecord || f.typ.kind == kindUnion {
		return m.typed(f.typ, u)
	}
	return m.build(f.typ, u, f)
}

// build maps a type. Its field is nil if there is none with a default value. Structs and unions have no default, as a
// Connect schema under construction accepts none.
func (m *mapper) build(n *node, u use, f *field) (*typed, error) {
	t := &typed{node: n}
	b, err := m.builder(t, u)
	if err != nil || b == nil {
		return t, err
	}
	if u.optional {
		b.Optional()
	}
	if err := n.annotate(b, u); err != nil {
		return nil, err
	}
	if err := t.setDefault(b, f); err != nil {
		return nil, fmt.Errorf("default: %w", err)
	}
	t.schema, err = b.Build()
	return t, err
}

// builder maps what is inside of a type and starts its schema. There is none for a type that has the schema of another.
func (m *mapper) builder(t *typed, u use) (b *data.Builder, err error) {
	n := t.node
	switch n.kind {
	case kindNull:
		return nil, errors.New("a type null that is no branch of a union has no Connect schema")
	case kindRecord:
		return m.record(t)
	case kindUnion:
		return m.union(t, u)
	case kindArray:
		if t.elem, err = m.typed(n.elem, use{}); err != nil {
			return nil, fmt.Errorf("items: %w", err)
		}
		return data.NewArrayBuilder(t.elem.schema), nil
	case kindMap:
		if t.elem, err = m.typed(n.elem, use{}); err != nil {
			return nil, fmt.Errorf("values: %w", err)
		}
		return data.NewMapBuilder(data.StringSchema, t.elem.schema), nil
	default:
		return n.scalar(), nil
	}
}

func (m *mapper) record(t *typed) (*data.Builder, error) {
	b := data.NewStructBuilder()
	for i := range t.node.fields {
		f := &t.node.fields[i]
		ft, err := m.field(f)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.name, err)
		}
		t.fields = append(t.fields, ft)
		b.Field(f.name, ft.schema)
		if f.hasDoc {
			b.Parameter(fieldDoc+f.name, f.doc)
		}
	}
	if t.node.hasDoc {
		b.Parameter(recordDoc, t.node.doc)
	}
	return b, nil
}

// union maps null and one other type to that type as an optional one, and all others to a struct of the branches.
func (m *mapper) union(t *typed, u use) (*data.Builder, error) {
	branches := t.node.branches
	t.nullable = len(branches) == 2 && (branches[0].kind == kindNull) != (branches[1].kind == kindNull)
	branch := use{optional: true}
	if t.nullable {
		branch.doc, branch.hasDoc = u.doc, u.hasDoc
	}
	b := data.NewStructBuilder().Name(unionName)
	for i, n := range branches {
		bt := &typed{node: n}
		if n.kind != kindNull {
			var err error
			if bt, err = m.typed(n, branch); err != nil {
				return nil, fmt.Errorf("branch %d: %w", i+1, err)
			}
			b.Field(branchName(n), bt.schema)
			if t.nullable {
				t.schema = bt.schema
			}
		} else if !t.nullable && !u.optional {
			b.Optional()
		}
		t.branches = append(t.branches, bt)
	}
	if t.nullable {
		return nil, nil
	}
	if err := b.Err(); err != nil {
		return nil, fmt.Errorf("branches of one name become one field: %w", err)
	}
	return b, nil
}

// branchName returns the name of the field that holds the values of a union's branch.
func branchName(n *node) string {
	if n.name != "" {
		return shortName(n.name)
	}
	return n.kind.String()
}

// scalar starts the schema of a type without others in it.
func (n *node) scalar() *data.Builder {
	switch n.logical {
	case plain:
		return n.plain()
	case logicalDate:
		return data.NewDateBuilder()
	case logicalTime:
		return data.NewTimeBuilder()
	case logicalTimestamp:
		return data.NewTimestampBuilder()
	default:
		b := data.NewDecimalBuilder(n.scale)
		if n.precision != usualPrecision {
			b.Parameter(decimalPrecision, data.Int32(n.precision).String())
		}
		return b
	}
}

// plain starts the schema of a type that has no logical one.
func (n *node) plain() *data.Builder {
	switch n.kind {
	case kindEnum:
		b := data.NewBuilder(data.TypeString).Parameter(enumParameter, n.name)
		for _, s := range n.symbols {
			b.Parameter(enumParameter+"."+s, s)
		}
		return b
	case kindFixed:
		return data.NewBuilder(data.TypeBytes).Parameter(fixedSize, data.Int64(int64(n.size)).String())
	default:
		return data.NewBuilder(n.plainType())
	}
}

// plainType returns the Connect type of a primitive type. An int may be marked as a narrower one.
func (n *node) plainType() data.Type {
	switch n.kind {
	case kindBoolean:
		return data.TypeBoolean
	case kindLong:
		return data.TypeInt64
	case kindFloat:
		return data.TypeFloat32
	case kindDouble:
		return data.TypeFloat64
	case kindString:
		return data.TypeString
	case kindBytes:
		return data.TypeBytes
	default:
		return n.intType()
	}
}

func (n *node) intType() data.Type {
	name, _ := n.attrs.str(connectType)
	if t, ok := data.TypeOfJSONName(name); ok && (t == data.TypeInt8 || t == data.TypeInt16) {
		return t
	}
	return data.TypeInt32
}

// annotate adds the attributes that any type may have.
func (n *node) annotate(b *data.Builder, u use) error {
	n.describe(b, u)
	if v, ok := n.attrs.get(connectVersion); ok {
		version, err := integer(v, 32)
		if err != nil {
			return fmt.Errorf("%s: %w", connectVersion, err)
		}
		b.Version(int32(version))
	}
	if err := n.parameters(b); err != nil {
		return err
	}
	name, ok := n.attrs.str(connectName)
	if !ok && n.logical == plain {
		name = n.name
	}
	if name != "" && name != anonymousName {
		b.Name(name)
	}
	return b.Err()
}

// describe adds the documentation of the field, or else that of the type.
func (n *node) describe(b *data.Builder, u use) {
	doc, ok := u.doc, u.hasDoc
	if !ok {
		doc, ok = n.doc, n.hasDoc && n.name != ""
	}
	if !ok {
		doc, ok = n.attrs.str(connectDoc)
	}
	if ok {
		b.Doc(doc)
	}
}

// parameters adds Connect's parameters, and attributes for Avro's own tools.
func (n *node) parameters(b *data.Builder) error {
	for _, m := range n.attrs {
		if s, ok := m.value.(string); ok && strings.HasPrefix(m.name, avroPrefix) {
			b.Parameter(m.name, s)
		}
	}
	v, ok := n.attrs.get(connectParameters)
	if !ok {
		return nil
	}
	o, ok := v.(object)
	for _, m := range o {
		s, isText := m.value.(string)
		ok = ok && isText
		b.Parameter(m.name, s)
	}
	if !ok {
		return fmt.Errorf("%s: must be an object of strings", connectParameters)
	}
	return nil
}

// setDefault adds the default value of the field, or else that of the type.
func (t *typed) setDefault(b *data.Builder, f *field) error {
	def, ok := t.node.attrs.get(connectDefault)
	if f != nil {
		def, ok = f.def, true
	}
	if !ok || def == nil || t.node.kind == kindRecord || t.node.kind == kindUnion {
		return nil
	}
	v, err := (&coercer{latin1: true}).value(t, def)
	if err != nil {
		return err
	}
	if f != nil {
		b.Parameter(fieldDefault, "true")
	}
	b.Default(v)
	return b.Err()
}
