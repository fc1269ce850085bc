// Package golden reads recordings of the reference implementation for tests: one JSON object a line, with schemas and
// typed values in a notation of their own. It is written apart from the converters, so that a test of a converter does not
// check it with itself.
package golden

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

// DirEnv names the environment variable with the folder of other recordings to be tested instead of those in testdata.
const DirEnv = "MILLRACE_GOLDEN_DIR"

// ErrNoGoValue is the error for values of classes that exist in the reference only. Their cases cannot run.
var ErrNoGoValue = errors.New("a value of this class cannot exist in Go")

// Case is one line of a recording. Members that a kind of case does not have are empty.
type Case struct {
	ID     string            `json:"id"`
	Kind   string            `json:"kind"`
	Note   string            `json:"note"`
	Class  string            `json:"class"`
	Config map[string]string `json:"config"`
	IsKey  bool              `json:"is_key"`

	In     *string         `json:"in"`
	InB64  *string         `json:"in_b64"`
	Schema json.RawMessage `json:"schema"`
	Typed  json.RawMessage `json:"typed"`
	Target json.RawMessage `json:"target"`
	To     json.RawMessage `json:"to"`
	Scale  int32           `json:"scale"`

	Out       *string         `json:"out"`
	OutB64    *string         `json:"out_b64"`
	Result    json.RawMessage `json:"result"`
	Unordered bool            `json:"unordered"` // Out is JSON whose members may come in any order
	Absent    bool            `json:"absent"`
	OK        bool            `json:"ok"`
	Error     *Error          `json:"error"`
}

// Cases returns the cases of a recording, from the folder of [DirEnv] if that is set, else from testdata. A file that is
// not in that folder skips the test; one that is not in testdata, or without cases, fails it.
func Cases(tb testing.TB, name string) []Case {
	tb.Helper()
	dir, chosen := os.LookupEnv(DirEnv)
	if !chosen {
		dir = "testdata"
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	switch {
	case chosen && errors.Is(err, fs.ErrNotExist):
		tb.Skipf("no %s in the folder of %s", name, DirEnv)
	case err != nil:
		tb.Fatal(err)
	}
	var cases []Case
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var c Case
		if err := json.Unmarshal(line, &c); err != nil {
			tb.Fatalf("%s: %v in %s", name, err, line)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		tb.Fatalf("%s has no cases", name)
	}
	return cases
}

// Input returns the bytes that a case gives; nil for null bytes.
func (c *Case) Input() ([]byte, error) { return either(c.In, c.InB64) }

// Output returns the bytes that a case wants; nil for null bytes.
func (c *Case) Output() ([]byte, error) { return either(c.Out, c.OutB64) }

func either(plain, encoded *string) ([]byte, error) {
	switch {
	case encoded != nil:
		b, err := base64.StdEncoding.DecodeString(*encoded)
		return append([]byte{}, b...), err
	case plain != nil:
		return append([]byte{}, *plain...), nil
	default:
		return nil, nil
	}
}

// SchemaAndValue returns the schema and the typed value of a case.
func (c *Case) SchemaAndValue() (*data.Schema, data.Value, error) {
	s, err := Schema(c.Schema)
	if err != nil {
		return nil, data.Null, err
	}
	v, err := Value(s, c.Typed)
	return s, v, err
}

// Pair reads a key or value of a record: an object with a schema and a payload, and a typed value where the payload
// would not be enough.
func Pair(raw json.RawMessage) (*data.Schema, data.Value, error) {
	var p struct{ Schema, Payload, Typed json.RawMessage }
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, data.Null, err
	}
	s, err := Schema(p.Schema)
	if err != nil {
		return nil, data.Null, err
	}
	if p.Typed != nil || s == nil {
		v, err := Value(s, p.Typed)
		return s, v, err
	}
	v, err := Payload(s, p.Payload)
	return s, v, err
}
