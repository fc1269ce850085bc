package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Property is one entry of a .properties file.
type Property struct {
	Key, Value string
	// Line is the line of the file on which the entry begins, from 1 on; 0 if
	// it comes from no file.
	Line int
}

// Properties are the entries of a .properties file in their order, repeated
// keys included. References such as ${file:path:key} are plain text here.
type Properties struct {
	Entries []Property
}

// Get returns the value of key; the last of several entries counts.
func (p *Properties) Get(key string) (value string, ok bool) {
	for i := len(p.Entries) - 1; i >= 0; i-- {
		if p.Entries[i].Key == key {
			return p.Entries[i].Value, true
		}
	}
	return "", false
}

// Keys returns each key once, in the order of first appearance.
func (p *Properties) Keys() []string {
	seen := make(map[string]bool, len(p.Entries))
	keys := make([]string, 0, len(p.Entries))
	for _, e := range p.Entries {
		if !seen[e.Key] {
			seen[e.Key] = true
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// Map returns the entries as a new map; the last of several entries of a key
// counts.
func (p *Properties) Map() map[string]string {
	m := make(map[string]string, len(p.Entries))
	for _, e := range p.Entries {
		m[e.Key] = e.Value
	}
	return m
}

// ReadProperties reads a file as java.util.Properties does from a stream of
// bytes, which is how Connect reads worker and connector files: each byte is
// one character of ISO 8859-1, all others are written as \uXXXX.
func ReadProperties(r io.Reader) (*Properties, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read properties: %w", err)
	}
	var text strings.Builder
	text.Grow(len(raw))
	for _, b := range raw {
		text.WriteRune(rune(b))
	}
	return parseProperties(text.String())
}

// ReadPropertiesUTF8 is [ReadProperties] for a file in UTF-8, as
// java.util.Properties reads it from a stream of characters. Invalid bytes
// become U+FFFD.
func ReadPropertiesUTF8(r io.Reader) (*Properties, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read properties: %w", err)
	}
	return parseProperties(strings.ToValidUTF8(string(raw), string(utf8.RuneError)))
}

func parseProperties(text string) (*Properties, error) {
	p := &Properties{}
	lines := lineReader{rest: text}
	for {
		line, number, ok := lines.next()
		if !ok {
			return p, nil
		}
		rawKey, rawValue := splitProperty(line)
		key, err := unescape(rawKey)
		if err != nil {
			return nil, fmt.Errorf("read properties: line %d: %w", number, err)
		}
		value, err := unescape(rawValue)
		if err != nil {
			return nil, fmt.Errorf("read properties: line %d: %w", number, err)
		}
		p.Entries = append(p.Entries, Property{Key: key, Value: value, Line: number})
	}
}

// propertyBlanks is the white space of the format; line ends are not in it.
const propertyBlanks = " \t\f"

// lineReader splits a text into logical lines.
type lineReader struct {
	rest string
	line int
}

// next returns the next logical line that is neither blank nor a comment: with
// continuations joined and its leading blanks dropped. number is the line on
// which it begins. A line that is still empty after continuations may, as in
// Java, be followed by blank lines and comments.
func (r *lineReader) next() (logical string, number int, ok bool) {
	var joined strings.Builder
	for r.rest != "" {
		text, end := r.natural()
		if joined.Len() == 0 {
			number = r.line
			if text == "" || text[0] == '#' || text[0] == '!' {
				continue
			}
		}
		if !endsInBackslash(text) {
			joined.WriteString(text)
			return joined.String(), number, true
		}
		joined.WriteString(text[:len(text)-1])
		// Java takes a lone backslash for an empty line if the text ends there.
		if r.rest == "" && end != "\r\n" {
			return joined.String(), number, true
		}
	}
	return joined.String(), number, joined.Len() > 0
}

// natural returns one line of the text without its leading blanks, and the
// characters that end it: none at the end of the text.
func (r *lineReader) natural() (text, end string) {
	r.line++
	at := strings.IndexAny(r.rest, "\r\n")
	if at < 0 {
		text, r.rest = r.rest, ""
		return strings.TrimLeft(text, propertyBlanks), ""
	}
	text, end = r.rest[:at], r.rest[at:at+1]
	if strings.HasPrefix(r.rest[at:], "\r\n") {
		end = "\r\n"
	}
	r.rest = r.rest[at+len(end):]
	return strings.TrimLeft(text, propertyBlanks), end
}

// endsInBackslash reports an odd number of backslashes at the end.
func endsInBackslash(text string) bool {
	n := len(text) - len(strings.TrimRight(text, `\`))
	return n%2 == 1
}

// splitProperty splits a logical line at the first separator that is not
// escaped: blanks, an equals sign or a colon, with blanks around them.
func splitProperty(line string) (key, value string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			continue
		}
		if strings.IndexByte("=:"+propertyBlanks, line[i]) >= 0 {
			end = i
			break
		}
	}
	key = line[:end]
	value = strings.TrimLeft(line[end:], propertyBlanks)
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], propertyBlanks)
	}
	return key, value
}

// escapes maps the letters after a backslash that stand for something else.
var escapes = map[byte]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}

// unescape resolves escapes. Two \u escapes that form a surrogate pair give one
// character; half of a pair gives U+FFFD, as Go has no text for it.
func unescape(text string) (string, error) {
	if strings.IndexByte(text, '\\') < 0 {
		return text, nil
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			if text[i] != '\\' {
				out.WriteByte(text[i])
			}
			continue
		}
		i++
		if text[i] != 'u' {
			if r, ok := escapes[text[i]]; ok {
				out.WriteRune(r)
			} else {
				out.WriteByte(text[i])
			}
			continue
		}
		r, err := hexUnit(text[i+1:])
		if err != nil {
			return "", err
		}
		i += 4
		if utf16.IsSurrogate(r) && strings.HasPrefix(text[i+1:], `\u`) {
			if low, err := hexUnit(text[i+3:]); err == nil && utf16.DecodeRune(r, low) != utf8.RuneError {
				r = utf16.DecodeRune(r, low)
				i += 6
			}
		}
		out.WriteRune(r)
	}
	return out.String(), nil
}

// hexUnit reads the four digits of a \u escape.
func hexUnit(text string) (rune, error) {
	if len(text) < 4 {
		return 0, errMalformed
	}
	var r rune
	for _, c := range []byte(text[:4]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, errMalformed
		}
		r = r<<4 + rune(digit)
	}
	return r, nil
}

// errMalformed has the words of java.util.Properties.
var errMalformed = errors.New(`Malformed \uxxxx encoding.`)

// WriteProperties writes the entries one a line in plain ASCII, so that both
// readers, and Java, read them back equal.
func WriteProperties(w io.Writer, p *Properties) error {
	out := bufio.NewWriter(w)
	for _, e := range p.Entries {
		// Errors stay with the buffer until Flush.
		_, _ = out.WriteString(escape(e.Key, true))
		_ = out.WriteByte('=')
		_, _ = out.WriteString(escape(e.Value, false))
		_ = out.WriteByte('\n')
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write properties: %w", err)
	}
	return nil
}

func escape(text string, isKey bool) string {
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == '\\':
			out.WriteString(`\\`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\f':
			out.WriteString(`\f`)
		case r == ' ' && (isKey || i == 0), isKey && strings.ContainsRune("=:#!", r):
			out.WriteByte('\\')
			out.WriteRune(r)
		case r < ' ' || r > '~':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04X`, unit)
			}
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
