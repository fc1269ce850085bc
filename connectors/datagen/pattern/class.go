package pattern

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// interval is a run of characters, both ends included.
type interval struct{ low, high rune }

// class is a set of characters as intervals in order that do not touch.
type class []interval

// Classes that escapes stand for. A negated class means printable ASCII, as does a dot.
var (
	printable = class{{' ', '~'}}
	digits    = class{{'0', '9'}}
	words     = class{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	spaces    = class{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}
)

func (c class) size() (n int32) {
	for _, i := range c {
		n += i.high - i.low + 1
	}
	return n
}

// pick returns one of the characters.
func (c class) pick(r *random.Random) rune {
	if len(c) == 1 {
		if c[0].low == c[0].high {
			return c[0].low
		}
		return c[0].low + r.NextIntn(c[0].high-c[0].low+1)
	}
	n := r.NextIntn(c.size())
	for _, i := range c {
		if size := i.high - i.low + 1; n >= size {
			n -= size
			continue
		}
		return i.low + n
	}
	return utf8.RuneError
}

// union returns the characters of both classes. Surrogates, which are no characters, are left out.
func union(a, b class) class {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y interval) int { return int(x.low - y.low) })
	var out class
	for _, i := range all {
		if last := len(out) - 1; last >= 0 && i.low <= out[last].high+1 {
			out[last].high = max(out[last].high, i.high)
			continue
		}
		out = append(out, i)
	}
	return out
}

// negate returns the printable characters of ASCII that are not in the class.
func negate(c class) class {
	var out class
	for r := printable[0].low; r <= printable[0].high; r++ {
		if !slices.ContainsFunc(c, func(i interval) bool { return i.low <= r && r <= i.high }) {
			out = union(out, class{{r, r}})
		}
	}
	return out
}

// class reads a class in brackets, a dot, an escape or a single character.
func (p *parser) class() (class, error) {
	switch {
	case p.skip("."):
		return printable, nil
	case p.skip("["):
		return p.brackets(0)
	case p.skip(`\`):
		return p.escape()
	}
	return p.literal()
}

func (p *parser) literal() (class, error) {
	r, size := utf8.DecodeRuneInString(p.text[p.at:])
	if r == utf8.RuneError && size < 2 {
		return nil, p.errorf("the pattern is not UTF-8")
	}
	p.at += size
	return class{{r, r}}, nil
}

// brackets reads a class after its opening bracket. Brackets inside of it add to it.
func (p *parser) brackets(depth int) (out class, err error) {
	if depth > maxDepth {
		return nil, p.errorf("classes are nested deeper than %d levels", maxDepth)
	}
	not := p.skip("^")
	for first := true; first || !p.peek("]"); first = false {
		if !p.more() || first && p.peek("]") {
			return nil, p.errorf("a class is empty or does not end")
		}
		if p.peek("&&") {
			return nil, p.errorf("intersections of classes cannot be generated; %s", accepted)
		}
		var one class
		if p.skip("[") {
			one, err = p.brackets(depth + 1)
		} else {
			one, err = p.interval()
		}
		if err != nil {
			return nil, err
		}
		out = union(out, one)
	}
	p.at++
	if not {
		return negate(out), nil
	}
	return out, nil
}

// interval reads a character or escape, and the end of the run that begins with it.
func (p *parser) interval() (class, error) {
	low, err := p.member()
	if err != nil || low.size() != 1 || !p.peek("-") || p.peek("-]") || p.peek("-[") {
		return low, err
	}
	p.at++
	if !p.more() {
		return nil, p.errorf("a class does not end")
	}
	high, err := p.member()
	if err != nil {
		return nil, err
	}
	if high.size() != 1 || high[0].low < low[0].low {
		return nil, p.errorf("a run of characters ends before it begins")
	}
	if low[0].low < 0xD800 && high[0].low > 0xDFFF {
		return class{{low[0].low, 0xD7FF}, {0xE000, high[0].high}}, nil
	}
	return class{{low[0].low, high[0].high}}, nil
}

func (p *parser) member() (class, error) {
	if p.skip(`\`) {
		return p.escape()
	}
	return p.literal()
}

// escapes are the characters that letters after a backslash stand for.
const escapes = "t\tn\nr\rf\fa\ae\x1b"

// escape reads what follows a backslash.
func (p *parser) escape() (class, error) {
	if !p.more() {
		return nil, p.errorf("the pattern ends in a backslash")
	}
	c := p.text[p.at]
	if i := strings.IndexByte(escapes, c); i >= 0 && i%2 == 0 {
		p.at++
		return class{{rune(escapes[i+1]), rune(escapes[i+1])}}, nil
	}
	if c >= utf8.RuneSelf || !isAlphanumeric(c) {
		return p.literal()
	}
	p.at++
	switch c {
	case 'd':
		return digits, nil
	case 'D':
		return negate(digits), nil
	case 'w':
		return words, nil
	case 'W':
		return negate(words), nil
	case 's':
		return spaces, nil
	case 'S':
		return negate(spaces), nil
	case 'x':
		return p.hex(2)
	case 'u':
		return p.hex(4)
	}
	p.at--
	return nil, p.errorf("\\%c cannot be generated; %s", c, accepted)
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// hex reads the digits of a character's number.
func (p *parser) hex(digits int) (class, error) {
	if len(p.text) < p.at+digits {
		return nil, p.errorf("an escape lacks hexadecimal digits")
	}
	n, err := strconv.ParseUint(p.text[p.at:p.at+digits], 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		return nil, p.errorf("an escape lacks hexadecimal digits of a character")
	}
	p.at += digits
	return class{{rune(n), rune(n)}}, nil
}
