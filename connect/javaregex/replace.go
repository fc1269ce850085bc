package javaregex

import (
	"strconv"
	"strings"
	"time"
)

// ReplaceFirst replaces the first match in s as Matcher.replaceFirst does. In
// replacement $1 and ${name} stand for groups, a backslash takes the next
// character as it is. The error may be a *[ReplacementError], but only where
// the pattern matches.
func (r *Regexp) ReplaceFirst(s, replacement string) (string, error) {
	m, err := r.find.match(s)
	if m == nil {
		return s, err
	}
	var out strings.Builder
	out.WriteString(s[:m[0]])
	if err := r.expand(&out, replacement, s, m); err != nil {
		return "", err
	}
	out.WriteString(s[m[1]:])
	return out.String(), nil
}

// ReplaceAll replaces all matches in s as Matcher.replaceAll does, see
// [Regexp.ReplaceFirst]. An empty match right behind another match counts, so
// that .* matches twice in a text.
func (r *Regexp) ReplaceAll(s, replacement string) (string, error) {
	a, err := r.advance()
	if err != nil {
		return "", err
	}
	matches, err := a.all(s)
	if err != nil {
		return "", err
	}
	if matches == nil {
		return s, nil
	}
	var out strings.Builder
	last := 0
	for _, m := range matches {
		out.WriteString(s[last:m[0]])
		if err := r.expand(&out, replacement, s, m); err != nil {
			return "", err
		}
		last = m[1]
	}
	out.WriteString(s[last:])
	return out.String(), nil
}

// advancer finds all matches in a text as repeated calls of Matcher.find do.
type advancer interface {
	all(s string) ([]match, error)
}

// all is what Java finds as long as no match is empty.
func (l linear) all(s string) ([]match, error) {
	found := l.FindAllStringSubmatchIndex(s, -1)
	matches := make([]match, len(found))
	for i, m := range found {
		matches[i] = m
	}
	if len(matches) == 0 {
		return nil, nil
	}
	return matches, nil
}

func (r *Regexp) newAdvancer(tree *node) (advancer, error) {
	if l, ok := r.find.(linear); ok && !tree.canBeEmpty() {
		return l, nil
	}
	first, err := r.newBacktracker(tree, "")
	if err != nil {
		return nil, err
	}
	a := &stepper{first: first, limit: r.timeout}
	usesPrevious := func(n *node) bool { return n.op == opAnchor && n.anchor == atPrevious }
	if tree.has(usesPrevious) {
		// After an empty match \G stays where that was while the search goes
		// on one character later.
		a.later, err = r.newBacktracker(tree, `(?!\G)`)
	}
	return a, err
}

// stepper drives the backtracking engine over a text.
type stepper struct {
	first *backtracker
	// later, if not nil, finds what does not begin at the start.
	later *backtracker
	limit time.Duration
}

func (a *stepper) all(s string) ([]match, error) {
	text := []rune(s)
	begin := time.Now()
	var matches []match
	start, engine := 0, a.first
	for start <= len(text) {
		if a.limit > 0 && time.Since(begin) > a.limit {
			return nil, ErrTimeout
		}
		m, err := engine.matchFrom(text, start)
		if err != nil {
			return nil, err
		}
		if m == nil {
			break
		}
		matches = append(matches, m)
		start, engine = m[1], a.first
		if m[1] > m[0] {
			continue
		}
		if a.later != nil {
			engine = a.later
		} else {
			start++
		}
	}
	offsets := byteOffsets(s)
	for _, m := range matches {
		m.translate(offsets)
	}
	return matches, nil
}

// expand writes the replacement of one match.
func (r *Regexp) expand(out *strings.Builder, replacement, s string, m match) error {
	for i := 0; i < len(replacement); {
		switch c := replacement[i]; c {
		case '\\':
			i++
			if i == len(replacement) {
				return argumentError("character to be escaped is missing")
			}
			// The bytes that follow the first of a character are written next.
			out.WriteByte(replacement[i])
			i++
		case '$':
			group, length, err := r.reference(replacement[i+1:])
			if err != nil {
				return err
			}
			out.WriteString(m.group(s, group))
			i += 1 + length
		default:
			out.WriteByte(c)
			i++
		}
	}
	return nil
}

// reference reads what follows a dollar sign: the number of a group, and the
// length of what names it.
func (r *Regexp) reference(text string) (group, length int, err error) {
	switch {
	case text == "":
		return 0, 0, argumentError("Illegal group reference: group index is missing")
	case text[0] == '{':
		return r.namedReference(text)
	case !isDigit(rune(text[0])):
		return 0, 0, argumentError("Illegal group reference")
	}
	group = int(text[0] - '0')
	if group > r.groups {
		return 0, 0, &ReplacementError{Message: "No group " + strconv.Itoa(group), class: boundsClass}
	}
	length = 1
	for length < len(text) && isDigit(rune(text[length])) {
		next := 10*group + int(text[length]-'0')
		if next > r.groups {
			break
		}
		group = next
		length++
	}
	return group, length, nil
}

func (r *Regexp) namedReference(text string) (group, length int, err error) {
	end := 1
	for end < len(text) && (isASCIILetter(rune(text[end])) || isDigit(rune(text[end]))) {
		end++
	}
	name := text[1:end]
	switch {
	case name == "":
		return 0, 0, argumentError("named capturing group has 0 length name")
	case end == len(text) || text[end] != '}':
		return 0, 0, argumentError("named capturing group is missing trailing '}'")
	case isDigit(rune(name[0])):
		return 0, 0, argumentError("capturing group name {" + name + "} starts with digit character")
	}
	group, ok := r.names[name]
	if !ok {
		return 0, 0, argumentError("No group with name {" + name + "}")
	}
	return group, end + 1, nil
}

func argumentError(message string) error {
	return &ReplacementError{Message: message, class: argumentClass}
}
