package javatext

import (
	"strconv"
	"strings"
	"unicode"
)

// Digit returns the value of a decimal digit of any script, as
// Character.digit(r, 10) does.
func Digit(r rune) (value int, ok bool) {
	switch {
	case r >= '0' && r <= '9':
		return int(r - '0'), true
	case r <= unicode.MaxASCII || !unicode.Is(unicode.Nd, r):
		return 0, false
	}
	// Unicode lays decimal digits out in runs of ten that begin with zero.
	for _, part := range unicode.Nd.R16 {
		if rune(part.Lo) <= r && r <= rune(part.Hi) {
			return int(r-rune(part.Lo)) % 10, true
		}
	}
	for _, part := range unicode.Nd.R32 {
		if rune(part.Lo) <= r && r <= rune(part.Hi) {
			return int(r-rune(part.Lo)) % 10, true
		}
	}
	return 0, false
}

// ParseInt reads s as Byte.parseByte (bits 8), Short.parseShort (16),
// Integer.parseInt (32) or Long.parseLong (64) do: an optional sign and
// decimal digits of any script, nothing else. ok is false where Java throws
// NumberFormatException.
func ParseInt(s string, bits int) (n int64, ok bool) {
	n, err := strconv.ParseInt(asciiDigits(s), 10, bits)
	return n, err == nil
}

func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if value, ok := Digit(r); ok {
			return '0' + rune(value)
		}
		return r
	}, s)
}
