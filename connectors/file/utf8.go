package file

import "unicode/utf8"

// replacement is what Java's decoder puts in place of bytes that are not UTF-8.
const replacement = "\uFFFD"

// appendDecoded appends b with one replacement for each malformed sequence, cut as Java's decoder cuts them: the longest
// beginning of a character that breaks off, an encoded surrogate as a whole, else a single byte.
func appendDecoded(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n != 1 {
			dst = append(dst, b[:n]...)
			b = b[n:]
			continue
		}
		dst = append(dst, replacement...)
		b = b[malformed(b):]
	}
	return dst
}

// malformed returns the length of the malformed sequence that b begins with.
func malformed(b []byte) int {
	size, low, high := begins(b[0])
	if size == 0 || len(b) < 2 || b[1] < low || b[1] > high {
		return 1
	}
	n := 2
	for n < size && n < len(b) && b[n]&0xC0 == 0x80 {
		n++
	}
	return n
}

// begins returns how long a character of three or four bytes is that begins with lead, and what its second byte may
// be; 0 for all other bytes. Surrogates, which start with 0xED, count as characters here.
func begins(lead byte) (size int, low, high byte) {
	switch {
	case lead == 0xE0:
		return 3, 0xA0, 0xBF
	case lead > 0xE0 && lead < 0xF0:
		return 3, 0x80, 0xBF
	case lead == 0xF0:
		return 4, 0x90, 0xBF
	case lead > 0xF0 && lead < 0xF4:
		return 4, 0x80, 0xBF
	case lead == 0xF4:
		return 4, 0x80, 0x8F
	default:
		return 0, 0, 0
	}
}
