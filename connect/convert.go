package connect

import (
	"context"
	"errors"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
)

// Converter translates between values and the bytes of a record's key or value. One instance serves one task and one
// use; it is called from one goroutine at a time.
type Converter interface {
	// Encode appends the bytes of a value to dst. It returns nil for null bytes, a tombstone, and never nil for empty
	// ones.
	Encode(dst []byte, topic string, h []RawHeader, s *data.Schema, v data.Value) ([]byte, error)
	// Decode reads bytes; a nil raw is null bytes. The result may alias raw and memory of the slab.
	Decode(slab *data.Slab, topic string, h []RawHeader, raw []byte) (*data.Schema, data.Value, error)
}

// HeaderConverter is a [Converter] for header values.
type HeaderConverter interface {
	EncodeHeader(dst []byte, topic, key string, s *data.Schema, v data.Value) ([]byte, error)
	DecodeHeader(slab *data.Slab, topic, key string, raw []byte) (*data.Schema, data.Value, error)
}

// ConverterTypeKey is the key under which the runtime tells a converter what it is used for.
const ConverterTypeKey = "converter.type"

// ConverterUse is what a converter is used for, the value of [ConverterTypeKey].
type ConverterUse string

// The uses of a converter.
const (
	ForKey    ConverterUse = "key"
	ForValue  ConverterUse = "value"
	ForHeader ConverterUse = "header"
)

// ConverterPlugin describes a converter, a header converter, or a class that is both.
type ConverterPlugin struct {
	Class, Version string
	Def            *config.Def
	// New returns a converter configured with props, which do not contain ConverterTypeKey. It is nil for classes that
	// convert headers only.
	New func(props Props, use ConverterUse) (Converter, error)
	// NewHeader is the same for headers. It is nil for classes that do not.
	NewHeader func(props Props) (HeaderConverter, error)
}

// ParseConverter reads the configuration of a converter for one use. It reports the first violation only, as the
// reference does.
func ParseConverter(def *config.Def, props Props, use ConverterUse) (config.Values, error) {
	p := Props{ConverterTypeKey: string(use)}
	for k, v := range props {
		if k != ConverterTypeKey {
			p[k] = v
		}
	}
	v, err := def.Parse(p)
	if errs, ok := errors.AsType[config.Errors](err); ok {
		return v, errs[0]
	}
	return v, err
}

// HeadersOf makes a header converter of a constructor for converters, for classes that treat both alike.
func HeadersOf(create func(Props, ConverterUse) (Converter, error)) func(Props) (HeaderConverter, error) {
	return func(p Props) (HeaderConverter, error) {
		c, err := create(p, ForHeader)
		return headerConverter{c}, err
	}
}

type headerConverter struct{ Converter }

func (h headerConverter) EncodeHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return h.Encode(dst, topic, nil, s, v)
}

func (h headerConverter) DecodeHeader(slab *data.Slab, topic, _ string, raw []byte) (*data.Schema, data.Value, error) {
	return h.Decode(slab, topic, nil, raw)
}

// Transform changes single records (a single message transform). It returns false to drop the record. It must not
// change values that the record refers to, only replace them.
type Transform interface {
	Apply(ctx context.Context, r *Record) (keep bool, err error)
}

// Predicate decides whether a transform is applied to a record.
type Predicate interface {
	Test(r *Record) (bool, error)
}

// TransformPlugin describes a transform.
type TransformPlugin struct {
	Class, Version string
	Def            *config.Def
	New            func(Props) (Transform, error)
}

// PredicatePlugin describes a predicate.
type PredicatePlugin struct {
	Class, Version string
	Def            *config.Def
	New            func(Props) (Predicate, error)
}
