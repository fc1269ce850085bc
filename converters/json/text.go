package json

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// textDecoder turns the content of a string literal into UTF-8. Text that goes through it is text that has escapes or
// that is not quite UTF-8; everything else is used as it is.
type textDecoder struct {
	out    []byte
	high   rune // a high surrogate that waits for its low one, or 0
	broken bool // an escape is half of a pair whose other half is not there
}

// appendDecoded appends the text of a string literal: escapes resolved, overlong UTF-8 made regular. A surrogate
// without its other half, which a Java string can hold, becomes U+FFFD; in the name of a member it is an error. It
// fails at what the reference refuses.
func appendDecoded(dst, src []byte, isName bool) ([]byte, bool) {
	d := textDecoder{out: dst}
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case c == '\\':
			n := d.escape(src[i+1:])
			if n == 0 {
				return dst, false
			}
			i += 1 + n
		case c < utf8.RuneSelf:
			d.flush()
			d.out = append(d.out, c)
			i++
		default:
			n := d.wide(src[i:])
			if n == 0 {
				return dst, false
			}
			i += n
		}
	}
	d.flush()
	return d.out, !isName || !d.broken
}

// flush gives up waiting for a low surrogate.
func (d *textDecoder) flush() {
	if d.high != 0 {
		d.out = utf8.AppendRune(d.out, utf8.RuneError)
		d.high, d.broken = 0, true
	}
}

// unit appends one UTF-16 unit.
func (d *textDecoder) unit(u rune) {
	if d.high != 0 && u >= 0xDC00 && u <= 0xDFFF {
		d.out = utf8.AppendRune(d.out, utf16.DecodeRune(d.high, u))
		d.high = 0
		return
	}
	d.flush()
	if u >= 0xD800 && u <= 0xDBFF {
		d.high = u
		return
	}
	// A low surrogate is not a valid rune and becomes U+FFFD.
	d.out = utf8.AppendRune(d.out, u)
}

// escape reads the part of an escape behind the backslash and returns its length; 0 if it is none.
func (d *textDecoder) escape(src []byte) int {
	if len(src) == 0 {
		return 0
	}
	c := src[0]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		u, ok := hex4(src[1:])
		if !ok {
			return 0
		}
		d.broken = d.broken || (d.high == 0 && u >= 0xDC00 && u <= 0xDFFF)
		d.unit(u)
		return 5
	default:
		return 0
	}
	d.flush()
	d.out = append(d.out, c)
	return 1
}

func hex4(src []byte) (rune, bool) {
	if len(src) < 4 {
		return 0, false
	}
	var u rune
	for _, c := range src[:4] {
		switch {
		case c >= '0' && c <= '9':
			u = u<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			u = u<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return u, true
}

// wide reads one character of two to four bytes and returns its length; 0 if there is none. Like the reference it
// takes overlong forms, and numbers beyond Unicode as two surrogates that make no sense; encoded surrogates it refuses.
func (d *textDecoder) wide(src []byte) int {
	var u rune
	var n int
	switch c := src[0]; {
	case c&0xE0 == 0xC0:
		u, n = rune(c&0x1F), 2
	case c&0xF0 == 0xE0:
		u, n = rune(c&0x0F), 3
	case c&0xF8 == 0xF0:
		u, n = rune(c&0x07), 4
	default:
		return 0
	}
	if len(src) < n {
		return 0
	}
	for _, c := range src[1:n] {
		if c&0xC0 != 0x80 {
			return 0
		}
		u = u<<6 | rune(c&0x3F)
	}
	if n < 4 {
		if u >= 0xD800 && u <= 0xDFFF {
			return 0
		}
		d.unit(u)
		return n
	}
	u -= 0x10000
	d.unit((0xD800 | u>>10) & 0xFFFF)
	d.unit(0xDC00 | u&0x3FF)
	return n
}

const hexDigits = "0123456789ABCDEF"

// appendString appends s as a string literal in the form of the reference: control characters, quotes and backslashes
// are escaped, and so is every character beyond U+FFFF, as a pair of surrogates. Bytes that are not UTF-8 become U+FFFD.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	var seen uint64
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		if special(w) != 0 {
			return appendEscaped(dst, s)
		}
		seen |= w
	}
	for _, c := range s[i:] {
		if c < ' ' || c == '"' || c == '\\' {
			return appendEscaped(dst, s)
		}
		seen |= uint64(c)
	}
	if seen&highs != 0 && !isPlane0(s) {
		return appendEscaped(dst, s)
	}
	dst = append(dst, s...)
	return append(dst, '"')
}

// firstOfFour is the least byte that begins a character of four bytes in UTF-8, one beyond U+FFFF.
const firstOfFour = 0xF0

// isPlane0 tells whether s is UTF-8 without characters beyond U+FFFF.
func isPlane0(s []byte) bool {
	for _, c := range s {
		if c >= firstOfFour {
			return false
		}
	}
	return utf8.Valid(s)
}

// appendEscaped appends the rest of a literal whose first quote is written.
func appendEscaped(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	for {
		n := plain(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		if s[n] >= firstOfFour {
			r, _ := utf8.DecodeRune(s[n:])
			high, low := utf16.EncodeRune(r)
			dst = appendUnit(appendUnit(dst, high), low)
			s = s[n+4:]
			continue
		}
		dst = appendEscape(dst, s[n])
		s = s[n+1:]
	}
}

// plain returns how many bytes come before the first one that is written as an escape.
func plain(s []byte) int {
	for i, c := range s {
		if c < ' ' || c == '"' || c == '\\' || c >= firstOfFour {
			return i
		}
	}
	return len(s)
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return appendUnit(dst, rune(c))
	}
}

// appendUnit appends the escape of one UTF-16 unit.
func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

// decodeBase64 reads the standard alphabet with padding the way the reference does: white space and control characters
// may stand between groups of four, padded groups may be followed by others, the unused bits of a padded group are
// not looked at.
func decodeBase64(text []byte) ([]byte, bool) {
	out := make([]byte, 0, base64.StdEncoding.DecodedLen(len(text)))
	for {
		for len(text) > 0 && text[0] <= ' ' {
			text = text[1:]
		}
		if len(text) == 0 {
			return out, true
		}
		if len(text) < 4 {
			return nil, false
		}
		var group [3]byte
		n, err := base64.StdEncoding.Decode(group[:], text[:4])
		if err != nil || hasControl(text[:4]) {
			return nil, false
		}
		out = append(out, group[:n]...)
		text = text[4:]
	}
}

// hasControl finds the line breaks that package base64 would skip.
func hasControl(group []byte) bool {
	for _, c := range group {
		if c <= ' ' {
			return true
		}
	}
	return false
}
