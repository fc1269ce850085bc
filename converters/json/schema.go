package json

import (
	"strconv"

	"github.com/millrace-io/millrace/connect/data"
)

// Members of the envelope.
const (
	schemaMember  = "schema"
	payloadMember = "payload"
)

// Members of a schema.
const (
	typeMember       = "type"
	itemsMember      = "items"
	keysMember       = "keys"
	valuesMember     = "values"
	fieldsMember     = "fields"
	fieldMember      = "field"
	optionalMember   = "optional"
	nameMember       = "name"
	versionMember    = "version"
	docMember        = "doc"
	parametersMember = "parameters"
	defaultMember    = "default"
)

// readSchema makes a schema of its JSON form; nil of a JSON null. It shares no memory with the text.
func readSchema(n *node, replaceNull bool) (*data.Schema, error) {
	if n.kind == null {
		return nil, nil
	}
	b, err := readType(n, replaceNull)
	if err != nil {
		return nil, err
	}
	if optional := n.get(optionalMember); optional != nil && optional.truth {
		b.Optional()
	} else {
		b.Required()
	}
	if name := n.get(nameMember); name != nil && name.kind == text {
		b.Name(string(name.text))
	}
	if version := n.get(versionMember); version != nil && version.kind == numeric && version.number.integer {
		b.Version(int32(version.int64()))
	}
	if doc := n.get(docMember); doc != nil && doc.kind == text {
		b.Doc(string(doc.text))
	}
	if err := readParameters(b, n.get(parametersMember)); err != nil {
		return nil, err
	}
	if err := readDefault(b, n.get(defaultMember), replaceNull); err != nil {
		return nil, err
	}
	return b.Build()
}

func readType(n *node, replaceNull bool) (*data.Builder, error) {
	name := n.get(typeMember)
	if name == nil || name.kind != text {
		return nil, data.Errorf("Schema must contain 'type' field")
	}
	t, ok := data.TypeOfJSONName(string(name.text))
	if !ok {
		return nil, data.Errorf("Unknown schema type: %s", name.text)
	}
	switch t {
	case data.TypeArray:
		return readArray(n, replaceNull)
	case data.TypeMap:
		return readMap(n, replaceNull)
	case data.TypeStruct:
		return readStruct(n, replaceNull)
	default:
		return data.NewBuilder(t), nil
	}
}

func readArray(n *node, replaceNull bool) (*data.Builder, error) {
	items := n.get(itemsMember)
	if items == nil || items.kind == null {
		return nil, data.Errorf("Array schema did not specify the element type")
	}
	elem, err := readSchema(items, replaceNull)
	if err != nil {
		return nil, err
	}
	return data.NewArrayBuilder(elem), nil
}

func readMap(n *node, replaceNull bool) (*data.Builder, error) {
	keys, values := n.get(keysMember), n.get(valuesMember)
	if keys == nil {
		return nil, data.Errorf("Map schema did not specify the key type")
	}
	if values == nil {
		return nil, data.Errorf("Map schema did not specify the value type")
	}
	key, err := readSchema(keys, replaceNull)
	if err != nil {
		return nil, err
	}
	elem, err := readSchema(values, replaceNull)
	if err != nil {
		return nil, err
	}
	b := data.NewMapBuilder(key, elem)
	return b, b.Err()
}

func readStruct(n *node, replaceNull bool) (*data.Builder, error) {
	fields := n.get(fieldsMember)
	if fields == nil || fields.kind != array {
		return nil, data.Errorf(`Struct schema's "fields" argument is not an array.`)
	}
	b := data.NewStructBuilder()
	for i := range fields.elems {
		f := &fields.elems[i]
		name := f.get(fieldMember)
		if name == nil || name.kind != text {
			return nil, data.Errorf("Struct schema's field name not specified properly")
		}
		s, err := readSchema(f, replaceNull)
		if err != nil {
			return nil, err
		}
		if err := b.Field(string(name.text), s).Err(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func readParameters(b *data.Builder, n *node) error {
	if n == nil || n.kind != object {
		return nil
	}
	for i, name := range n.names {
		v := &n.elems[i]
		if v.kind != text {
			return data.Errorf("Schema parameters must have string values.")
		}
		b.Parameter(name, string(v.text))
	}
	return nil
}

// readDefault converts the default value by the schema as it is without one.
func readDefault(b *data.Builder, n *node, replaceNull bool) error {
	if n == nil {
		return nil
	}
	s, err := b.Build()
	if err != nil {
		return err
	}
	v, err := exact{replaceNull: replaceNull}.value(s, n)
	if err != nil {
		return err
	}
	return b.Default(v.Clone()).Err()
}

// appendSchemaOpen appends the JSON form of a schema without its closing brace, so that a field can add its name.
func appendSchemaOpen(dst []byte, p *plan) ([]byte, error) {
	s := p.schema
	dst = appendMember(dst, '{', typeMember)
	dst = appendString(dst, []byte(s.Type().JSONName()))
	var err error
	switch s.Type() {
	case data.TypeArray:
		dst, err = appendSchema(appendMember(dst, ',', itemsMember), p.elem)
	case data.TypeMap:
		if dst, err = appendSchema(appendMember(dst, ',', keysMember), p.key); err == nil {
			dst, err = appendSchema(appendMember(dst, ',', valuesMember), p.elem)
		}
	case data.TypeStruct:
		dst, err = appendFields(appendMember(dst, ',', fieldsMember), p.fields)
	}
	if err != nil {
		return nil, err
	}
	dst = appendAttributes(dst, s)
	if def, ok := s.Default(); ok {
		return appendValue(appendMember(dst, ',', defaultMember), p, def)
	}
	return dst, nil
}

// appendSchema appends the JSON form of a schema.
func appendSchema(dst []byte, p *plan) ([]byte, error) {
	if p == nil {
		return append(dst, "null"...), nil
	}
	dst, err := appendSchemaOpen(dst, p)
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

func appendFields(dst []byte, fields []field) ([]byte, error) {
	dst = append(dst, '[')
	for i := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendSchemaOpen(dst, fields[i].plan); err != nil {
			return nil, err
		}
		dst = appendString(appendMember(dst, ',', fieldMember), []byte(fields[i].name))
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}

func appendAttributes(dst []byte, s *data.Schema) []byte {
	dst = strconv.AppendBool(appendMember(dst, ',', optionalMember), s.Optional())
	if s.HasName() {
		dst = appendString(appendMember(dst, ',', nameMember), []byte(s.Name()))
	}
	if v, ok := s.Version(); ok {
		dst = strconv.AppendInt(appendMember(dst, ',', versionMember), int64(v), 10)
	}
	if doc, ok := s.Doc(); ok {
		dst = appendString(appendMember(dst, ',', docMember), []byte(doc))
	}
	if len(s.Parameters()) == 0 {
		return dst
	}
	dst = appendMember(dst, ',', parametersMember)
	lead := byte('{')
	for _, p := range s.Parameters() {
		dst = appendString(appendMember(dst, lead, p.Name), []byte(p.Value))
		lead = ','
	}
	return append(dst, '}')
}

// appendMember appends the name of a member and what comes before and behind it.
func appendMember(dst []byte, lead byte, name string) []byte {
	dst = appendString(append(dst, lead), []byte(name))
	return append(dst, ':')
}
