package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// sequence is an arithmetic progression that wraps around. Its state is the distance from the start, so that going on
// by any number of values is one multiplication.
//
// Numbers with a fraction are counted in units of their last decimal, so that they do not collect errors.
type sequence struct {
	start int64
	down  bool
	size  uint64 // distance between start and restart
	step  uint64 // less than the size
	first uint64 // distance of the first value
	unit  float64
}

// at returns the value at a distance.
func (s *sequence) at(distance uint64) int64 {
	if s.down {
		return s.start - int64(distance)
	}
	return s.start + int64(distance)
}

// real returns the value at a distance as a number with a fraction.
func (s *sequence) real(distance uint64) float64 { return float64(s.at(distance)) / s.unit }

// next returns the distance of the value that follows.
func (s *sequence) next(distance uint64) uint64 {
	if left := s.size - distance; s.step >= left {
		return s.step - left
	}
	return distance + s.step
}

// skip returns the distance of the value that follows after n others.
func (s *sequence) skip(distance, n uint64) uint64 {
	high, low := bits.Mul64(s.step, n)
	low, carry := bits.Add64(low, distance, 0)
	return bits.Rem64(high+carry, low, s.size)
}

// errStart says what an iteration must have.
var errStart = errors.New("must be an object with start")

// bounds are the numbers that an iteration may have, in its units.
type bounds struct{ min, max int64 }

// iterate reads an iteration of numbers that read returns as integers.
func iterate(o object, limits bounds, read func(any) (int64, error)) (*sequence, error) {
	n, has, err := iterationNumbers(o, read)
	if err != nil {
		return nil, err
	}
	if !has[propStep] {
		if n[propStep], err = read(json.Number("1")); err != nil {
			return nil, err
		}
		if has[propRestart] && n[propRestart] < n[propStart] {
			n[propStep] *= -1
		}
	}
	s := &sequence{start: n[propStart], down: n[propStep] < 0, unit: 1}
	if !has[propRestart] {
		n[propRestart] = limits.max
		if s.down {
			n[propRestart] = limits.min
		}
	}
	if !has[propInitial] {
		n[propInitial] = s.start
	}
	return s, s.set(n[propRestart], n[propStep], n[propInitial])
}

// iterationNumbers reads the numbers of an iteration that are there.
func iterationNumbers(o object, read func(any) (int64, error)) (n map[string]int64, has map[string]bool, err error) {
	n, has = map[string]int64{}, map[string]bool{}
	for _, name := range []string{propStart, propRestart, propStep, propInitial} {
		v, ok := o.get(name)
		if !ok {
			continue
		}
		if n[name], err = read(v); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		has[name] = true
	}
	if !has[propStart] {
		return nil, nil, errStart
	}
	return n, has, nil
}

// set completes a sequence whose start and direction are known.
func (s *sequence) set(restart, step, initial int64) error {
	switch {
	case restart == s.start:
		return errors.New("restart must differ from start")
	case step == 0:
		return errors.New("step must not be zero")
	case s.down != (restart < s.start):
		return errors.New("step must be positive if restart is greater than start, and negative if it is less")
	}
	s.size = distance(s.start, restart)
	s.step = distance(0, step) % s.size
	s.first = distance(s.start, initial)
	if s.first >= s.size || initial != s.start && (initial < s.start) != s.down {
		return errors.New("initial must be from start to before restart")
	}
	return nil
}

func distance(a, b int64) uint64 {
	if b < a {
		a, b = b, a
	}
	return uint64(b) - uint64(a)
}

// iterateIntegers reads the iteration of numbers with that many bits, or of the texts of such numbers.
func iterateIntegers(o object, size int) (*sequence, error) {
	limits := bounds{math.MinInt64 >> (64 - size), math.MaxInt64 >> (64 - size)}
	return iterate(o, limits, func(v any) (int64, error) { return integer(v, size) })
}

// iterateBooleans reads the iteration of a boolean, which alternates.
func iterateBooleans(o object) (*sequence, error) {
	for _, m := range o {
		if m.name == propRestart || m.name == propStep || m.name == propInitial {
			return nil, fmt.Errorf("%s does not apply to boolean, which has start alone", m.name)
		}
	}
	v, _ := o.get(propStart)
	start, ok := v.(bool)
	if !ok {
		return nil, errors.New("must be an object with start, which is true or false")
	}
	s := &sequence{size: 2, step: 1, unit: 1}
	if start {
		s.first = 1
	}
	return s, nil
}

// maxUnits is how far from zero an iteration of numbers with a fraction may go, in units of the last decimal: up to
// there a float64 is exact.
const maxUnits = 1 << 53

// iterateReals reads the iteration of numbers with a fraction.
func iterateReals(o object) (*sequence, error) {
	places := 0
	for _, m := range o {
		if n, ok := m.value.(json.Number); ok && !endless(m) {
			places = max(places, decimals(string(n)))
		}
	}
	if places > maxPlaces {
		return nil, errDigits
	}
	limits := bounds{-maxUnits, maxUnits}
	s, err := iterate(endlessly(o), limits, func(v any) (int64, error) { return units(v, places) })
	if err != nil {
		return nil, err
	}
	s.unit = math.Pow10(places)
	return s, nil
}

// maxPlaces is the largest power of ten that a float64 holds exactly.
const maxPlaces = 22

var errDigits = errors.New("must be a number that is, like the others, at most 2^53 units of the last decimal of any of them")

// endless tells whether a restart is so far away that it will never come.
func endless(m member) bool {
	f, err := realNumber(m.value, math.MaxFloat64)
	return m.name == propRestart && err == nil && math.Abs(f) > maxUnits
}

// endlessly returns the iteration without a restart that will never come. A step keeps its direction.
func endlessly(o object) object {
	out := object{}
	for _, m := range o {
		if !endless(m) {
			out = append(out, m)
			continue
		}
		if _, ok := o.get(propStep); !ok && strings.HasPrefix(string(m.value.(json.Number)), "-") {
			out = append(out, member{propStep, json.Number("-1")})
		}
	}
	return out
}

// decimals returns how many digits after the point the plain form of a number has.
func decimals(n string) int {
	digits, exponent := splitNumber(n)
	_, fraction, _ := strings.Cut(digits, ".")
	return max(0, len(strings.TrimRight(fraction, "0"))-exponent)
}

// splitNumber splits a JSON number into its digits and its exponent.
func splitNumber(n string) (digits string, exponent int) {
	i := strings.IndexAny(n, "eE")
	if i < 0 {
		return n, 0
	}
	exponent, err := strconv.Atoi(n[i+1:])
	if err != nil || exponent < -400 || exponent > 400 {
		exponent = -400
	}
	return n[:i], exponent
}

// units returns a JSON number in units of a decimal place that it has no digits after.
func units(v any, places int) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, errors.New("must be a number")
	}
	digits, exponent := splitNumber(string(n))
	whole, fraction, _ := strings.Cut(digits, ".")
	fraction = strings.TrimRight(fraction, "0")
	zeros := places + exponent - len(fraction)
	i, err := strconv.ParseInt(whole+fraction, 10, 64)
	for ; err == nil && zeros > 0 && i > -maxUnits && i < maxUnits; zeros-- {
		i *= 10
	}
	for ; err == nil && zeros < 0 && i%10 == 0; zeros++ {
		i /= 10
	}
	if err != nil || zeros != 0 && i != 0 || i < -maxUnits || i > maxUnits {
		return 0, errDigits
	}
	return i, nil
}
