package json

import (
	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Converter is a configured JsonConverter, both for keys and values and, through [Plugin], for headers. It belongs to
// one goroutine at a time: it keeps scratch memory and the schemas it has seen.
type Converter struct {
	options
	schemas bool  // schemas.enable
	content *plan // of schema.content; nil when that is not set

	read     cache[string] // by the text of the schema
	lastHead string        // what came before the payload in the envelope before, if that was in the usual form
	lastRead *plan
	dec      decoder

	written     cache[*data.Schema]
	lastWritten *plan
}

// New returns a converter configured with props, which need not contain the converter's type.
func New(props connect.Props, use connect.ConverterUse) (*Converter, error) {
	v, err := connect.ParseConverter(def, props, use)
	if err != nil {
		return nil, err
	}
	c := &Converter{
		options: options{replaceNull: replaceNull.Of(v), numeric: isNumeric(v)},
		schemas: schemasEnable.Of(v),
		read:    newCache[string](int(schemasCacheSize.Of(v))),
		written: newCache[*data.Schema](int(schemasCacheSize.Of(v))),
	}
	if content := schemaContent.Of(v); content != "" {
		if c.content, err = c.readContent(content); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Converter) readContent(content string) (*plan, error) {
	n, err := parseTree([]byte(content))
	if err != nil {
		return nil, data.Wrap(err, "Failed to parse schema in converter config due to serialization error: ")
	}
	s, err := readSchema(&n, c.replaceNull)
	if err != nil {
		return nil, err
	}
	return newPlan(s, c.options), nil
}

// Encode appends the JSON text of a value, with the envelope if schemas.enable is set. It returns nil for a null
// without a schema. The topic and the headers are not looked at.
func (c *Converter) Encode(dst []byte, _ string, _ []connect.RawHeader, s *data.Schema, v data.Value) ([]byte, error) {
	if s == nil {
		return c.encodeSchemaless(dst, v)
	}
	p := c.lastWritten
	if p == nil || p.schema != s {
		var err error
		if p, err = c.planFor(s); err != nil {
			return nil, err
		}
	}
	if !c.schemas {
		return appendValue(dst, p, v)
	}
	dst, err := appendValue(append(dst, p.prefix...), p, v)
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

func (c *Converter) encodeSchemaless(dst []byte, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if !c.schemas {
		return appendSchemaless(dst, v)
	}
	dst, err := appendSchemaless(append(dst, schemalessHead...), v)
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// Parts of the envelope.
const (
	schemaHead     = `{"` + schemaMember + `":`
	payloadHead    = `,"` + payloadMember + `":`
	schemalessHead = schemaHead + "null" + payloadHead
)

// planFor returns the plan for writing values of a schema.
func (c *Converter) planFor(s *data.Schema) (*plan, error) {
	p, ok := c.written.plans[s]
	if !ok {
		p = newPlan(s, c.options)
		if c.schemas {
			prefix, err := appendSchema([]byte(schemaHead), p)
			if err != nil {
				return nil, err
			}
			p.prefix = append(prefix, payloadHead...)
		}
		c.written.put(s, p)
	}
	c.lastWritten = p
	return p, nil
}

// Decode reads JSON text. Strings of the result may be parts of raw. The topic and the headers are not looked at.
func (c *Converter) Decode(slab *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	if raw == nil || (len(raw) == 0 && !c.schemas) {
		return nil, data.Null, nil
	}
	c.dec.reset(slab, raw)
	p, v, ok := c.decodeFast(&c.dec)
	c.dec.release()
	if !ok {
		return c.decodeExact(slab, raw)
	}
	if p == nil {
		return nil, v, nil
	}
	return p.schema, v, nil
}

func (c *Converter) decodeFast(d *decoder) (p *plan, v data.Value, ok bool) {
	switch {
	case !isUTF8(d.raw):
		return nil, data.Null, false
	case !c.schemas:
		v, ok = d.root(nil)
		return nil, v, ok
	case c.content != nil:
		v, ok = d.root(c.content)
		return c.content, v, ok
	default:
		return c.decodeEnvelope(d)
	}
}

// decodeEnvelope reads a payload with its schema. Texts mostly begin with the same bytes as the one before, up to
// the payload, which saves looking for its schema.
func (c *Converter) decodeEnvelope(d *decoder) (p *plan, v data.Value, ok bool) {
	if n := len(c.lastHead); n > 0 && len(d.raw) > n && string(d.raw[:n]) == c.lastHead {
		d.depth = 1
		v, i := d.element(c.lastRead, n)
		return c.lastRead, v, d.closed(i)
	}
	parts, ok := d.split()
	if !ok {
		return nil, data.Null, false
	}
	if p, ok = c.planOf(parts.schema); !ok {
		return nil, data.Null, false
	}
	if parts.usual {
		c.lastHead, c.lastRead = headOf(p), p
	}
	d.depth = 1
	v, i := d.element(p, parts.payload)
	return p, v, i != failed && (!parts.last || d.closed(i))
}

func headOf(p *plan) string {
	if p == nil {
		return schemalessHead
	}
	return p.head
}

// planOf returns the plan for the text of a schema; false if it is no schema.
func (c *Converter) planOf(source []byte) (*plan, bool) {
	if p, ok := c.read.plans[string(source)]; ok {
		return p, true
	}
	n, err := parseTree(source)
	if err != nil {
		return nil, false
	}
	p, err := c.remember(&n)
	return p, err == nil
}

// remember makes the plan of a schema that was not seen yet, or not lately.
func (c *Converter) remember(n *node) (*plan, error) {
	s, err := readSchema(n, c.replaceNull)
	if err != nil {
		return nil, err
	}
	p := newPlan(s, c.options)
	source := string(n.source)
	if p != nil {
		p.head = schemaHead + source + payloadHead
	}
	c.read.put(source, p)
	return p, nil
}

// decodeExact reads a text for which the fast way gave up.
func (c *Converter) decodeExact(slab *data.Slab, raw []byte) (*data.Schema, data.Value, error) {
	root, err := parseTree(raw)
	if err != nil {
		return nil, data.Null, data.Wrap(err, "Converting byte[] to Kafka Connect data failed due to serialization error: ")
	}
	x := exact{slab: slab, replaceNull: c.replaceNull}
	if !c.schemas {
		return nil, x.schemaless(&root), nil
	}
	s, payload, err := c.exactSchema(&root)
	if err != nil {
		return nil, data.Null, err
	}
	v, err := x.value(s, payload)
	if err != nil {
		return nil, data.Null, err
	}
	return s, v, nil
}

func (c *Converter) exactSchema(root *node) (s *data.Schema, payload *node, err error) {
	if c.content != nil {
		return c.content.schema, root, nil
	}
	schema, payload := root.get(schemaMember), root.get(payloadMember)
	if schema == nil || payload == nil || len(root.names) != 2 {
		return nil, nil, errNoEnvelope()
	}
	p, ok := c.read.plans[string(schema.source)]
	if !ok {
		if p, err = c.remember(schema); err != nil {
			return nil, nil, err
		}
	}
	if p == nil {
		return nil, payload, nil
	}
	return p.schema, payload, nil
}

func errNoEnvelope() error {
	return data.Errorf(`JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain ` +
		`additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your ` +
		`converter configuration.`)
}

// AppendSchemaless appends the JSON text of a value without a schema, as a converter with schemas.enable=false writes
// it, except that null is written as a JSON null.
func AppendSchemaless(dst []byte, v data.Value) ([]byte, error) { return appendSchemaless(dst, v) }

// ParseSchemaless reads JSON text without a schema, as a converter with schemas.enable=false does: integers become
// INT64, other numbers FLOAT64, objects MAPs. A text that is nil, empty or blank is null. Strings of the result may be
// parts of raw.
func ParseSchemaless(slab *data.Slab, raw []byte) (data.Value, error) {
	c := Converter{}
	_, v, err := c.Decode(slab, "", nil, raw)
	return v, err
}

// ParseSchema reads a schema in the converter's own JSON form; it is nil for a JSON null.
func ParseSchema(raw []byte) (*data.Schema, error) {
	n, err := parseTree(raw)
	if err != nil {
		return nil, err
	}
	return readSchema(&n, true)
}

// AppendSchema appends the converter's own JSON form of a schema, and null for nil. Decimal defaults are written as
// base64.
func AppendSchema(dst []byte, s *data.Schema) ([]byte, error) {
	return appendSchema(dst, newPlan(s, options{replaceNull: true}))
}
