package javaregex

import (
	"strings"
	"unicode"
)

// escape reads an escape outside of classes.
func (p *parser) escape() (*node, error) {
	place := map[rune]anchor{'A': atStart, 'z': atEnd, 'G': atPrevious}
	r := p.raw()
	if a, ok := place[r]; ok {
		p.at++
		return &node{op: opAnchor, anchor: a}, nil
	}
	switch r {
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return p.backref(), nil
	case 'k':
		return p.namedBackref()
	case 'Z':
		p.at++
		return p.lineAnchor(atLastLine, atLastUnixLine, atLastLine, atLastUnixLine), nil
	case 'b', 'B':
		return p.wordAnchor(r == 'B')
	case 'R':
		p.at++
		return &node{op: opLineBreak}, nil
	case 'X':
		p.at++
		return &node{op: opGrapheme}, nil
	}
	c, s, err := p.charEscape()
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.literal(c), nil
	}
	return &node{op: opSet, set: s}, nil
}

func (p *parser) wordAnchor(negated bool) (*node, error) {
	p.at++
	if strings.HasPrefix(string(p.src[p.at:min(p.at+3, len(p.src))]), "{g}") {
		return nil, p.fail(p.at, `\b{g} is not supported`)
	}
	a := atWordBound
	if p.flags.has(flagUnicodeClass) {
		a = atUnicodeWordBound
	}
	if negated {
		a++
	}
	return &node{op: opAnchor, anchor: a}, nil
}

// backref reads a group number: as many digits as make a group that exists so
// far, but at least one.
func (p *parser) backref() *node {
	n := int(p.raw() - '0')
	p.at++
	for isDigit(p.raw()) {
		next := 10*n + int(p.raw()-'0')
		if next > p.groups {
			break
		}
		n = next
		p.at++
	}
	return &node{op: opBackref, index: n, fold: p.flags.has(flagCase)}
}

func (p *parser) namedBackref() (*node, error) {
	p.at++
	if p.raw() != '<' {
		return nil, p.fail(p.at, `\k is not followed by '<' for named capturing group`)
	}
	p.at++
	name, err := p.groupName()
	if err != nil {
		return nil, err
	}
	n, ok := p.names[name]
	if !ok {
		return nil, p.fail(p.at-1, "named capturing group <"+name+"> does not exist")
	}
	return &node{op: opBackref, index: n, fold: p.flags.has(flagCase)}, nil
}

// classEscape returns the set of \d and the like.
func (p *parser) classEscape(r rune) (set, bool) {
	wide := p.flags.has(flagUnicodeClass)
	pick := func(ascii set, property string) set {
		if !wide {
			return ascii
		}
		s, _ := binarySet(property)
		return s
	}
	var s set
	switch unicode.ToLower(r) {
	case 'd':
		s = pick(digitSet, "DIGIT")
	case 's':
		s = pick(spaceSet, "WHITE_SPACE")
	case 'w':
		s = pick(wordSet, "WORD")
	case 'h':
		s = horizontalSet
	case 'v':
		s = verticalSet
	default:
		return nil, false
	}
	if unicode.IsUpper(r) {
		s = s.negate()
	}
	return s, true
}

var controlEscapes = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': '\a', 'e': 0x1B}

// charEscape reads an escape that stands for one character, or for one of a
// set, in which case s is not nil.
func (p *parser) charEscape() (r rune, s set, err error) {
	if p.at >= len(p.src) {
		return 0, nil, p.fail(p.at, "Illegal/unsupported escape sequence")
	}
	r = p.raw() &^ quotedRune
	p.at++
	if c, ok := controlEscapes[r]; ok {
		return c, nil, nil
	}
	if s, ok := p.classEscape(r); ok {
		return 0, s, nil
	}
	switch r {
	case '0':
		r, err = p.octal()
		return r, nil, err
	case 'x':
		r, err = p.hex()
		return r, nil, err
	case 'u':
		r, err = p.unicodeEscape()
		return r, nil, err
	case 'c':
		if p.at >= len(p.src) {
			return 0, nil, p.fail(p.at-1, "Illegal control escape sequence")
		}
		p.at++
		return p.src[p.at-1]&^quotedRune ^ 0x40, nil, nil
	case 'p', 'P':
		s, err = p.property(r == 'P')
		return 0, s, err
	case 'N':
		return 0, nil, p.fail(p.at-1, `\N{...} is not supported`)
	}
	if isASCIILetter(r) || isDigit(r) {
		return 0, nil, p.fail(p.at-1, "Illegal/unsupported escape sequence")
	}
	return r, nil, nil
}

// octal reads up to three digits, up to 0377.
func (p *parser) octal() (rune, error) {
	var r rune
	n := 0
	for ; n < 3; n++ {
		c := p.raw()
		if c < '0' || c > '7' || n == 2 && r > 0o37 {
			break
		}
		r = r<<3 + c - '0'
		p.at++
	}
	if n == 0 {
		return 0, p.fail(p.at, "Illegal octal escape sequence")
	}
	return r, nil
}

// hexDigits reads exactly n digits.
func (p *parser) hexDigits(n int) (r rune, ok bool) {
	for range n {
		digit, ok := hexValue(p.raw())
		if !ok {
			return 0, false
		}
		r = r<<4 + digit
		p.at++
	}
	return r, true
}

func hexValue(r rune) (rune, bool) {
	switch {
	case isDigit(r):
		return r - '0', true
	case r|0x20 >= 'a' && r|0x20 <= 'f':
		return r | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func (p *parser) hex() (rune, error) {
	if p.raw() != '{' {
		r, ok := p.hexDigits(2)
		if !ok {
			return 0, p.fail(p.at, "Illegal hexadecimal escape sequence")
		}
		return r, nil
	}
	p.at++
	var r rune
	start := p.at
	for {
		digit, ok := hexValue(p.raw())
		if !ok {
			break
		}
		r = r<<4 + digit
		p.at++
		if r > unicode.MaxRune {
			return 0, p.fail(p.at-1, "Hexadecimal codepoint is too big")
		}
	}
	if p.raw() != '}' || p.at == start {
		return 0, p.fail(p.at, "Unclosed hexadecimal escape sequence")
	}
	p.at++
	return r, nil
}

// unicodeEscape reads the digits of \u; two escapes that make a surrogate pair
// are one character.
func (p *parser) unicodeEscape() (rune, error) {
	r, ok := p.hexDigits(4)
	if !ok {
		return 0, p.fail(p.at, "Illegal Unicode escape sequence")
	}
	const lowMin, half, base = 0xDC00, 0x400, 0x10000
	if r < surrogateMin || r >= lowMin || p.raw() != '\\' {
		return r, nil
	}
	back := p.at
	p.at++
	if p.raw() == 'u' {
		p.at++
		if low, ok := p.hexDigits(4); ok && low >= lowMin && low <= surrogateMax {
			return base + (r-surrogateMin)*half + low - lowMin, nil
		}
	}
	p.at = back
	return r, nil
}

// property reads the name behind \p.
func (p *parser) property(negated bool) (set, error) {
	var name string
	switch r := p.raw(); r {
	case endOfPattern:
	case '{':
		p.at++
		start := p.at
		for p.raw() != '}' {
			if p.raw() == endOfPattern {
				return nil, p.fail(p.at, "Unclosed character family")
			}
			p.at++
		}
		name = string(p.src[start:p.at])
		if name == "" {
			return nil, p.fail(p.at, "Empty character family")
		}
		p.at++
	default:
		name = string(r)
		p.at++
	}
	s, ok := propertySet(name, p.flags)
	switch key, value, keyed := strings.Cut(name, "="); {
	case !ok && keyed:
		return nil, p.fail(p.at-1, "Unknown Unicode property {name=<"+key+">, value=<"+value+">}")
	case !ok:
		return nil, p.fail(p.at-1, "Unknown character property name {"+name+"}")
	case negated:
		return s.negate(), nil
	}
	return s, nil
}
