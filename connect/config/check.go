package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/millrace-io/millrace/connect/javatext"
)

// Validator checks the parsed value v of key: nil (null), bool, string, int32,
// int16, int64, float64, []string or Password, by the type of the key. It also
// runs on null, and in [Def.Validate] on the null that is left by a value that
// did not parse. key is the name without the prefixes of [Def.Include].
//
// The text of an *Error, see [Invalid], is shown as it is; other errors become
// the reason in "Invalid value v for configuration key: reason". A Validator
// is an [Option] and may be called by several goroutines at once.
type Validator func(key string, v any) error

func (f Validator) apply(k *key) { k.checks = append(k.checks, Check{validate: f}) }

// Check is a validator that can say in words what it accepts. It is an
// [Option]; of several checks of a key the first that fails counts.
type Check struct {
	validate Validator
	text     string
	allowed  []string
}

func (c Check) apply(k *key) { k.checks = append(k.checks, c) }

// NewCheck returns a check that runs f and is described by text in the
// documentation.
func NewCheck(text string, f Validator) Check {
	return Check{validate: f, text: text}
}

// OrNull accepts null besides what c accepts.
func OrNull(c Check) Check {
	inner := c.validate
	c.validate = func(key string, v any) error {
		if v == nil {
			return nil
		}
		return inner(key, v)
	}
	c.text = "null or " + c.text
	return c
}

// AtLeast accepts numbers from least on, and not null.
func AtLeast[N int | int64 | float64](least N) Check {
	low := javaNumber(least)
	return Check{
		text: "at least " + low,
		validate: func(key string, v any) error {
			return checkRange(key, v, func(n float64) string {
				if n < float64(least) {
					return "Value must be at least " + low
				}
				return ""
			})
		},
	}
}

// Between accepts numbers from least to most, both included, and not null.
func Between[N int | int64 | float64](least, most N) Check {
	low, high := javaNumber(least), javaNumber(most)
	return Check{
		text: "from " + low + " to " + high,
		validate: func(key string, v any) error {
			return checkRange(key, v, func(n float64) string {
				switch {
				case n < float64(least):
					return "Value must be at least " + low
				case n > float64(most):
					return "Value must be no more than " + high
				}
				return ""
			})
		},
	}
}

func checkRange(key string, v any, reason func(n float64) string) error {
	var n float64
	switch v := v.(type) {
	case nil:
		return Invalid(key, v, "Value must be non-null")
	case int32:
		n = float64(v)
	case int16:
		n = float64(v)
	case int64:
		// Java compares as double, too.
		n = float64(v)
	case float64:
		n = v
	default:
		return Invalid(key, v, "Value must be a number")
	}
	if text := reason(n); text != "" {
		return Invalid(key, v, text)
	}
	return nil
}

func javaNumber[N int | int64 | float64](n N) string {
	switch n := any(n).(type) {
	case int:
		return strconv.Itoa(n)
	case int64:
		return strconv.FormatInt(n, 10)
	case float64:
		return javatext.Float64(n)
	}
	return ""
}

// OneOf accepts exactly the values given, and not null.
func OneOf(values ...string) Check {
	list := strings.Join(values, ", ")
	return Check{
		text:    "one of " + list,
		allowed: values,
		validate: func(key string, v any) error {
			if s, ok := v.(string); ok && slices.Contains(values, s) {
				return nil
			}
			return Invalid(key, v, "String must be one of: "+list)
		},
	}
}

// OneOfFold accepts the values given in any case, and not null. The message
// lists them in capitals, in the order of a Java hash set, as Connect does.
func OneOfFold(values ...string) Check {
	upper := make([]string, len(values))
	for i, v := range values {
		upper[i] = strings.ToUpper(v)
	}
	list := strings.Join(javatext.HashOrder(upper), ", ")
	return Check{
		text:    "one of " + strings.Join(values, ", ") + " in any case",
		allowed: values,
		validate: func(key string, v any) error {
			if s, ok := v.(string); ok && slices.Contains(upper, strings.ToUpper(s)) {
				return nil
			}
			return Invalid(key, v, "String must be one of (case insensitive): "+list)
		},
	}
}

// EachOneOf accepts lists of the values given, each at most once, and not
// null.
func EachOneOf(values ...string) Check {
	list := strings.Join(values, ", ")
	return Check{
		text:    "any of " + list,
		allowed: values,
		validate: func(key string, v any) error {
			if err := checkUnique(key, v); err != nil {
				return err
			}
			items, _ := v.([]string)
			for _, item := range items {
				if !slices.Contains(values, item) {
					return Invalid(key, item, "String must be one of: "+list)
				}
			}
			return nil
		},
	}
}

// Regex accepts null and what compile accepts; compile is the check of the
// regular expression library, whose text becomes part of the message.
func Regex(compile func(pattern string) error) Check {
	return Check{
		text: "regular expression",
		validate: func(key string, v any) error {
			s, ok := v.(string)
			if !ok {
				return nil
			}
			if err := compile(s); err != nil {
				return Invalid(key, v, "Invalid regex: "+err.Error())
			}
			return nil
		},
	}
}

// Rule is a check without parameters. It is an [Option].
type Rule uint8

const (
	// NonEmpty refuses the empty text. It accepts null.
	NonEmpty Rule = iota
	// ConnectorName refuses the empty text and control characters. It accepts
	// null.
	ConnectorName
	// UniqueList refuses null and lists with equal or empty elements.
	UniqueList
	// UniqueNonEmptyList is UniqueList that refuses the empty list, too.
	UniqueNonEmptyList
	// NonEmptyList refuses null and the empty list.
	NonEmptyList
	// Aliases refuses null and lists with equal elements.
	Aliases
)

var rules = [...]Check{
	NonEmpty:           {text: "non-empty text", validate: checkNonEmpty},
	ConnectorName:      {text: "non-empty text without control characters", validate: checkName},
	UniqueList:         {text: "distinct non-empty elements", validate: checkUnique},
	UniqueNonEmptyList: {text: "one or more distinct non-empty elements", validate: checkUniqueNonEmpty},
	NonEmptyList:       {text: "one or more elements", validate: checkNonEmptyList},
	Aliases:            {text: "distinct elements", validate: checkAliases},
}

func (r Rule) apply(k *key) { rules[r].apply(k) }

func checkNonEmpty(key string, v any) error {
	if v == "" {
		return Invalid(key, v, "String must be non-empty")
	}
	return nil
}

func checkName(key string, v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if s == "" {
		return Invalid(key, v, "String may not be empty")
	}
	var codes []string
	for _, r := range s {
		if unicode.IsControl(r) {
			codes = append(codes, strconv.Itoa(int(r)))
		}
	}
	if codes != nil {
		return Invalid(key, v, "String may not contain control sequences but had the following ASCII chars: "+
			strings.Join(codes, ", "))
	}
	return nil
}

func checkUnique(key string, v any) error {
	items, ok := v.([]string)
	switch {
	case !ok:
		return listError(key, v, "values must not be null.")
	case hasRepeated(items):
		return listError(key, v, "values must not be duplicated.")
	case slices.Contains(items, ""):
		return listError(key, v, "values must not be empty.")
	}
	return nil
}

func checkUniqueNonEmpty(key string, v any) error {
	if items, ok := v.([]string); ok && len(items) == 0 {
		return listError(key, v, "must not be empty. Valid values include: any non-empty value")
	}
	return checkUnique(key, v)
}

func listError(key string, v any, text string) *Error {
	return &Error{Key: key, Value: format(v), Message: fmt.Sprintf("Configuration '%s' %s", key, text)}
}

func checkNonEmptyList(key string, v any) error {
	if items, _ := v.([]string); len(items) == 0 {
		return Invalid(key, v, "Empty list")
	}
	return nil
}

func checkAliases(key string, v any) error {
	items, ok := v.([]string)
	switch {
	case !ok:
		return Invalid(key, v, "entry must be non null")
	case hasRepeated(items):
		return Invalid(key, v, "Duplicate alias provided.")
	}
	return nil
}

func hasRepeated(items []string) bool {
	seen := make(map[string]struct{}, len(items))
	for _, item := range items {
		seen[item] = struct{}{}
	}
	return len(seen) < len(items)
}
