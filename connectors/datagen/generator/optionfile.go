package generator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/twmb/avro"

	"github.com/millrace-io/millrace/connect/data"
)

// Encodings of files of options.
const (
	encodingJSON   = "json"
	encodingBinary = "binary"
)

// options returns the values of an options property: an array of them, or an object that names a file.
func options(t *typed, v any) (out []data.Value, err error) {
	var all []any
	c := coercer{}
	switch v := v.(type) {
	case []any:
		all = v
	case object:
		if all, err = readOptions(t.node, v); err != nil {
			return nil, err
		}
		c.tagged = true
	default:
		return nil, errors.New("must be an array, or an object with file and encoding")
	}
	if len(all) == 0 {
		return nil, errors.New("must not be empty")
	}
	for i, v := range all {
		o, err := c.value(t, v)
		if err != nil {
			return nil, fmt.Errorf("option %d: %w", i+1, err)
		}
		out = append(out, o)
	}
	return out, nil
}

// readOptions reads the values in a file.
func readOptions(n *node, o object) ([]any, error) {
	file, ok := o.str(propFile)
	encoding, ok2 := o.str(propEncoding)
	if !ok || !ok2 || encoding != encodingJSON && encoding != encodingBinary {
		return nil, fmt.Errorf("must have file, which is a path, and encoding, which is %s or %s", encodingJSON, encodingBinary)
	}
	content, err := readRegular(file)
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	text, err := json.Marshal(n.avro(map[string]bool{}))
	if err != nil {
		return nil, fmt.Errorf("schema of file %s: %w", file, err)
	}
	schema, err := avro.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("schema of file %s: %w", file, err)
	}
	decode := decodeBinary
	if encoding == encodingJSON {
		decode = decodeJSON
	}
	out, err := decode(schema, content)
	if err != nil {
		return nil, fmt.Errorf("value %d of file %s: %w", len(out)+1, file, err)
	}
	return out, nil
}

// readRegular reads a file of the file system: reading of anything else might never end.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return os.ReadFile(path)
}

// decodeJSON returns the values of a text, and those before the mistake if there is one.
func decodeJSON(schema *avro.Schema, content []byte) (out []any, err error) {
	d := json.NewDecoder(bytes.NewReader(blankComments(content)))
	for {
		var one json.RawMessage
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, err
		}
		var v any
		if err := schema.DecodeJSON(one, &v, avro.TaggedUnions()); err != nil {
			return out, err
		}
		out = append(out, v)
	}
}

// decodeBinary returns the values of a file, and those before the mistake if there is one.
func decodeBinary(schema *avro.Schema, content []byte) (out []any, err error) {
	for len(content) > 0 {
		var v any
		rest, err := schema.Decode(content, &v, avro.TaggedUnions())
		if err != nil {
			return out, err
		}
		if len(rest) == len(content) {
			return out, errors.New("takes no bytes, so the file has no end")
		}
		content = rest
		out = append(out, v)
	}
	return out, nil
}

// avro returns the JSON form of a type without properties and logical types, so that values decode as they are.
func (n *node) avro(defined map[string]bool) any {
	if n.name != "" {
		if defined[n.name] {
			return n.name
		}
		defined[n.name] = true
	}
	switch n.kind {
	case kindArray:
		return map[string]any{"type": "array", "items": n.elem.avro(defined)}
	case kindMap:
		return map[string]any{"type": "map", "values": n.elem.avro(defined)}
	case kindEnum:
		return map[string]any{"type": "enum", "name": n.name, "symbols": n.symbols}
	case kindFixed:
		return map[string]any{"type": "fixed", "name": n.name, "size": n.size}
	case kindRecord:
		fields := []any{}
		for _, f := range n.fields {
			fields = append(fields, map[string]any{"name": f.name, "type": f.typ.avro(defined)})
		}
		return map[string]any{"type": "record", "name": n.name, "fields": fields}
	case kindUnion:
		branches := []any{}
		for _, b := range n.branches {
			branches = append(branches, b.avro(defined))
		}
		return branches
	default:
		return n.kind.String()
	}
}
