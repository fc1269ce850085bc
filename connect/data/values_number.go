package data

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connect/javatext"
)

// digit returns the value of a decimal digit of the basic plane. Java reads numbers by UTF-16 units, so that digits
// of other planes are none.
func digit(r rune) (int, bool) {
	if r > 0xFFFF {
		return 0, false
	}
	return javatext.Digit(r)
}

func startsWithDigit(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	_, ok := digit(r)
	return ok
}

// parseNumber reads a number in the narrowest type: integers in one of the four widths, also when written 1.0 or 1e3, or
// a Decimal if they are too large; others as FLOAT32 even if digits are lost, as FLOAT64 or Decimal only when they are
// too large.
func parseNumber(text string) (*Schema, Value, bool) {
	if text == "" || text[0] != '+' && text[0] != '-' && !startsWithDigit(text) {
		return nil, Null, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		s, v := narrowest(n)
		return s, v, true
	}
	text = plainDigits(text)
	d, ok := ParseDecimal(text)
	if !ok {
		return nil, Null, false
	}
	if n, ok := d.wholeInt64(); ok {
		s, v := narrowest(n)
		return s, v, true
	}
	if d.aux != 0 {
		if f, err := strconv.ParseFloat(text, 32); err == nil {
			return Float32Schema, Float32(float32(f)), true
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return Float64Schema, Float64(f), true
		}
	}
	return NewDecimalBuilder(d.aux).MustBuild(), d, true
}

func narrowest(n int64) (*Schema, Value) {
	switch {
	case n == int64(int8(n)):
		return Int8Schema, Int8(int8(n))
	case n == int64(int16(n)):
		return Int16Schema, Int16(int16(n))
	case n == int64(int32(n)):
		return Int32Schema, Int32(int32(n))
	default:
		return Int64Schema, Int64(n)
	}
}

// plainDigits replaces the digits of all scripts by those of ASCII.
func plainDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if d, ok := digit(r); ok {
			return '0' + rune(d)
		}
		return r
	}, text)
}

// maxInt64Digits is the number of digits of the largest 64-bit integer.
const maxInt64Digits = 19

// wholeInt64 returns the value of a decimal that has no fraction and fits 64 bits.
func (v Value) wholeInt64() (int64, bool) {
	digits := v.Unscaled().String()
	if digits == "0" {
		return 0, true
	}
	switch scale := int(v.aux); {
	case scale >= len(digits):
		return 0, false
	case scale > 0:
		whole := len(digits) - scale
		if strings.Trim(digits[whole:], "0") != "" {
			return 0, false
		}
		digits = digits[:whole]
	case len(digits)-scale > maxInt64Digits+1:
		return 0, false
	default:
		digits += strings.Repeat("0", -scale)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// lowBits returns the lowest 64 bits of the whole part of a decimal, which is what Java's narrowing gives.
func (v Value) lowBits() int64 {
	x := v.Unscaled()
	switch scale := int64(v.aux); {
	case scale <= -64: // a multiple of two to the power of 64
		return 0
	case scale > int64(x.BitLen()): // smaller than one
		return 0
	case scale > 0:
		x.Quo(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(scale), nil))
	case scale < 0:
		x.Mul(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(-scale), nil))
	}
	return int64(x.And(x, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
}

// nearestFloat64 returns the float nearest to a decimal, an infinity if it is too large.
func (v Value) nearestFloat64() float64 {
	f, _ := strconv.ParseFloat(string(v.appendDecimal(nil)), 64)
	return f
}

// truncate64 drops the fraction as Java does: NaN is 0, and what is out of range the nearest limit.
func truncate64(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(f)
	}
}

// truncate32 is truncate64 for 32 bits.
func truncate32(f float64) int32 {
	return int32(max(math.MinInt32, min(math.MaxInt32, truncate64(f))))
}

const classNumberFormat = "java.lang.NumberFormatException"

// parseDecimalText is [ParseDecimal] for digits of any script, with the error of java.math.BigDecimal.
func parseDecimalText(text string) (Value, error) {
	if v, ok := ParseDecimal(plainDigits(text)); ok {
		return v, nil
	}
	return Null, &Error{Class: classNumberFormat, Message: decimalComplaint(text)}
}

// decimalComplaint says what is wrong with a text that is no number, in the reference's words. It has none for a text
// that ends too early.
func decimalComplaint(text string) string {
	rest := text
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	digits, point := 0, false
	for i, r := range rest {
		_, isDigit := digit(r)
		switch {
		case isDigit:
			digits++
		case r == '.' && point:
			return "Character array contains more than one decimal point."
		case r == '.':
			point = true
		case r == 'e' || r == 'E':
			return exponentComplaint(rest[i+1:], digits)
		default:
			return strangerComplaint(rest, r)
		}
	}
	if text == "" {
		return ""
	}
	return "No digits found."
}

// longDecimal is the number of characters, without the sign, from which the reference reads a number another way and
// complains with other words.
const longDecimal = 19

func strangerComplaint(unsigned string, r rune) string {
	if utf16Len(unsigned) >= longDecimal {
		return `Character array is missing "e" notation exponential mark.`
	}
	if r > 0xFFFF {
		r = '?'
	}
	return "Character " + string(r) + ` is neither a decimal digit number, decimal point, nor "e" notation exponential mark.`
}

// maxExponentDigits is the number of digits of the largest exponent.
const maxExponentDigits = 10

func exponentComplaint(exponent string, digits int) string {
	exponent = plainDigits(exponent)
	unsigned := exponent
	if unsigned != "" && (unsigned[0] == '+' || unsigned[0] == '-') {
		unsigned = unsigned[1:]
	}
	n, err := strconv.ParseInt(exponent, 10, 64)
	switch {
	case unsigned == "":
		return ""
	case len(strings.TrimLeft(unsigned, "0")) > maxExponentDigits:
		return "Too many nonzero exponent digits."
	case strings.Trim(unsigned, "0123456789") != "":
		return "Not a digit."
	case digits == 0:
		return "No digits found."
	case err != nil || n > math.MaxInt32:
		return "Exponent overflow."
	default:
		return "Scale out of range."
	}
}
