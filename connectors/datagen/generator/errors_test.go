package generator

import (
	"strings"
	"testing"
)

// props returns a schema of a record with one field of that type and those properties.
func props(typ, properties string) string {
	return one(`{"type": "` + typ + `", "items": "int", "values": "int", "arg.properties": {` + properties + `}}`)
}

func one(typ string) string {
	return `{"type": "record", "name": "R", "fields": [{"name": "f", "type": ` + typ + `}]}`
}

// TestErrors looks for the place and for what is accepted.
func TestErrors(t *testing.T) {
	t.Parallel()
	const f, p = `field "f": `, `field "f": arg.properties: `
	for _, test := range []struct{ schema, want string }{
		{``, `the schema is not JSON: unexpected EOF`},
		{`{"type": "record"`, `the schema is not JSON: unexpected EOF`},
		{`{"type" "record"}`, `the schema is not JSON: invalid character '"' after object key`},
		{strings.Repeat(`[`, 300), `the schema is not JSON: is nested deeper than 200 levels`},
		{`7`, `a type must be a name, an array of types or an object`},
		{`"null"`, `a type null that is no branch of a union has no Connect schema`},
		{`"strnig"`, `type "strnig" is neither a primitive type nor defined before`},
		{`{"type": "record", "fields": []}`, `a type record must have a name`},
		{`{"type": "record", "name": "1a", "fields": []}`, `name "1a" must consist of letters, digits and _, and not begin with a digit`},
		{`{"type": "record", "name": "R"}`, `record R: fields must be an array`},
		{`{"type": "record", "name": "R", "fields": [7]}`, `record R: field 1 must be an object with a valid name`},
		{`{"type": "record", "name": "R", "fields": [{"name": "f"}]}`, f + `"type" is missing`},
		{`{"type": "record", "name": "R", "fields": [{"name": "f", "type": "int"}, {"name": "f", "type": "int"}]}`, f + `is there twice`},
		{
			`{"type": "record", "name": "R", "fields": [{"name": "f", "type": "int", "default": "x"}]}`,
			f + `default: int accepts integers of 32 bits, not "x"`,
		},
		{one(`"R"`), f + `record R contains itself, which Connect's schemas cannot express`},
		{one(`["null", {"type": "array", "items": "R"}]`), f + `branch 2: items: record R contains itself, which Connect's schemas cannot express`},
		{one(`{"type": "map"}`), f + `"values" is missing`},
		{one(`{"type": ["null", "int"]}`), f + `"type" must be the name of a type`},
		{one(`[]`), f + `a union must have at least one branch`},
		{one(`["int", ["null", "int"]]`), f + `branch 2: a union must not be a branch of a union`},
		{one(`["int", "int"]`), f + `branches of one name become one field: Cannot create field because of field name duplication int`},
		{one(`{"type": "enum", "name": "E", "symbols": []}`), f + `enum E: symbols must be an array of at least one name`},
		{one(`{"type": "enum", "name": "E", "symbols": [1]}`), f + `enum E: symbol 1 is no name`},
		{one(`{"type": "enum", "name": "R", "symbols": ["A"]}`), f + `type R is defined twice`},
		{one(`{"type": "fixed", "name": "F"}`), f + `size must be a number of bytes from 0 to 1048576`},
		{one(`{"type": "int", "connect.version": "x"}`), f + `connect.version: must be a number`},
		{one(`{"type": "int", "connect.parameters": {"a": 1}}`), f + `connect.parameters: must be an object of strings`},
		{one(`{"type": "int", "arg.properties": 5}`), f + `arg.properties: must be an object`},

		{props("string", `"options": ["a"], "length": 3`), p + `options and length exclude each other`},
		{props("string", `"options": ["a"], "regex": "a"`), p + `options and regex exclude each other`},
		{props("string", `"options": ["a"], "iteration": {"start": 1}`), p + `options and iteration exclude each other`},
		{props("int", `"options": [1], "range": {"min": 1}`), p + `options and range exclude each other`},
		{props("string", `"iteration": {"start": 1}, "length": 3`), p + `iteration and length exclude each other`},
		{props("string", `"iteration": {"start": 1}, "regex": "a"`), p + `iteration and regex exclude each other`},
		{props("int", `"iteration": {"start": 1}, "range": {"min": 1}`), p + `iteration and range exclude each other`},
		{props("array", `"options": [[]], "length": 3`), p + `options and length exclude each other`},
		{props("map", `"keys": {"options": ["a"], "length": 3}`), p + `keys: options and length exclude each other`},

		{props("string", `"options": []`), p + `options: must not be empty`},
		{props("string", `"options": "a"`), p + `options: must be an array, or an object with file and encoding`},
		{props("string", `"options": ["a", 1]`), p + `options: option 2: string accepts strings, not 1`},
		{props("boolean", `"options": [null]`), p + `options: option 1: boolean accepts true or false, not null`},
		{props("int", `"options": [1.0]`), p + `options: option 1: int accepts integers of 32 bits, not 1.0`},
		{props("int", `"options": [2147483648]`), p + `options: option 1: int accepts integers of 32 bits, not 2147483648`},
		{props("long", `"options": [{}]`), p + `options: option 1: long accepts integers of 64 bits, not an object`},
		{props("float", `"options": ["x"]`), p + `options: option 1: float accepts numbers, not "x"`},
		{props("float", `"options": [1e40]`), p + `options: option 1: float accepts numbers in its range, not 1e40`},
		{props("double", `"options": [1e400]`), p + `options: option 1: double accepts numbers in its range, not 1e400`},
		{props("bytes", `"options": [[]]`), p + `options: option 1: bytes accepts strings, not an array`},
		{props("array", `"options": [[1, "`+strings.Repeat("x", 50)+`"]]`), p + `options: option 1: element 2: int accepts integers of 32 bits, not "` + strings.Repeat("x", 40) + `…"`},
		{props("map", `"options": [{"k": true}]`), p + `options: option 1: key "k": int accepts integers of 32 bits, not true`},
		{
			one(`{"type": "record", "name": "S", "fields": [{"name": "g", "type": "int"}], "arg.properties": {"options": [{}]}}`),
			p + `options: option 1: field "g": is missing and has no default`,
		},
		{
			one(`{"type": "record", "name": "S", "fields": [{"name": "g", "type": ["null", "int"]}], "arg.properties": {"options": [{"g": "x"}]}}`),
			p + `options: option 1: field "g": no branch of the union accepts "x"`,
		},
		{one(`{"type": "enum", "name": "E", "symbols": ["A"], "arg.properties": {"options": ["B"]}}`), p + `options: option 1: enum accepts its symbols, not "B"`},
		{one(`{"type": "fixed", "name": "F", "size": 2, "arg.properties": {"options": ["a"]}}`), p + `options: option 1: fixed accepts strings of 2 bytes, not "a"`},
		{one(`{"type": "int", "logicalType": "time-millis", "arg.properties": {"options": [-1]}}`), p + `options: option 1: int accepts the milliseconds of a day, not -1`},
		{one(`["null", {"type": "string", "arg.properties": {"regex": 5}}]`), f + `branch 2: arg.properties: regex: must be a string`},
		{one(`{"type": "array", "items": {"type": "string", "arg.properties": {"regex": "("}}}`), f + `items: arg.properties: regex: at position 1: a group does not end`},
		{one(`{"type": "map", "values": {"type": "boolean", "arg.properties": {"odds": 2}}}`), f + `values: arg.properties: odds: must be a number from 0.0 to 1.0`},

		{props("int", `"range": 5`), p + `range: must be an object with min, max or both`},
		{props("int", `"range": {}`), p + `range: must have min, max or both`},
		{props("int", `"range": {"min": 1, "max": 1}`), p + `range: min must be less than max`},
		{props("int", `"range": {"min": 1.5, "max": 3}`), p + `range: min: must be an integer of 32 bits`},
		{props("int", `"range": {"max": 2147483648}`), p + `range: max: must be an integer of 32 bits`},
		{props("long", `"range": {"max": "1"}`), p + `range: max: must be a number`},
		{props("float", `"range": {"max": 1e39}`), p + `range: max: must be a number up to 3.4028234663852886e+38`},
		{props("float", `"range": {"min": 1, "max": 1.00000001}`), p + `range: min must be less than max`},
		{props("double", `"range": {"min": true}`), p + `range: min: must be a number`},

		{props("int", `"iteration": 5`), p + `iteration: must be an object with start`},
		{props("int", `"iteration": {"step": 1}`), p + `iteration: must be an object with start`},
		{props("int", `"iteration": {"start": 1, "restart": 1}`), p + `iteration: restart must differ from start`},
		{props("int", `"iteration": {"start": 1, "step": 0}`), p + `iteration: step must not be zero`},
		{props("int", `"iteration": {"start": 1, "restart": 5, "step": -1}`), p + `iteration: step must be positive if restart is greater than start, and negative if it is less`},
		{props("int", `"iteration": {"start": 5, "restart": 1, "step": 1}`), p + `iteration: step must be positive if restart is greater than start, and negative if it is less`},
		{props("int", `"iteration": {"start": 1.0}`), p + `iteration: start: must be an integer of 32 bits`},
		{props("int", `"iteration": {"start": 1, "restart": 5, "initial": 5}`), p + `iteration: initial must be from start to before restart`},
		{props("int", `"iteration": {"start": 1, "restart": 5, "initial": 0}`), p + `iteration: initial must be from start to before restart`},
		{props("int", `"iteration": {"start": 2147483647}`), p + `iteration: restart must differ from start`},
		{props("string", `"iteration": {"start": 3000000000}`), p + `iteration: start: must be an integer of 32 bits`},
		{props("boolean", `"iteration": {"start": 1}`), p + `iteration: must be an object with start, which is true or false`},
		{props("boolean", `"iteration": {"start": true, "step": 1}`), p + `iteration: step does not apply to boolean, which has start alone`},
		{props("bytes", `"iteration": {"start": 1}`), p + `iteration: does not apply to bytes, but to boolean, numbers and string`},
		{props("double", `"iteration": {"start": "x"}`), p + `iteration: start: must be a number`},
		{props("double", `"iteration": {"start": 1e18, "step": 0.5}`), p + `iteration: start: must be a number that is, like the others, at most 2^53 units of the last decimal of any of them`},
		{props("double", `"iteration": {"start": 1e-30}`), p + `iteration: must be a number that is, like the others, at most 2^53 units of the last decimal of any of them`},

		{props("string", `"length": -1`), p + `length: must be an integer that is not negative, or an object with min, max or both`},
		{props("string", `"length": 1.5`), p + `length: must be an integer that is not negative, or an object with min, max or both`},
		{props("string", `"length": {}`), p + `length: must have min, max or both`},
		{props("bytes", `"length": {"min": 3, "max": 3}`), p + `length: min must be less than max`},
		{props("array", `"length": {"min": -3, "max": 3}`), p + `length: min: must not be negative`},
		{props("map", `"length": {"max": 0}`), p + `length: min must be less than max`},
		{props("array", `"length": 5000000`), f + `values can become too large: lengths may give 4194304 elements or pieces of text of 16 bytes in all`},
		{props("string", `"length": {"min": 8}`), f + `values can become too large: lengths may give 4194304 elements or pieces of text of 16 bytes in all`},
		{props("string", `"regex": "[a"`), p + `regex: at position 2: a class is empty or does not end`},
		{props("string", `"prefix": 5`), p + `prefix: must be a string`},
		{props("string", `"iteration": {"start": 1}, "suffix": 5`), p + `suffix: must be a string`},
		{props("map", `"keys": []`), p + `keys: must be an object`},
		{props("map", `"keys": {"options": [1]}`), p + `keys: options: option 1: string accepts strings, not 1`},
		{props("boolean", `"odds": "x"`), p + `odds: must be a number from 0.0 to 1.0`},
		{props("boolean", `"odds": -0.1`), p + `odds: must be a number from 0.0 to 1.0`},

		{props("string", `"options": {"file": "x"}`), p + `options: must have file, which is a path, and encoding, which is json or binary`},
		{props("string", `"options": {"file": "x", "encoding": "xml"}`), p + `options: must have file, which is a path, and encoding, which is json or binary`},
		{props("string", `"options": {"file": "testdata/none", "encoding": "json"}`), p + `options: file: stat testdata/none: no such file or directory`},
		{props("string", `"options": {"file": ".", "encoding": "json"}`), p + `options: file: . is not a regular file`},
	} {
		shape, err := Parse([]byte(test.schema))
		if err == nil || err.Error() != test.want {
			t.Errorf("%.200s:\n got %v, %v\nwant %s", test.schema, shape, err, test.want)
		}
	}
}

// TestManyReferences parses records that contain the one before twice, which is a large value but no large schema.
func TestManyReferences(t *testing.T) {
	t.Parallel()
	nest := func(n int) string {
		typ := `"int"`
		for i := range n {
			name := "R" + strings.Repeat("x", i)
			ref := `"` + "R" + strings.Repeat("x", max(0, i-1)) + `"`
			if i == 0 {
				ref = `"int"`
			}
			typ = `{"type": "record", "name": "` + name + `", "fields": [{"name": "a", "type": ` + typ + `}, {"name": "b", "type": ` + ref + `}]}`
		}
		return typ
	}
	mustParse(t, nest(10))
	if _, err := Parse([]byte(nest(40))); err == nil || !strings.HasSuffix(err.Error(), errWeight.Error()) {
		t.Errorf("got %v", err)
	}
}
