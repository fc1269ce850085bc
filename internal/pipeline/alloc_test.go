package pipeline_test

import (
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
)

var builtin = plugin.Builtin()

const (
	stringClass = "org.apache.kafka.connect.storage.StringConverter"
	jsonClass   = "org.apache.kafka.connect.json.JsonConverter"
)

var (
	textConverters = map[string]string{"key.converter": stringClass, "value.converter": stringClass, "header.converter": stringClass}
	jsonConverters = map[string]string{
		"key.converter": jsonClass, "key.converter.schemas.enable": "false", "value.converter": jsonClass, "value.converter.schemas.enable": "false",
		"header.converter": stringClass,
	}
)

// TestGoodPathDoesNotAllocate holds the record path: with a buffer and a slab that are used again, records cost no
// allocation, whatever the error handling is set to.
func TestGoodPathDoesNotAllocate(t *testing.T) {
	schema := data.NewStructBuilder().Field("id", data.Int64Schema).Field("name", data.OptionalStringSchema).MustBuild()
	object := data.MustStruct(schema).MustPut("id", data.Int64(12)).MustPut("name", data.String("row")).Value()
	for _, tc := range []struct {
		name       string
		converters map[string]string
		schema     *data.Schema
		key, value data.Value
		raw        string
	}{
		{"text", textConverters, data.StringSchema, data.String("key"), data.String("a line of a file"), "a line of a file"},
		{"JSON text", jsonConverters, data.StringSchema, data.String("key"), data.String("a line of a file"), `"a line of a file"`},
		{"JSON object", jsonConverters, schema, data.Null, object, `{"id":12,"name":"row"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conv, err := pipeline.NewConverters(builtin, nil, tc.converters)
			if err != nil {
				t.Fatal(err)
			}
			tol, _ := tolerance(t, map[string]string{"errors.tolerance": "all", "errors.log.enable": "true", "errors.retry.timeout": "1000"})
			src, snk := pipeline.NewSource(conv, tol), pipeline.NewSink(conv, tol)
			r := sourceRecord(tc.key, tc.value)
			r.KeySchema, r.ValueSchema = data.OptionalStringSchema, tc.schema
			ctx, buf := t.Context(), make([]byte, 0, 1<<10)
			var enc pipeline.Encoded
			allocs := testing.AllocsPerRun(200, func() {
				if _, keep, err := src.Encode(ctx, buf, r, &enc); err != nil || !keep {
					t.Fatalf("Encode: %t, %v", keep, err)
				}
			})
			if allocs != 0 {
				t.Errorf("encoding a record allocates %v times, want 0", allocs)
			}
			if string(enc.Value) != tc.raw {
				t.Fatalf("encoded %s, want %s", enc.Value, tc.raw)
			}
			in := consumed(enc.Key, []byte(tc.raw))
			var slab data.Slab
			var out connect.SinkRecord
			allocs = testing.AllocsPerRun(200, func() {
				slab.Reset()
				if keep, err := snk.Decode(ctx, &slab, in, &out); err != nil || !keep {
					t.Fatalf("Decode: %t, %v", keep, err)
				}
			})
			if allocs != 0 {
				t.Errorf("decoding a record allocates %v times, want 0", allocs)
			}
		})
	}
}
