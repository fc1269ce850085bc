package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// propsKey is the attribute of a type that says how to generate its values.
const propsKey = "arg.properties"

// Names in arg.properties.
const (
	propOptions   = "options"
	propRange     = "range"
	propIteration = "iteration"
	propLength    = "length"
	propRegex     = "regex"
	propPrefix    = "prefix"
	propSuffix    = "suffix"
	propKeys      = "keys"
	propOdds      = "odds"

	propMin      = "min"
	propMax      = "max"
	propStart    = "start"
	propRestart  = "restart"
	propStep     = "step"
	propInitial  = "initial"
	propFile     = "file"
	propEncoding = "encoding"
)

// exclusive lists what must not stand together with a property.
var exclusive = []struct {
	property string
	others   []string
}{
	{propOptions, []string{propLength, propRegex, propIteration, propRange}},
	{propIteration, []string{propLength, propRegex, propRange}},
}

// checkExclusive refuses properties that contradict each other, whatever the type makes of them.
func checkExclusive(props object) error {
	for _, e := range exclusive {
		if _, ok := props.get(e.property); !ok {
			continue
		}
		for _, other := range e.others {
			if _, ok := props.get(other); ok {
				return fmt.Errorf("%s and %s exclude each other", e.property, other)
			}
		}
	}
	return nil
}

// Default limits of the length of strings, bytes, arrays and maps, the upper one exclusive.
const (
	minLength = 8
	maxLength = 16
)

// span is a range of numbers, the upper limit exclusive.
type span[T int64 | float64] struct{ min, max T }

// lengthOf reads a length, which is one number, or a range with both limits or one.
func lengthOf(props object) (l span[int64], ok bool, err error) {
	v, ok := props.get(propLength)
	if !ok {
		return span[int64]{minLength, maxLength}, false, nil
	}
	if l, err = readLength(v); err != nil {
		return l, false, fmt.Errorf("%s: %w", propLength, err)
	}
	return l, true, nil
}

func readLength(v any) (l span[int64], err error) {
	o, ok := v.(object)
	if !ok {
		if l.min, err = integer(v, 32); err != nil || l.min < 0 {
			return l, errors.New("must be an integer that is not negative, or an object with min, max or both")
		}
		return span[int64]{l.min, l.min + 1}, nil
	}
	return readSpan(o, span[int64]{0, math.MaxInt32}, func(v any) (int64, error) {
		n, err := integer(v, 32)
		if err == nil && n < 0 {
			err = errors.New("must not be negative")
		}
		return n, err
	})
}

// readSpan reads min and max, one of which may be missing.
func readSpan[T int64 | float64](o object, limits span[T], number func(any) (T, error)) (s span[T], err error) {
	low, hasMin := o.get(propMin)
	high, hasMax := o.get(propMax)
	if !hasMin && !hasMax {
		return s, errors.New("must have min, max or both")
	}
	s = limits
	if hasMin {
		if s.min, err = number(low); err != nil {
			return s, fmt.Errorf("min: %w", err)
		}
	}
	if hasMax {
		if s.max, err = number(high); err != nil {
			return s, fmt.Errorf("max: %w", err)
		}
	}
	if s.min >= s.max {
		return s, errors.New("min must be less than max")
	}
	return s, nil
}

// rangeOf reads the range of numbers; false if there is none.
func rangeOf[T int64 | float64](props object, limits span[T], number func(any) (T, error)) (s span[T], ok bool, err error) {
	v, ok := props.get(propRange)
	if !ok {
		return limits, false, nil
	}
	o, ok := v.(object)
	if !ok {
		return s, false, fmt.Errorf("%s: must be an object with min, max or both", propRange)
	}
	if s, err = readSpan(o, limits, number); err != nil {
		return s, false, fmt.Errorf("%s: %w", propRange, err)
	}
	return s, true, nil
}

// realNumber returns a JSON number of at most that magnitude.
func realNumber(v any, limit float64) (float64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, errors.New("must be a number")
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || math.Abs(f) > limit {
		return 0, fmt.Errorf("must be a number up to %g", limit)
	}
	return f, nil
}

// textProp returns a property that must be a string, empty if it is not there.
func textProp(props object, name string) (string, bool, error) {
	v, ok := props.get(name)
	if !ok {
		return "", false, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", false, fmt.Errorf("%s: must be a string", name)
	}
	return s, true, nil
}

// oddsOf reads the probability of true; false if there is none.
func oddsOf(props object) (float64, bool, error) {
	v, ok := props.get(propOdds)
	if !ok {
		return 0, false, nil
	}
	f, err := realNumber(v, 1)
	if err != nil || f < 0 {
		return 0, false, fmt.Errorf("%s: must be a number from 0.0 to 1.0", propOdds)
	}
	return f, true, nil
}
