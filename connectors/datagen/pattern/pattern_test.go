package pattern

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// TestStringsMatch compares with the regular expressions of Go, which agree with Java's on what is accepted here, but
// for the classes in classes, for which the test has an expression of Go.
func TestStringsMatch(t *testing.T) {
	t.Parallel()
	for java, golang := range map[string]string{
		``:                                       ``,
		`User_[1-9]`:                             ``,
		`Item_[1-9][0-9]{0,2}`:                   ``,
		`\d{3}-\d{2}-\d{4}`:                      ``,
		`\[[1-9]{2},[1-9]{2}\]`:                  ``,
		`[A-Z]{2,}\.[^a-z]?[\w-]*x+`:             ``,
		`(a|bc|)(d|e){2,4}`:                      ``,
		`(?:ab)+(?<name>c)*`:                     ``,
		`.{5}\s\S\w\W\D`:                         ``,
		`^[a-z]$|^\^\$$`:                         ``,
		`[\d\-\]\\.]+?`:                          ``,
		`[a-c[x-z]]{4}`:                          `[a-cx-z]{4}`,
		`[^[^ab]]`:                               `[ab]`,
		`\u00e9\x41[à-ü]{3}日`:                    `éA[à-ü]{3}日`,
		`\t\n\r\f\e`:                             `\t\n\r\f\x1b`,
		`[+-]?(0|[1-9]\d*)(\.\d+)?`:              ``,
		`((1[0-9]|2[0-4])\.){3}[0-9]`:            ``,
		`(x{2}y?){0}z`:                           ``,
		`[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,4}`: ``,
		`(){1000}(a?){3}`:                        ``,
		`[-a]{4}[a-]{4}`:                         ``,
		`_\-\_\@`:                                `_-_@`,
	} {
		if golang == "" {
			golang = java
		}
		want := regexp.MustCompile(`(?s)^(?:` + golang + `)$`)
		p, err := Compile(java, 0, AnyLength)
		if err != nil {
			t.Errorf("%s: %v", java, err)
			continue
		}
		r, seen := random.New(1), map[string]bool{}
		for range 300 {
			s := string(p.Append(nil, r))
			if seen[s] = true; !want.MatchString(s) || utf8.RuneCountInString(s) > p.MaxLen() {
				t.Fatalf("%s: got %q", java, s)
			}
		}
		all, ok := p.List(1000)
		for _, s := range all {
			if !want.MatchString(s) {
				t.Errorf("%s: lists %q", java, s)
			}
			delete(seen, s)
		}
		if ok && len(seen) != 0 {
			t.Errorf("%s: does not list %v", java, seen)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		min, max int
		want     []string // nil for too many
	}{
		{`Region_[1-3]`, 0, AnyLength, []string{"Region_1", "Region_2", "Region_3"}},
		{`(a|ab)(c|bc)?`, 0, AnyLength, []string{"a", "ab", "abbc", "abc", "ac"}},
		{`a{0,3}`, 2, 9, []string{"aa", "aaa"}},
		{`a{0,3}`, 7, 9, []string{"", "a", "aa", "aaa"}},
		{`[a-h]`, 0, AnyLength, strings.Split("abcdefgh", "")},
		{`[a-i]`, 0, AnyLength, nil},
		{`x*`, 0, AnyLength, nil},
		{`x{300}`, 0, AnyLength, nil},
		{``, 0, AnyLength, []string{""}},
	} {
		p, err := Compile(test.text, test.min, test.max)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.List(8)
		if d := cmp.Diff(test.want, got); d != "" || ok != (test.want != nil) {
			t.Errorf("%s: %v\n%s", test.text, ok, d)
		}
	}
}

// TestLength generates strings whose pattern lets them have the length, and some whose pattern does not.
func TestLength(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text               string
		min, max           int
		shortest, greatest int // of 500 strings
	}{
		{`[a-z]*`, 5, 5, 5, 5},
		{`[a-z]*`, 5, 15, 5, 15},
		{`[a-z]*`, 100, AnyLength, 100, 110},
		{`[a-z]+`, 0, 4, 1, 4},
		{`[a-z]{5,}`, 0, 7, 5, 7},
		{`[a-z]{0,15}`, 12, AnyLength, 12, 15},
		{`(ab|cde|f{3,6})*x`, 9, 11, 9, 11},
		{`a{2}|b{4}|c{6}`, 4, 5, 4, 4},
		{`a{2}|b{4}`, 9, 12, 2, 4},
		{`[a-z]{3}`, 10, 12, 3, 3},
		{`(aaa)*`, 4, 5, 3, 3},
	} {
		p, err := Compile(test.text, test.min, test.max)
		if err != nil {
			t.Fatal(err)
		}
		r, shortest, greatest := random.New(3), AnyLength, 0
		for range 500 {
			n := len(p.Append(nil, r))
			shortest, greatest = min(shortest, n), max(greatest, n)
		}
		if shortest != test.shortest || greatest != test.greatest {
			t.Errorf("%s of %d to %d: got %d to %d, want %d to %d", test.text, test.min, test.max, shortest, greatest, test.shortest, test.greatest)
		}
	}
}

// TestChoicesAreEven counts what a pattern with little choice gives for a fixed seed.
func TestChoicesAreEven(t *testing.T) {
	t.Parallel()
	p, err := Compile(`(a|b)[0-1x]c?`, 0, AnyLength)
	if err != nil {
		t.Fatal(err)
	}
	r, count := random.New(11), map[string]int{}
	for range 12_000 {
		count[string(p.Append(nil, r))]++
	}
	for s, n := range count {
		if n < 850 || n > 1150 {
			t.Errorf("%s came %d times in 12000", s, n)
		}
	}
	if len(count) != 12 {
		t.Errorf("got %d different strings, want 12", len(count))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	const also = "; accepted are characters, escapes such as \\d, classes, groups, alternatives and repetitions"
	for text, want := range map[string]string{
		`[a`:                       `at position 2: a class is empty or does not end`,
		`[]`:                       `at position 1: a class is empty or does not end`,
		`[z-a]`:                    `at position 4: a run of characters ends before it begins`,
		`[a-\d]`:                   `at position 5: a run of characters ends before it begins`,
		`[a&&b]`:                   `at position 2: intersections of classes cannot be generated` + also,
		`[^ -~]`:                   `at position 6: a class has no character that can be generated`,
		`a)`:                       `at position 1: a group ends that did not begin`,
		`(a`:                       `at position 2: a group does not end`,
		`(?=a)`:                    `at position 2: groups with flags or conditions cannot be generated` + also,
		`(?<=a)b`:                  `at position 2: groups with flags or conditions cannot be generated` + also,
		`(?i)a`:                    `at position 2: groups with flags or conditions cannot be generated` + also,
		`*a`:                       `at position 0: a repetition has nothing to repeat`,
		`a++`:                      `at position 3: possessive repetitions cannot be generated` + also,
		`a{2,1}`:                   `at position 2: braces must hold n, n, or n,m with n not greater than m and both up to 1000`,
		`a{1001}`:                  `at position 2: braces must hold n, n, or n,m with n not greater than m and both up to 1000`,
		`a{2`:                      `at position 2: braces do not end`,
		`a^b`:                      `at position 1: ^ must be at the beginning or the end; escape the character itself as \^`,
		`a$b`:                      `at position 1: $ must be at the beginning or the end; escape the character itself as \$`,
		`\`:                        `at position 1: the pattern ends in a backslash`,
		`(a)\1`:                    `at position 4: \1 cannot be generated` + also,
		`\bfoo`:                    `at position 1: \b cannot be generated` + also,
		`\u00`:                     `at position 2: an escape lacks hexadecimal digits`,
		`\ud800`:                   `at position 2: an escape lacks hexadecimal digits of a character`,
		"a\xff":                    `at position 1: the pattern is not UTF-8`,
		`(.{1000}){1000}{1000}`:    `the pattern asks for too much: at most 10000 parts and 1048576 characters`,
		strings.Repeat(`(`, 200):   `at position 101: groups are nested deeper than 100 levels`,
		strings.Repeat(`[`, 200):   `at position 102: classes are nested deeper than 100 levels`,
		strings.Repeat(`a|`, 9999): `the pattern asks for too much: at most 10000 parts and 1048576 characters`,
	} {
		if _, err := Compile(text, 0, AnyLength); err == nil || err.Error() != want {
			t.Errorf("%.20s: got %v, want %s", text, err, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`User_[1-9]`, `(a|b)*c{2,3}`, `[^\d[a-z]]+`, `\u0041?`, `^x$`} {
		f.Add(s, 0, 10)
	}
	f.Fuzz(func(t *testing.T, text string, low, high int) {
		p, err := Compile(text, low, high)
		if err != nil {
			return
		}
		if s := p.Append(nil, random.New(1)); utf8.RuneCount(s) > p.MaxLen() || !utf8.Valid(s) {
			t.Errorf("%q gives %q", text, s)
		}
		p.List(100)
	})
}

func BenchmarkAppend(b *testing.B) {
	p, err := Compile(`[A-Z]{2}-\d{4,8}(x|yz)?`, 0, AnyLength)
	if err != nil {
		b.Fatal(err)
	}
	r, buf := random.New(1), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = p.Append(buf[:0], r)
	}
}
