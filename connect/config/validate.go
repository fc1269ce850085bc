package config

import (
	"cmp"
	"slices"
	"strings"
)

// Value is the outcome of validating one key.
type Value struct {
	Name string
	// Value is the canonical text, [hidden] for passwords; nil for null and
	// for what did not parse.
	Value *string
	// Recommended and Errors are never nil.
	Recommended []string
	Errors      []string
	Visible     bool
}

// Validate checks props and returns the outcome for every key, in order. nulls
// names keys that are given as null, as JSON can do; they count as given.
//
// Unlike in [Def.Parse] the checks of a key also run on the null that remains
// when the key is missing or does not parse, and may add a second message: the
// validation resource of Connect does so.
func (d *Def) Validate(props map[string]string, nulls ...string) []Value {
	values := make([]Value, len(d.keys))
	parsed := Values{byName: make(map[string]any, len(d.keys))}
	for i, k := range d.keys {
		text, given := props[k.name]
		isNull := !given && slices.Contains(nulls, k.name)
		v, errs := k.validate(text, given, isNull)
		values[i] = Value{
			Name:        k.name,
			Value:       valueText(v),
			Recommended: []string{},
			Errors:      errs,
			Visible:     true,
		}
		parsed.byName[k.name] = v
	}
	for i, k := range d.keys {
		if k.recommend == nil {
			continue
		}
		recommended, visible := k.recommend(parsed.Sub(k.prefix))
		values[i].Recommended = append(values[i].Recommended, recommended...)
		values[i].Visible = visible
	}
	return values
}

func (k *key) validate(text string, given, isNull bool) (v any, errs []string) {
	errs = []string{}
	if !isNull {
		var err *Error
		if v, err = k.read(text, given); err != nil {
			errs = append(errs, err.Message)
		}
	}
	if err := k.verify(v); err != nil {
		errs = append(errs, err.Message)
	}
	return v, errs
}

// Unknown returns the names in props that are not defined, sorted.
func (d *Def) Unknown(props map[string]string) []string {
	var names []string
	for name := range props {
		if !d.Has(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// maxNearest is the number of names that Nearest returns at most.
const maxNearest = 3

// Nearest returns the candidates that word is probably a misspelling of,
// nearest first and at most three: those that a few insertions, deletions,
// replacements and swaps of neighbours turn it into, about one for every four
// letters. Letter case does not count. It returns nil if there are none.
func Nearest(word string, candidates []string) []string {
	type match struct {
		name     string
		distance int
	}
	lower := []rune(strings.ToLower(word))
	limit := 1 + len(lower)/4
	var matches []match
	for _, name := range candidates {
		if d := distance(lower, []rune(strings.ToLower(name))); d <= limit {
			matches = append(matches, match{name, d})
		}
	}
	slices.SortFunc(matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, m := range matches[:min(len(matches), maxNearest)] {
		names = append(names, m.name)
	}
	return names
}

// distance is the number of edits between a and b, with a swap of neighbours
// as one edit.
func distance(a, b []rune) int {
	before, last, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		next[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(last[j+1]+1, next[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(b)]
}
