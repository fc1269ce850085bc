package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr(s string) *string { return &s }

func TestParse(t *testing.T) { //nolint:gocyclo // one value after the other
	t.Parallel()
	def := New()
	flag := def.Boolean("flag", Default(false))
	text := def.String("text", Required, High)
	number := def.Int("number", Default(7), AtLeast(1))
	short := def.Short("short", Default(3))
	long := def.Long("long", NullDefault)
	double := def.Double("double", Default(2))
	list := def.List("list", Default([]string{"x"}))
	class := def.Class("class", Default("a.B"), Resolve(func(name string) (string, bool) {
		return "a." + name, name == "C"
	}))
	secret := def.Password("secret", NullDefault)

	v, err := def.Parse(map[string]string{"text": "  t  ", "other": "ignored"})
	if err != nil {
		t.Fatal(err)
	}
	if flag.Of(v) || text.Of(v) != "t" || number.Of(v) != 7 || short.Of(v) != 3 || double.Of(v) != 2 || class.Of(v) != "a.B" {
		t.Errorf("defaults: %v %q %d %d %g %q", flag.Of(v), text.Of(v), number.Of(v), short.Of(v), double.Of(v), class.Of(v))
	}
	if diff := cmp.Diff([]string{"x"}, list.Of(v)); diff != "" {
		t.Error(diff)
	}
	if n, ok := long.Lookup(v); ok || n != 0 {
		t.Errorf("long = %d, %v, want null", n, ok)
	}
	if p, ok := secret.Lookup(v); ok || p.Reveal() != "" {
		t.Errorf("secret = %q, %v, want null", p.Reveal(), ok)
	}

	v, err = def.Parse(map[string]string{
		"flag": "TRUE", "text": "", "number": "+3", "short": "-32768", "long": "9223372036854775807",
		"double": "0x1p3", "list": "a , b,,c", "class": "C", "secret": " s3cret ",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !flag.Of(v) || number.Of(v) != 3 || short.Of(v) != -32768 || double.Of(v) != 8 || class.Of(v) != "a.C" {
		t.Errorf("given: %v %d %d %g %q", flag.Of(v), number.Of(v), short.Of(v), double.Of(v), class.Of(v))
	}
	if n, ok := long.Lookup(v); !ok || n != 9223372036854775807 {
		t.Errorf("long = %d, %v", n, ok)
	}
	if s, ok := text.Lookup(v); !ok || s != "" {
		t.Errorf("text = %q, %v, want the empty text", s, ok)
	}
	if got := secret.Of(v).Reveal(); got != "s3cret" {
		t.Errorf("secret = %q", got)
	}
	for name, want := range map[string]string{
		"flag": "true", "text": "", "number": "3", "double": "8.0", "list": "a,b,,c", "class": "a.C", "secret": "[hidden]",
	} {
		if got, ok := v.Text(name); !ok || got != want {
			t.Errorf("Text(%s) = %q, %v, want %q", name, got, ok, want)
		}
	}
	if got, ok := v.Text("nosuch"); ok {
		t.Errorf("Text(nosuch) = %q", got)
	}
}

func TestParseReportsAll(t *testing.T) {
	t.Parallel()
	def := New()
	def.String("a")
	def.Int("b", AtLeast(1))
	def.Boolean("c", Default(true))
	def.String("ok", Default("x"))
	_, err := def.Parse(map[string]string{"b": "x", "c": "yes"})
	want := `Missing required configuration "a" which has no default value.
Invalid value x for configuration b: Not a number of type INT
Invalid value yes for configuration c: Expected value to be either true or false`
	if err == nil || err.Error() != want {
		t.Fatalf("got %v, want %s", err, want)
	}
	errs, ok := errors.AsType[Errors](err)
	if !ok || len(errs) != 3 {
		t.Fatalf("got %T with %d violations", err, len(errs))
	}
	if diff := cmp.Diff(&Error{Key: "b", Value: "x", Message: "Invalid value x for configuration b: Not a number of type INT"}, errs[1]); diff != "" {
		t.Error(diff)
	}
	if first, ok := errors.AsType[*Error](err); !ok || first.Key != "a" || first.ErrorClass() != ExceptionClass {
		t.Errorf("first violation is %+v", first)
	}
	if errs.ErrorClass() != "org.apache.kafka.common.config.ConfigException" {
		t.Errorf("class %s", errs.ErrorClass())
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	def := New()
	def.Int("tasks.max", Default(1), AtLeast(1), High, Group("Common", 4), WidthShort, Display("Tasks max"),
		Doc("Most tasks."), Dependents("x", "y"))
	def.String("plain", Low)
	def.List("list", Default([]string{}))
	def.Password("secret", Default("geheim"))
	def.String("mode", NullDefault, OrNull(OneOf("a", "b")))
	def.Double("double", Default(1e10))
	want := []KeyInfo{
		{
			Name: "tasks.max", Type: TypeInt, Default: ptr("1"), Importance: High, Doc: "Most tasks.", Group: "Common",
			Order: 4, Width: WidthShort, DisplayName: "Tasks max", Dependents: []string{"x", "y"}, Valid: "at least 1",
		},
		{Name: "plain", Type: TypeString, Required: true, Importance: Low, Order: -1, DisplayName: "plain", Dependents: []string{}},
		{Name: "list", Type: TypeList, Default: ptr(""), Importance: Medium, Order: -1, DisplayName: "list", Dependents: []string{}},
		{
			Name: "secret", Type: TypePassword, Default: ptr("[hidden]"), Importance: Medium, Order: -1,
			DisplayName: "secret", Dependents: []string{},
		},
		{
			Name: "mode", Type: TypeString, Importance: Medium, Order: -1, DisplayName: "mode", Dependents: []string{},
			Valid: "null or one of a, b", Allowed: []string{"a", "b"},
		},
		{Name: "double", Type: TypeDouble, Default: ptr("1.0E10"), Importance: Medium, Order: -1, DisplayName: "double", Dependents: []string{}},
	}
	if diff := cmp.Diff(want, def.Keys()); diff != "" {
		t.Error(diff)
	}
	if info, ok := def.Lookup("list"); !ok || info.Name != "list" {
		t.Errorf("Lookup(list) = %+v, %v", info, ok)
	}
	if _, ok := def.Lookup("nosuch"); ok {
		t.Error("found nosuch")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	var types []string
	for typ := TypeBoolean; typ <= TypePassword; typ++ {
		types = append(types, typ.String())
	}
	if got, want := strings.Join(types, " "), "BOOLEAN STRING INT SHORT LONG DOUBLE LIST CLASS PASSWORD"; got != want {
		t.Errorf("types %s, want %s", got, want)
	}
	if got := High.String() + Medium.String() + Low.String(); got != "HIGHMEDIUMLOW" {
		t.Errorf("importance %s", got)
	}
	if got := WidthNone.String() + WidthShort.String() + WidthMedium.String() + WidthLong.String(); got != "NONESHORTMEDIUMLONG" {
		t.Errorf("width %s", got)
	}
}

func TestDefinitionPanics(t *testing.T) {
	t.Parallel()
	for name, define := range map[string]func(*Def){
		"twice":          func(d *Def) { d.Int("a"); d.String("a") },
		"wrong type":     func(d *Def) { d.Int("a", Default("1")) },
		"too large":      func(d *Def) { d.Short("a", Default(40000)) },
		"text as list":   func(d *Def) { d.List("a", Default("x")) },
		"violates check": func(d *Def) { d.Int("a", Default(0), AtLeast(1)) },
		"null violates":  func(d *Def) { d.Int("a", NullDefault, AtLeast(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			define(New())
		})
	}
}

func TestDefaultTypes(t *testing.T) {
	t.Parallel()
	def := New()
	b := def.Boolean("b", Default(true))
	i := def.Int("i", Default(int32(5)))
	s := def.Short("s", Default(int16(6)))
	l := def.Long("l", Default(int64(7)))
	f := def.Double("f", Default(0.5))
	p := def.Password("p", Default("pw"))
	q := def.Password("q", Default(NewPassword("qw")))
	v, err := def.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Of(v) || i.Of(v) != 5 || s.Of(v) != 6 || l.Of(v) != 7 || f.Of(v) != 0.5 || p.Of(v).Reveal() != "pw" || q.Of(v).Reveal() != "qw" {
		t.Error("defaults differ from what was given")
	}
}

func TestMustMerge(t *testing.T) {
	t.Parallel()
	common, own := New(), New()
	a := common.String("a", Default("1"))
	b := own.String("b", Default("2"))
	all := MustMerge(common, own)
	v, err := all.Parse(map[string]string{"b": "3"})
	if err != nil || a.Of(v) != "1" || b.Of(v) != "3" {
		t.Errorf("a = %s, b = %s, %v", a.Of(v), b.Of(v), err)
	}
	if len(common.Keys()) != 1 {
		t.Error("merging changed a part")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a key defined twice")
		}
	}()
	MustMerge(common, own, common)
}

func TestInclude(t *testing.T) {
	t.Parallel()
	inner := New()
	var seen string
	mode := inner.String("mode", OneOf("x", "y"), Group("G", 2), Dependents("size"))
	size := inner.Int("size", Default(1), Recommend(func(v Values) ([]string, bool) {
		seen = mode.Of(v)
		return []string{"10"}, seen == "x"
	}))
	def := New()
	if err := def.Include("key.converter.", inner); err != nil {
		t.Fatal(err)
	}
	got := def.Validate(map[string]string{"key.converter.mode": "x", "key.converter.size": "q"})
	want := []Value{
		{Name: "key.converter.mode", Value: ptr("x"), Recommended: []string{}, Errors: []string{}, Visible: true},
		{
			Name: "key.converter.size", Recommended: []string{"10"}, Visible: true,
			Errors: []string{"Invalid value q for configuration key.converter.size: Not a number of type INT"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if seen != "x" {
		t.Errorf("the recommender saw %q", seen)
	}
	info, _ := def.Lookup("key.converter.mode")
	if diff := cmp.Diff([]string{"key.converter.size"}, info.Dependents); diff != "" {
		t.Error(diff)
	}
	if info.Group != "G" || info.Order != 2 || info.DisplayName != "mode" {
		t.Errorf("group %q, order %d, display %q", info.Group, info.Order, info.DisplayName)
	}

	_, err := def.Parse(map[string]string{"key.converter.mode": "z"})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Key != "key.converter.mode" || e.Message != "Invalid value z for configuration mode: String must be one of: x, y" {
		t.Errorf("got %+v", e)
	}
	v, err := def.Parse(map[string]string{"key.converter.mode": "y", "key.converter.size": "4"})
	if err != nil {
		t.Fatal(err)
	}
	if sub := v.Sub("key.converter."); mode.Of(sub) != "y" || size.Of(sub) != 4 || size.Of(v) != 0 {
		t.Errorf("mode %q, size %d, %d", mode.Of(sub), size.Of(sub), size.Of(v))
	}

	err = def.Include("key.", mustDef("converter.mode"))
	if err == nil || err.Error() != "Configuration key.converter.mode is defined twice." {
		t.Errorf("got %v", err)
	}
	if len(def.Keys()) != 2 {
		t.Error("a refused definition added keys")
	}
}

func mustDef(names ...string) *Def {
	d := New()
	for _, n := range names {
		d.String(n)
	}
	return d
}

// The expected order and groups are those of the reference's ConfigDef.embed.
func TestEmbed(t *testing.T) {
	t.Parallel()
	inner := New()
	inner.Int("z", Default(0), Low)
	inner.Int("y", High)
	inner.Int("x", Default(0), High, Group("G", 3), WidthLong, Display("Disp"), Dependents("y"))
	inner.Int("w", Default(0), High)
	inner.Int("v", Default(0), Low)
	inner.Int("u", Default(0), High, Group("G", 1))
	def := New()
	if err := def.Embed("t.a.", "Transforms: a", 2, inner); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Name, Group string
		Order       int
		Width       string
		Display     string
	}
	want := []row{
		{"t.a.y", "Transforms: a", 2, "NONE", "y"},
		{"t.a.w", "Transforms: a", 3, "NONE", "w"},
		{"t.a.v", "Transforms: a", 4, "NONE", "v"},
		{"t.a.z", "Transforms: a", 5, "NONE", "z"},
		{"t.a.u", "Transforms: a: G", 6, "NONE", "u"},
		{"t.a.x", "Transforms: a: G", 7, "LONG", "Disp"},
	}
	var got []row
	for _, k := range def.Keys() {
		got = append(got, row{k.Name, k.Group, k.Order, k.Width.String(), k.DisplayName})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
