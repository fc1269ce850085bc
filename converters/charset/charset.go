// Package charset converts between UTF-8, in which values hold text, and the character sets of Java that
// converter.encoding can name. What is malformed or cannot be written is replaced as Java's String does it, so nothing
// here fails.
package charset

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Charset is one character set. It has no state and is safe for concurrent use.
type Charset struct {
	name   string
	decode func(dst, raw []byte) []byte
	encode func(dst, text []byte) []byte
}

// The character sets that every Java has.
var (
	UTF8    = &Charset{"UTF-8", appendFromUTF8, appendUTF8}
	ASCII   = &Charset{"US-ASCII", appendFromASCII, appendASCII}
	Latin1  = &Charset{"ISO-8859-1", appendFromLatin1, appendLatin1}
	UTF16   = &Charset{"UTF-16", appendFromUTF16, appendUTF16}
	UTF16BE = &Charset{"UTF-16BE", appendFromUTF16BE, appendUTF16BE}
	UTF16LE = &Charset{"UTF-16LE", appendFromUTF16LE, appendUTF16LE}
)

// aliases lists the names of each character set, in lower case.
var aliases = map[*Charset][]string{
	UTF8: {"utf-8", "utf8", "unicode-1-1-utf-8"},
	ASCII: {
		"us-ascii", "ansi_x3.4-1968", "cp367", "csascii", "iso-ir-6", "ascii", "iso_646.irv:1983", "ansi_x3.4-1986",
		"ascii7", "default", "iso_646.irv:1991", "iso646-us", "ibm367", "646", "us",
	},
	Latin1: {
		"iso-8859-1", "819", "iso8859-1", "l1", "iso_8859-1:1987", "iso_8859-1", "8859_1", "iso-ir-100", "latin1",
		"cp819", "iso8859_1", "ibm819", "iso_8859_1", "ibm-819", "csisolatin1",
	},
	UTF16:   {"utf-16", "utf_16", "unicode", "utf16", "unicodebig"},
	UTF16BE: {"utf-16be", "x-utf-16be", "utf_16be", "iso-10646-ucs-2", "unicodebigunmarked"},
	UTF16LE: {"utf-16le", "unicodelittleunmarked", "utf_16le", "x-utf-16le"},
}

// Lookup returns the character set that Java knows by that name, in any case; false if it is not one of this package.
func Lookup(name string) (*Charset, bool) {
	name = strings.ToLower(name)
	for c, names := range aliases {
		for _, n := range names {
			if n == name {
				return c, true
			}
		}
	}
	return nil, false
}

// String returns Java's canonical name.
func (c *Charset) String() string { return c.name }

// AppendDecoded appends, in UTF-8, the text that raw holds.
func (c *Charset) AppendDecoded(dst, raw []byte) []byte { return c.decode(dst, raw) }

// AppendEncoded appends a text given in UTF-8.
func (c *Charset) AppendEncoded(dst, text []byte) []byte { return c.encode(dst, text) }

func appendUTF8(dst, text []byte) []byte {
	if utf8.Valid(text) {
		return append(dst, text...)
	}
	return appendFromUTF8(dst, text)
}

// appendFromUTF8 replaces each longest part of a character that is not complete, and each byte that begins none.
func appendFromUTF8(dst, raw []byte) []byte {
	for len(raw) > 0 {
		r, n := utf8.DecodeRune(raw)
		if r == utf8.RuneError && n == 1 {
			n = partial(raw)
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[n:]
	}
	return dst
}

// partial returns how many bytes of a malformed character belong together.
func partial(raw []byte) int {
	low, high, size := byte(0x80), byte(0xBF), 3
	switch c := raw[0]; {
	case c == 0xE0:
		low = 0xA0
	case c == 0xF0:
		low, size = 0x90, 4
	case c == 0xF4:
		high, size = 0x8F, 4
	case c > 0xF0 && c < 0xF4:
		size = 4
	case c < 0xE0 || c > 0xF4:
		return 1
	}
	// Java takes an encoded surrogate as one malformed character.
	n := 1
	for n < size && n < len(raw) && raw[n] >= low && raw[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}

func appendFromASCII(dst, raw []byte) []byte {
	for _, c := range raw {
		if c >= utf8.RuneSelf {
			dst = utf8.AppendRune(dst, utf8.RuneError)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func appendASCII(dst, text []byte) []byte { return appendNarrow(dst, text, utf8.RuneSelf) }

func appendFromLatin1(dst, raw []byte) []byte {
	for _, c := range raw {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst
}

func appendLatin1(dst, text []byte) []byte { return appendNarrow(dst, text, 0x100) }

// appendNarrow appends a text in a character set of one byte, with the characters from limit on replaced.
func appendNarrow(dst, text []byte, limit rune) []byte {
	for _, r := range string(text) {
		if r >= limit {
			r = '?'
		}
		dst = append(dst, byte(r))
	}
	return dst
}

// Byte order marks, and how the other byte order looks.
const (
	mark         = 0xFEFF
	reversedMark = 0xFFFE
)

// appendFromUTF16 obeys a byte order mark and drops it.
func appendFromUTF16(dst, raw []byte) []byte {
	if len(raw) >= 2 {
		switch binary.BigEndian.Uint16(raw) {
		case mark:
			return AppendUTF16(dst, raw[2:], binary.BigEndian)
		case reversedMark:
			return AppendUTF16(dst, raw[2:], binary.LittleEndian)
		}
	}
	return AppendUTF16(dst, raw, binary.BigEndian)
}

func appendFromUTF16BE(dst, raw []byte) []byte { return AppendUTF16(dst, raw, binary.BigEndian) }

func appendFromUTF16LE(dst, raw []byte) []byte { return AppendUTF16(dst, raw, binary.LittleEndian) }

func appendUTF16(dst, text []byte) []byte {
	if len(text) == 0 {
		return dst
	}
	return appendUTF16BE(binary.BigEndian.AppendUint16(dst, mark), text)
}

func appendUTF16BE(dst, text []byte) []byte {
	for _, r := range string(text) {
		if high, low, ok := surrogates(r); ok {
			dst = binary.BigEndian.AppendUint16(dst, high)
			r = rune(low)
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(r))
	}
	return dst
}

func appendUTF16LE(dst, text []byte) []byte {
	for _, r := range string(text) {
		if high, low, ok := surrogates(r); ok {
			dst = binary.LittleEndian.AppendUint16(dst, high)
			r = rune(low)
		}
		dst = binary.LittleEndian.AppendUint16(dst, uint16(r))
	}
	return dst
}
