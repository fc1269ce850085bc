package generator

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// TestNumbersOfSeeds compares values with those that the reference implementation gives for the same seed, and the
// number that its generator draws after them, which shows how often was drawn.
func TestNumbersOfSeeds(t *testing.T) {
	t.Parallel()
	for _, test := range referenceValues {
		shape, err := Parse([]byte(test.schema))
		if err != nil {
			t.Errorf("%s: %v", test.schema, err)
			continue
		}
		r := random.New(test.seed)
		g := shape.New(r)
		var got []string
		for range strings.Count(test.want, ", ") + 1 {
			v := g.Next(nil)
			if err := data.ValidateValue("", shape.Schema(), v); err != nil {
				t.Errorf("%s: %v", test.schema, err)
			}
			got = append(got, render(v))
		}
		if s := strings.Join(got, ", "); s != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.schema, s, test.want)
		}
		if then := r.NextInt(); then != test.then {
			t.Errorf("%s: then got %d, want %d", test.schema, then, test.then)
		}
	}
}

// render writes a value as the table has it: bytes and decimals in hexadecimal, instants in milliseconds, entries of
// maps in order.
func render(v data.Value) string {
	var parts []string
	switch v.Kind() {
	case data.KindString:
		return quote(v.Str())
	case data.KindBytes:
		return hex.EncodeToString(v.Bytes())
	case data.KindDecimal:
		return hex.EncodeToString(v.UnscaledBytes())
	case data.KindArray:
		for _, e := range v.Array() {
			parts = append(parts, render(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case data.KindMap:
		for _, e := range v.Map().Entries() {
			parts = append(parts, render(e.Key)+"="+render(e.Value))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case data.KindStruct:
		for i, f := range v.Struct().Schema().Fields() {
			parts = append(parts, f.Name+"="+render(v.Struct().At(i)))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case data.KindInstant:
		return data.Int64(v.Int64()).String()
	default:
		return v.String()
	}
}

// quote writes a string in quotes, with %xx for what does not print.
func quote(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c < ' ' || c > '~' || strings.ContainsRune("`'\\", c) {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteRune(c)
		}
	}
	return "'" + b.String() + "'"
}

// referenceValues were printed by the Avro random generator, which has no values of its own for ranges without one
// limit where their width overflows.
var referenceValues = []struct {
	schema string
	seed   int64
	want   string // values
	then   int32
}{
	{`"boolean"`, 42, `true, false, true`, 205897768},
	{`"int"`, 42, `-1170105035, 234785527, -1360544799`, 205897768},
	{`"long"`, 42, `-5025562857975149833, -5843495416241995736, 5694868678511409995`, 1190043011},
	{`"float"`, 42, `0.7275637, 0.054665208, 0.6832234`, 205897768},
	{`"double"`, 42, `0.7275636800328681, 0.6832234717598454, 0.30871945533265976`, 1190043011},
	{`"string"`, 42, `'%06W%06%27x#ZU%0bs9/0', 'X;ad%7fu%1378_', '1f%16%13L+%1a i.%16%14K#%60'`, -1530631166},
	{`"bytes"`, 42, `f78afe0de1bbe7ae28c0450ce4, 839dee466d852cb5be6a61aa9a0c61, dc978573998e685e885cb361f86c97`, -1329611232},
	{`"long"`, -7, `4964420944606563203, -6028743012628894217, -8826958116857042465`, -636178114},
	{`{"type": "string", "arg.properties": {"length": 3}}`, 42, `'%06W%06', 'x#Z', '%0bs9'`, 1583910553},
	{`{"type": "string", "arg.properties": {"length": 0}}`, 42, `'', ''`, -1360544799},
	{`{"type": "string", "arg.properties": {"length": {"min": 3, "max": 6}}}`, 42, `'%06W%06%27x', 'ZU%0bs9', '0#X'`, 1991376913},
	{`{"type": "string", "arg.properties": {"length": {"max": 6}}}`, 42, `'%06W', '%27x', 'ZU%0bs9'`, 1583910553},
	{`{"type": "bytes", "arg.properties": {"length": {"min": 3, "max": 6}}}`, 42, `f78afe0de1, e43c084f4b, 6d852cb5be`, 392236186},
	{`{"type": "string", "arg.properties": {"length": 2, "prefix": "<", "suffix": ">"}}`, 42, `'<%06W>', '<%27x>', '<ZU>'`, 392236186},
	{`{"type": "int", "arg.properties": {"range": {"min": -5, "max": 10}}}`, 42, `5, 5, -1, -1, 4`, -415012931},
	{`{"type": "long", "arg.properties": {"range": {"min": 1487715775521, "max": 1519273364600}}}`, 42, `1510675931164, 1509276661091, 1497458217233, 1496459704653`, -1436456258},
	{`{"type": "long", "arg.properties": {"range": {"min": -9223372036854775808, "max": -5}}}`, 42, `-2512781535408464896, -2921747772502178816, -6375937645306484736`, 1190043011},
	{`{"type": "float", "arg.properties": {"range": {"min": 1.5, "max": 10}}}`, 42, `7.6842914, 1.9646542, 7.3073993`, 205897768},
	{`{"type": "double", "arg.properties": {"range": {"min": 0.1, "max": 10}}}`, 42, `7.302880432325394, 6.86391237042247, 3.156322607793332`, 1190043011},
	{`{"type": "double", "arg.properties": {"range": {"min": 0.1}}}`, 42, `1.3079362327702494E308, 1.2282261447594713E308, 5.549828454499557E307`, 1190043011},
	{`{"type": "boolean", "arg.properties": {"odds": 0.3}}`, 42, `false, false, false, true, false, false`, 1583910553},
	{`{"type": "boolean", "arg.properties": {"odds": 1}}`, 42, `true, true`, 1325939940},
	{`{"type": "boolean", "arg.properties": {"odds": 0.0}}`, 42, `false, false`, 1325939940},
	{`{"type": "boolean", "arg.properties": {"odds": 0.5, "options": [true]}}`, 42, `true, true`, -1360544799},
	{`{"type": "boolean", "arg.properties": {"odds": 0.5, "iteration": {"start": true}}}`, 42, `true, false, true`, -1170105035},
	{`{"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}`, 42, `'C', 'A', 'A', 'C', 'A', 'B'`, 1190043011},
	{`{"type": "fixed", "name": "F", "size": 5}`, 42, `359d41baf7, e1bbe7ae28`, 1325939940},
	{`["null", "int"]`, 42, `234785527, 205897768, null, 1190043011, -1436456258, null`, -415012931},
	{`{"type": "array", "items": "boolean"}`, 42, `[false true false false true false true true false true false false false], [true false true true true true false false false true]`, -297936814},
	{`{"type": "array", "items": "boolean", "arg.properties": {"length": 2}}`, 42, `[false true], [false true]`, 1190043011},
	{`{"type": "map", "values": "boolean"}`, 42, `{'%06'=false '%0b'=true '%13'=false '%7f'=true '0'=false '8'=true '9'=false 'X'=false 'Z'=true 'a'=true 'w'=false 'x'=false}`, -866352379},
	{`{"type": "map", "values": "int", "arg.properties": {"length": 3, "keys": {"length": 2}}}`, 42, `{'#Z'=-1436456258 'W%06'=1325939940 's9'=1583910553}, {'%7fu'=652655727 '8_'=-297936814 'X;'=-1021814956}`, 1660292060},
	{`{"type": "map", "values": "int", "arg.properties": {"length": 5, "keys": {"options": ["a", "b", "c"]}}}`, 42, `{'a'=-1360544799 'b'=1190043011 'c'=-415012931}, {'a'=-1021814956 'b'=-7822877 'c'=652655727}`, 1874714453},
	{`{"type": "map", "values": "int", "arg.properties": {"length": 1, "keys": {}}}`, 42, `{'W%06%27x#ZU%0b'=-415012931}, {'0#X;ad%7fu%137'=1888925827}`, -1074144810},
	{`{"type": "map", "values": "int", "arg.properties": {"length": 1, "keys": {"options": ["a"], "prefix": "p"}}}`, 42, `{'a'=-1360544799}, {'a'=-248792245}`, 1190043011},
	{`{"type": "map", "values": "int", "arg.properties": {"length": 1, "keys": {"length": 1, "prefix": "p"}}}`, 42, `{'pW'=205897768}, {'p#'=-1255373459}`, -1436456258},
	{`{"type": "string", "arg.properties": {"options": ["a", "b", "c"]}}`, 42, `'c', 'a', 'a', 'c', 'a', 'b'`, 1190043011},
	{`{"type": "string", "arg.properties": {"options": ["a", "b", "c"], "prefix": "<"}}`, 42, `'c', 'a', 'a'`, 205897768},
	{`{"type": "long", "arg.properties": {"options": [1, 9223372036854775807]}}`, 42, `9223372036854775807, 1, 9223372036854775807`, 205897768},
	{`{"type": "float", "arg.properties": {"options": [1.5]}}`, 42, `1.5`, 234785527},
	{`{"type": "bytes", "arg.properties": {"options": ["aé"]}}`, 42, `61c3a9`, 234785527},
	{`{"type": "fixed", "name": "F", "size": 2, "arg.properties": {"options": ["ab", "é"]}}`, 42, `c3a9, 6162`, -1360544799},
	{`{"type": "array", "items": "int", "arg.properties": {"options": [[1, 2], [3]]}}`, 42, `[3], [1 2]`, -1360544799},
	{`{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": "int", "default": 9}], "arg.properties": {"options": [{"a": 7}]}}`, 42, `{a=7 b=9}, {a=7 b=9}`, -1360544799},
	{`{"type": "string", "arg.properties": {"iteration": {"start": 3}, "prefix": "<", "suffix": ">"}}`, 42, `'<3>', '<4>', '<5>'`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 1, "restart": 10, "step": 4}}}`, 42, `1, 5, 9, 4, 8, 3, 7, 2, 6`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 1, "restart": 10, "step": 13}}}`, 42, `1, 5, 9, 4, 8, 3, 7, 2, 6`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 10, "restart": 1, "step": -4}}}`, 42, `10, 6, 2, 7, 3, 8, 4, 9, 5`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 1, "restart": 10, "step": 4, "initial": 7}}}`, 42, `7, 2, 6, 1, 5, 9, 4, 8, 3`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 5, "restart": 2}}}`, 42, `5, 4, 3, 5, 4, 3, 5, 4, 3`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 2147483645}}}`, 42, `2147483645, 2147483646, 2147483645, 2147483646, 2147483645, 2147483646, 2147483645, 2147483646, 2147483645`, -1170105035},
	{`{"type": "int", "arg.properties": {"iteration": {"start": 7, "step": 10}}}`, 42, `7, 17, 27, 37, 47, 57, 67, 77, 87`, -1170105035},
	{`{"type": "long", "arg.properties": {"iteration": {"start": 9223372036854775805}}}`, 42, `9223372036854775805, 9223372036854775806, 9223372036854775805, 9223372036854775806`, -1170105035},
	{`{"type": "double", "arg.properties": {"iteration": {"start": 0.7, "step": 0.1}}}`, 42, `0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5`, -1170105035},
	{`{"type": "double", "arg.properties": {"iteration": {"start": 0.7, "step": -0.1, "restart": -0.7}}}`, 42, `0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.3, -0.4, -0.5, -0.6, 0.7, 0.6`, -1170105035},
	{`{"type": "double", "arg.properties": {"iteration": {"start": 0, "restart": 1, "step": 0.3}}}`, 42, `0.0, 0.3, 0.6, 0.9, 0.2, 0.5, 0.8, 0.1, 0.4`, -1170105035},
	{`{"type": "double", "arg.properties": {"iteration": {"start": 5}}}`, 42, `5.0, 6.0, 7.0`, -1170105035},
	{`{"type": "float", "arg.properties": {"iteration": {"start": 0.5, "step": 0.25}}}`, 42, `0.5, 0.75, 1.0`, -1170105035},
	{`{"type": "boolean", "arg.properties": {"iteration": {"start": false}}}`, 42, `false, true, false`, -1170105035},
	{`{"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "record", "name": "I", "fields": [{"name": "x", "type": {"type": "int", "arg.properties": {"iteration": {"start": 1}}}}]}}, {"name": "b", "type": "I"}]}`, 42, `{a={x=1} b={x=2}}, {a={x=3} b={x=4}}`, -1170105035},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 1, "scale": 1}`, 42, `f9, 00, fe, 00`, 1583910553},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1}`, 42, `e395, fe21, f52e, 0391`, 1583910553},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 15, "scale": 1}`, 42, `fd6a48e14cd79c, d46642bf1b15, ff03ffa30633e8, 530f2b005af1`, 1583910553},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 16, "scale": 1}`, 42, `19d92732ff93ee, 21781be4d84b8f, 20181f755b74f7, e7789d4203c627`, -346484495},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 1}`, 42, `0a18d34febd5c94b, 0d12eae5647d83e3, 0c896c49d7b9b0c0, f66b1d6dc97966fe`, -346484495},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 19, "scale": 1}`, 42, `64f8411f3659dcf0, 0082bd2cf5ece726e5, 7d5e3ae26d40e787, a02f2649debe05ec`, -346484495},
	{`{"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 1}`, 42, `156194ad85dd917a5a33e586a6ef09cdb9, 14cc3903e60551a5e72fca081926520722, f7e58089345d1170e50cdd6224e4fcc745, fb88cb0f0d3fef1c6d6f3d617dd806937b`, 761834774},
}
