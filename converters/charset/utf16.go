package charset

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendUTF16 appends, in UTF-8, a text that raw holds in UTF-16 of that byte order. It replaces what is malformed: a
// low surrogate without a high one, a high one together with the unit that should have been a low one, and what is cut
// off at the end.
func AppendUTF16(dst, raw []byte, order binary.ByteOrder) []byte {
	for len(raw) >= 2 {
		r := rune(order.Uint16(raw))
		size := 2
		switch {
		case r >= 0xD800 && r <= 0xDBFF && len(raw) < 4:
			r, size = utf8.RuneError, len(raw)
		case r >= 0xD800 && r <= 0xDBFF:
			r, size = utf16.DecodeRune(r, rune(order.Uint16(raw[2:]))), 4
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[size:]
	}
	if len(raw) > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}

// surrogates splits a character beyond U+FFFF.
func surrogates(r rune) (high, low uint16, ok bool) {
	if r <= 0xFFFF {
		return 0, 0, false
	}
	h, l := utf16.EncodeRune(r)
	return uint16(h), uint16(l), true
}
