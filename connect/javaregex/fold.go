package javaregex

import (
	"sync"
	"unicode"
)

// cased returns the characters that have another case.
var cased = sync.OnceValue(func() []rune {
	var runes []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.ToUpper(r) != r || unicode.ToLower(r) != r {
			runes = append(runes, r)
		}
	}
	return runes
})

// folded is the form in which Java compares characters without case.
func folded(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// foldRune returns the characters that match r under the flags: with i alone
// only ASCII letters have another case.
func foldRune(r rune, f flags) set {
	s := single(r)
	switch {
	case !f.has(flagCase):
	case f.has(flagUnicodeCase):
		for _, c := range cased() {
			if folded(c) == folded(r) {
				s = s.union(single(c))
			}
		}
	case isASCIILetter(r):
		s = s.union(single(r ^ 0x20))
	}
	return s
}

// foldSpan returns the characters that match a range under the flags.
func foldSpan(in span, f flags) set {
	s := set{in}
	if !f.has(flagCase) {
		return s
	}
	var more []span
	if f.has(flagUnicodeCase) {
		for _, c := range cased() {
			if s.contains(unicode.ToUpper(c)) || s.contains(folded(c)) {
				more = append(more, span{c, c})
			}
		}
		return s.union(more)
	}
	for c := 'A'; c <= 'Z'; c++ {
		if lower := c | 0x20; s.contains(c) || s.contains(lower) {
			more = append(more, span{c, c}, span{lower, lower})
		}
	}
	return s.union(more)
}

func isASCIILetter(r rune) bool {
	return r|0x20 >= 'a' && r|0x20 <= 'z' && r <= unicode.MaxASCII
}
