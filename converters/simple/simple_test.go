package simple

import (
	"strings"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

func TestPlugin(t *testing.T) {
	t.Parallel()
	if Plugin.New != nil {
		t.Error("the class converts headers only")
	}
	if n := len(Plugin.Def.Keys()); n != 0 {
		t.Errorf("%d configuration keys, want none", n)
	}
	if Plugin.Class != Class || Plugin.Version != "4.3.1" {
		t.Errorf("class %s, version %s", Plugin.Class, Plugin.Version)
	}
}

func TestDecodeHeader(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 1_000_000)
	tests := []struct {
		name string
		raw  []byte
		want string
	}{
		{"null", nil, "no schema null"},
		{"empty", []byte{}, `STRING<> ""`},
		{"the text null", []byte("null"), "no schema null"},
		{"number", []byte(" 300"), "INT16<> INT16(300)"},
		{"sequence that breaks off", []byte("a\xe2\x82b\xe2\x82"), "STRING<> \"a\uFFFDb\uFFFD\""},
		{"surrogate", []byte("\xed\xa0\x80"), "STRING<> \"\uFFFD\""},
		{"overlong", []byte("\xc0\x80"), "STRING<> \"\uFFFD\uFFFD\""},
		{"nested too deep", []byte(deep), golden.Describe(data.BytesSchema, data.Bytes([]byte(deep)))},
	}
	for _, test := range tests {
		s, v, err := Converter{}.DecodeHeader(nil, "t", "h", test.raw)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := golden.Describe(s, v); got != test.want {
			t.Errorf("%s: got %.200s, want %.200s", test.name, got, test.want)
		}
	}
}

func TestEncodeHeader(t *testing.T) {
	t.Parallel()
	if got, err := (Converter{}).EncodeHeader([]byte("x"), "t", "h", data.OptionalStringSchema, data.Null); got != nil || err != nil {
		t.Errorf("null gives %q, %v, want null bytes", got, err)
	}
	if got, err := (Converter{}).EncodeHeader(nil, "t", "h", nil, data.String("")); got == nil || len(got) != 0 || err != nil {
		t.Errorf("an empty string gives %v, %v, want empty bytes", got, err)
	}
	if got, err := (Converter{}).EncodeHeader([]byte("x"), "t", "h", nil, data.Int8(-1)); string(got) != "x-1" || err != nil {
		t.Errorf("got %q, %v, want x-1", got, err)
	}
}
