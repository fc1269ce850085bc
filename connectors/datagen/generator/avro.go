package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// kind is a type of Avro.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindString
	kindBytes
	kindArray
	kindMap
	kindRecord
	kindEnum
	kindFixed
	kindUnion
)

// kindNames are the names of the kinds in schemas; a union has none.
var kindNames = [...]string{
	"null", "boolean", "int", "long", "float", "double", "string", "bytes", "array", "map", "record", "enum", "fixed", "union",
}

func (k kind) String() string { return kindNames[k] }

// kindOf returns the kind with that name; false if there is none that a schema may name.
func kindOf(name string) (kind, bool) {
	for k, n := range kindNames[:kindUnion] {
		if n == name {
			return kind(k), true
		}
	}
	return 0, false
}

// logical is a logical type that changes values; all others are plain.
type logical uint8

const (
	plain logical = iota
	logicalDate
	logicalTime
	logicalTimestamp
	logicalDecimal
)

// maxPrecision is the number of digits that a decimal may have.
const maxPrecision = 1000

// maxFixed is the number of bytes that a fixed may have.
const maxFixed = 1 << 20

// node is one type of a schema. References to a named type share its node.
type node struct {
	kind     kind
	name     string // full name of a record, enum or fixed
	doc      string
	hasDoc   bool
	attrs    object
	props    object // arg.properties, empty if there are none
	fields   []field
	symbols  []string
	size     int   // of a fixed
	elem     *node // of an array or map
	branches []*node
	logical  logical
	// precision and scale belong to a decimal.
	precision, scale int32
	slot             int  // place of the state of its iteration
	open             bool // its definition has not ended yet
}

// field is one field of a record.
type field struct {
	name       string
	doc        string
	hasDoc     bool
	typ        *node
	def        any
	hasDefault bool
}

// parser reads types and remembers the named ones.
type parser struct {
	names map[string]*node
	slots int
}

// parse reads a type. The namespace is that of the definition around it.
func (p *parser) parse(v any, space string) (*node, error) {
	switch v := v.(type) {
	case string:
		return p.named(v, space)
	case []any:
		return p.union(v, space)
	case object:
		return p.object(v, space)
	}
	return nil, errors.New("a type must be a name, an array of types or an object")
}

// named finds a primitive type or a named type that was defined before.
func (p *parser) named(name, space string) (*node, error) {
	if k, ok := kindOf(name); ok && k < kindArray {
		return &node{kind: k}, nil
	}
	n := p.names[fullName(name, space)]
	if n == nil {
		n = p.names[name]
	}
	if n == nil {
		return nil, fmt.Errorf("type %q is neither a primitive type nor defined before", name)
	}
	if n.open {
		return nil, fmt.Errorf("record %s contains itself, which Connect's schemas cannot express", n.name)
	}
	return n, nil
}

func (p *parser) union(types []any, space string) (*node, error) {
	n := &node{kind: kindUnion}
	for i, t := range types {
		b, err := p.parse(t, space)
		if err == nil && b.kind == kindUnion {
			err = errors.New("a union must not be a branch of a union")
		}
		if err != nil {
			return nil, fmt.Errorf("branch %d: %w", i+1, err)
		}
		n.branches = append(n.branches, b)
	}
	if len(n.branches) == 0 {
		return nil, errors.New("a union must have at least one branch")
	}
	return n, nil
}

// object reads a type with attributes.
func (p *parser) object(o object, space string) (*node, error) {
	name, ok := o.str("type")
	if !ok {
		return nil, errors.New(`"type" must be the name of a type`)
	}
	k, ok := kindOf(name)
	if !ok {
		return p.named(name, space)
	}
	n := &node{kind: k, attrs: o}
	n.doc, n.hasDoc = o.str("doc")
	if err := p.define(n, space); err != nil {
		return nil, err
	}
	if v, ok := o.get(propsKey); ok {
		if n.props, ok = v.(object); !ok {
			return nil, fmt.Errorf("%s: must be an object", propsKey)
		}
	}
	if _, ok := n.props.get(propIteration); ok {
		n.slot = p.slots
		p.slots++
	}
	n.readLogical()
	return n, nil
}

// define reads what only the kind of a type has.
func (p *parser) define(n *node, space string) (err error) {
	if n.kind >= kindRecord {
		if space, err = p.register(n, space); err != nil {
			return err
		}
	}
	switch n.kind {
	case kindArray:
		n.elem, err = p.element(n.attrs, "items", space)
	case kindMap:
		n.elem, err = p.element(n.attrs, "values", space)
	case kindRecord:
		n.open = true
		err = p.readFields(n, space)
		n.open = false
	case kindEnum:
		err = n.readSymbols()
	case kindFixed:
		n.size, err = sizeOf(n.attrs)
	default: // a primitive type has no more
	}
	return err
}

func (p *parser) element(o object, name, space string) (*node, error) {
	v, ok := o.get(name)
	if !ok {
		return nil, fmt.Errorf("%q is missing", name)
	}
	n, err := p.parse(v, space)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// register gives a definition its full name, and returns the namespace that the types in it have.
func (p *parser) register(n *node, space string) (string, error) {
	name, ok := n.attrs.str("name")
	if !ok {
		return "", fmt.Errorf("a type %s must have a name", n.kind)
	}
	if s, ok := n.attrs.str("namespace"); ok {
		space = s
	}
	n.name = fullName(name, space)
	if i := strings.LastIndexByte(n.name, '.'); i >= 0 {
		space = n.name[:i]
	}
	for part := range strings.SplitSeq(n.name, ".") {
		if !validName(part) {
			return "", fmt.Errorf("name %q must consist of letters, digits and _, and not begin with a digit", n.name)
		}
	}
	if p.names[n.name] != nil {
		return "", fmt.Errorf("type %s is defined twice", n.name)
	}
	p.names[n.name] = n
	return space, nil
}

func fullName(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

// shortName returns a full name without its namespace.
func shortName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// validName tells whether a name may stand in a schema. Letters are those of Unicode, as in Java.
func validName(s string) bool {
	for i, c := range s {
		digit := c >= '0' && c <= '9'
		if c != '_' && !unicode.IsLetter(c) && (!digit || i == 0) {
			return false
		}
	}
	return s != ""
}

func (p *parser) readFields(n *node, space string) error {
	v, _ := n.attrs.get("fields")
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("record %s: fields must be an array", n.name)
	}
	seen := map[string]bool{}
	for i, v := range list {
		o, _ := v.(object)
		name, ok := o.str("name")
		if !ok || !validName(name) {
			return fmt.Errorf("record %s: field %d must be an object with a valid name", n.name, i+1)
		}
		if seen[name] {
			return fmt.Errorf("field %q: is there twice", name)
		}
		seen[name] = true
		typ, err := p.element(o, "type", space)
		if err != nil {
			return fmt.Errorf("field %q: %w", name, trimType(err))
		}
		f := field{name: name, typ: typ}
		f.doc, f.hasDoc = o.str("doc")
		f.def, f.hasDefault = o.get("default")
		n.fields = append(n.fields, f)
	}
	return nil
}

// trimType takes the word that every type of a field would begin with away from an error.
func trimType(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

func (n *node) readSymbols() error {
	v, _ := n.attrs.get("symbols")
	list, _ := v.([]any)
	for _, v := range list {
		s, ok := v.(string)
		if !ok || !validName(s) {
			return fmt.Errorf("enum %s: symbol %v is no name", n.name, v)
		}
		n.symbols = append(n.symbols, s)
	}
	if len(n.symbols) == 0 {
		return fmt.Errorf("enum %s: symbols must be an array of at least one name", n.name)
	}
	return nil
}

func sizeOf(o object) (int, error) {
	v, _ := o.get("size")
	size, err := integer(v, 32)
	if err != nil || size < 0 || size > maxFixed {
		return 0, fmt.Errorf("size must be a number of bytes from 0 to %d", maxFixed)
	}
	return int(size), nil
}

// readLogical notes the logical type, if it is one for the kind. Others do not count, as Avro has it.
func (n *node) readLogical() {
	name, _ := n.attrs.str("logicalType")
	switch {
	case name == "date" && n.kind == kindInt:
		n.logical = logicalDate
	case name == "time-millis" && n.kind == kindInt:
		n.logical = logicalTime
	case name == "timestamp-millis" && n.kind == kindLong:
		n.logical = logicalTimestamp
	case name == "decimal" && (n.kind == kindBytes || n.kind == kindFixed):
		n.readDecimal()
	}
}

// readDecimal notes the logical type decimal if its numbers are possible.
func (n *node) readDecimal() {
	digits, scale := n.attrInt("precision"), n.attrInt("scale")
	most := int64(maxPrecision)
	if n.kind == kindFixed {
		most = min(most, fixedDigits(n.size))
	}
	if digits > 0 && digits <= most && scale >= 0 && scale <= digits {
		n.logical, n.precision, n.scale = logicalDecimal, int32(digits), int32(scale)
	}
}

// attrInt returns an attribute that is a small number, 0 if it is not there and -1 if it is something else.
func (n *node) attrInt(name string) int64 {
	v, ok := n.attrs.get(name)
	if !ok {
		return 0
	}
	i, err := integer(v, 32)
	if err != nil {
		return -1
	}
	return i
}

// fixedDigits returns the number of decimal digits that every number of which fits that many bytes.
func fixedDigits(size int) int64 {
	const bitsPerDigit = 3.3219280948873626
	return int64(float64(8*size-1) / bitsPerDigit)
}

// integer returns a JSON number that is written as an integer of that many bits.
func integer(v any, bits int) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, errors.New("must be a number")
	}
	i, err := strconv.ParseInt(string(n), 10, bits)
	if err != nil {
		return 0, fmt.Errorf("must be an integer of %d bits", bits)
	}
	return i, nil
}
