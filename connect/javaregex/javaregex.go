// Package javaregex matches Java's regular expressions, with Java's syntax,
// meaning and replacement texts. Users of Connect write such patterns in many
// places: topics.regex, transformations, predicates, include lists.
//
// A pattern is parsed by the rules of java.util.regex of Java 17 and written
// anew, with all flags and classes resolved, for one of two engines: the
// standard library's, which takes time linear in the text, where it has the
// same meaning; else a backtracking one that holds look-around,
// back-references and possessive quantifiers, under a time limit.
//
// Not supported, and errors of [Compile], are \b{g}, \N{name} and the rarer
// Unicode blocks. As in Java 17, \b sees letters and digits of all scripts
// while \w is ASCII without the flag U. Look-behind may have any length but
// hold no back-reference; Java limits its length. Groups inside look-around may hold other
// texts than in Java, which keeps what a failed attempt left in them.
//
// Texts are taken as UTF-8; an invalid byte counts as U+FFFD.
package javaregex

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

const (
	// DefaultTimeout is the time limit of a match without [WithTimeout].
	DefaultTimeout = time.Second
	// maxBacktracking is the number of entries on the backtracking engine's
	// stack, some 32 MB.
	maxBacktracking = 1 << 22
)

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	pattern string
	groups  int
	names   map[string]int
	timeout time.Duration
	whole   engine
	find    engine
	// advance finds the next match of a repeated search; see replace.
	advance func() (advancer, error)
}

// Option changes how a pattern is matched.
type Option func(*Regexp)

// WithTimeout sets the time limit of each call of a method; 0 or less means
// none. The limit is kept to about a tenth of a second, and only where the
// backtracking engine runs.
func WithTimeout(limit time.Duration) Option {
	return func(r *Regexp) { r.timeout = limit }
}

// Compile parses a pattern. The error is a *[SyntaxError].
func Compile(pattern string, opts ...Option) (*Regexp, error) {
	tree, p, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	r := &Regexp{pattern: pattern, groups: p.groups, names: p.names, timeout: DefaultTimeout}
	for _, o := range opts {
		o(r)
	}
	full := &node{op: opConcat, subs: []*node{
		{op: opAnchor, anchor: atStart},
		tree.endingAtEnd(),
		{op: opAnchor, anchor: atEnd},
	}}
	if r.whole, err = r.newEngine(full); err != nil {
		return nil, err
	}
	if r.find, err = r.newEngine(tree); err != nil {
		return nil, err
	}
	r.advance = sync.OnceValues(func() (advancer, error) { return r.newAdvancer(tree) })
	return r, nil
}

// MustCompile is [Compile] for patterns in the program text; it panics if the
// pattern is wrong.
func MustCompile(pattern string, opts ...Option) *Regexp {
	r, err := Compile(pattern, opts...)
	if err != nil {
		panic(fmt.Errorf("compile %q: %w", pattern, err))
	}
	return r
}

// Check returns the error that [Compile] would return; it is the form in which
// package config takes a check of patterns.
func Check(pattern string) error {
	_, err := Compile(pattern)
	return err
}

// StopClock ends the goroutine that times matches, which otherwise ends by
// itself a second or so after the last of them, and waits for it. It is for
// tests that look for leaked goroutines; no match may run meanwhile.
func StopClock() { regexp2.StopTimeoutClock() }

// String returns the pattern.
func (r *Regexp) String() string { return r.pattern }

// NumGroups returns the number of groups, the whole match not counted.
func (r *Regexp) NumGroups() int { return r.groups }

// MatchWhole reports whether the pattern matches all of s, as
// Matcher.matches does.
func (r *Regexp) MatchWhole(s string) (bool, error) {
	return r.whole.matches(s)
}

// MatchAnywhere reports whether the pattern matches a part of s, as
// Matcher.find does.
func (r *Regexp) MatchAnywhere(s string) (bool, error) {
	return r.find.matches(s)
}

// WholeGroups returns the texts of the groups, from 0 on, of a match of all of
// s; nil if there is none. Groups that took no part are empty.
func (r *Regexp) WholeGroups(s string) ([]string, error) {
	return groupTexts(r.whole, s)
}

// FindGroups is [Regexp.WholeGroups] for the first match anywhere in s.
func (r *Regexp) FindGroups(s string) ([]string, error) {
	return groupTexts(r.find, s)
}

func groupTexts(e engine, s string) ([]string, error) {
	m, err := e.match(s)
	if m == nil {
		return nil, err
	}
	texts := make([]string, len(m)/2)
	for i := range texts {
		texts[i] = m.group(s, i)
	}
	return texts, nil
}

// match holds the byte offsets of the groups, two for each, -1 for those that
// took no part.
type match []int

func (m match) group(s string, n int) string {
	if m[2*n] < 0 {
		return ""
	}
	return s[m[2*n]:m[2*n+1]]
}

// engine finds the first match in a text, nil if there is none, or only tells
// whether there is one.
type engine interface {
	match(s string) (match, error)
	matches(s string) (bool, error)
}

// linear is the engine of the standard library.
type linear struct {
	*regexp.Regexp
}

func (l linear) match(s string) (match, error) { return l.FindStringSubmatchIndex(s), nil }

func (l linear) matches(s string) (bool, error) { return l.MatchString(s), nil }

// newEngine chooses the engine for a tree.
func (r *Regexp) newEngine(tree *node) (engine, error) {
	if tree.isLinear() {
		var out strings.Builder
		tree.emit(&out, r.groups)
		// What is too large for this engine goes to the other.
		if re, err := regexp.Compile(out.String()); err == nil {
			return linear{re}, nil
		}
	}
	return r.newBacktracker(tree, "")
}

// backtracker is the engine with Java's full power.
type backtracker struct {
	re     *regexp2.Regexp
	groups int
}

// newBacktracker compiles a tree with prefix in front.
func (r *Regexp) newBacktracker(tree *node, prefix string) (*backtracker, error) {
	var out strings.Builder
	out.WriteString(prefix)
	tree.emit(&out, r.groups)
	re, err := regexp2.Compile(out.String(), regexp2.OptionMaxBacktrackingStackSize(maxBacktracking))
	if err != nil {
		return nil, &SyntaxError{Description: "Pattern is not supported: " + firstLine(err.Error()), Index: -1, Pattern: r.pattern}
	}
	if r.timeout > 0 {
		re.MatchTimeout = r.timeout
	}
	return &backtracker{re: re, groups: r.groups}, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func (b *backtracker) match(s string) (match, error) {
	m, err := b.matchFrom([]rune(s), 0)
	if m == nil {
		return nil, err
	}
	m.translate(byteOffsets(s))
	return m, nil
}

// matchFrom returns the first match that begins at a rune from start on, with
// offsets in runes.
func (b *backtracker) matchFrom(text []rune, start int) (match, error) {
	var m match
	err := b.re.FindRunesMatches(text, start, func(v regexp2.MatchView) bool {
		m = make(match, 2*(b.groups+1))
		for i := range b.groups + 1 {
			from, length, ok := v.GroupRange(i)
			if !ok {
				from, length = -1, 0
			}
			m[2*i], m[2*i+1] = from, from+length
		}
		return false
	})
	if err != nil {
		return nil, matchError(err)
	}
	return m, nil
}

// matchError names an error of the engine, which has no others than those of
// its stack and of its clock.
func matchError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, regexp2.ErrBacktrackingStackLimit):
		return ErrTooDeep
	default:
		return ErrTimeout
	}
}

func (b *backtracker) matches(s string) (bool, error) {
	ok, err := b.re.MatchString(s)
	return ok, matchError(err)
}

// byteOffsets returns the offset in bytes of each rune of s, and of the end;
// nil if the offsets in runes are the same.
func byteOffsets(s string) []int {
	n := utf8.RuneCountInString(s)
	if n == len(s) {
		return nil
	}
	offsets := make([]int, 0, n+1)
	for i := range s {
		offsets = append(offsets, i)
	}
	return append(offsets, len(s))
}

// translate turns offsets in runes into offsets in bytes.
func (m match) translate(offsets []int) {
	if offsets == nil {
		return
	}
	for i, at := range m {
		if at >= 0 {
			m[i] = offsets[at]
		}
	}
}
