package json

import (
	"testing"

	"github.com/millrace-io/millrace/connect/data/golden"
	"github.com/millrace-io/millrace/converters/convertertest"
)

const recording = "json_converter.jsonl"

func TestGoldenJSONConverter(t *testing.T) {
	t.Parallel()
	convertertest.Golden(t, recording, Plugin)
}

// TestGoldenExactWay reads the recorded texts without trying the fast way first.
func TestGoldenExactWay(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, c := range golden.Cases(t, recording) {
		raw, err := c.Input()
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind != "to_connect" || raw == nil {
			continue
		}
		ran++
		s, v, err := newConverter(t, c.Config).decodeExact(nil, raw)
		if m, err := convertertest.Compare(&c, s, v, err); m != "" || err != nil {
			t.Errorf("%s %s: %s %v", c.ID, c.Note, m, err)
		}
	}
	if ran == 0 {
		t.Error("no case ran")
	}
}
