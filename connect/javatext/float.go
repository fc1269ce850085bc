// Package javatext writes and reads the text forms of Java that users of Kafka
// Connect see: floating point numbers, decimals, and the iteration order of a
// hash map with text keys. Header values, configurations, error messages and
// JSON answers carry these texts, so they are compared byte for byte.
//
// All functions are pure and safe for concurrent use. Those named Append… add
// to dst and return the extended slice, as in package strconv.
package javatext

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// AppendFloat64 appends the text of Double.toString: the shortest digits that
// read back as f, plain from 1e-3 up to 1e7 and scientific outside, always
// with a digit on each side of the point. It follows Java 19 and later; older
// releases print more digits than needed for a few values (2.0E-3 as 0.0020).
func AppendFloat64(dst []byte, f float64) []byte {
	return appendFloat(dst, f, 64)
}

// AppendFloat32 appends the text of Float.toString, see [AppendFloat64].
func AppendFloat32(dst []byte, f float32) []byte {
	return appendFloat(dst, float64(f), 32)
}

// Float64 is [AppendFloat64] as a string.
func Float64(f float64) string {
	var buf [32]byte
	return string(appendFloat(buf[:0], f, 64))
}

// Float32 is [AppendFloat32] as a string.
func Float32(f float32) string {
	var buf [32]byte
	return string(appendFloat(buf[:0], float64(f), 32))
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if math.Signbit(f) {
		dst = append(dst, '-')
		f = -f
	}
	if f == 0 {
		return append(dst, "0.0"...)
	}
	var buf [32]byte
	digits, exp := shortest(buf[:0], f, bits)
	if f >= 1e-3 && f < 1e7 {
		return appendPlain(dst, digits, exp)
	}
	dst = append(dst, digits[0], '.')
	if len(digits) > 1 {
		dst = append(dst, digits[1:]...)
	} else {
		dst = append(dst, '0')
	}
	dst = append(dst, 'E')
	return strconv.AppendInt(dst, int64(exp), 10)
}

// shortest returns the digits of f > 0 without a point, and the decimal
// exponent of the first one. Where one digit is enough Java still looks for
// the closest number of two, hence 4.9E-324 and not 5.0E-324.
func shortest(buf []byte, f float64, bits int) (digits []byte, exp int) {
	text := strconv.AppendFloat(buf, f, 'e', -1, bits)
	if text[1] == 'e' {
		var second [16]byte
		two := strconv.AppendFloat(second[:0], f, 'e', 1, bits)
		back, err := strconv.ParseFloat(string(two), bits)
		if err == nil && back == f {
			text = append(buf[:0], two...)
		}
	}
	// The digits move to the front of the same buffer, over the point.
	digits = text[:0]
	for i, c := range text {
		switch c {
		case 'e':
			return trimZeros(digits), exponent(text[i+1:])
		case '.':
		default:
			digits = append(digits, c)
		}
	}
	return digits, 0
}

// exponent reads the signed digits that strconv puts after the e.
func exponent(text []byte) (exp int) {
	for _, c := range text[1:] {
		exp = 10*exp + int(c-'0')
	}
	if text[0] == '-' {
		return -exp
	}
	return exp
}

func trimZeros(digits []byte) []byte {
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return digits
}

// appendPlain writes digits with the point after position exp.
func appendPlain(dst, digits []byte, exp int) []byte {
	if exp < 0 {
		dst = append(dst, '0', '.')
		for i := -1; i > exp; i-- {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	for i := 0; i <= exp; i++ {
		if i < len(digits) {
			dst = append(dst, digits[i])
		} else {
			dst = append(dst, '0')
		}
	}
	dst = append(dst, '.')
	if exp+1 < len(digits) {
		return append(dst, digits[exp+1:]...)
	}
	return append(dst, '0')
}

// ParseFloat reads s as Double.parseDouble (bits 64) or Float.parseFloat
// (bits 32) do. Blanks around the number, a type suffix (1.5f), hexadecimal
// numbers with a binary exponent, NaN and Infinity are accepted; what is too
// large becomes an infinity, what is too small a zero. ok is false where Java
// throws NumberFormatException.
func ParseFloat(s string, bits int) (f float64, ok bool) {
	s = Trim(s)
	switch strings.TrimLeft(s, "+-") {
	case "NaN", "Infinity":
		return parseSpecial(s)
	}
	if n := len(s); n > 0 && strings.IndexByte("fFdD", s[n-1]) >= 0 && !isOpenHex(s) {
		s = s[:n-1]
	}
	if !isJavaNumber(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return f, true
}

func parseSpecial(s string) (float64, bool) {
	sign := 1
	switch s[0] {
	case '-':
		sign, s = -1, s[1:]
	case '+':
		s = s[1:]
	}
	switch s {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(sign), true
	}
	return 0, false
}

// isOpenHex reports a hexadecimal number without its exponent, in which a
// last f or d is a digit.
func isOpenHex(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, "+-"))
	return strings.HasPrefix(s, "0x") && !strings.Contains(s, "p")
}

// isJavaNumber keeps away what only Go's reader knows: "inf", "nan" in any
// case, and digits grouped by underscores.
func isJavaNumber(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		case c == 'x', c == 'X', c == 'p', c == 'P':
		default:
			return false
		}
	}
	return s != ""
}
