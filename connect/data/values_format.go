package data

import "encoding/base64"

// Layouts of the texts of instants.
const (
	dateLayout      = "2006-01-02"
	timeLayout      = "15:04:05.000Z"
	timestampLayout = "2006-01-02T15:04:05.000Z"
)

// AppendHeaderText appends the text that [ParseText] reads, the text of a header value: strings as they are but quoted
// inside of lists, maps and structs, bytes in base64, structs as maps of all their fields with defaults applied. A null
// is null inside of others; there is no text for a header that is null.
//
// An instant shows as a time if it is before 2 January 1970, else as a date at midnight, else as a timestamp, in
// UTC and whatever its schema: not every text reads back as the value it was made of.
func (v Value) AppendHeaderText(dst []byte) []byte {
	switch v.kind {
	case KindString:
		return append(dst, v.Bytes()...)
	case KindBytes:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes())
	default:
		return v.appendElement(dst)
	}
}

func (v Value) appendElement(dst []byte) []byte {
	switch v.kind {
	case KindString:
		return appendQuoted(dst, v.Str())
	case KindBytes:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), v.Bytes())
		return append(dst, '"')
	case KindInstant:
		return v.Time().AppendFormat(dst, v.layout())
	case KindArray:
		dst = append(dst, '[')
		for i, e := range v.Array() {
			dst = e.appendElement(appendSeparator(dst, i, ","))
		}
		return append(dst, ']')
	case KindMap:
		dst = append(dst, '{')
		for i, e := range v.Map().entries {
			dst = append(e.Key.appendElement(appendSeparator(dst, i, ",")), ':')
			dst = e.Value.appendElement(dst)
		}
		return append(dst, '}')
	case KindStruct:
		return v.Struct().appendFields(dst)
	default:
		return v.AppendText(dst)
	}
}

func (v Value) layout() string {
	switch ms := v.Int64(); {
	case ms < dayMillis:
		return timeLayout
	case ms%dayMillis == 0:
		return dateLayout
	default:
		return timestampLayout
	}
}

func (s *Struct) appendFields(dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range s.schema.fields {
		dst = append(appendQuoted(appendSeparator(dst, i, ","), f.Name), ':')
		dst = s.AtOrDefault(i).appendElement(dst)
	}
	return append(dst, '}')
}

func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}
