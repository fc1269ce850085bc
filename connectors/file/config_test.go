package file

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

func TestSourceConfiguration(t *testing.T) {
	t.Parallel()
	const missing = `Missing required configuration "topic" which has no default value.`
	for _, tc := range []struct {
		name  string
		props connect.Props
		want  string
	}{
		{"no topic", connect.Props{keyFile: "f"}, missing},
		{"empty topic", connect.Props{keyFile: "f", keyTopic: ""}, "Invalid value  for configuration topic: String must be non-empty"},
		{"bad batch.size", connect.Props{keyTopic: "t", keyBatchSize: "1.5"}, "Invalid value 1.5 for configuration batch.size: Not a number of type INT"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := conntest.StartSource(Source, tc.props, conntest.Options{})
			if want := "Start of the connector: " + tc.want; err == nil || err.Error() != want {
				t.Errorf("Start: %v\nwant %s", err, want)
			}
		})
	}
}

// TestDefinitions has what the reference worker answers to a validation request for these connectors.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	type key struct {
		Name       string
		Type       config.Type
		Required   bool
		Default    string
		Importance config.Importance
	}
	describe := func(d *config.Def) []key {
		var keys []key
		for _, k := range d.Keys() {
			info := key{Name: k.Name, Type: k.Type, Required: k.Required, Default: "null", Importance: k.Importance}
			if k.Default != nil {
				info.Default = *k.Default
			}
			if k.Doc == "" || k.Group != "" || k.Order != -1 || k.Width != config.WidthNone || k.DisplayName != k.Name {
				t.Errorf("key %+v has no documentation, or attributes that the original has not", k)
			}
			keys = append(keys, info)
		}
		return keys
	}
	file := key{"file", config.TypeString, false, "null", config.High}
	want := []key{file, {"topic", config.TypeString, true, "null", config.High}, {"batch.size", config.TypeInt, false, "2000", config.Low}}
	if diff := cmp.Diff(want, describe(Source.Def)); diff != "" {
		t.Errorf("source (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]key{file}, describe(Sink.Def)); diff != "" {
		t.Errorf("sink (-want +got):\n%s", diff)
	}
}

func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		props connect.Props
		want  connect.Support
	}{
		{connect.Props{keyFile: "f", keyTopic: "t"}, connect.Supported},
		{connect.Props{keyTopic: "t"}, connect.Unsupported},
		{connect.Props{keyFile: " ", keyTopic: "t"}, connect.Unsupported},
		{connect.Props{keyFile: "f"}, connect.Unsupported},
	} {
		if got := Source.Source().(connect.ExactlyOnce).ExactlyOnce(tc.props); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.props, got, tc.want)
		}
	}
}

func mapOf(key string, v data.Value) data.Value {
	m := data.NewMap(1)
	m.Put(data.String(key), v)
	return m.Value()
}

func TestSourceAlterOffsets(t *testing.T) {
	t.Parallel()
	file, three := mapOf("filename", data.String("other")), mapOf("position", data.Int64(3))
	props := connect.Props{keyFile: "f", keyTopic: "t"}
	for _, tc := range []struct {
		name              string
		props             connect.Props
		partition, offset data.Value
		want              string
	}{
		{"good", props, file, three, ""},
		{"zero", props, file, mapOf("position", data.Int64(0)), ""},
		{"tombstone", props, data.Null, data.Null, ""},
		{"null file name", props, mapOf("filename", data.Null), three, ""},
		{
			"standard input",
			connect.Props{keyTopic: "t"},
			file, three,
			"Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.",
		},
		{"no position", props, file, mapOf("x", data.Int64(1)), "Offset objects should either be null or contain the key 'position'"},
		{"text", props, file, mapOf("position", data.String("3")), "The value for the 'position' key in the offset is expected to be a Long value"},
		{"null position", props, file, mapOf("position", data.Null), "The value for the 'position' key in the offset is expected to be a Long value"},
		{"negative", props, file, mapOf("position", data.Int64(-1)), "The value for the 'position' key in the offset should be a non-negative value"},
		{"null partition", props, data.Null, three, "Partition objects cannot be null"},
		{"no file name", props, mapOf("x", data.Int64(1)), three, "Partition objects should contain the key 'filename'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			done, err := Source.Source().(connect.SourceOffsetAlterer).AlterOffsets(context.Background(), tc.props,
				[]connect.SourceOffset{{Partition: tc.partition, Offset: tc.offset}})
			switch {
			case tc.want == "" && (err != nil || !done):
				t.Errorf("AlterOffsets: %v, %v", done, err)
			case tc.want != "" && (err == nil || err.Error() != tc.want):
				t.Errorf("AlterOffsets: %v\nwant %s", err, tc.want)
			}
		})
	}
}
