package pipeline_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/pipeline"
)

func TestConvertersComeFromConnectorOrWorker(t *testing.T) {
	t.Parallel()
	worker := map[string]string{
		"key.converter": "t.OneConverter", "key.converter.a": "w", "value.converter": "One", "value.converter.b.c": "w",
		"header.converter": "OneConverter", "header.converter.d": "w", "key.converters": "x",
	}
	for _, tc := range []struct {
		name               string
		connector          map[string]string
		key, value, header string
	}{
		{"worker", nil, "t.OneConverter key[a=w]", "t.OneConverter value[b.c=w]", "t.OneConverter header[d=w]"},
		{
			"connector",
			map[string]string{"key.converter": "Two", "key.converter.z": "c", "value.converter": " t.TwoConverter ", "header.converter": "Two", "header.converter.d": "c"},
			"t.TwoConverter key[z=c]", "t.TwoConverter value[]", "t.TwoConverter header[d=c]",
		},
		{
			"settings without a class do not count",
			map[string]string{"key.converter.a": "c", "value.converter": " "},
			"t.OneConverter key[a=w]", "t.OneConverter value[b.c=w]", "t.OneConverter header[d=w]",
		},
		{
			"a class of its own takes nothing from the worker",
			map[string]string{"key.converter": "One"},
			"t.OneConverter key[]", "t.OneConverter value[b.c=w]", "t.OneConverter header[d=w]",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, err := pipeline.NewConverters(propsRegistry(), tc.connector, worker)
			if err != nil {
				t.Fatal(err)
			}
			key, _ := c.Key.Encode(nil, "", nil, nil, data.Null)
			value, _ := c.Value.Encode(nil, "", nil, nil, data.Null)
			header, _ := c.Header.EncodeHeader(nil, "", "", nil, data.Null)
			if diff := cmp.Diff([]string{tc.key, tc.value, tc.header}, []string{string(key), string(value), string(header)}); diff != "" {
				t.Errorf("converters (-want +got):\n%s", diff)
			}
			classes := []string{c.KeyClass, c.ValueClass, c.HeaderClass}
			for i, text := range []string{tc.key, tc.value, tc.header} {
				if want := text[:len("t.OneConverter")]; classes[i] != want {
					t.Errorf("class %s, want %s", classes[i], want)
				}
			}
		})
	}
}

func TestConvertersThatCannotBeMade(t *testing.T) {
	t.Parallel()
	worker := map[string]string{"key.converter": "One", "value.converter": "One", "header.converter": "One"}
	for _, tc := range []struct {
		name      string
		connector map[string]string
		want      string
	}{
		{"unknown key", map[string]string{"key.converter": "x.Y"}, "Invalid value x.Y for configuration key.converter: Class x.Y could not be found"},
		{"unknown value", map[string]string{"value.converter": "x.Y"}, "Invalid value x.Y for configuration value.converter: Class x.Y could not be found"},
		{"unknown header", map[string]string{"header.converter": "x.Y"}, "Invalid value x.Y for configuration header.converter: Class x.Y could not be found"},
		{"refused key", map[string]string{"key.converter": "Two", "key.converter.refuse": "1"}, "key.converter=t.TwoConverter: bad"},
		{"refused value", map[string]string{"value.converter": "Two", "value.converter.refuse": "1"}, "value.converter=t.TwoConverter: bad"},
		{"refused header", map[string]string{"header.converter": "Two", "header.converter.refuse": "1"}, "header.converter=t.TwoConverter: bad"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := pipeline.NewConverters(propsRegistry(), tc.connector, worker)
			if err == nil || err.Error() != tc.want {
				t.Errorf("NewConverters: %v, want %s", err, tc.want)
			}
			if tc.connector["key.converter.refuse"] != "" && !errors.Is(err, errBad) {
				t.Errorf("%v hides its cause", err)
			}
		})
	}
}
