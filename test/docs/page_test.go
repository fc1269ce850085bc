// Package docs does what the documentation says, with the ordinary binary, and compares what comes of it.
//
// A page is a session. In its ```console blocks a line that begins with "$ " is a command, which goes on in the next line
// while a ' is open or after a \ at its end. The lines that follow are its output, as exactly as they are written, but:
//
//   - a line of ... alone stands for any lines, also for none;
//   - … and <...> within a line stand for any text, also for none.
//
// The ports 8083 and 9092 are replaced by free ones, in commands and output. What only reads is run again until its
// output is the expected one, since connectors take their time; readers of the page just wait a little.
package docs

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Signs of the convention.
const (
	blockStart = "```console"
	blockEnd   = "```"
	prompt     = "$ "
	anyLines   = "..."
)

// step is a command of a page with its output.
type step struct {
	line    int // of the page
	command string
	want    []string
}

// readSteps returns the commands of all blocks of a page.
func readSteps(path string) ([]step, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(string(raw))
}

func parse(text string) ([]step, error) {
	var steps []step
	inside, open := false, false
	for i, line := range strings.Split(text, "\n") {
		switch command, isCommand := strings.CutPrefix(line, prompt); {
		case !inside:
			inside, open = line == blockStart, false
			if !inside && strings.HasPrefix(strings.TrimSpace(line), blockStart) {
				return nil, fmt.Errorf("line %d: a block must begin in the first column, with %s alone", i+1, blockStart)
			}
			if inside {
				steps = append(steps, step{line: i + 1}) // a place for output without a command, which is an error
			}
		case open:
			last := &steps[len(steps)-1]
			last.command += "\n" + line
			open = unfinished(last.command)
		case line == blockEnd:
			inside = false
		case isCommand:
			steps = append(steps, step{line: i + 1, command: command})
			open = unfinished(command)
		default:
			last := &steps[len(steps)-1]
			last.want = append(last.want, line)
		}
	}
	if inside {
		return nil, fmt.Errorf("line %d: the last block has no end", steps[len(steps)-1].line)
	}
	return withCommand(steps)
}

// withCommand removes the places at the beginning of blocks.
func withCommand(steps []step) ([]step, error) {
	var out []step
	for _, s := range steps {
		switch {
		case s.command != "":
			out = append(out, s)
		case s.want != nil:
			return nil, fmt.Errorf("line %d: the block does not begin with a command", s.line)
		}
	}
	return out, nil
}

func unfinished(command string) bool {
	return strings.HasSuffix(command, `\`) || strings.Count(command, "'")%2 == 1
}

var inLine = regexp.MustCompile(`…|<\.\.\.>`)

// matches tells whether an output is the expected one. A missing newline at its end does not count: answers of the REST
// interface have none.
func matches(want []string, got string) bool {
	var pattern strings.Builder
	for _, line := range want {
		if line == anyLines {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		at := 0
		for _, hole := range inLine.FindAllStringIndex(line, -1) {
			pattern.WriteString(regexp.QuoteMeta(line[at:hole[0]]) + `.*`)
			at = hole[1]
		}
		pattern.WriteString(regexp.QuoteMeta(line[at:]) + `\n`)
	}
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(got)
}

var readers = map[string]bool{"curl": true, "cat": true, "head": true, "tail": true, "wc": true, "grep": true}

// changes are what makes a command other than one that only reads: options of curl that send something, and redirections.
var changes = regexp.MustCompile(`\s(-X|-d|-T|--request|--data)|[>&;]`)

// readOnly tells whether a command may be run as often as one likes.
func readOnly(command string) bool {
	for part := range strings.SplitSeq(outsideQuotes(command), "|") {
		words := strings.Fields(part)
		if len(words) == 0 || !readers[words[0]] {
			return false
		}
	}
	return !changes.MatchString(outsideQuotes(command))
}

// outsideQuotes returns a command without what stands in single quotes.
func outsideQuotes(command string) string {
	var out strings.Builder
	for i, part := range strings.Split(command, "'") {
		if i%2 == 0 {
			out.WriteString(part)
		}
	}
	return out.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	steps, err := parse("text\n```console\n$ one\nout\n$ two 'a\n  b' \\\n  c\n```\n$ no command\n```console\n$ three\n\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{3, "one", []string{"out"}},
		{5, "two 'a\n  b' \\\n  c", nil},
		{11, "three", []string{""}},
	}
	if diff := cmp.Diff(want, steps, cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"```console\nout\n```", "```console\n$ a\n", " ```console\n$ a\n```", "```console x\n$ a\n```"} {
		if steps, err := parse(bad); err == nil {
			t.Errorf("parse(%q) = %v, want an error", bad, steps)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want string
		got  string
		ok   bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "a\n", true},
		{"a", "a\n\n", false},
		{"a", "", false},
		{"a.b", "axb", false},
		{"a…b", "ab", true},
		{"a<...>b", "a<x>b", true},
		{"a…b", "a\nb", false},
		{"...", "", true},
		{"...", "a\nb\n", true},
		{"a\n...\nb", "a\nb", true},
		{"a\n...\nb", "a\nx\ny\nb", true},
		{"a\n...\nb", "a\nxb", false},
		{"a\n...", "a\nb", true},
	} {
		var want []string
		if tt.want != "" {
			want = strings.Split(tt.want, "\n")
		}
		if ok := matches(want, tt.got); ok != tt.ok {
			t.Errorf("matches(%q, %q) = %t", tt.want, tt.got, ok)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"curl http://x/y":                true,
		"curl 'http://x/y?a=b&c=d'":      true,
		"curl x | grep -o 'a;b'":         true,
		"cat a b":                        true,
		"curl -X PUT x":                  false,
		"curl -X POST -d '{}' x":         false,
		"curl -d@file x":                 false,
		"echo a":                         false,
		"cat a > b":                      false,
		"tail -n 1 a; rm a":              false,
		"cat a | sh":                     false,
		"millrace dev --no-demo > out &": false,
		"":                               false,
	} {
		if got := readOnly(command); got != want {
			t.Errorf("readOnly(%q) = %t, want %t", command, got, want)
		}
	}
}
