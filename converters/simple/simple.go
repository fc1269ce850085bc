// Package simple is the SimpleHeaderConverter of Kafka Connect, which writes header values as text and finds out from the
// text what they were: the header converter of a worker that configures none. The rules of the text are those of
// [data.ParseText] and [data.Value.AppendHeaderText].
package simple

import (
	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/charset"
)

// Class is the name under which configurations ask for this converter.
const Class = "org.apache.kafka.connect.storage.SimpleHeaderConverter"

// Plugin describes the converter to a worker. It converts headers only and has no configuration.
var Plugin = connect.ConverterPlugin{
	Class:     Class,
	Version:   connect.KafkaVersion,
	Def:       config.New(),
	NewHeader: func(connect.Props) (connect.HeaderConverter, error) { return Converter{}, nil },
}

// Converter is the converter. It has no state: one may serve any number of goroutines.
type Converter struct{}

// EncodeHeader appends the text of a value; nil for null. The schema does not matter.
func (Converter) EncodeHeader(dst []byte, _, _ string, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if dst == nil {
		dst = []byte{}
	}
	return v.AppendHeaderText(dst), nil
}

// DecodeHeader reads the value that a text stands for, which shares the memory of raw. Null bytes and the text null give
// neither schema nor value. Texts that cannot be read at all, for being nested too deep, give BYTES.
func (Converter) DecodeHeader(_ *data.Slab, _, _ string, raw []byte) (*data.Schema, data.Value, error) {
	if raw == nil {
		return nil, data.Null, nil
	}
	text := raw
	if !data.ValidUTF8(raw) {
		text = charset.UTF8.AppendDecoded(nil, raw)
	}
	s, v, err := data.ParseText(data.AliasString(text).Str())
	if err != nil {
		return data.BytesSchema, data.Bytes(raw), nil
	}
	return s, v, nil
}
