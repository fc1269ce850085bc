package pattern

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of what a pattern may ask for.
const (
	maxDepth  = 100     // of groups
	maxCount  = 1000    // in braces
	maxNodes  = 10_000  // of the compiled pattern
	maxOutput = 1 << 20 // characters
	unbounded = 10      // how often *, + and {n,} repeat at most, unless a length asks for more
)

// op is what a node of a program generates.
type op uint8

const (
	opChar   op = iota // one character of a class
	opSeq              // all children
	opAlt              // one of the children
	opRepeat           // the only child, several times
)

// node is one part of a pattern. Children are places in the program, before that of the node itself.
type node struct {
	op          op
	class       class
	children    []int32
	min, max    int32 // of a repetition
	short, long int64 // fewest and most characters
}

// parser reads a pattern into nodes.
type parser struct {
	text  string
	at    int
	depth int
	extra int32 // what unbounded repetitions may have on top of the minimum
	nodes []node
}

// errorf makes an error that names the place.
func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("at position %d: "+format, append([]any{p.at}, args...)...)
}

// accepted is the rest of the sentence for what a generator cannot follow.
const accepted = "accepted are characters, escapes such as \\d, classes, groups, alternatives and repetitions"

func (p *parser) more() bool { return p.at < len(p.text) }

// peek tells whether the text goes on with s.
func (p *parser) peek(s string) bool { return strings.HasPrefix(p.text[p.at:], s) }

// skip passes s if the text goes on with it.
func (p *parser) skip(s string) bool {
	ok := p.peek(s)
	if ok {
		p.at += len(s)
	}
	return ok
}

// add appends a node and returns its place.
func (p *parser) add(n node) (int32, error) {
	switch n.op {
	case opChar:
		n.short, n.long = 1, 1
	case opSeq:
		for _, c := range n.children {
			n.short, n.long = n.short+p.nodes[c].short, n.long+p.nodes[c].long
		}
	case opAlt:
		n.short = maxOutput
		for _, c := range n.children {
			n.short, n.long = min(n.short, p.nodes[c].short), max(n.long, p.nodes[c].long)
		}
	case opRepeat:
		c := p.nodes[n.children[0]]
		n.short, n.long = int64(n.min)*c.short, int64(n.max)*c.long
	}
	if len(p.nodes) >= maxNodes || n.long > maxOutput {
		return 0, fmt.Errorf("the pattern asks for too much: at most %d parts and %d characters", maxNodes, maxOutput)
	}
	p.nodes = append(p.nodes, n)
	return int32(len(p.nodes) - 1), nil
}

// alternatives reads up to the end of the group.
func (p *parser) alternatives() (int32, error) {
	var all []int32
	for {
		n, err := p.sequence()
		if err != nil {
			return 0, err
		}
		all = append(all, n)
		if !p.skip("|") {
			break
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return p.add(node{op: opAlt, children: all})
}

// sequence reads up to the end of an alternative.
func (p *parser) sequence() (int32, error) {
	var all []int32
	if p.depth == 0 {
		p.skip("^")
	}
	for p.more() && !p.peek("|") && !p.peek(")") {
		if p.depth == 0 && p.endAnchor() {
			break
		}
		n, err := p.repeated()
		if err != nil {
			return 0, err
		}
		all = append(all, n)
	}
	if p.depth == 0 && p.peek(")") {
		return 0, p.errorf("a group ends that did not begin")
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return p.add(node{op: opSeq, children: all})
}

// endAnchor passes a $ at the end of an alternative.
func (p *parser) endAnchor() bool {
	rest := p.text[p.at:]
	if rest == "$" || strings.HasPrefix(rest, "$|") {
		p.at++
		return true
	}
	return false
}

// repeated reads one part with the repetitions after it.
func (p *parser) repeated() (int32, error) {
	n, err := p.part()
	for err == nil && p.more() {
		low, high, ok, e := p.repetition()
		if e != nil {
			return 0, e
		}
		if !ok {
			break
		}
		if p.skip("+") {
			return 0, p.errorf("possessive repetitions cannot be generated; %s", accepted)
		}
		p.skip("?")
		n, err = p.add(node{op: opRepeat, children: []int32{n}, min: low, max: high})
	}
	return n, err
}

// repetition reads ?, *, + or braces.
func (p *parser) repetition() (low, high int32, ok bool, err error) {
	switch {
	case p.skip("?"):
		return 0, 1, true, nil
	case p.skip("*"):
		return 0, unbounded + p.extra, true, nil
	case p.skip("+"):
		return 1, unbounded + p.extra, true, nil
	case !p.skip("{"):
		return 0, 0, false, nil
	}
	end := strings.IndexByte(p.text[p.at:], '}')
	if end < 0 {
		return 0, 0, false, p.errorf("braces do not end")
	}
	low, high, ok = p.counts(p.text[p.at : p.at+end])
	if !ok {
		return 0, 0, false, p.errorf("braces must hold n, n, or n,m with n not greater than m and both up to %d", maxCount)
	}
	p.at += end + 1
	return low, high, true, nil
}

func (p *parser) counts(s string) (low, high int32, ok bool) {
	first, second, two := strings.Cut(s, ",")
	low, ok = count(first)
	switch {
	case !ok || !two:
		return low, low, ok
	case second == "":
		return low, max(low, unbounded) + p.extra, true
	}
	high, ok = count(second)
	return low, high, ok && low <= high
}

func count(s string) (int32, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int32(n), err == nil && n <= maxCount
}

// part reads a group, a class or a character.
func (p *parser) part() (int32, error) {
	switch c := p.text[p.at]; c {
	case '(':
		return p.group()
	case '*', '+', '?', '{':
		return 0, p.errorf("a repetition has nothing to repeat")
	case '^', '$':
		return 0, p.errorf("%c must be at the beginning or the end; escape the character itself as \\%c", c, c)
	}
	cl, err := p.class()
	if err != nil {
		return 0, err
	}
	if cl.size() == 0 {
		return 0, p.errorf("a class has no character that can be generated")
	}
	return p.add(node{op: opChar, class: cl})
}

func (p *parser) group() (int32, error) {
	p.at++
	if p.depth++; p.depth > maxDepth {
		return 0, p.errorf("groups are nested deeper than %d levels", maxDepth)
	}
	if p.skip("?") && !p.skip(":") {
		name, rest, ok := strings.Cut(p.text[p.at:], ">")
		if !ok || len(name) < 2 || name[0] != '<' || name[1] == '=' || name[1] == '!' {
			return 0, p.errorf("groups with flags or conditions cannot be generated; %s", accepted)
		}
		p.at = len(p.text) - len(rest)
	}
	n, err := p.alternatives()
	if err != nil {
		return 0, err
	}
	if !p.skip(")") {
		return 0, p.errorf("a group does not end")
	}
	p.depth--
	return n, nil
}
