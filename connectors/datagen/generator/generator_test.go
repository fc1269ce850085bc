package generator

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// iterations are schemas with a sequence, of every kind that there is.
var iterations = []string{
	props("boolean", `"iteration": {"start": true}`),
	props("int", `"iteration": {"start": 0}`),
	props("int", `"iteration": {"start": 1, "restart": 10, "step": 4}`),
	props("int", `"iteration": {"start": 10, "restart": 1, "step": -4, "initial": 3}`),
	props("int", `"iteration": {"start": -2147483648, "restart": 2147483647, "step": 2147483647}`),
	props("long", `"iteration": {"start": 5, "step": -3}`),
	props("long", `"iteration": {"start": 9223372036854775700, "step": 5}`),
	props("long", `"iteration": {"start": -9223372036854775808, "restart": 9223372036854775807, "step": 9223372036854775807}`),
	props("float", `"iteration": {"start": 0, "restart": 1, "step": 0.3}`),
	props("double", `"iteration": {"start": 0.1, "step": 1e-3, "restart": 0.75}`),
	props("double", `"iteration": {"start": 5, "restart": -1e300}`),
	props("double", `"iteration": {"start": 1.5e3, "restart": 1.8e308}`),
	props("string", `"iteration": {"start": 0, "restart": 7, "step": 2}, "prefix": "<"`),
	one(`{"type": "long", "logicalType": "timestamp-millis", "arg.properties": {"iteration": {"start": 1, "step": 100}}}`),
}

// TestSkip compares skipping with making the values.
func TestSkip(t *testing.T) {
	t.Parallel()
	for _, schema := range iterations {
		if strings.Contains(schema, "1.8e308") {
			continue
		}
		shape := mustParse(t, schema)
		for _, n := range []int64{-1, 0, 1, 2, 7, 8, 1000, 12345} {
			made, skipped := shape.New(random.New(1)), shape.New(random.New(1))
			for range 3 {
				made.Next(nil)
				skipped.Next(nil)
			}
			for range n {
				made.Next(nil)
			}
			skipped.Skip(n)
			for range 5 {
				if want, got := made.Next(nil), skipped.Next(nil); !got.Equal(want) {
					t.Errorf("%s: after %d values got %s, want %s", schema, n, got, want)
				}
			}
		}
	}
}

// TestSkipFar compares one skip with many that have the same sum, which no test could make one by one.
func TestSkipFar(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{iterations[2], iterations[4], iterations[6], iterations[7]} {
		shape := mustParse(t, schema)
		far, steps := shape.New(random.New(1)), shape.New(random.New(1))
		far.Skip(math.MaxInt64)
		for range 7 {
			steps.Skip(math.MaxInt64 / 7)
		}
		if want, got := steps.Next(nil), far.Next(nil); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
	}
}

func TestSequencesKeepTheirBounds(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		props("int", `"iteration": {"start": -2147483648, "restart": 2147483647, "step": 2147483647}`):                             "-2147483648 -1 2147483646 -2",
		props("long", `"iteration": {"start": -9223372036854775808, "restart": 9223372036854775807, "step": 9223372036854775807}`): "-9223372036854775808 -1 9223372036854775806 -2",
		props("int", `"iteration": {"start": -2147483646, "step": -1}`):                                                            "-2147483646 -2147483647 -2147483646 -2147483647",
		props("float", `"iteration": {"start": 0, "restart": 1, "step": 0.3}`):                                                     "0.0 0.3 0.6 0.9",
		props("double", `"iteration": {"start": 5, "restart": -1e300}`):                                                            "5.0 4.0 3.0 2.0",
		props("double", `"iteration": {"start": 0.10, "restart": 1.7976931348623157e308, "step": 2E1}`):                            "0.1 20.1 40.1 60.1",
		props("double", `"iteration": {"start": -1.25, "restart": 1.25, "initial": 1.0}`):                                          "1.0 -0.5 0.5 -1.0",
		props("double", `"iteration": {"start": 1e15, "step": 1e3}`):                                                               "1.0E15 1.000000000001E15 1.000000000002E15 1.000000000003E15",
		props("string", `"iteration": {"start": 5, "restart": 3}, "suffix": "!"`):                                                  "5! 4! 5! 4!",
		one(`["null", {"type": "int", "arg.properties": {"iteration": {"start": 1}}}]`):                                            "1 2 null 3",
	} {
		shape := mustParse(t, schema)
		g := shape.New(random.New(3))
		var got []string
		for range 4 {
			got = append(got, g.Next(nil).Struct().At(0).String())
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", schema, s, want)
		}
	}
}

// TestGeneratorsOfOneShape makes sure that two tasks do not share their sequences.
func TestGeneratorsOfOneShape(t *testing.T) {
	t.Parallel()
	shape := mustParse(t, iterations[1])
	a, b := shape.New(random.New(1)), shape.New(random.New(1))
	a.Skip(3)
	a.Next(nil)
	if got := b.Next(nil).String() + a.Next(nil).String(); got != "Struct{f=0}Struct{f=4}" {
		t.Errorf("got %s", got)
	}
}

// TestRanges makes many numbers of ranges whose width is beyond what the type can hold, or that have few numbers.
func TestRanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ, limits string
		min, max    float64 // of the values, inclusive
	}{
		{"int", `"min": -5`, -5, math.MaxInt32 - 1},
		{"int", `"max": 10`, math.MinInt32, 9},
		{"int", `"min": -2147483648, "max": 2147483647`, math.MinInt32, math.MaxInt32 - 1},
		{"int", `"min": 7, "max": 8`, 7, 7},
		{"long", `"min": -5`, -5, math.MaxInt64},
		{"long", `"max": 10`, math.MinInt64, 9},
		{"long", `"min": 9223372036854775800`, math.MaxInt64 - 7, math.MaxInt64 - 1},
		{"float", `"max": 0`, -math.MaxFloat32, 0},
		{"float", `"min": -3.4e38, "max": 3.4e38`, -3.4e38, 3.4e38},
		{"float", `"min": 16777216, "max": 16777218`, 16777216, 16777217},
		{"double", `"max": 1`, -math.MaxFloat64, 1},
		{"double", `"min": -1.7e308, "max": 1.7e308`, -1.7e308, 1.7e308},
		{"double", `"min": 1, "max": 1.0000000000000002`, 1, 1},
	} {
		schema := props(test.typ, `"range": {`+test.limits+`}`)
		g, sides := mustParse(t, schema).New(random.New(5)), map[bool]bool{}
		for range 2000 {
			v := g.Next(nil).Struct().At(0)
			f := v.Float64()
			if v.IsInteger() {
				f = float64(v.Int64())
			}
			if !(f >= test.min && f <= test.max) {
				t.Fatalf("%s: got %s", schema, v)
			}
			sides[f/2 > test.min/2/2+test.max/2/2] = true
		}
		if len(sides) != 2 && test.min != test.max && test.max-test.min > 1 {
			t.Errorf("%s: all numbers are in one half", schema)
		}
	}
}

// TestChoices counts values for a fixed seed: each must come about as often as it should.
func TestChoices(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]map[string]int{
		props("boolean", `"odds": 0.25`):                                {"true": 2500, "false": 7500},
		props("string", `"regex": "User_[1-4]"`):                        {"'User_1'": 2500, "'User_2'": 2500, "'User_3'": 2500, "'User_4'": 2500},
		props("string", `"regex": "a|b", "prefix": "<", "suffix": ">"`): {"'<a>'": 5000, "'<b>'": 5000},
		props("string", `"regex": "x*", "length": 2`):                   {"'xx'": 10000},
		props("int", `"range": {"min": -1, "max": 1}`):                  {"-1": 5000, "0": 5000},
		one(`["null", "boolean"]`):                                      {"null": 5000, "true": 2500, "false": 2500},
		one(`[{"type": "boolean", "arg.properties": {"odds": 1}}, "null", {"type": "enum", "name": "E", "symbols": ["A"]}]`):                {"{boolean=true E=null}": 3333, "null": 3333, "{boolean=null E='A'}": 3333},
		one(`{"type": "bytes", "logicalType": "decimal", "precision": 1, "scale": 1, "arg.properties": {"options": ["\u0007", "\u0008"]}}`): {"07": 5000, "08": 5000},
		props("array", `"length": {"min": 0, "max": 1}`): {"[]": 10000},
		props("map", `"length": 0`):                      {"{}": 10000},
	} {
		g, got := mustParse(t, schema).New(random.New(9)), map[string]int{}
		for range 10_000 {
			got[render(g.Next(nil).Struct().At(0))]++
		}
		for v, n := range want {
			if got[v] < n-200 || got[v] > n+200 {
				t.Errorf("%s: got %s %d times, want about %d", schema, v, got[v], n)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got %v", schema, got)
		}
	}
}

// TestTextOfPatterns makes strings that are too many to be listed.
func TestTextOfPatterns(t *testing.T) {
	t.Parallel()
	for properties, want := range map[string]string{
		`"regex": "[A-Z]\\d{8}"`:                                       `^[A-Z]\d{8}$`,
		`"regex": "[a-z]*", "length": 10`:                              `^[a-z]{10}$`,
		`"regex": "[a-z]{0,15}", "length": {"min": 5}`:                 `^[a-z]{5,15}$`,
		`"regex": "[a-z]{5,}", "length": {"max": 8}, "prefix": "p"`:    `^p[a-z]{5,7}$`,
		`"regex": "\\[[1-9]\\d{4}\\]", "prefix": "<", "suffix": "\\>"`: `^<\[[1-9]\d{4}\]\\>$`,
	} {
		g := mustParse(t, props("string", properties)).New(random.New(2))
		for range 100 {
			if s := g.Next(nil).Struct().At(0).Str(); !regexp.MustCompile(want).MatchString(s) {
				t.Fatalf("%s: got %q", properties, s)
			}
		}
	}
}

// TestLargeMap has more keys than a scan takes, of which many are equal.
func TestLargeMap(t *testing.T) {
	t.Parallel()
	schema := `{"type": "map", "values": {"type": "int", "arg.properties": {"iteration": {"start": 0}}},
		"arg.properties": {"length": %d, "keys": {"regex": "[ab]"}}}`
	for _, n := range []int{60, 3000} {
		m := mustParse(t, fmt.Sprintf(schema, n)).New(random.New(2)).Next(&data.Slab{}).Map()
		if last := max(m.GetString("a").Int64(), m.GetString("b").Int64()); m.Len() != 2 || last != int64(n-1) {
			t.Errorf("got %s", m.Value())
		}
	}
}

// TestNestedMaps makes maps while another is being made.
func TestNestedMaps(t *testing.T) {
	t.Parallel()
	shape := mustParse(t, `{"type": "map", "arg.properties": {"length": 3, "keys": {"regex": "[a-z]{4}"}}, "values":
		{"type": "map", "values": "int", "arg.properties": {"length": 2, "keys": {"regex": "[A-Z]{4}"}}}}`)
	g := shape.New(random.New(2))
	for range 3 {
		v := g.Next(nil)
		var sizes []int
		for _, e := range v.Map().Entries() {
			sizes = append(sizes, e.Value.Map().Len())
		}
		if d := cmp.Diff([]int{2, 2, 2}, sizes); d != "" {
			t.Error(d)
		}
	}
}

// TestSlabsOwnTheValues makes sure that no value lies in memory that the next one uses.
func TestSlabsOwnTheValues(t *testing.T) {
	t.Parallel()
	g := mustParse(t, ordersSchema).New(random.New(4))
	var values []data.Value
	var texts []string
	slab := &data.Slab{}
	for range 100 {
		v := g.Next(slab)
		values, texts = append(values, v), append(texts, v.String())
	}
	for i, v := range values {
		if v.String() != texts[i] {
			t.Fatalf("value %d changed from %s to %s", i, texts[i], v)
		}
	}
	if slices.Equal(texts[:1], texts[1:2]) {
		t.Error("all values are equal")
	}
}

// TestNoAllocations makes records in a slab that was there before.
func TestNoAllocations(t *testing.T) {
	for _, schema := range []string{usersSchema, ordersSchema} {
		r, slab := random.New(1), &data.Slab{}
		g := mustParse(t, schema).New(r)
		batch := func() {
			slab.Reset()
			r.Seed(1)
			for range 500 {
				g.Next(slab)
			}
		}
		batch()
		if n := testing.AllocsPerRun(5, batch); n > 5 {
			t.Errorf("500 records cost %v allocations: %s", n, schema)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, test := range referenceValues {
		f.Add([]byte(test.schema))
	}
	for _, schema := range append(iterations, usersSchema, ordersSchema) {
		f.Add([]byte(schema))
	}
	f.Add([]byte(`/* a */ ["null", {"type": "record", "name": "R", "fields": [{"name": "f", "type": "int", "default": 1, "connect.name": "x"}]}] // b`))
	f.Fuzz(func(t *testing.T, text []byte) {
		shape, err := Parse(text)
		if err != nil || shape.plan.weight > 10_000 {
			return
		}
		g := shape.New(random.New(1))
		g.Skip(math.MaxInt64)
		if err := data.ValidateValue("", shape.Schema(), g.Next(nil)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	})
}
