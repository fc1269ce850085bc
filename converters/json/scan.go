package json

import (
	"encoding/binary"
	"math/bits"
)

// Limits of the reference's JSON library.
const (
	maxDepth  = 1000
	maxDigits = 1000
	maxName   = 50_000     // bytes
	maxText   = 20_000_000 // UTF-16 units
)

// failed is the position that scanning functions return when they give up.
const failed = -1

// skipSpace returns the position of the first byte from i on that is not white space.
func skipSpace(raw []byte, i int) int {
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// next returns the first byte from i on that is not white space, with its position; 0 at the end.
func next(raw []byte, i int) (byte, int) {
	if i < len(raw) && raw[i] > ' ' {
		return raw[i], i
	}
	if i = skipSpace(raw, i); i < len(raw) {
		return raw[i], i
	}
	return 0, i
}

// literal returns the position behind the word at i. What follows it is not looked at.
func literal(raw []byte, i int, word string) int {
	if len(raw)-i < len(word) || string(raw[i:i+len(word)]) != word {
		return failed
	}
	return i + len(word)
}

// Constants for looking at eight bytes at once.
const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by the highest bit of their bytes, the quotes, backslashes and control characters in eight bytes. Only
// the lowest mark is reliable.
func special(w uint64) uint64 {
	quote := w ^ lows*'"'
	slash := w ^ lows*'\\'
	return ((quote-lows)&^quote | (slash-lows)&^slash | (w-lows*' ')&^w) & highs
}

// scanString looks for the quote that ends the string whose content begins at i. It fails at the end of the text and at
// control characters. Escapes are not checked, only noticed, and so are bytes above ASCII.
func scanString(raw []byte, i int) (end int, escaped, wide bool) {
	var seen uint64
	for {
		if len(raw)-i < 8 {
			return scanStringEnd(raw, i, escaped, seen&highs != 0)
		}
		w := binary.LittleEndian.Uint64(raw[i:])
		m := special(w)
		if m == 0 {
			seen |= w
			i += 8
			continue
		}
		n := bits.TrailingZeros64(m) &^ 7
		seen |= w & (1<<n - 1)
		i += n / 8
		switch raw[i] {
		case '"':
			return i, escaped, seen&highs != 0
		case '\\':
			escaped = true
			i += 2
		default:
			return failed, false, false
		}
	}
}

// scanStringEnd is scanString for the last bytes of a text.
func scanStringEnd(raw []byte, i int, escaped, wide bool) (end int, esc, w bool) {
	for ; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			return i, escaped, wide
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return failed, false, false
		case c >= 0x80:
			wide = true
		}
	}
	return failed, false, false
}
