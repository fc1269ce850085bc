package javaregex

import "strconv"

// flags are the modes that (?idmsuxU) switches.
type flags uint8

const (
	flagCase         flags = 1 << iota // i
	flagUnixLines                      // d
	flagMultiline                      // m
	flagDotAll                         // s
	flagUnicodeCase                    // u
	flagComments                       // x
	flagUnicodeClass                   // U
)

func (f flags) has(g flags) bool { return f&g != 0 }

const (
	// quotedRune marks a character between \Q and \E, which is never syntax.
	quotedRune = 1 << 24
	// endOfPattern is what peek returns behind the last character.
	endOfPattern = -1
	// maxDepth bounds nested groups and classes, as the parser and the engines
	// recurse.
	maxDepth = 500
)

// parser reads one pattern. The methods that read a construct begin behind its
// opening character.
type parser struct {
	pattern string
	src     []rune
	// index maps positions in src to positions in the pattern, which differ by
	// the \Q and \E left out.
	index  []int
	at     int
	flags  flags
	groups int
	names  map[string]int
	depth  int
}

// parse returns the tree of a pattern, its number of groups and the numbers of
// the named ones.
func parse(pattern string) (*node, *parser, error) {
	p := &parser{pattern: pattern, names: map[string]int{}}
	p.unquote([]rune(pattern))
	n, err := p.alternation()
	if err != nil {
		return nil, nil, err
	}
	if p.peek() == ')' {
		return nil, nil, p.fail(p.at-1, "Unmatched closing ')'")
	}
	return n, p, nil
}

// unquote fills src, resolving \Q...\E.
func (p *parser) unquote(text []rune) {
	quoting := false
	for i := 0; i < len(text); i++ {
		pair := text[i] == '\\' && i+1 < len(text)
		switch {
		case quoting && pair && text[i+1] == 'E':
			quoting = false
			i++
		case quoting:
			p.push(text[i]|quotedRune, i)
		case pair && text[i+1] == 'Q':
			quoting = true
			i++
		case pair:
			p.push(text[i], i)
			i++
			p.push(text[i], i)
		default:
			p.push(text[i], i)
		}
	}
	p.index = append(p.index, len(text))
}

func (p *parser) push(r rune, index int) {
	p.src = append(p.src, r)
	p.index = append(p.index, index)
}

// fail returns the error at a position of src.
func (p *parser) fail(at int, description string) error {
	index := at
	if at >= 0 {
		index = p.index[min(at, len(p.src))]
	}
	return &SyntaxError{Description: description, Index: index, Pattern: p.pattern}
}

// raw returns the next character without skipping anything.
func (p *parser) raw() rune {
	if p.at >= len(p.src) {
		return endOfPattern
	}
	return p.src[p.at]
}

// peek returns the next character, after white space and comments under the
// flag x.
func (p *parser) peek() rune {
	if p.flags.has(flagComments) {
		p.skipComments()
	}
	return p.raw()
}

func (p *parser) skipComments() {
	for {
		switch r := p.raw(); {
		case r == '#':
			for r != endOfPattern && !p.isLineEnd(r) {
				p.at++
				r = p.raw()
			}
		case r != endOfPattern && spaceSet.contains(r):
			p.at++
		default:
			return
		}
	}
}

func (p *parser) isLineEnd(r rune) bool {
	if p.flags.has(flagUnixLines) {
		return r == '\n'
	}
	return newlineSet.contains(r)
}

// accept moves over r if it comes next.
func (p *parser) accept(r rune) bool {
	if p.peek() != r {
		return false
	}
	p.at++
	return true
}

func (p *parser) enter() error {
	p.depth++
	if p.depth > maxDepth {
		return p.fail(p.at, "Pattern is nested too deeply")
	}
	return nil
}

func (p *parser) alternation() (*node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var branches []*node
	for {
		branch, err := p.sequence()
		if err != nil {
			return nil, err
		}
		branches = append(branches, branch)
		if !p.accept('|') {
			break
		}
	}
	if len(branches) == 1 {
		return branches[0], nil
	}
	return &node{op: opAlternate, subs: branches}, nil
}

func (p *parser) sequence() (*node, error) {
	var parts []*node
	for {
		switch p.peek() {
		case endOfPattern, '|', ')':
			switch len(parts) {
			case 0:
				return &node{op: opEmpty}, nil
			case 1:
				return parts[0], nil
			}
			return &node{op: opConcat, subs: parts}, nil
		}
		part, err := p.atom()
		if err != nil {
			return nil, err
		}
		if part == nil {
			continue
		}
		if part, err = p.quantify(part); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
}

// atom reads what a quantifier may follow. It returns nil for flags.
func (p *parser) atom() (*node, error) {
	r := p.raw()
	p.at++
	switch r {
	case '(':
		return p.group()
	case '[':
		s, err := p.class()
		return &node{op: opSet, set: s}, err
	case '\\':
		return p.escape()
	case '^':
		return p.lineAnchor(atStart, atStart, atLineStart, atUnixLineStart), nil
	case '$':
		return p.lineAnchor(atLastLine, atLastUnixLine, atLineEnd, atUnixLineEnd), nil
	case '.':
		return &node{op: opSet, set: p.dot()}, nil
	case '*', '+', '?':
		return nil, p.fail(p.at-1, "Dangling meta character '"+string(r)+"'")
	case '{':
		// Java repeats the empty text here, as in a{2}{3}.
		p.at--
		return &node{op: opEmpty}, nil
	}
	return p.literal(r), nil
}

func (p *parser) literal(r rune) *node {
	return &node{op: opSet, set: foldRune(r&^quotedRune, p.flags)}
}

func (p *parser) lineAnchor(plain, plainUnix, multi, multiUnix anchor) *node {
	n := &node{op: opAnchor}
	switch unix := p.flags.has(flagUnixLines); {
	case p.flags.has(flagMultiline) && unix:
		n.anchor = multiUnix
	case p.flags.has(flagMultiline):
		n.anchor = multi
	case unix:
		n.anchor = plainUnix
	default:
		n.anchor = plain
	}
	return n
}

func (p *parser) dot() set {
	switch {
	case p.flags.has(flagDotAll):
		return set(nil).negate()
	case p.flags.has(flagUnixLines):
		return single('\n').negate()
	default:
		return newlineSet.negate()
	}
}

func (p *parser) quantify(n *node) (*node, error) {
	least, most := 0, unlimited
	switch p.peek() {
	case '*':
		p.at++
	case '+':
		p.at++
		least = 1
	case '?':
		p.at++
		most = 1
	case '{':
		p.at++
		var err error
		if least, most, err = p.bounds(); err != nil {
			return nil, err
		}
	default:
		return n, nil
	}
	repeat := &node{op: opRepeat, subs: []*node{n}, min: least, max: most}
	switch {
	case p.accept('?'):
		repeat.mode = lazy
	case p.accept('+'):
		repeat.mode = possessive
	}
	return repeat, nil
}

// bounds reads the n, n, or n,m of a counted repetition and its closing brace.
func (p *parser) bounds() (least, most int, err error) {
	if !isDigit(p.peek()) {
		return 0, 0, p.fail(p.at, "Illegal repetition")
	}
	if least, err = p.number(); err != nil {
		return 0, 0, err
	}
	most = least
	if p.accept(',') {
		most = unlimited
		if isDigit(p.peek()) {
			if most, err = p.number(); err != nil {
				return 0, 0, err
			}
		}
	}
	if p.peek() != '}' {
		return 0, 0, p.fail(p.at, "Unclosed counted closure")
	}
	if most != unlimited && most < least {
		return 0, 0, p.fail(p.at, "Illegal repetition range")
	}
	p.at++
	return least, most, nil
}

func (p *parser) number() (int, error) {
	start := p.at
	for isDigit(p.raw()) {
		p.at++
	}
	n, err := strconv.ParseInt(string(p.src[start:p.at]), 10, 32)
	if err != nil {
		return 0, p.fail(p.at-1, "Illegal repetition range")
	}
	return int(n), nil
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// group reads all that begins with a parenthesis.
func (p *parser) group() (*node, error) {
	outer := p.flags
	if !p.accept('?') {
		return p.capture(outer, "")
	}
	r := p.raw()
	p.at++
	switch r {
	case ':':
		return p.body(outer)
	case '>':
		body, err := p.body(outer)
		return &node{op: opAtomic, subs: []*node{body}}, err
	case '=', '!':
		body, err := p.body(outer)
		return &node{op: opLook, subs: []*node{body}, negated: r == '!'}, err
	case '<':
		if c := p.raw(); c == '=' || c == '!' {
			p.at++
			return p.lookBehind(outer, c == '!')
		}
		name, err := p.groupName()
		if err != nil {
			return nil, err
		}
		if _, ok := p.names[name]; ok {
			return nil, p.fail(p.at-1, "Named capturing group <"+name+"> is already defined")
		}
		return p.capture(outer, name)
	}
	p.at--
	return p.switchFlags(outer)
}

func (p *parser) capture(outer flags, name string) (*node, error) {
	p.groups++
	n := &node{op: opCapture, index: p.groups}
	if name != "" {
		p.names[name] = n.index
	}
	body, err := p.body(outer)
	n.subs = []*node{body}
	return n, err
}

// body reads up to the closing parenthesis; flags set inside end there.
func (p *parser) body(outer flags) (*node, error) {
	n, err := p.alternation()
	if err != nil {
		return nil, err
	}
	if !p.accept(')') {
		return nil, p.fail(len(p.src), "Unclosed group")
	}
	p.flags = outer
	return n, nil
}

func (p *parser) lookBehind(outer flags, negated bool) (*node, error) {
	body, err := p.body(outer)
	if err != nil {
		return nil, err
	}
	// The engine reads look-behind from right to left, so that a group would be
	// set too late. Java refuses it as well.
	if body.has(func(n *node) bool { return n.op == opBackref }) {
		return nil, p.fail(p.at-2, "Look-behind group does not have an obvious maximum length")
	}
	return &node{op: opLook, subs: []*node{body}, behind: true, negated: negated}, nil
}

// groupName reads a name and the > behind it.
func (p *parser) groupName() (string, error) {
	start := p.at
	if !isASCIILetter(p.raw()) {
		return "", p.fail(p.at, "capturing group name does not start with a Latin letter")
	}
	for isASCIILetter(p.raw()) || isDigit(p.raw()) {
		p.at++
	}
	if p.raw() != '>' {
		return "", p.fail(p.at, "named capturing group is missing trailing '>'")
	}
	p.at++
	return string(p.src[start : p.at-1]), nil
}

var flagLetters = map[rune]flags{
	'i': flagCase, 'd': flagUnixLines, 'm': flagMultiline, 's': flagDotAll, 'u': flagUnicodeCase,
	'x': flagComments, 'U': flagUnicodeClass | flagUnicodeCase,
}

// switchFlags reads (?i-s) or (?i-s:...).
func (p *parser) switchFlags(outer flags) (*node, error) {
	off := false
	for {
		r := p.raw()
		p.at++
		f, known := flagLetters[r]
		switch {
		case r == ')':
			return nil, nil
		case r == ':':
			return p.body(outer)
		case r == '-' && !off:
			off = true
		case !known:
			return nil, p.fail(p.at-1, "Unknown inline modifier")
		case off:
			p.flags &^= f
		default:
			p.flags |= f
		}
	}
}
