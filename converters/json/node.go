package json

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connect"
)

// nodeKind is the kind of a JSON value; missing is what an empty text holds.
type nodeKind uint8

const (
	missing nodeKind = iota
	null
	boolean
	numeric
	text
	array
	object
)

// String returns the name that the reference's messages show.
func (k nodeKind) String() string {
	return [...]string{"MISSING", "NULL", "BOOLEAN", "NUMBER", "STRING", "ARRAY", "OBJECT"}[k]
}

// node is a JSON value in memory.
type node struct {
	kind   nodeKind
	truth  bool   // of a boolean
	number number // of a number
	source []byte // the text it was read from
	text   []byte // content of a string; it may be a part of source
	elems  []node // elements of an array, or values of an object's members
	names  []string
	index  map[string]int // name to position in elems
}

// get returns a member of an object; nil if there is none.
func (n *node) get(name string) *node {
	if i, ok := n.index[name]; ok {
		return &n.elems[i]
	}
	return nil
}

// put adds a member. A name that is there already keeps its place and gets the new value.
func (n *node) put(name string, v node) {
	if i, ok := n.index[name]; ok {
		n.elems[i] = v
		return
	}
	n.index[name] = len(n.elems)
	n.names = append(n.names, name)
	n.elems = append(n.elems, v)
}

// syntaxError is what the reference's JSON library reports as an exception of its own.
func syntaxError(format string, args ...any) error {
	return &connect.Error{Class: connect.ClassSerialization, Message: fmt.Sprintf(format, args...)}
}

// parser builds the tree of a text in UTF-8.
type parser struct {
	raw   []byte
	depth int
}

// parseTree reads the first value of a text, whatever follows it.
func parseTree(raw []byte) (node, error) {
	raw, err := toUTF8(raw)
	if err != nil {
		return node{}, err
	}
	p := parser{raw: raw}
	c, i := next(raw, 0)
	if i == len(raw) {
		return node{}, nil
	}
	n, end, err := p.value(i)
	if err != nil {
		return node{}, err
	}
	switch {
	case c == 't', c == 'f', c == 'n':
		err = p.wordEnd(end)
	case n.kind == numeric && end < len(raw) && !isSpace(raw[end]):
		err = p.unexpected(end)
	}
	return n, err
}

// wordEnd checks what follows a top-level true, false or null: nothing that could be part of the word.
func (p *parser) wordEnd(i int) error {
	if i == len(p.raw) {
		return nil
	}
	c := p.raw[i]
	letter := c|0x20 >= 'a' && c|0x20 <= 'z'
	if letter || c >= '0' && c <= '9' || c == '_' || c >= 0x7F {
		return p.unexpected(i)
	}
	return nil
}

func (p *parser) unexpected(i int) error {
	if i >= len(p.raw) {
		return syntaxError("unexpected end of JSON text")
	}
	r, _ := utf8.DecodeRune(p.raw[i:])
	return syntaxError("unexpected character %q at position %d of JSON text", r, i)
}

// value reads the value that begins at i.
func (p *parser) value(i int) (n node, end int, err error) {
	c, start := next(p.raw, i)
	switch c {
	case '{', '[':
		if p.depth++; p.depth > maxDepth {
			return node{}, failed, syntaxError("JSON text is nested deeper than %d levels", maxDepth)
		}
		if c == '{' {
			n, end, err = p.object(start + 1)
		} else {
			n, end, err = p.array(start + 1)
		}
		p.depth--
	case '"':
		n.kind = text
		n.text, end, err = p.string(start+1, false)
	case 't':
		n = node{kind: boolean, truth: true}
		end, err = p.word(start, "true")
	case 'f':
		n.kind = boolean
		end, err = p.word(start, "false")
	case 'n':
		n.kind = null
		end, err = p.word(start, "null")
	default:
		n = node{kind: numeric, number: scanNumber(p.raw, start)}
		if end = n.number.end; end == failed {
			err = p.badNumber(start)
		}
	}
	if err != nil {
		return node{}, failed, err
	}
	n.source = p.raw[start:end]
	return n, end, nil
}

func (p *parser) word(i int, word string) (int, error) {
	if end := literal(p.raw, i, word); end != failed {
		return end, nil
	}
	return failed, p.unexpected(i)
}

func (p *parser) badNumber(i int) error {
	if i < len(p.raw) && (p.raw[i] == '-' || p.raw[i]-'0' <= 9) {
		return syntaxError("malformed number at position %d of JSON text", i)
	}
	return p.unexpected(i)
}

// string reads a literal whose content begins at i.
func (p *parser) string(i int, isName bool) (content []byte, end int, err error) {
	end, escaped, wide := scanString(p.raw, i)
	if end == failed {
		return nil, failed, syntaxError("unterminated string or control character behind position %d of JSON text", i)
	}
	content = p.raw[i:end]
	if escaped || (wide && !utf8.Valid(content)) {
		var ok bool
		if content, ok = appendDecoded(nil, content, isName); !ok {
			return nil, failed, syntaxError("malformed string at position %d of JSON text", i)
		}
	}
	if isName && len(content) > maxName || len(content) > maxText && units(content) > maxText {
		return nil, failed, syntaxError("string at position %d of JSON text is too long", i)
	}
	return content, end + 1, nil
}

// units counts UTF-16 units.
func units(s []byte) int {
	n := 0
	for _, r := range string(s) {
		n += utf16.RuneLen(r)
	}
	return n
}

func (p *parser) array(i int) (node, int, error) {
	n := node{kind: array}
	if c, at := next(p.raw, i); c == ']' {
		return n, at + 1, nil
	}
	for {
		v, end, err := p.value(i)
		if err != nil {
			return node{}, failed, err
		}
		n.elems = append(n.elems, v)
		c, at := next(p.raw, end)
		switch c {
		case ',':
			i = at + 1
		case ']':
			return n, at + 1, nil
		default:
			return node{}, failed, p.unexpected(at)
		}
	}
}

func (p *parser) object(i int) (node, int, error) {
	n := node{kind: object, index: make(map[string]int)}
	if c, at := next(p.raw, i); c == '}' {
		return n, at + 1, nil
	}
	for {
		end, err := p.member(&n, i)
		if err != nil {
			return node{}, failed, err
		}
		c, at := next(p.raw, end)
		switch c {
		case ',':
			i = at + 1
		case '}':
			return n, at + 1, nil
		default:
			return node{}, failed, p.unexpected(at)
		}
	}
}

func (p *parser) member(n *node, i int) (end int, err error) {
	c, at := next(p.raw, i)
	if c != '"' {
		return failed, p.unexpected(at)
	}
	name, end, err := p.string(at+1, true)
	if err != nil {
		return failed, err
	}
	c, at = next(p.raw, end)
	if c != ':' {
		return failed, p.unexpected(at)
	}
	v, end, err := p.value(at + 1)
	if err != nil {
		return failed, err
	}
	n.put(string(name), v)
	return end, nil
}
