package json

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/millrace-io/millrace/converters/charset"
)

// isUTF8 tells whether a text is certainly taken for UTF-8 and has no byte order mark.
func isUTF8(raw []byte) bool {
	for _, c := range raw[:min(len(raw), 4)] {
		if c == 0 || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// toUTF8 returns the text without a byte order mark and converted from UTF-16 or UTF-32, which are told from UTF-8 by
// their first bytes, as RFC 4627 describes. Marks count in texts of four bytes or more only.
func toUTF8(raw []byte) ([]byte, error) {
	switch {
	case len(raw) >= 4:
		return convert4(raw, binary.BigEndian.Uint32(raw))
	case len(raw) >= 2:
		return convert2(raw, binary.BigEndian.Uint16(raw))
	default:
		return raw, nil
	}
}

func convert4(raw []byte, first uint32) ([]byte, error) {
	switch {
	case first == 0x0000FEFF:
		return fromUTF32(raw[4:], binary.BigEndian)
	case first == 0xFFFE0000:
		return fromUTF32(raw[4:], binary.LittleEndian)
	case first == 0x0000FFFE, first == 0xFEFF0000:
		return nil, syntaxError("byte order of UTF-32 text is not supported")
	case first>>16 == 0xFEFF:
		return charset.AppendUTF16(nil, raw[2:], binary.BigEndian), nil
	case first>>16 == 0xFFFE:
		return charset.AppendUTF16(nil, raw[2:], binary.LittleEndian), nil
	case first>>8 == 0xEFBBBF:
		return raw[3:], nil
	case first>>8 == 0:
		return fromUTF32(raw, binary.BigEndian)
	case first<<8 == 0:
		return fromUTF32(raw, binary.LittleEndian)
	case first&^0x00FF0000 == 0, first&^0x0000FF00 == 0:
		return nil, syntaxError("byte order of UTF-32 text is not supported")
	default:
		return convert2(raw, uint16(first>>16))
	}
}

func convert2(raw []byte, first uint16) ([]byte, error) {
	switch {
	case first>>8 == 0:
		return charset.AppendUTF16(nil, raw, binary.BigEndian), nil
	case first<<8 == 0:
		return charset.AppendUTF16(nil, raw, binary.LittleEndian), nil
	default:
		return raw, nil
	}
}

func fromUTF32(raw []byte, order binary.ByteOrder) ([]byte, error) {
	if len(raw)%4 != 0 {
		return nil, syntaxError("unexpected end of UTF-32 text")
	}
	out := make([]byte, 0, len(raw)/2)
	for ; len(raw) > 0; raw = raw[4:] {
		u := order.Uint32(raw)
		if u > utf8.MaxRune {
			return nil, syntaxError("invalid UTF-32 character %#x", u)
		}
		out = utf8.AppendRune(out, rune(u))
	}
	return out, nil
}
