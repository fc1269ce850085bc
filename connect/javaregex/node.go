package javaregex

// op is the kind of a node.
type op uint8

const (
	opEmpty     op = iota // matches the empty text
	opSet                 // one character of set
	opConcat              // subs in turn
	opAlternate           // one of subs, the first that leads to a match
	opCapture             // subs[0] as group index
	opAtomic              // subs[0] without backtracking into it
	opLook                // subs[0] ahead or behind, or not there
	opRepeat              // subs[0] min to max times
	opAnchor              // a place in the text
	opBackref             // the text of group index
	opLineBreak           // \R
	opGrapheme            // \X
)

// anchor is a place in the text.
type anchor uint8

const (
	atStart        anchor = iota // \A, and ^ without the flag m
	atEnd                        // \z
	atLastLine                   // \Z, and $ without the flag m
	atLastUnixLine               // the same under the flag d
	atLineStart                  // ^ under the flag m
	atUnixLineStart
	atLineEnd // $ under the flag m
	atUnixLineEnd
	atPrevious // \G
	atWordBound
	atNoWordBound
	atUnicodeWordBound // the word bounds under the flag U
	atNoUnicodeWordBound
)

// mode is how a repetition chooses its count.
type mode uint8

const (
	greedy mode = iota
	lazy
	possessive
)

// unlimited is the max of a repetition without upper bound.
const unlimited = -1

// node is a part of a parsed pattern. Nodes are not changed once parsed.
type node struct {
	op       op
	subs     []*node
	set      set
	min, max int
	mode     mode
	index    int
	fold     bool // of a back-reference: ignore case
	behind   bool
	negated  bool
	anchor   anchor
}

// canBeEmpty reports whether n may match the empty text; it may say so of a
// node that cannot.
func (n *node) canBeEmpty() bool {
	switch n.op {
	case opSet, opLineBreak, opGrapheme:
		return false
	case opConcat:
		for _, s := range n.subs {
			if !s.canBeEmpty() {
				return false
			}
		}
		return true
	case opAlternate:
		for _, s := range n.subs {
			if s.canBeEmpty() {
				return true
			}
		}
		return false
	case opCapture, opAtomic:
		return n.subs[0].canBeEmpty()
	case opRepeat:
		return n.min == 0 || n.subs[0].canBeEmpty()
	default:
		return true
	}
}

// has reports whether n contains a node for which f holds.
func (n *node) has(f func(*node) bool) bool {
	if f(n) {
		return true
	}
	for _, s := range n.subs {
		if s.has(f) {
			return true
		}
	}
	return false
}

// isLinear reports whether the standard library's engine, which takes time
// linear in the text, matches n as Java does. Repetitions of what may be empty
// are left out: engines differ in the groups they leave behind.
func (n *node) isLinear() bool {
	switch n.op {
	case opEmpty, opSet:
		return true
	case opConcat, opAlternate, opCapture:
		for _, s := range n.subs {
			if !s.isLinear() {
				return false
			}
		}
		return true
	case opRepeat:
		body := n.subs[0]
		return n.mode != possessive && body.isLinear() && (n.max == 1 && n.min == 0 || !body.canBeEmpty())
	case opAnchor:
		return n.anchor == atStart || n.anchor == atEnd
	default:
		return false
	}
}

// endingAtEnd returns a node that matches like n where a match must end at the
// end of the text, with the line ends in last place made text ends. That lets
// the common ^name$ run on the linear engine.
func (n *node) endingAtEnd() *node {
	c := *n
	switch n.op { //nolint:exhaustive // the others stay as they are
	case opAnchor:
		switch n.anchor { //nolint:exhaustive // the others stay as they are
		case atLastLine, atLastUnixLine, atLineEnd, atUnixLineEnd:
			c.anchor = atEnd
		}
	case opConcat:
		last := len(n.subs) - 1
		c.subs = append([]*node{}, n.subs...)
		c.subs[last] = n.subs[last].endingAtEnd()
	case opAlternate, opCapture:
		c.subs = make([]*node, len(n.subs))
		for i, s := range n.subs {
			c.subs[i] = s.endingAtEnd()
		}
	}
	return &c
}
