// Package convertertest runs recordings of the reference's converters against converters of this module.
package convertertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

// Topic and header of all recorded calls.
const (
	topic  = "t"
	header = "h"
)

// errSkip is the reason for not running a case.
type errSkip struct{ reason string }

func (e errSkip) Error() string { return e.reason }

// Golden runs the cases of a recording with the plugin of their class; a case without a class is for the first one. It
// logs how many ran and why others did not, and fails if none did.
func Golden(t *testing.T, file string, plugins ...connect.ConverterPlugin) {
	t.Helper()
	ran := 0
	skipped := map[string]int{}
	for _, c := range golden.Cases(t, file) {
		mismatch, err := run(&c, plugins)
		if skip, ok := errors.AsType[errSkip](err); ok {
			skipped[skip.reason]++
			continue
		}
		ran++
		switch {
		case err != nil:
			t.Errorf("%s %s: %v", c.ID, c.Note, err)
		case mismatch != "":
			t.Errorf("%s %s: %s", c.ID, c.Note, mismatch)
		}
	}
	t.Logf("%s: %d cases ran", file, ran)
	for reason, n := range skipped {
		t.Logf("%s: %d cases skipped: %s", file, n, reason)
	}
	if ran == 0 {
		t.Errorf("%s: no case ran", file)
	}
}

// run returns in what the result of a case differs, or an error if the case is not understood.
func run(c *golden.Case, plugins []connect.ConverterPlugin) (mismatch string, err error) {
	p, err := pluginFor(c, plugins)
	if err != nil {
		return "", err
	}
	switch c.Kind {
	case "configure", "to_connect", "from_connect":
		return runConverter(c, p)
	case "to_header", "from_header":
		return runHeaderConverter(c, p)
	default:
		return "", fmt.Errorf("unknown kind %q", c.Kind)
	}
}

func pluginFor(c *golden.Case, plugins []connect.ConverterPlugin) (connect.ConverterPlugin, error) {
	if c.Class == "" {
		return plugins[0], nil
	}
	for _, p := range plugins {
		if p.Class == c.Class {
			return p, nil
		}
	}
	return connect.ConverterPlugin{}, errSkip{"not tested here: " + c.Class}
}

func runConverter(c *golden.Case, p connect.ConverterPlugin) (string, error) {
	use := connect.ForValue
	if c.IsKey {
		use = connect.ForKey
	}
	conv, err := p.New(c.Config, use)
	if err != nil || wantsConfigureError(c) {
		return c.Error.Mismatch(golden.Configure, err), nil
	}
	switch c.Kind {
	case "configure":
		return "", nil
	case "to_connect":
		return decode(c, func(slab *data.Slab, raw []byte) (*data.Schema, data.Value, error) {
			return conv.Decode(slab, topic, nil, raw)
		})
	default:
		return encode(c, func(dst []byte, s *data.Schema, v data.Value) ([]byte, error) {
			return conv.Encode(dst, topic, nil, s, v)
		})
	}
}

func runHeaderConverter(c *golden.Case, p connect.ConverterPlugin) (string, error) {
	conv, err := p.NewHeader(c.Config)
	if err != nil || wantsConfigureError(c) {
		return c.Error.Mismatch(golden.Configure, err), nil
	}
	if c.Kind == "to_header" {
		return decode(c, func(slab *data.Slab, raw []byte) (*data.Schema, data.Value, error) {
			return conv.DecodeHeader(slab, topic, header, raw)
		})
	}
	return encode(c, func(dst []byte, s *data.Schema, v data.Value) ([]byte, error) {
		return conv.EncodeHeader(dst, topic, header, s, v)
	})
}

func wantsConfigureError(c *golden.Case) bool {
	return c.Error != nil && c.Error.Stage == golden.Configure
}

// decode reads the same bytes twice, as the second time finds caches filled, and a third time without a slab.
func decode(c *golden.Case, read func(*data.Slab, []byte) (*data.Schema, data.Value, error)) (string, error) {
	raw, err := c.Input()
	if err != nil {
		return "", err
	}
	for _, slab := range []*data.Slab{{}, {}, nil} {
		s, v, err := read(slab, raw)
		if m, err := Compare(c, s, v, err); m != "" || err != nil {
			return m, err
		}
	}
	return "", nil
}

// Compare tells in what a decoded value, or the error got, differs from what a case wants.
func Compare(c *golden.Case, s *data.Schema, v data.Value, got error) (mismatch string, err error) {
	if m := c.Error.Mismatch(golden.Convert, got); m != "" || got != nil {
		return m, nil
	}
	wantSchema, want, err := c.SchemaAndValue()
	if err != nil {
		return "", err
	}
	if !s.Equal(wantSchema) || !v.Equal(want) {
		return fmt.Sprintf("got %s, want %s", golden.Describe(s, v), golden.Describe(wantSchema, want)), nil
	}
	return "", nil
}

// encode writes the same value twice, with bytes in front of it that must stay, and a third time to nil.
func encode(c *golden.Case, write func([]byte, *data.Schema, data.Value) ([]byte, error)) (string, error) {
	s, v, err := c.SchemaAndValue()
	if errors.Is(err, golden.ErrNoGoValue) {
		return "", errSkip{err.Error()}
	}
	if err != nil {
		return "", err
	}
	for _, before := range []string{"before", "before", ""} {
		got, err := write([]byte(before), s, v)
		if before == "" {
			got, err = write(nil, s, v)
		}
		if m, err := compareOutput(c, got, err, before); m != "" || err != nil {
			return m, err
		}
	}
	return "", nil
}

func compareOutput(c *golden.Case, got []byte, gotErr error, before string) (string, error) {
	if m := c.Error.Mismatch(golden.Convert, gotErr); m != "" || gotErr != nil {
		return m, nil
	}
	want, err := c.Output()
	switch {
	case err != nil:
		return "", err
	case (want == nil) != (got == nil):
		return fmt.Sprintf("got %q, want %q, where nil is a tombstone: %v, %v", got, want, got == nil, want == nil), nil
	case want == nil:
		return "", nil
	case len(got) < len(before) || string(got[:len(before)]) != before:
		return fmt.Sprintf("bytes before the value are lost: %q", got), nil
	case c.Unordered:
		return diffUnordered(want, got[len(before):])
	default:
		return cmp.Diff(string(want), string(got[len(before):])), nil
	}
}

// diffUnordered compares JSON without the order of members.
func diffUnordered(want, got []byte) (string, error) {
	var w, g any
	if err := errors.Join(json.Unmarshal(want, &w), json.Unmarshal(got, &g)); err != nil {
		return "", err
	}
	return cmp.Diff(w, g), nil
}
