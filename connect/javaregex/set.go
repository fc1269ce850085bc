package javaregex

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)

// span is a range of characters, both ends included.
type span struct {
	lo, hi rune
}

// set is a set of characters: spans in order that neither overlap nor touch.
// Sets are not changed once built.
type set []span

func newSet(spans ...span) set {
	s := slices.Clone(spans)
	slices.SortFunc(s, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	out := s[:0]
	for _, next := range s {
		if n := len(out); n > 0 && next.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, next.hi)
			continue
		}
		out = append(out, next)
	}
	return out
}

func single(r rune) set { return set{{r, r}} }

// runeSet is the set of the characters of text.
func runeSet(text string) set {
	var spans []span
	for _, r := range text {
		spans = append(spans, span{r, r})
	}
	return newSet(spans...)
}

// tableSet is the union of Unicode tables.
func tableSet(tables ...*unicode.RangeTable) set {
	var spans []span
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			spans = append(spans, span{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			spans = append(spans, span{r, r})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return newSet(spans...)
}

func (s set) union(others ...set) set {
	all := slices.Clone(s)
	for _, o := range others {
		all = append(all, o...)
	}
	return newSet(all...)
}

func (s set) negate() set {
	var out set
	next := rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, span{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, span{next, unicode.MaxRune})
	}
	return out
}

func (s set) intersect(o set) set {
	var out set
	for i, j := 0, 0; i < len(s) && j < len(o); {
		lo, hi := max(s[i].lo, o[j].lo), min(s[i].hi, o[j].hi)
		if lo <= hi {
			out = append(out, span{lo, hi})
		}
		if s[i].hi < o[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (s set) minus(o set) set { return s.intersect(o.negate()) }

func (s set) contains(r rune) bool {
	_, found := slices.BinarySearchFunc(s, r, func(e span, r rune) int {
		switch {
		case e.hi < r:
			return -1
		case e.lo > r:
			return 1
		default:
			return 0
		}
	})
	return found
}

// withoutSurrogates drops the code points that no Go string holds, moving the
// ends of spans only.
func (s set) withoutSurrogates() set {
	var out set
	for _, r := range s {
		if r.lo >= surrogateMin && r.lo <= surrogateMax {
			r.lo = surrogateMax + 1
		}
		if r.hi >= surrogateMin && r.hi <= surrogateMax {
			r.hi = surrogateMin - 1
		}
		if r.lo <= r.hi {
			out = append(out, r)
		}
	}
	return out
}

// emit writes the set in the syntax that both engines share.
func (s set) emit(out *strings.Builder) {
	s = s.withoutSurrogates()
	switch {
	case len(s) == 0:
		// Not the empty class, which no engine has: one that excludes all.
		out.WriteString(`[^\x{0}-\x{10ffff}]`)
		return
	case len(s) == 1 && s[0].lo == s[0].hi:
		emitRune(out, s[0].lo)
		return
	}
	out.WriteByte('[')
	for _, r := range s {
		emitRune(out, r.lo)
		if r.hi > r.lo {
			if r.hi > r.lo+1 {
				out.WriteByte('-')
			}
			emitRune(out, r.hi)
		}
	}
	out.WriteByte(']')
}

func emitRune(out *strings.Builder, r rune) {
	switch {
	case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		out.WriteRune(r)
	default:
		out.WriteString(`\x{`)
		out.WriteString(strconv.FormatInt(int64(r), 16))
		out.WriteByte('}')
	}
}
