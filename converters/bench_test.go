package converters

import (
	"bytes"
	"testing"

	"github.com/millrace-io/millrace/connect"
)

func BenchmarkStringDecode(b *testing.B) {
	c, err := newString(nil, connect.ForValue)
	if err != nil {
		b.Fatal(err)
	}
	raw := bytes.Repeat([]byte("x"), 100)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Decode(nil, "", nil, raw); err != nil {
			b.Fatal(err)
		}
	}
}
