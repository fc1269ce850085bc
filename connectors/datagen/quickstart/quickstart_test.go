package quickstart

import (
	"bytes"
	"io/fs"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, want string }{
		{"pageviews", "pageviews"},
		{"PAGEVIEWS", "pageviews"},
		{"Shoe_ClickStream", "shoe_clickstream"},
		{"users", "users"},
		{"Users_", "users_"},
		{"", ""},
		{"purchase", ""},
		{" users", ""},
		{"pageviews_schema.avro", ""},
	} {
		q, ok := Find(tt.name)
		if q.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("Find(%q) = %q, %t, want %q", tt.name, q.Name, ok, tt.want)
		}
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"pageviews_schema.avro":         true,
		"purchase.avro":                 true,
		"Purchase.avro":                 false,
		"purchases.avro":                false,
		"pageviews":                     false,
		"":                              false,
		".":                             false,
		"../quickstart.go":              false,
		"schemas/pageviews_schema.avro": false,
		"./pageviews_schema.avro":       false,
	} {
		b, ok := File(name)
		if ok != want || (len(b) > 0) != want {
			t.Errorf("File(%q) = %d bytes, %t, want %t", name, len(b), ok, want)
		}
	}
}

func TestSchemaIsTheFile(t *testing.T) {
	t.Parallel()
	for _, q := range All() {
		b, ok := File(q.File)
		if !ok || !bytes.Equal(b, q.Schema()) {
			t.Errorf("%s: the schema is not the text of %s", q.Name, q.File)
		}
	}
	if b := (Quickstart{}).Schema(); b != nil {
		t.Errorf("the schema of no quickstart = %q, want nil", b)
	}
}

func TestCallersOwnWhatTheyGet(t *testing.T) {
	t.Parallel()
	q, _ := Find("stores")
	q.Schema()[0] = 'x'
	All()[0].Name = "x"
	if b := q.Schema(); b[0] != '{' {
		t.Errorf("the schema starts with %q after a caller wrote to its own copy", b[0])
	}
	if got := All()[0].Name; got != "pageviews" {
		t.Errorf("the first name is %q after a caller wrote to its own slice", got)
	}
}

func TestEveryFileBelongsToOneQuickstart(t *testing.T) {
	t.Parallel()
	owners := map[string]int{}
	for _, q := range All() {
		owners[q.File]++
	}
	got := map[string]int{}
	size := 0
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, _ := File(e.Name())
		got[e.Name()] = 1
		size += len(b)
	}
	if diff := cmp.Diff(owners, got); diff != "" {
		t.Errorf("files (-of quickstarts +embedded):\n%s", diff)
	}
	if size > 400_000 {
		t.Errorf("the schemas take %d bytes of the binary, want at most 400000", size)
	}
}

func TestDescriptionsAreOneSentence(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, q := range All() {
		d := q.Description
		if d == "" || strings.Index(d, ".") != len(d)-1 || len(d) > 100 || d[:1] != strings.ToUpper(d[:1]) {
			t.Errorf("%s: %q is not one short sentence", q.Name, d)
		}
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same description", q.Name, other)
		}
		seen[d] = q.Name
	}
}

// What could belong to somebody must come from a range that is kept free for examples.
func TestValuesBelongToNobody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what    string
		pattern string
		atLeast int
		free    func(string) bool
	}{
		{"IPv4 address", `\b\d{1,3}(\.\d{1,3}){3}\b`, 300, documentationIP},
		{"e-mail address", `[\w.+-]+@[\w.-]+`, 550, hasSuffix("@example.com")},
		{"host of a URL", `https?://[^/"]*`, 10, regexp.MustCompile(`[/.]example\.(com|net|org)$`).MatchString},
		{"telephone number", `\b\d{3}-\d{3}-\d{4}\b`, 300, regexp.MustCompile(`^\d{3}-555-01\d\d$`).MatchString},
		{"social security number", `\b\d{3}-\d{2}-\d{4}\b`, 100, regexp.MustCompile(`^900-[0-4]\d-\d{4}$`).MatchString},
		{"MAC address", `\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b`, 40, hasPrefix("00:00:5e:00:53:")},
		{"card number", `\b\d{15,19}\b`, 24, func(s string) bool { return strings.HasPrefix(s, "999") && !luhn(s) }},
	} {
		found := 0
		for _, q := range All() {
			for _, v := range regexp.MustCompile(tt.pattern).FindAllString(string(q.Schema()), -1) {
				found++
				if !tt.free(v) {
					t.Errorf("%s: the %s %s may belong to somebody", q.Name, tt.what, v)
				}
			}
		}
		if found < tt.atLeast {
			t.Errorf("%s: found %d in the schemas, want at least %d: the pattern does not see them", tt.what, found, tt.atLeast)
		}
	}
}

func documentationIP(s string) bool {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	for _, net := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"} {
		if netip.MustParsePrefix(net).Contains(a) {
			return true
		}
	}
	return false
}

func hasPrefix(p string) func(string) bool {
	return func(s string) bool { return strings.HasPrefix(s, p) }
}

func hasSuffix(p string) func(string) bool {
	return func(s string) bool { return strings.HasSuffix(s, p) }
}

// luhn says whether the last digit is the check digit that every card number in use has.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
