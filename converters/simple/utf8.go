package simple

import "unicode/utf8"

const replacement = "\uFFFD"

// repair replaces what is not UTF-8 by U+FFFD, in pieces of the size that Java's decoder takes: one for a sequence that
// breaks off, as long as it was right, and one for a surrogate.
func repair(raw []byte) []byte {
	out := make([]byte, 0, len(raw)+len(replacement))
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			out = append(out, replacement...)
			size = malformed(raw)
		} else {
			out = append(out, raw[:size]...)
		}
		raw = raw[size:]
	}
	return out
}

// malformed returns how many bytes one replacement stands for.
func malformed(raw []byte) int {
	want, second := expect(raw[0])
	n := 1
	for n < want && n < len(raw) {
		low, high := byte(0x80), byte(0xBF)
		if n == 1 {
			low, high = second[0], second[1]
		}
		if raw[n] < low || raw[n] > high {
			break
		}
		n++
	}
	return n
}

// expect returns the length of the sequence that a byte begins, and the range of its second byte. Surrogates are in it.
func expect(first byte) (length int, second [2]byte) {
	switch {
	case first >= 0xC2 && first <= 0xDF:
		return 2, [2]byte{0x80, 0xBF}
	case first == 0xE0:
		return 3, [2]byte{0xA0, 0xBF}
	case first >= 0xE1 && first <= 0xEF:
		return 3, [2]byte{0x80, 0xBF}
	case first == 0xF0:
		return 4, [2]byte{0x90, 0xBF}
	case first >= 0xF1 && first <= 0xF3:
		return 4, [2]byte{0x80, 0xBF}
	case first == 0xF4:
		return 4, [2]byte{0x80, 0x8F}
	default:
		return 1, [2]byte{}
	}
}
