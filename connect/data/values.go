package data

import (
	"errors"
	"strings"

	"github.com/millrace-io/millrace/connect/javatext"
)

// maxNesting is how deep lists and maps may be nested in a text. The reference gives up where its stack ends, at some
// thousand levels; Go's stack would grow until the process ends.
const maxNesting = 2000

// Literals of a text.
const (
	nullLiteral  = "null"
	trueLiteral  = "true"
	falseLiteral = "false"
)

// ParseText finds the schema and the value that a text stands for, by the rules of org.apache.kafka.connect.data.Values:
// true, false and null, numbers in the narrowest type that holds them, dates and times in UTC, lists in brackets, maps in
// braces. Every other text, down to a list with one element that is none of these, is a string as it came. What follows a
// value in the text does not count.
//
// The schema is required; for the text null both schema and value are null. List and map schemas lack those element schemas
// that their elements do not agree on.
//
// The value shares the memory of text. The only error is for lists and maps nested thousands of levels deep.
func ParseText(text string) (*Schema, Value, error) {
	p := textParser{text: text}
	first := p.next()
	if p.pos == len(text) {
		s, v := parseSingle(text, first)
		return s, v, nil
	}
	p.pos = 0
	s, v, err := p.top()
	if errors.Is(err, errNotText) {
		return StringSchema, String(p.notText(first)), nil
	}
	return s, v, err
}

// notText returns the string that a text is because of its syntax. That is all of it, except that where blanks stand
// before the bracket of a list or map the reference returns just the blanks.
func (p *textParser) notText(first string) string {
	rest := p.text[len(first):]
	if javatext.Trim(first) == "" && (strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "{")) {
		return first
	}
	return p.text
}

// parseSingle is [ParseText] for a text of one token.
func parseSingle(text, token string) (*Schema, Value) {
	if token = javatext.Trim(token); token != "" {
		if s, v, ok := parseLiteral(token); ok {
			return s, v
		}
		if s, v, ok := parseScalar(token); ok {
			return s, v
		}
	}
	return StringSchema, String(text)
}

func parseLiteral(token string) (*Schema, Value, bool) {
	switch token {
	case nullLiteral:
		return nil, Null, true
	case trueLiteral:
		return BooleanSchema, Bool(true), true
	case falseLiteral:
		return BooleanSchema, Bool(false), true
	default:
		return nil, Null, false
	}
}

// parseScalar reads a bare number, date or time without blanks around it.
func parseScalar(token string) (*Schema, Value, bool) {
	if startsWithDigit(token) {
		if s, v, ok := parseTemporal(token); ok {
			return s, v, true
		}
	}
	return parseNumber(token)
}

// errNotText means that a text has the beginning of a list, map or number, but not the rest.
var errNotText = Errorf("not in the syntax of header values")

var errNesting = Errorf("lists and maps are nested deeper than %d levels", maxNesting)

// textParser reads a text of several tokens.
type textParser struct {
	text  string
	pos   int
	depth int
}

// next consumes a token: one delimiter, or everything up to the next one that has no backslash before it. It returns ""
// at the end.
func (p *textParser) next() string {
	start := p.pos
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case '\\':
			p.pos++ // the character behind it belongs to the token, whatever it is
		case '{', '}', '[', ']', '"', ':', ',':
			if p.pos == start {
				p.pos++
			}
			return p.text[start:p.pos]
		}
		p.pos++
	}
	p.pos = len(p.text)
	return p.text[start:]
}

// nextTrimmed consumes a token that is more than blanks and returns it without those around it.
func (p *textParser) nextTrimmed() string {
	for p.pos < len(p.text) {
		if token := javatext.Trim(p.next()); token != "" {
			return token
		}
	}
	return ""
}

// skip consumes a delimiter and the blanks before it, if it comes next.
func (p *textParser) skip(delimiter string) bool {
	before := p.pos
	if p.nextTrimmed() == delimiter {
		return true
	}
	p.pos = before
	return false
}

// top reads the value that the text begins with. What follows it does not count.
func (p *textParser) top() (*Schema, Value, error) {
	token := p.nextTrimmed()
	if token == `"` {
		return nil, Null, errNotText
	}
	if _, _, ok := parseLiteral(token); ok {
		return nil, Null, errNotText
	}
	return p.valueFrom(token)
}

// value reads an element of a list or a map.
func (p *textParser) value() (*Schema, Value, error) {
	token := p.nextTrimmed()
	if token == `"` {
		return p.quoted()
	}
	if s, v, ok := parseLiteral(token); ok {
		return s, v, nil
	}
	return p.valueFrom(token)
}

func (p *textParser) valueFrom(token string) (*Schema, Value, error) {
	switch token {
	case "[":
		return p.nested((*textParser).list)
	case "{":
		return p.nested((*textParser).mapping)
	}
	if s, v, ok := p.splitTemporal(token); ok {
		return s, v, nil
	}
	if s, v, ok := parseScalar(token); ok {
		return s, v, nil
	}
	return nil, Null, errNotText
}

func (p *textParser) nested(read func(*textParser) (*Schema, Value, error)) (*Schema, Value, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, Null, errNesting
	}
	s, v, err := read(p)
	p.depth--
	return s, v, err
}

// temporalTokens is the number of tokens that the colons split a time or timestamp into.
const temporalTokens = 5

// splitTemporal reads a time or timestamp that begins with a token and whose colons split it. It consumes nothing if
// there is none. Any five tokens are tried as one, as in the reference, which lets a few odd texts through.
func (p *textParser) splitTemporal(first string) (*Schema, Value, bool) {
	if !startsWithDigit(first) {
		return nil, Null, false
	}
	before, rest := p.pos, p.pos
	for range temporalTokens - 1 {
		if p.next() == "" {
			p.pos = before
			return nil, Null, false
		}
	}
	if s, v, ok := parseTemporal(p.joined(first, rest)); ok {
		return s, v, true
	}
	p.pos = before
	return nil, Null, false
}

// joined returns a trimmed token and the text from behind it to the current position.
func (p *textParser) joined(first string, rest int) string {
	switch {
	case strings.HasSuffix(p.text[:rest], first):
		return p.text[rest-len(first) : p.pos]
	case len(first)+p.pos-rest > maxTemporalBytes:
		return ""
	default:
		return first + p.text[rest:p.pos]
	}
}

// quoted reads a string whose opening quote is consumed. Backslashes stay in it, blanks that are all there is between
// two delimiters do not.
func (p *textParser) quoted() (*Schema, Value, error) {
	start := p.pos
	var kept []byte // the content so far, once it differs from the text
	for {
		tokenAt := p.pos
		switch token := p.next(); {
		case token == "":
			return nil, Null, errNotText
		case token == `"`:
			s, v := parseQuoted(p.text[start:tokenAt], kept)
			return s, v, nil
		case javatext.Trim(token) == "":
			if kept == nil {
				kept = append([]byte{}, p.text[start:tokenAt]...)
			}
		case kept != nil:
			kept = append(kept, token...)
		}
	}
}

// parseQuoted returns what the content of quotes stands for: kept, or the text itself if that is nil.
func parseQuoted(text string, kept []byte) (*Schema, Value) {
	if kept != nil {
		text = AliasString(kept).Str()
	}
	if s, v, ok := parseTemporal(text); ok {
		return s, v
	}
	return StringSchema, String(text)
}

// list reads the elements behind an opening bracket. A comma may stand behind the last one.
func (p *textParser) list() (*Schema, Value, error) {
	var values []Value
	var common commonSchema
	for !p.skip("]") {
		s, v, err := p.value()
		if err != nil {
			return nil, Null, err
		}
		common.add(s)
		values = append(values, v)
		if !p.skip(",") {
			if !p.skip("]") {
				return nil, Null, errNotText
			}
			break
		}
	}
	if err := common.alignAll(values); err != nil {
		return nil, Null, errNotText
	}
	return UnknownElements(TypeArray, nil, common.schema), Array(values), nil
}

// mapping reads the entries behind an opening brace. Commas between them are optional, and one may stand behind the
// last.
func (p *textParser) mapping() (*Schema, Value, error) {
	m := NewMap(0)
	var keys, values commonSchema
	for !p.skip("}") {
		ks, k, err := p.value()
		if err != nil {
			return nil, Null, err
		}
		if k.IsNull() || !p.skip(":") {
			return nil, Null, errNotText
		}
		vs, v, err := p.value()
		if err != nil {
			return nil, Null, err
		}
		keys.add(ks)
		values.add(vs)
		m.Put(k, v)
		p.skip(",")
	}
	if keys.schema == nil {
		return UnknownElements(TypeMap, nil, nil), m.Value(), nil
	}
	aligned, err := alignMap(m, &keys, &values)
	if err != nil {
		return nil, Null, errNotText
	}
	return UnknownElements(TypeMap, keys.schema, values.schema), aligned.Value(), nil
}
