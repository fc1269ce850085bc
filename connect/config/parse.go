package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/connect/javatext"
)

// Values are the parsed values of one configuration. They do not change and
// are safe for concurrent use. The zero Values holds nothing.
type Values struct {
	byName map[string]any
	prefix string
}

func (v Values) get(name string) any { return v.byName[v.prefix+name] }

// Sub returns the values whose names begin with prefix, under their names
// without it. It is how the keys of a definition that was included with a
// prefix find their values.
func (v Values) Sub(prefix string) Values {
	v.prefix += prefix
	return v
}

// Text returns the canonical text of the value called name: numbers and
// booleans as Java writes them, lists joined by commas, passwords as [hidden].
// ok is false if the value is null or there is none.
func (v Values) Text(name string) (text string, ok bool) {
	if t := valueText(v.get(name)); t != nil {
		return *t, true
	}
	return "", false
}

// Parse returns the typed values of props, with defaults for what is not
// given. Keys that are not defined are ignored, see [Def.Unknown]. The error
// is of type [Errors] and holds the first violation of each key.
func (d *Def) Parse(props map[string]string) (Values, error) {
	values := make(map[string]any, len(d.keys))
	var errs Errors
	for _, k := range d.keys {
		text, given := props[k.name]
		v, err := k.read(text, given)
		if err == nil {
			err = k.verify(v)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		values[k.name] = v
	}
	if errs != nil {
		return Values{}, errs
	}
	return Values{byName: values}, nil
}

// read returns the parsed text, or the default when none is given.
func (k *key) read(text string, given bool) (any, *Error) {
	switch {
	case given:
		v, reason := k.parse(text)
		if reason == "" {
			return v, nil
		}
		return nil, Invalid(k.name, text, reason)
	case k.hasDefault:
		return k.fallback, nil
	default:
		return nil, missing(k.name)
	}
}

// parse returns the value of text, or the reason why it has none.
func (k *key) parse(text string) (v any, reason string) {
	trimmed := javatext.Trim(text)
	switch k.typ {
	case TypeBoolean:
		return parseBoolean(trimmed)
	case TypeInt, TypeShort, TypeLong:
		return k.parseInteger(trimmed)
	case TypeDouble:
		f, ok := javatext.ParseFloat(trimmed, 64)
		if !ok {
			return nil, "Not a number of type DOUBLE"
		}
		return f, ""
	case TypeList:
		return splitList(trimmed), ""
	case TypePassword:
		return NewPassword(trimmed), ""
	case TypeClass:
		if k.resolve == nil {
			return trimmed, ""
		}
		full, ok := k.resolve(trimmed)
		if !ok {
			return nil, "Class " + text + " could not be found."
		}
		return full, ""
	default:
		return trimmed, ""
	}
}

func parseBoolean(trimmed string) (v any, reason string) {
	switch {
	case strings.EqualFold(trimmed, "true"):
		return true, ""
	case strings.EqualFold(trimmed, "false"):
		return false, ""
	default:
		return nil, "Expected value to be either true or false"
	}
}

func (k *key) parseInteger(trimmed string) (v any, reason string) {
	bits := 64
	switch k.typ {
	case TypeInt:
		bits = 32
	case TypeShort:
		bits = 16
	}
	n, ok := javatext.ParseInt(trimmed, bits)
	switch {
	case !ok:
		return nil, "Not a number of type " + k.typ.String()
	case k.typ == TypeInt:
		return int32(n), ""
	case k.typ == TypeShort:
		return int16(n), ""
	default:
		return n, ""
	}
}

// splitList splits at commas and drops the white space around them: the
// characters of \s in Java, which are fewer than those trimmed at the ends.
func splitList(trimmed string) []string {
	if trimmed == "" {
		return []string{}
	}
	items := strings.Split(trimmed, ",")
	last := len(items) - 1
	const blanks = " \t\n\v\f\r"
	for i := range items {
		if i > 0 {
			items[i] = strings.TrimLeft(items[i], blanks)
		}
		if i < last {
			items[i] = strings.TrimRight(items[i], blanks)
		}
	}
	return items
}

// verify runs the checks up to the first that fails.
func (k *key) verify(v any) *Error {
	short := strings.TrimPrefix(k.name, k.prefix)
	for _, c := range k.checks {
		err := c.validate(short, v)
		if err == nil {
			continue
		}
		e := asError(err, short, v)
		e.Key = k.name
		return e
	}
	return nil
}

// asError returns a copy of the violation in err with no secret in it.
func asError(err error, short string, v any) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = Invalid(short, v, err.Error())
	}
	c := *e
	if p, ok := v.(Password); ok && p.Reveal() != "" && strings.Contains(c.Message, p.Reveal()) {
		return Invalid(short, v, "")
	}
	return &c
}

// valueText returns the canonical text of a parsed value, nil for null.
func valueText(v any) *string {
	if v == nil {
		return nil
	}
	text := format(v)
	if items, ok := v.([]string); ok {
		text = strings.Join(items, ",")
	}
	return &text
}

// format returns a value as it shows in messages.
func format(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int16:
		return strconv.Itoa(int(v))
	case int32:
		return strconv.Itoa(int(v))
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return javatext.Float64(v)
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}
