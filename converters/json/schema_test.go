package json

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

func TestParseSchema(t *testing.T) {
	t.Parallel()
	const logical = `{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"},`
	for _, tt := range []struct{ in, want string }{
		{`null`, `no schema`},
		{`{"type":"int32"}`, `INT32<>`},
		{`{"type":"int32","optional":true}`, `INT32?<>`},
		{`{"type":"int32","optional":1}`, `INT32<>`},
		{`{"type":"int32","version":99999999999}`, `INT32<version=1215752191>`},
		{`{"type":"int32","version":3.0,"name":5,"doc":null}`, `INT32<>`},
		{`{"type":"int32","name":"","doc":""}`, `INT32<name="" doc="">`},
		{`{"type":"int32","parameters":{"a":"1","b":"2","a":"3"}}`, `INT32<"a"="3" "b"="2">`},
		{`{"type":"int32","parameters":{}}`, `INT32<>`},
		{`{"type":"int32","parameters":5}`, `INT32<>`},
		{`{"type":"int32","parameters":{"a":null}}`, `Schema parameters must have string values.`},
		{`{"type":"int32","type":"string"}`, `STRING<>`},
		{`{"type":"array","items":{"type":"array","items":{"type":"int8"}}}`, `ARRAY<ARRAY<INT8<>>>`},
		{`{"type":"array","items":5}`, `Schema must contain 'type' field`},
		{`{"type":"array","items":null}`, `Array schema did not specify the element type`},
		{`{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}}`, `MAP<STRING<>,INT8<>>`},
		{`{"type":"map","keys":{"type":"string"},"values":null}`, `valueSchema cannot be null.`},
		{`{"type":"map","keys":null,"values":{"type":"x"}}`, `Unknown schema type: x`},
		{`{"type":"map","keys":5}`, `Map schema did not specify the value type`},
		{`{"type":"struct","fields":[]}`, `STRUCT<>`},
		{`{"type":"struct","fields":{}}`, `Struct schema's "fields" argument is not an array.`},
		{`{"type":"struct","fields":[null]}`, `Struct schema's field name not specified properly`},
		{`{"type":"struct","fields":[{"field":"a"}]}`, `Schema must contain 'type' field`},
		{`{"type":"struct","fields":[{"field":"a","type":"int8"},{"field":"a","type":"x"}]}`, `Unknown schema type: x`},
		{`{"type":"struct","fields":[{"field":"a","type":"int8"},{"field":"a","type":"int8"},{"type":"int8"}]}`, `Cannot create field because of field name duplication a`},
		{`{"type":"struct","fields":[{"field":"","type":"int8"}]}`, `fieldName cannot be null.`},
		{`[]`, `Schema must contain 'type' field`},
		{`{"type":null}`, `Schema must contain 'type' field`},
		{`{"type":"INT8"}`, `Unknown schema type: INT8`},
		{`{"type":"int32","default":5}`, `INT32<default=INT32(5)>`},
		{`{"type":"int32","optional":true,"default":null}`, `INT32?<>`},
		{`{"type":"int32","default":null}`, `Invalid null value for required INT32 field`},
		{`{"type":"string","optional":true,"default":5}`, `STRING?<>`},
		{`{"type":"string","default":5}`, `Invalid default value: Invalid value: null used for required value, schema type: STRING`},
		{`{"type":"bytes","default":"x"}`, `Invalid bytes field: ` + errBase64.Message},
		{`{"type":"array","items":{"type":"string"},"default":[1]}`, `Invalid default value: Invalid value: null used for required element of array value, schema type: STRING`},
		{`{"type":"array","items":` + structSchema + `,"default":[{"a":1}]}`, `ARRAY<default=[(a=INT32(1) b=null)] STRUCT<"a":INT32<> "b":STRING?<>>>`},
		{`{"type":"struct","fields":[],"default":{}}`, `Invalid default value: Struct schemas do not match.`},
		{logical + `"default":"AQ=="}`, `BYTES<name="org.apache.kafka.connect.data.Decimal" "scale"="2" default=DECIMAL(1,2)>`},
		{logical + `"default":1.5}`, `BYTES<name="org.apache.kafka.connect.data.Decimal" "scale"="2" default=DECIMAL(15,1)>`},
		{`{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","default":7}`, `INT64<name="org.apache.kafka.connect.data.Timestamp" default=INSTANT(7)>`},
	} {
		s, err := ParseSchema([]byte(tt.in))
		got := golden.DescribeSchema(s)
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.in, diff)
		}
	}
	if _, err := ParseSchema([]byte(`{"type"`)); err == nil {
		t.Error("no error for broken text")
	}
}

func TestAppendSchema(t *testing.T) {
	t.Parallel()
	want := `{"type":"struct","fields":[{"type":"map","keys":{"type":"string","optional":false},"values":{"type":"array",` +
		`"items":{"type":"int8","optional":true,"default":7},"optional":false},"optional":false,"doc":"d","field":"m"}],` +
		`"optional":true,"name":"n","version":3}`
	s, err := ParseSchema([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	got, err := AppendSchema([]byte("x"), s)
	if diff := cmp.Diff("x"+want, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if got, err := AppendSchema(nil, nil); string(got) != "null" || err != nil {
		t.Errorf("no schema: %s, %v", got, err)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		props connect.Props
		class string
		want  string
	}{
		{connect.Props{SchemasEnableKey: "yes", SchemasCacheSizeKey: "x"}, config.ExceptionClass, `Invalid value yes for configuration schemas.enable: Expected value to be either true or false`},
		{connect.Props{SchemasCacheSizeKey: "1.5"}, config.ExceptionClass, `Invalid value 1.5 for configuration schemas.cache.size: Not a number of type INT`},
		{connect.Props{DecimalFormatKey: ""}, config.ExceptionClass, `Invalid value  for configuration decimal.format: String must be one of (case insensitive): NUMERIC, BASE64`},
		{connect.Props{SchemaContentKey: `{`}, data.ClassData, `Failed to parse schema in converter config due to serialization error: `},
		{connect.Props{SchemaContentKey: `{`, SchemasEnableKey: "false"}, data.ClassData, `Failed to parse schema in converter config due to serialization error: `},
		{connect.Props{SchemaContentKey: `5`}, data.ClassData, `Schema must contain 'type' field`},
		{connect.Props{SchemaContentKey: `{"type":"map","keys":null,"values":null}`}, data.ClassSchemaBuilder, `keySchema cannot be null.`},
	} {
		want := golden.Error{Stage: golden.Configure, Class: tt.class, Message: tt.want, Portable: true}
		_, err := Plugin.New(tt.props, connect.ForKey)
		if m := want.Mismatch(golden.Configure, err); m != "" {
			t.Errorf("%v: %s", tt.props, m)
		}
		if _, err := Plugin.NewHeader(tt.props); err == nil {
			t.Errorf("%v: no error for headers", tt.props)
		}
	}
	for _, props := range []connect.Props{
		nil,
		{SchemasEnableKey: "TRUE", SchemasCacheSizeKey: " 5 ", DecimalFormatKey: "base64", SchemaContentKey: "\n"},
		{"unknown": "x"},
	} {
		if c, err := Plugin.New(props, connect.ForValue); c == nil || err != nil {
			t.Errorf("%v: %v", props, err)
		}
		if props["converter.type"] != "" {
			t.Error("the properties were changed")
		}
	}
}

func TestPlugin(t *testing.T) {
	t.Parallel()
	if Plugin.Class != "org.apache.kafka.connect.json.JsonConverter" || Plugin.Version != "4.3.1" {
		t.Errorf("class %s, version %s", Plugin.Class, Plugin.Version)
	}
	var names []string
	for _, k := range Plugin.Def.Keys() {
		names = append(names, k.Name)
	}
	want := []string{
		"converter.type", "schemas.enable", "schemas.cache.size", "schema.content", "decimal.format", "replace.null.with.default",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	h, err := Plugin.NewHeader(schemaless)
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.EncodeHeader(nil, "t", "h", data.StringSchema, data.String("x"))
	if string(out) != `"x"` || err != nil {
		t.Errorf("header %s, %v", out, err)
	}
	s, v, err := h.DecodeHeader(nil, "t", "h", []byte(`"x"`))
	if s != nil || v.Str() != "x" || err != nil {
		t.Errorf("header %v, %v, %v", s, v, err)
	}
}

func TestErrorsAreNotRetriable(t *testing.T) {
	t.Parallel()
	_, _, err := newConverter(t, nil).Decode(nil, "t", nil, []byte("{"))
	if _, retriable := connect.IsRetriable(err); retriable || err == nil {
		t.Errorf("error %v, retriable %v", err, retriable)
	}
	if e, ok := errors.AsType[*data.Error](err); !ok || e.Class != data.ClassData {
		t.Errorf("error %v, want a DataException", err)
	}
}
