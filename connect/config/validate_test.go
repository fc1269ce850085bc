package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func resolveNothing(string) (string, bool) { return "", false }

// oneKey returns the outcome of the only key of the definition that define
// builds, with the value or the messages joined by " | ".
func oneKey(define func(*Def), text string) string {
	d := New()
	define(d)
	v := d.Validate(map[string]string{"k": text})[0]
	if len(v.Errors) > 0 {
		return strings.Join(v.Errors, " | ")
	}
	if v.Value == nil {
		return "null"
	}
	return "=" + *v.Value
}

// The messages are those of the reference's ConfigDef.
func TestValidateTypes(t *testing.T) {
	t.Parallel()
	boolean := func(d *Def) { d.Boolean("k") }
	integer := func(d *Def) { d.Int("k") }
	short := func(d *Def) { d.Short("k") }
	long := func(d *Def) { d.Long("k") }
	double := func(d *Def) { d.Double("k") }
	list := func(d *Def) { d.List("k") }
	class := func(d *Def) { d.Class("k", Resolve(resolveNothing)) }
	for _, c := range []struct {
		define     func(*Def)
		text, want string
	}{
		{integer, "+3", "=3"},
		{integer, " 3 ", "=3"},
		{integer, "-0", "=0"},
		{integer, "\u0663", "=3"},
		{integer, "x ", "Invalid value x  for configuration k: Not a number of type INT"},
		{integer, "2147483648", "Invalid value 2147483648 for configuration k: Not a number of type INT"},
		{integer, "", "Invalid value  for configuration k: Not a number of type INT"},
		{integer, "--1", "Invalid value --1 for configuration k: Not a number of type INT"},
		{short, "40000", "Invalid value 40000 for configuration k: Not a number of type SHORT"},
		{short, "32767", "=32767"},
		{long, "1.5", "Invalid value 1.5 for configuration k: Not a number of type LONG"},
		{long, "9223372036854775807", "=9223372036854775807"},
		{double, "0x1p3", "=8.0"},
		{double, " y", "Invalid value  y for configuration k: Not a number of type DOUBLE"},
		{double, "1e10", "=1.0E10"},
		{double, "NaN", "=NaN"},
		{boolean, " TRUE", "=true"},
		{boolean, "False", "=false"},
		{boolean, " yes ", "Invalid value  yes  for configuration k: Expected value to be either true or false"},
		{boolean, "", "Invalid value  for configuration k: Expected value to be either true or false"},
		{list, " a , b,,c ", "=a,b,,c"},
		{list, ",", "=,"},
		{list, "  ", "="},
		{list, "a\v,\u00a0b", "=a,\u00a0b"},
		{func(d *Def) { d.String("k") }, " s ", "=s"},
		{func(d *Def) { d.Password("k") }, " pw ", "=[hidden]"},
		{func(d *Def) { d.Class("k") }, " a.B ", "=a.B"},
		{class, "Nope", "Invalid value Nope for configuration k: Class Nope could not be found."},
		{class, "", "Invalid value  for configuration k: Class  could not be found."},
	} {
		if got := oneKey(c.define, c.text); got != c.want {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
	}
}

// null marks a test row in which the key is given as null.
const null = "\x00null"

func TestChecks(t *testing.T) {
	t.Parallel()
	number := func(o Option) func(*Def) { return func(d *Def) { d.Int("k", o) } }
	double := func(o Option) func(*Def) { return func(d *Def) { d.Double("k", o) } }
	text := func(o Option) func(*Def) { return func(d *Def) { d.String("k", o) } }
	list := func(o Option) func(*Def) { return func(d *Def) { d.List("k", o) } }
	const invalid = "Invalid value "
	for _, c := range []struct {
		define     func(*Def)
		text, want string
	}{
		{number(AtLeast(1)), "1", ""},
		{number(AtLeast(1)), "0", invalid + "0 for configuration k: Value must be at least 1"},
		{number(AtLeast(1)), null, invalid + "null for configuration k: Value must be non-null"},
		{
			number(AtLeast(1)), "abc",
			invalid + "abc for configuration k: Not a number of type INT | " + invalid + "null for configuration k: Value must be non-null",
		},
		{number(OrNull(AtLeast(0))), null, ""},
		{number(OrNull(AtLeast(0))), "-1", invalid + "-1 for configuration k: Value must be at least 0"},
		{double(AtLeast(0.5)), "0.25", invalid + "0.25 for configuration k: Value must be at least 0.5"},
		{number(Between(1, 5)), "0", invalid + "0 for configuration k: Value must be at least 1"},
		{number(Between(1, 5)), "6", invalid + "6 for configuration k: Value must be no more than 5"},
		{number(Between(1, 5)), "5", ""},
		{number(Between(1, 5)), null, invalid + "null for configuration k: Value must be non-null"},
		{double(Between(0.1, 1e7)), "1e10", invalid + "1.0E10 for configuration k: Value must be no more than 1.0E7"},
		{func(d *Def) { d.Short("k", AtLeast(1)) }, "0", invalid + "0 for configuration k: Value must be at least 1"},
		{func(d *Def) { d.Long("k", AtLeast(int64(1))) }, "0", invalid + "0 for configuration k: Value must be at least 1"},
		{text(AtLeast(1)), "0", invalid + "0 for configuration k: Value must be a number"},

		{text(OneOf("none", "all")), "all", ""},
		{text(OneOf("none", "all")), "ALL", invalid + "ALL for configuration k: String must be one of: none, all"},
		{text(OneOf("none", "all")), null, invalid + "null for configuration k: String must be one of: none, all"},
		{text(OneOfFold("poll", "connector", "interval")), "Poll", ""},
		{text(OneOfFold("poll", "connector", "interval")), "x", invalid + "x for configuration k: String must be one of (case insensitive): INTERVAL, POLL, CONNECTOR"},
		{text(OneOfFold("requested", "required")), null, invalid + "null for configuration k: String must be one of (case insensitive): REQUIRED, REQUESTED"},
		{text(OneOfFold("BASE64", "NUMERIC")), "", invalid + " for configuration k: String must be one of (case insensitive): NUMERIC, BASE64"},

		{text(NonEmpty), "", invalid + " for configuration k: String must be non-empty"},
		{text(NonEmpty), null, ""},
		{text(ConnectorName), " ", invalid + " for configuration k: String may not be empty"},
		{text(ConnectorName), null, ""},
		{text(ConnectorName), "\u00e9/{}", ""},
		{text(ConnectorName), "a\nb\u0085c\td", invalid + "a\nb\u0085c\td for configuration k: String may not contain control sequences but had the following ASCII chars: 10, 133, 9"},

		{list(UniqueList), "", ""},
		{list(UniqueList), "a,b", ""},
		{list(UniqueList), null, "Configuration 'k' values must not be null."},
		{list(UniqueList), "a,a", "Configuration 'k' values must not be duplicated."},
		{list(UniqueList), "a,", "Configuration 'k' values must not be empty."},
		{list(UniqueList), "a,a,", "Configuration 'k' values must not be duplicated."},
		{list(UniqueNonEmptyList), "", "Configuration 'k' must not be empty. Valid values include: any non-empty value"},
		{list(UniqueNonEmptyList), "a,a", "Configuration 'k' values must not be duplicated."},
		{list(NonEmptyList), "", invalid + "[] for configuration k: Empty list"},
		{list(NonEmptyList), null, invalid + "null for configuration k: Empty list"},
		{list(NonEmptyList), "a,a", ""},
		{list(Aliases), "a, a", invalid + "[a, a] for configuration k: Duplicate alias provided."},
		{list(Aliases), null, invalid + "null for configuration k: entry must be non null"},
		{list(Aliases), "a,", ""},
		{list(EachOneOf("x", "y")), "a,x", invalid + "a for configuration k: String must be one of: x, y"},
		{list(EachOneOf("x", "y")), "x,x", "Configuration 'k' values must not be duplicated."},
		{list(EachOneOf("x", "y")), "x,y", ""},

		{text(Regex(failCompile)), "(", invalid + "( for configuration k: Invalid regex: Unclosed group near index 1"},
		{text(Regex(failCompile)), "a", ""},
		{text(Regex(failCompile)), null, ""},

		{text(Validator(failPlain)), "v", invalid + "v for configuration k: plain reason"},
		{text(Validator(failWhole)), "v", "Text of its own."},
		{text(NewCheck("words", failWhole)), "v", "Text of its own."},
	} {
		d := New()
		c.define(d)
		var got []Value
		if c.text == null {
			got = d.Validate(nil, "k")
		} else {
			got = d.Validate(map[string]string{"k": c.text})
		}
		if text := strings.Join(got[0].Errors, " | "); text != c.want {
			t.Errorf("%q: got %s, want %s", c.text, text, c.want)
		}
	}
}

func failCompile(pattern string) error {
	if pattern == "(" {
		return errors.New("Unclosed group near index 1")
	}
	return nil
}

func failPlain(string, any) error { return errors.New("plain reason") }

func failWhole(key string, v any) error {
	return fmt.Errorf("wrapped: %w", &Error{Key: key, Message: "Text of its own."})
}

func TestFirstFailingCheckCounts(t *testing.T) {
	t.Parallel()
	got := oneKey(func(d *Def) { d.String("k", NonEmpty, OneOf("a")) }, "")
	if want := "Invalid value  for configuration k: String must be non-empty"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestValidateMissing(t *testing.T) {
	t.Parallel()
	d := New()
	d.Int("n", AtLeast(1))
	d.Int("m", Default(5), AtLeast(1))
	d.String("s", NullDefault)
	want := []Value{
		{
			Name: "n", Recommended: []string{}, Visible: true,
			Errors: []string{
				`Missing required configuration "n" which has no default value.`,
				"Invalid value null for configuration n: Value must be non-null",
			},
		},
		{Name: "m", Value: ptr("5"), Recommended: []string{}, Errors: []string{}, Visible: true},
		{Name: "s", Recommended: []string{}, Errors: []string{}, Visible: true},
	}
	if diff := cmp.Diff(want, d.Validate(nil)); diff != "" {
		t.Error(diff)
	}
}

func TestRecommend(t *testing.T) {
	t.Parallel()
	d := New()
	// The recommender may read keys that come later in the definition.
	var base Key[string]
	d.String("version", NullDefault, Recommend(func(v Values) ([]string, bool) {
		name, ok := base.Lookup(v)
		return []string{name + "-1", name + "-2"}, ok
	}))
	base = d.String("base", NullDefault)
	got := d.Validate(map[string]string{"base": "b"})[0]
	if diff := cmp.Diff([]string{"b-1", "b-2"}, got.Recommended); diff != "" || !got.Visible {
		t.Errorf("visible %v, %s", got.Visible, diff)
	}
	if d.Validate(nil)[0].Visible {
		t.Error("visible without base")
	}
}

func TestPasswordStaysHidden(t *testing.T) {
	t.Parallel()
	const secret = "geheim"
	p := NewPassword(secret)
	holder := struct{ inner Password }{p}
	public := struct{ Inner Password }{p}
	marshalled, err := json.Marshal(map[string]any{"p": p, "q": &p, "r": public})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "p", p, "h", holder, "q", &p, "r", public)
	texts := map[string]string{
		"json": string(marshalled), "slog": log.String(), "Text": *valueText(p),
		"Invalid": Invalid("k", p, "").Error(),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%c"} {
		texts[verb] = fmt.Sprintf(verb, p) + fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, public) + fmt.Sprintf(verb, &p)
	}
	for how, text := range texts {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
	if got := p.String() + p.GoString(); got != "[hidden][hidden]" {
		t.Errorf("got %s", got)
	}
	if !p.Equal(NewPassword(secret)) || p.Equal(Password{}) || !(Password{}).Equal(NewPassword("")) {
		t.Error("Equal does not compare texts")
	}
}

func TestChecksCannotShowPasswords(t *testing.T) {
	t.Parallel()
	d := New()
	d.Password("p", Validator(func(_ string, v any) error {
		p, _ := v.(Password)
		return errors.New("must not be " + p.Reveal())
	}))
	_, err := d.Parse(map[string]string{"p": "geheim"})
	want := "Invalid value [hidden] for configuration p"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	e, _ := errors.AsType[*Error](err)
	if diff := cmp.Diff(&Error{Key: "p", Value: "[hidden]", Message: want}, e); diff != "" {
		t.Error(diff)
	}
	if got := d.Validate(map[string]string{"p": "geheim"})[0].Errors; len(got) != 1 || got[0] != want {
		t.Errorf("got %q", got)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	d := mustDef("tasks.max", "topic")
	got := d.Unknown(map[string]string{"topic": "", "b": "", "a": "", "tasks.maxx": ""})
	if diff := cmp.Diff([]string{"a", "b", "tasks.maxx"}, got); diff != "" {
		t.Error(diff)
	}
	if got := d.Unknown(map[string]string{"topic": ""}); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"tasks.max", "topics", "topics.regex", "topic.prefix", "name", "batch.size", "file", "files", "filer", "fill"}
	for _, c := range []struct {
		word string
		want []string
	}{
		{"task.max", []string{"tasks.max"}},
		{"tasks.mxa", []string{"tasks.max"}},
		{"TASKS.MAX", []string{"tasks.max"}},
		{"topic", []string{"topics"}},
		{"topics.regxe", []string{"topics.regex"}},
		{"batchsize", []string{"batch.size"}},
		{"file", []string{"file", "filer", "files"}},
		{"nonsense.entirely", nil},
		{"", nil},
	} {
		if diff := cmp.Diff(c.want, Nearest(c.word, keys)); diff != "" {
			t.Errorf("Nearest(%q) (-want +got):\n%s", c.word, diff)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"abcd", "acbd", 1}, {"\u00e9a", "ea", 1},
	} {
		if got := distance([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
