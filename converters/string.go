package converters

import (
	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/charset"
)

// EncodingKey is the key of StringConverter's character set.
const EncodingKey = "converter.encoding"

const stringClass = "org.apache.kafka.connect.storage.StringConverter"

var (
	stringDef      = newDef()
	stringEncoding = stringDef.String(EncodingKey, config.Default("UTF-8"), config.High, config.WidthMedium,
		config.Display("Encoding"), config.Doc("The character set of the text."))
)

// newDef returns a definition with the key that all converters have.
func newDef() *config.Def {
	d := config.New()
	d.String(connect.ConverterTypeKey, config.Low,
		config.OneOf(string(connect.ForKey), string(connect.ForValue), string(connect.ForHeader)),
		config.Doc("What the converter is used for. The worker sets it."))
	return d
}

// String is the plugin of StringConverter: it reads bytes as text, and writes the text that Java has for a value of any
// kind, whatever its schema.
var String = connect.ConverterPlugin{
	Class:     stringClass,
	Version:   connect.KafkaVersion,
	Def:       stringDef,
	New:       newString,
	NewHeader: connect.HeadersOf(newString),
}

type stringConverter struct{ charset *charset.Charset }

func newString(p connect.Props, use connect.ConverterUse) (connect.Converter, error) {
	v, err := connect.ParseConverter(stringDef, p, use)
	if err != nil {
		return nil, err
	}
	name := stringEncoding.Of(v)
	c, ok := charset.Lookup(name)
	if !ok {
		return nil, &connect.Error{Class: connect.ClassSerialization, Message: "Unsupported encoding " + name}
	}
	return stringConverter{c}, nil
}

// Encode appends the text of the value in the converter's character set; a null of any schema is null bytes.
func (c stringConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	if dst == nil {
		dst = []byte{}
	}
	if v.Kind() == data.KindString {
		return c.charset.AppendEncoded(dst, v.Bytes()), nil
	}
	if c.charset == charset.UTF8 {
		return v.AppendText(dst), nil
	}
	return c.charset.AppendEncoded(dst, v.AppendText(nil)), nil
}

// Decode returns an optional string. Text that is UTF-8 already is not copied.
func (c stringConverter) Decode(slab *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	switch {
	case raw == nil:
		return data.OptionalStringSchema, data.Null, nil
	case c.charset == charset.UTF8 && data.ValidUTF8(raw):
		return data.OptionalStringSchema, data.AliasString(raw), nil
	default:
		text := c.charset.AppendDecoded(slab.Bytes(len(raw))[:0], raw)
		return data.OptionalStringSchema, data.AliasString(text), nil
	}
}
