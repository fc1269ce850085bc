package generator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxDepth is how deep schemas and options may be nested.
const maxDepth = 200

// member is one name and value of an object.
type member struct {
	name  string
	value any
}

// object is a JSON object in the order of its text, which maps and parameters keep. The other values are nil, bool,
// string, [json.Number] and []any.
type object []member

// get returns the value of a name, the last one if there are several; false if there is none.
func (o object) get(name string) (any, bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// str returns the value of a name if it is a string; false if it is not.
func (o object) str(name string) (string, bool) {
	v, _ := o.get(name)
	s, ok := v.(string)
	return s, ok
}

// readJSON reads one value that may have comments in it. Whatever follows the value does not count, as Avro's own
// parser never looks at it.
func readJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(blankComments(text)))
	d.UseNumber()
	v, err := readValue(d, 0)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return v, err
}

func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("is nested deeper than %d levels", maxDepth)
	}
	t, err := d.Token()
	switch t {
	case json.Delim('{'):
		return readObject(d, depth+1)
	case json.Delim('['):
		return readArray(d, depth+1)
	}
	return t, err
}

func readObject(d *json.Decoder, depth int) (any, error) {
	o := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readValue(d, depth)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name.(string), v})
	}
	_, err := d.Token()
	return o, err
}

func readArray(d *json.Decoder, depth int) (any, error) {
	a := []any{}
	for d.More() {
		v, err := readValue(d, depth)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := d.Token()
	return a, err
}

// blankComments returns the text with comments outside of strings turned into spaces, so that places stay the same.
func blankComments(text []byte) []byte {
	out := bytes.Clone(text)
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == '"':
			i = endOfString(out, i+1)
		case bytes.HasPrefix(out[i:], []byte("//")):
			i = blank(out, i, "\n")
		case bytes.HasPrefix(out[i:], []byte("/*")):
			i = blank(out, i, "*/")
		}
	}
	return out
}

// endOfString returns the place of the quote that ends the string whose first character is at i.
func endOfString(text []byte, i int) int {
	for ; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i
}

// blank overwrites a comment, up to and with its end, and returns the place of its last character.
func blank(text []byte, i int, end string) int {
	size := len(text) - i
	if n := bytes.Index(text[i+2:], []byte(end)); n >= 0 {
		size = 2 + n + len(end)
	}
	for j := range text[i : i+size] {
		if text[i+j] != '\n' {
			text[i+j] = ' '
		}
	}
	return i + size - 1
}
