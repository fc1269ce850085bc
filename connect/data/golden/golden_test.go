package golden_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
)

func TestCases(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(golden.DirEnv, dir)
	const text = `{"id":"a","kind":"k","in":"","config":{"x":"y"},"error":{"stage":"convert","cause":{"class":"c"}}}

{"id":"b","in_b64":"/w==","out":null,"unknown":1}`
	if err := os.WriteFile(filepath.Join(dir, "x.jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := golden.Cases(t, "x.jsonl")
	if len(cases) != 2 || cases[0].ID != "a" || cases[0].Config["x"] != "y" || cases[0].Error.Cause.Class != "c" || cases[1].Error != nil {
		t.Fatalf("%+v", cases)
	}
	for i, want := range []string{"", "\xff"} {
		if in, err := cases[i].Input(); in == nil || string(in) != want || err != nil {
			t.Errorf("input %d: %q, %v", i, in, err)
		}
	}
	if out, err := cases[1].Output(); out != nil || err != nil {
		t.Errorf("output %q, %v, want none", out, err)
	}
	skipped := false
	t.Run("missing", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		golden.Cases(t, "y.jsonl")
	})
	if !skipped {
		t.Error("a missing file does not skip the test")
	}
}

func TestSchemaAndValue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ schema, typed, want string }{
		{`null`, `null`, `no schema null`},
		{`null`, `{"int8":-1}`, `no schema INT8(-1)`},
		{`null`, `{"float32":1.1}`, `no schema FLOAT32(1.1)`},
		{`null`, `{"float64":"-0.0"}`, `no schema FLOAT64(-0)`},
		{`null`, `{"float64":"-Infinity"}`, `no schema FLOAT64(-Inf)`},
		{`null`, `{"bytebuffer":"AAE="}`, `no schema BYTES(0001)`},
		{`null`, `{"decimal":{"unscaled":"-5","scale":-2}}`, `no schema DECIMAL(-5,-2)`},
		{`null`, `{"map":[[null,{"boolean":true}],[{"string":"a"},{"array":[{"instant":5}]}]]}`, `no schema {null:BOOLEAN(true) "a":[INSTANT(5)]}`},
		{
			`{"type":"int32","optional":true,"name":"n","version":2,"doc":"d","parameters":{"z":"1","a":"2"},"default":3}`, `null`,
			`INT32?<name="n" version=2 doc="d" "z"="1" "a"="2" default=INT32(3)> null`,
		},
		{`{"type":"array","items":null}`, `{"array":[]}`, `ARRAY<no schema> []`},
		{`{"type":"map","keys":{"type":"string"},"values":null}`, `{"map":[]}`, `MAP<STRING<>,no schema> {}`},
		{
			`{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"array","items":{"type":"int8"},"field":"b"}]}`,
			`{"struct":[["a",{"int8":1}],["b",null]]}`, `STRUCT<"a":INT8<> "b":ARRAY<INT8<>>> (a=INT8(1) b=null)`,
		},
		{`{"type":"int8"}`, `{"struct":{"schema":{"type":"struct","fields":[{"type":"int8","field":"x"}]},"fields":[["x",{"int8":1}]]}}`, `INT8<> (x=INT8(1))`},
	} {
		c := golden.Case{Schema: json.RawMessage(tt.schema), Typed: json.RawMessage(tt.typed)}
		s, v, err := c.SchemaAndValue()
		if got := golden.Describe(s, v); got != tt.want || err != nil {
			t.Errorf("%s %s: %s, %v, want %s", tt.schema, tt.typed, got, err, tt.want)
		}
	}
	for _, typed := range []string{`{"object":"java.lang.Object"}`, `{"array":[{"bigint":"5"}]}`} {
		if _, err := golden.Value(nil, json.RawMessage(typed)); !errors.Is(err, golden.ErrNoGoValue) {
			t.Errorf("%s: %v, want ErrNoGoValue", typed, err)
		}
	}
	for _, typed := range []string{`5`, `{}`, `{"int8":1,"int16":2}`, `{"int8":300}`, `{"nope":1}`, `{"struct":[]}`} {
		if _, err := golden.Value(nil, json.RawMessage(typed)); err == nil || errors.Is(err, golden.ErrNoGoValue) {
			t.Errorf("%s: %v, want an error", typed, err)
		}
	}
	for _, s := range []string{`5`, `{}`, `{"type":"INT8"}`, `{"type":"int8","default":"x"}`, `{"type":"struct","fields":[{"type":"x"}]}`} {
		if _, err := golden.Schema(json.RawMessage(s)); err == nil {
			t.Errorf("schema %s: no error", s)
		}
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	const fields = `{"type":"int8","default":7,"field":"a"},{"type":"double","field":"b"},{"type":"bytes","field":"c"},` +
		`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"1"},"field":"d"},` +
		`{"type":"int32","name":"org.apache.kafka.connect.data.Date","field":"e"},` +
		`{"type":"map","keys":{"type":"string"},"values":{"type":"int8"},"field":"f"},` +
		`{"type":"map","keys":{"type":"int8"},"values":{"type":"string"},"field":"g"},{"type":"array","items":{"type":"boolean"},"field":"h"}`
	for _, tt := range []struct{ pair, want string }{
		{`{"schema":null,"payload":null,"typed":null}`, `null`},
		{`{"schema":{"type":"string"},"payload":null}`, `null`},
		{`{"schema":{"type":"string"},"payload":"x","typed":{"int8":1}}`, `INT8(1)`},
		{
			`{"schema":{"type":"struct","fields":[` + fields + `]},"payload":{"a":null,"b":"NaN","c":"AAE=","d":"AQ==","e":1,"f":{"k":1},"g":[[1,"x"]],"h":[true]}}`,
			`(a=null b=FLOAT64(NaN) c=BYTES(0001) d=DECIMAL(1,1) e=INSTANT(86400000) f={"k":INT8(1)} g={INT8(1):"x"} h=[BOOLEAN(true)])`,
		},
	} {
		_, v, err := golden.Pair(json.RawMessage(tt.pair))
		if got := golden.DescribeValue(v); got != tt.want || err != nil {
			t.Errorf("%s: %s, %v, want %s", tt.pair, got, err, tt.want)
		}
	}
}

func TestMismatch(t *testing.T) {
	t.Parallel()
	err := data.Errorf("text")
	const npe = "java.lang.NullPointerException"
	for _, tt := range []struct {
		name  string
		want  *golden.Error
		err   error
		match bool
	}{
		{"none", nil, nil, true},
		{"unwanted", nil, err, false},
		{"missing", &golden.Error{Stage: golden.Convert, Class: data.ClassData}, nil, false},
		{"same", &golden.Error{Stage: golden.Convert, Class: data.ClassData, Message: "text", Portable: true}, err, true},
		{"stage", &golden.Error{Stage: golden.Apply, Class: data.ClassData}, err, false},
		{"class", &golden.Error{Stage: golden.Convert, Class: data.ClassSchemaBuilder}, err, false},
		{"message", &golden.Error{Stage: golden.Convert, Class: data.ClassData, Message: "x", Portable: true}, err, false},
		{"message of Java", &golden.Error{Stage: golden.Convert, Class: data.ClassData, Message: "x"}, err, true},
		{"accident", &golden.Error{Stage: golden.Convert, Class: npe}, err, true},
		{"cause", &golden.Error{Stage: golden.Convert, Class: data.ClassData, Message: "text", Portable: true}, data.Wrap(errors.New("why"), "text"), true},
		{"no class", &golden.Error{Stage: golden.Convert, Class: data.ClassData}, errors.New("text"), false},
	} {
		if m := tt.want.Mismatch(golden.Convert, tt.err); (m == "") != tt.match {
			t.Errorf("%s: %q, want a match: %v", tt.name, m, tt.match)
		}
	}
}
