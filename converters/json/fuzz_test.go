package json

import (
	"bytes"
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

// fuzzConfigs are the configurations that the fuzz test chooses from.
var fuzzConfigs = []connect.Props{
	nil,
	{SchemasEnableKey: "false"},
	{DecimalFormatKey: formatNumeric},
	{ReplaceNullWithDefaultKey: "false"},
	{SchemaContentKey: customerSchema},
}

// FuzzDecode checks that reading never panics, that the fast way gives what the exact one does, and that what is written
// is read as the same again.
func FuzzDecode(f *testing.F) {
	for _, c := range golden.Cases(f, recording) {
		if raw, err := c.Input(); err == nil && raw != nil {
			f.Add(byte(0), raw)
			f.Add(byte(1), raw)
		}
	}
	f.Add(byte(0), []byte(customerText))
	f.Add(byte(4), []byte(customerPayload))
	f.Fuzz(func(t *testing.T, config byte, raw []byte) {
		c := newConverter(t, fuzzConfigs[int(config)%len(fuzzConfigs)])
		var slab data.Slab
		s, v, err := c.Decode(&slab, "t", nil, raw)
		if len(raw) > 0 {
			checkWays(t, c, raw, s, v, err)
		}
		if err == nil {
			checkAgain(t, c, &slab, s, v)
		}
	})
}

// checkWays compares with the exact way, and with what a second reading with filled caches gives.
func checkWays(t *testing.T, c *Converter, raw []byte, s *data.Schema, v data.Value, err error) {
	t.Helper()
	exactSchema, exactValue, exactErr := c.decodeExact(nil, raw)
	compareRead(t, "exact way", s, v, err, exactSchema, exactValue, exactErr)
	s2, v2, err2 := c.Decode(nil, "t", nil, raw)
	compareRead(t, "second time", s, v, err, s2, v2, err2)
}

func compareRead(t *testing.T, what string, s *data.Schema, v data.Value, err error, s2 *data.Schema, v2 data.Value, err2 error) {
	t.Helper()
	switch {
	case (err == nil) != (err2 == nil), err != nil && err.Error() != err2.Error():
		t.Fatalf("%s: error %v, first %v", what, err2, err)
	case !s.Equal(s2) || !v.Equal(v2):
		t.Fatalf("%s: %s, first %s", what, golden.Describe(s2, v2), golden.Describe(s, v))
	}
}

// checkAgain writes and reads again. Some values cannot be written: nulls that reading lets through and decimals of
// another scale; and some are read back as others: numbers that JSON does not have, and negative zero.
func checkAgain(t *testing.T, c *Converter, slab *data.Slab, s *data.Schema, v data.Value) {
	t.Helper()
	c.content = nil
	out, err := c.Encode([]byte{}, "t", nil, s, v)
	if err != nil || bytes.Contains(out, []byte(`Infinity"`)) || bytes.Contains(out, []byte(`-0.0`)) {
		return
	}
	s2, v2, err := c.Decode(slab, "t", nil, out)
	if err != nil {
		t.Fatalf("%s was written as %s: %v", golden.Describe(s, v), out, err)
	}
	if !c.schemas {
		s = nil
	}
	if out != nil && (!s2.Equal(s) || !v2.Equal(v)) {
		t.Fatalf("%s was written as %s and read as %s", golden.Describe(s, v), out, golden.Describe(s2, v2))
	}
}
