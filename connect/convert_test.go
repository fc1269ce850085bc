package connect_test

import (
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// echo is a converter that says how it was called.
type echo struct{ use connect.ConverterUse }

func (e echo) Encode(dst []byte, topic string, h []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	if h != nil {
		return nil, errors.New("a header has no headers")
	}
	return append(dst, string(e.use)+" "+topic+" "+v.Str()...), nil
}

func (e echo) Decode(_ *data.Slab, topic string, h []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	if h != nil {
		return nil, data.Null, errors.New("a header has no headers")
	}
	return data.StringSchema, data.String(string(e.use) + " " + topic + " " + string(raw)), nil
}

func TestHeadersOf(t *testing.T) {
	t.Parallel()
	create := connect.HeadersOf(func(_ connect.Props, use connect.ConverterUse) (connect.Converter, error) { return echo{use}, nil })
	c, err := create(nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.EncodeHeader([]byte("> "), "t", "k", nil, data.String("v"))
	if diff := cmp.Diff("> header t v", string(raw)); diff != "" || err != nil {
		t.Errorf("EncodeHeader: error %v (-want +got):\n%s", err, diff)
	}
	_, v, err := c.DecodeHeader(nil, "t", "k", []byte("raw"))
	if diff := cmp.Diff("header t raw", v.Str()); diff != "" || err != nil {
		t.Errorf("DecodeHeader: error %v (-want +got):\n%s", err, diff)
	}
	failing := connect.HeadersOf(func(connect.Props, connect.ConverterUse) (connect.Converter, error) { return nil, io.EOF })
	if _, err := failing(nil); !errors.Is(err, io.EOF) {
		t.Errorf("a constructor that fails: %v, want %v", err, io.EOF)
	}
}
