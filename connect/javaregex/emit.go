package javaregex

import (
	"strconv"
	"strings"
)

// The forms below are for the backtracking engine alone; the linear one holds
// none of these anchors.
const (
	// letterOrDigit and wordChar are what \b of Java 17 looks at: more than \w.
	letterOrDigit   = `\p{L}\p{Nd}`
	wordChar        = letterOrDigit + `_`
	unicodeWordChar = `\p{L}\p{Nl}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}`

	lineBreak   = `(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])`
	neverMatch  = `(?!)`
	beforeAny   = `(?=[\s\S])`
	lastLine    = `(?=(?:\r\n|(?<!\r)\n|[\r\x{85}\x{2028}\x{2029}])?\z)`
	lineStart   = `(?:(?<![\s\S])|(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n))` + beforeAny
	lineEnd     = `(?:(?=[\r\x{85}\x{2028}\x{2029}])|(?<!\r)(?=\n)|\z)`
	unixStart   = `(?:(?<![\s\S])|(?<=\n))` + beforeAny
	unixLineEnd = `(?=\n|\z)`
)

// emitAnchor returns an anchor in the syntax of the engines. Java's ^ under the
// flag m does not match at the end of the text, not even of an empty one, and
// none of the line anchors matches between \r and \n.
func emitAnchor(a anchor) string {
	switch a {
	case atStart:
		return `\A`
	case atEnd:
		return `\z`
	case atLastLine:
		return lastLine
	case atLastUnixLine:
		return `(?=\n?\z)`
	case atLineStart:
		return lineStart
	case atUnixLineStart:
		return unixStart
	case atLineEnd:
		return lineEnd
	case atUnixLineEnd:
		return unixLineEnd
	case atPrevious:
		return `\G`
	case atWordBound:
		return wordBound(wordChar, true)
	case atNoWordBound:
		return wordBound(wordChar, false)
	case atUnicodeWordBound:
		return wordBound(unicodeWordChar, true)
	default:
		return wordBound(unicodeWordChar, false)
	}
}

// wordBound returns \b, or \B. As in Java a combining mark belongs to a word
// if marks alone part it from a letter or digit.
func wordBound(word string, bound bool) string {
	marked := `[` + letterOrDigit + `]\p{Mn}`
	left := `(?:(?<=[` + word + `])|(?<=` + marked + `+))`
	right := `(?:(?=[` + word + `])|(?=\p{Mn})(?<=` + marked + `*))`
	if bound {
		return `(?:` + left + `(?!` + right + `)|(?!` + left + `)` + right + `)`
	}
	return `(?:` + left + right + `|(?!` + left + `)(?!` + right + `))`
}

// emit writes n in the syntax of the engines. All flags are resolved by then,
// and all groups are numbered as Java numbers them.
func (n *node) emit(out *strings.Builder, groups int) {
	switch n.op {
	case opEmpty:
		out.WriteString(`(?:)`)
	case opSet:
		n.set.emit(out)
	case opConcat:
		n.emitSubs(out, groups, "")
	case opAlternate:
		out.WriteString(`(?:`)
		n.emitSubs(out, groups, "|")
		out.WriteByte(')')
	case opCapture:
		n.emitGroup(out, groups, `(`)
	case opAtomic:
		n.emitGroup(out, groups, `(?>`)
	case opLook:
		n.emitGroup(out, groups, n.lookOpening())
	case opRepeat:
		n.emitRepeat(out, groups)
	case opAnchor:
		out.WriteString(emitAnchor(n.anchor))
	case opBackref:
		n.emitBackref(out, groups)
	case opLineBreak:
		out.WriteString(lineBreak)
	case opGrapheme:
		out.WriteString(`\X`)
	}
}

func (n *node) emitSubs(out *strings.Builder, groups int, separator string) {
	for i, s := range n.subs {
		if i > 0 {
			out.WriteString(separator)
		}
		s.emit(out, groups)
	}
}

func (n *node) emitGroup(out *strings.Builder, groups int, opening string) {
	out.WriteString(opening)
	n.subs[0].emit(out, groups)
	out.WriteByte(')')
}

func (n *node) lookOpening() string {
	switch {
	case n.behind && n.negated:
		return `(?<!`
	case n.behind:
		return `(?<=`
	case n.negated:
		return `(?!`
	default:
		return `(?=`
	}
}

func (n *node) emitRepeat(out *strings.Builder, groups int) {
	if n.mode == possessive {
		out.WriteString(`(?>`)
		defer out.WriteByte(')')
	}
	body := n.subs[0]
	if body.op == opLineBreak {
		// Java tries \R alone both ways, a repeated one only as a pair.
		body = &node{op: opAtomic, subs: []*node{body}}
	}
	out.WriteString(`(?:`)
	body.emit(out, groups)
	out.WriteByte(')')
	switch {
	case n.min == 0 && n.max == unlimited:
		out.WriteByte('*')
	case n.min == 1 && n.max == unlimited:
		out.WriteByte('+')
	case n.min == 0 && n.max == 1:
		out.WriteByte('?')
	default:
		out.WriteByte('{')
		out.WriteString(strconv.Itoa(n.min))
		if n.max != n.min {
			out.WriteByte(',')
		}
		if n.max > n.min {
			out.WriteString(strconv.Itoa(n.max))
		}
		out.WriteByte('}')
	}
	if n.mode == lazy {
		out.WriteByte('?')
	}
}

func (n *node) emitBackref(out *strings.Builder, groups int) {
	switch {
	case n.index > groups:
		out.WriteString(neverMatch)
	case n.fold:
		out.WriteString(`(?i:\` + strconv.Itoa(n.index) + `)`)
	default:
		out.WriteString(`(?:\` + strconv.Itoa(n.index) + `)`)
	}
}
