package verifiable

import (
	"fmt"
	"io"
	"sync"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
)

// printer writes lines for all tasks of a process.
type printer struct {
	mu sync.Mutex // guards w, so that the lines of two tasks do not mix
	w  io.Writer
}

// print writes whole lines in one piece.
func (p *printer) print(lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.w.Write(lines); err != nil {
		return fmt.Errorf("print to standard output: %w", err)
	}
	return nil
}

// appendMember appends a member of an object, with its name as given. The value is a string or an integer.
func appendMember(dst []byte, name string, v data.Value) []byte {
	// There is no string or integer that has no JSON text.
	dst, _ = json.AppendSchemaless(append(dst, name...), v)
	return dst
}

// jsonText writes values of any kind. It serves one task.
type jsonText struct{ converter *json.Converter }

func newJSONText() (jsonText, error) {
	c, err := json.New(connect.Props{
		json.SchemasEnableKey:          "false",
		json.DecimalFormatKey:          "NUMERIC",
		json.ReplaceNullWithDefaultKey: "false",
	}, connect.ForValue)
	return jsonText{c}, err
}

// append appends the JSON text of a value; as a string, if it has none because it is not what its schema says.
func (j jsonText) append(dst []byte, s *data.Schema, v data.Value) []byte {
	if v.IsNull() {
		return append(dst, "null"...)
	}
	out, err := j.converter.Encode(dst, "", nil, s, v)
	if err != nil {
		return appendMember(dst, "", data.String(v.String()))
	}
	return out
}
