package javaregex

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, c := range vectors {
		re, err := Compile(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		whole, err := re.MatchWhole(c.text)
		if err != nil || whole != c.whole {
			t.Errorf("%q: MatchWhole(%q) = %v, %v, want %v", c.pattern, c.text, whole, err, c.whole)
		}
		anywhere, err := re.MatchAnywhere(c.text)
		if err != nil || anywhere != (c.groups != nil) {
			t.Errorf("%q: MatchAnywhere(%q) = %v, %v, want %v", c.pattern, c.text, anywhere, err, !anywhere)
		}
		groups, err := re.FindGroups(c.text)
		if diff := cmp.Diff(c.groups, groups); err != nil || diff != "" {
			t.Errorf("%q: FindGroups(%q): %v (-want +got):\n%s", c.pattern, c.text, err, diff)
		}
		all, err := re.ReplaceAll(c.text, c.replacement)
		if all != c.all || failure(err) != c.fails {
			t.Errorf("%q: ReplaceAll(%q, %q) = %q, %q, want %q, %q", c.pattern, c.text, c.replacement, all, failure(err), c.all, c.fails)
		}
		first, err := re.ReplaceFirst(c.text, c.replacement)
		if first != c.first || failure(err) != c.fails {
			t.Errorf("%q: ReplaceFirst(%q, %q) = %q, %q, want %q, %q", c.pattern, c.text, c.replacement, first, failure(err), c.first, c.fails)
		}
	}
}

// failure prints an error as Java prints an exception.
func failure(err error) string {
	e, ok := errors.AsType[*ReplacementError](err)
	if !ok {
		return ""
	}
	return e.ErrorClass() + ": " + e.Error()
}

func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	for _, c := range syntaxErrors {
		_, err := Compile(c.pattern)
		want := &SyntaxError{Description: c.description, Index: c.index, Pattern: c.pattern}
		got, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%q: got %v, want %v", c.pattern, err, want)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.pattern, diff)
		}
		if strings.Contains(got.Error(), "\n") {
			t.Errorf("%q: %q has several lines", c.pattern, got.Error())
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	t.Parallel()
	err := Check("a(b")
	if err == nil || err.Error() != "Unclosed group near index 3" {
		t.Errorf("got %v", err)
	}
	e, _ := errors.AsType[*SyntaxError](err)
	if e.ErrorClass() != "java.util.regex.PatternSyntaxException" {
		t.Errorf("class %s", e.ErrorClass())
	}
	if got := (&SyntaxError{Description: "d", Index: -1}).Error(); got != "d" {
		t.Errorf("got %q", got)
	}
	if err := Check("a(b)"); err != nil {
		t.Error(err)
	}
}

// Positions count the characters of the pattern as written, quotes included.
func TestErrorIndexBehindQuotes(t *testing.T) {
	t.Parallel()
	err := Check(`\Qab\E*+\Qc\E(`)
	if err == nil || err.Error() != "Unclosed group near index 14" {
		t.Errorf("got %v", err)
	}
}

func TestNotSupported(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		`a\b{g}`:                  `\b{g} is not supported near index 3`,
		`\N{DIGIT ONE}`:           `\N{...} is not supported near index 1`,
		`\p{InCuneiform}`:         `Unknown character property name {InCuneiform} near index 14`,
		`(?<=(a)\1)c`:             `Look-behind group does not have an obvious maximum length near index 8`,
		`\`:                       `Illegal/unsupported escape sequence near index 1`,
		`a{99999999999}`:          `Illegal repetition range near index 12`,
		strings.Repeat("(", 1000): `Pattern is nested too deeply near index 500`,
		strings.Repeat("[", 1000): `Pattern is nested too deeply near index 500`,
	} {
		if err := Check(pattern); err == nil || err.Error() != want {
			t.Errorf("%.40q: got %v, want %s", pattern, err, want)
		}
	}
}

// Look-behind is matched for any length, where Java refuses it or looks too
// short a way back.
func TestLookBehindOfAnyLength(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`(?<=(ab)*)c`, "ababc", true},
		{`(?<=x(ab)+)c`, "xababc", true},
		{`(?<=x(ab)+)c`, "ababc", false},
		{`(?<!a.*)c`, "abbbc", false},
	} {
		if got, err := MustCompile(c.pattern).MatchAnywhere(c.text); err != nil || got != c.want {
			t.Errorf("%q on %q: %v, %v, want %v", c.pattern, c.text, got, err, c.want)
		}
	}
}

func TestEngineChoice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern     string
		whole, find bool
	}{
		{"orders", true, true},
		{"(?i)orders-[a-z]+", true, true},
		{"^orders-.*$", true, false},
		{"^(a|b$)", true, false},
		{"^(a|b$)$", false, false},
		{`(a+)+\z`, true, true},
		{`[a-z&&[^b]]+\d{2,5}?`, true, true},
		{`(a*)*`, false, false},
		{`(a*)?`, true, true},
		{`a++`, false, false},
		{`\bword\b`, false, false},
		{`(?=a)a`, false, false},
		{`(.)\1`, false, false},
		{`$a`, false, false},
		{`\R`, false, false},
		{`x{2000}`, false, false},
	} {
		re := MustCompile(c.pattern)
		_, whole := re.whole.(linear)
		_, find := re.find.(linear)
		if whole != c.whole || find != c.find {
			t.Errorf("%q: linear %v, %v, want %v, %v", c.pattern, whole, find, c.whole, c.find)
		}
	}
}

// Both engines must agree wherever the linear one is chosen.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	for _, c := range vectors {
		re := MustCompile(c.pattern)
		fast, ok := re.find.(linear)
		if !ok {
			continue
		}
		tree, _, err := parse(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := re.newBacktracker(tree, "")
		if err != nil {
			t.Fatal(err)
		}
		want, err := slow.match(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := fast.match(c.text)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q on %q (-backtracking +linear):\n%s", c.pattern, c.text, diff)
		}
	}
}

func TestWholeGroups(t *testing.T) {
	t.Parallel()
	re := MustCompile(`(?<topic>\w+)\.(x)?(\d+)`)
	got, err := re.WholeGroups("orders.12")
	if diff := cmp.Diff([]string{"orders.12", "orders", "", "12"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if got, err := re.WholeGroups("orders.12 "); err != nil || got != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if re.NumGroups() != 3 || re.String() != `(?<topic>\w+)\.(x)?(\d+)` {
		t.Errorf("%d groups in %s", re.NumGroups(), re)
	}
}

// catastrophic takes time exponential in the number of letters a, and holds no
// text that the engine could look for first.
const catastrophic = `(?:(?=a)a+)+[^ab]`

func TestTimeout(t *testing.T) {
	t.Parallel()
	re := MustCompile(catastrophic, WithTimeout(20*time.Millisecond))
	text := strings.Repeat("a", 60) + "b"
	for name, match := range map[string]func() error{
		"MatchWhole":    func() error { _, err := re.MatchWhole(text); return err },
		"MatchAnywhere": func() error { _, err := re.MatchAnywhere(text); return err },
		"WholeGroups":   func() error { _, err := re.WholeGroups(text); return err },
		"ReplaceFirst":  func() error { _, err := re.ReplaceFirst(text, ""); return err },
		"ReplaceAll":    func() error { _, err := re.ReplaceAll(text, ""); return err },
	} {
		if err := match(); !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: got %v, want %v", name, err, ErrTimeout)
		}
	}
}

func TestReplaceAllHasOneLimit(t *testing.T) {
	t.Parallel()
	re := MustCompile(`(?=a)a|$`, WithTimeout(time.Nanosecond))
	if _, err := re.ReplaceAll(strings.Repeat("a", 100000), "b"); !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v, want %v", err, ErrTimeout)
	}
}

func TestTooDeep(t *testing.T) {
	t.Parallel()
	re := MustCompile(`(?=a)(?:a|(b))*c`, WithTimeout(0))
	if _, err := re.MatchWhole(strings.Repeat("a", 3000000)); !errors.Is(err, ErrTooDeep) {
		t.Errorf("got %v, want %v", err, ErrTooDeep)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	re := MustCompile(`(\w)\1|\Gx*`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				got, err := re.ReplaceAll("x\u00e9aab", "<$0>")
				if err != nil || got != "<x><>\u00e9<aa><>b" {
					t.Errorf("got %q, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`\x{FFFD}`, `(?=.)\x{FFFD}`} {
		got, err := MustCompile(pattern).ReplaceAll("a\xffb\xfe", "-")
		if err != nil || got != "a-b-" {
			t.Errorf("%q: got %q, %v", pattern, got, err)
		}
	}
}

func TestMustCompilePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	MustCompile("(")
}

func FuzzCompile(f *testing.F) {
	for _, c := range vectors {
		f.Add(c.pattern, c.text, c.replacement)
	}
	for _, c := range syntaxErrors {
		f.Add(c.pattern, "a", "$1")
	}
	f.Fuzz(func(t *testing.T, pattern, text, replacement string) {
		if len(pattern) > 200 || len(text) > 200 || !utf8.ValidString(text) {
			return
		}
		re, err := Compile(pattern, WithTimeout(50*time.Millisecond))
		if err != nil {
			if strings.Contains(err.Error(), "Pattern is not supported") {
				t.Fatalf("%q: %v", pattern, err)
			}
			return
		}
		whole, err := re.MatchWhole(text)
		if err != nil {
			return
		}
		anywhere, err := re.MatchAnywhere(text)
		if err == nil && whole && !anywhere {
			t.Fatalf("%q matches the whole of %q but no part", pattern, text)
		}
		first, err := re.ReplaceFirst(text, replacement)
		if err == nil && !anywhere && first != text {
			t.Fatalf("%q: %q became %q without a match", pattern, text, first)
		}
		if _, err := re.ReplaceAll(text, replacement); err == nil && !anywhere && first != text {
			t.Fatalf("%q: replaced without a match", pattern)
		}
	})
}

func BenchmarkMatchWhole(b *testing.B) {
	for name, pattern := range map[string]string{"linear": `^orders-[a-z]+$`, "backtracking": `(?!__)orders-[a-z]+`} {
		re := MustCompile(pattern)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := re.MatchWhole("orders-europe"); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
