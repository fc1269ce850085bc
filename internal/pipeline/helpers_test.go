package pipeline_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
)

// script is a converter that notes its calls and fails as told: calls of a use fail while its list has errors left, a nil
// error being a call that works.
type script struct {
	calls []string
	fail  map[connect.ConverterUse][]error
}

// use is the converter of a script for one use.
type use struct {
	*script
	name connect.ConverterUse
}

func (u use) call(step string) error {
	u.calls = append(u.calls, step+" "+string(u.name))
	errs := u.fail[u.name]
	if len(errs) == 0 {
		return nil
	}
	u.fail[u.name] = errs[1:]
	return errs[0]
}

func (u use) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, v data.Value) ([]byte, error) {
	if err := u.call("encode"); err != nil {
		return append(dst, "rubbish"...), err
	}
	if v.IsNull() {
		return nil, nil
	}
	return append(dst, v.Bytes()...), nil
}

func (u use) Decode(_ *data.Slab, _ string, _ []connect.RawHeader, raw []byte) (*data.Schema, data.Value, error) {
	if err := u.call("decode"); err != nil {
		return nil, data.String("rubbish"), err
	}
	if raw == nil {
		return data.OptionalStringSchema, data.Null, nil
	}
	return data.OptionalStringSchema, data.String(string(raw)), nil
}

func (u use) EncodeHeader(dst []byte, topic, _ string, s *data.Schema, v data.Value) ([]byte, error) {
	return u.Encode(dst, topic, nil, s, v)
}

func (u use) DecodeHeader(slab *data.Slab, topic, _ string, raw []byte) (*data.Schema, data.Value, error) {
	return u.Decode(slab, topic, nil, raw)
}

func (s *script) converters() pipeline.Converters {
	return pipeline.Converters{
		Key: use{s, connect.ForKey}, Value: use{s, connect.ForValue}, Header: use{s, connect.ForHeader},
		KeyClass: "test.Key", ValueClass: "test.Value", HeaderClass: "test.Header",
	}
}

var errBad = errors.New("bad")

// tolerance returns an operator with these settings, and what it logs.
func tolerance(t *testing.T, props map[string]string) (*pipeline.Tolerance, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	tol, err := pipeline.NewTolerance(log, props)
	if err != nil {
		t.Fatal(err)
	}
	return tol, &out
}

// propsConverter shows what it was made with as its text.
type propsConverter struct {
	use
	text string
}

func (c propsConverter) Encode(dst []byte, _ string, _ []connect.RawHeader, _ *data.Schema, _ data.Value) ([]byte, error) {
	return append(dst, c.text...), nil
}

func (c propsConverter) EncodeHeader(dst []byte, _, _ string, _ *data.Schema, _ data.Value) ([]byte, error) {
	return append(dst, c.text...), nil
}

// propsPlugin is a class of propsConverters; the property "refuse" is refused.
func propsPlugin(class string) connect.ConverterPlugin {
	create := func(p connect.Props, u connect.ConverterUse) (propsConverter, error) {
		if p["refuse"] != "" {
			return propsConverter{}, errBad
		}
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(p)) {
			parts = append(parts, k+"="+p[k])
		}
		return propsConverter{text: fmt.Sprintf("%s %s[%s]", class, u, strings.Join(parts, " "))}, nil
	}
	return connect.ConverterPlugin{
		Class: class, Def: config.New(),
		New:       func(p connect.Props, u connect.ConverterUse) (connect.Converter, error) { return create(p, u) },
		NewHeader: func(p connect.Props) (connect.HeaderConverter, error) { return create(p, connect.ForHeader) },
	}
}

func propsRegistry() *plugin.Registry {
	return plugin.New(nil, []connect.ConverterPlugin{propsPlugin("t.OneConverter"), propsPlugin("t.TwoConverter")})
}
