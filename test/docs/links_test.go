package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	linkTarget = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading    = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*$`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
	foreign    = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:`)
)

// notSource are folders that hold no pages of this repository.
var notSource = []string{".git", "bin", "out", "testdata", "node_modules"}

// TestLinks follows all links from one page to another, or to a file.
func TestLinks(t *testing.T) {
	t.Parallel()
	root := filepath.Dir(docsDir(t))
	pages := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && slices.Contains(notSource, d.Name()):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		pages++
		for _, problem := range brokenLinks(t, root, path) {
			t.Errorf("%s: %s", path, problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages < 10 {
		t.Errorf("found %d pages in %s, want more", pages, root)
	}
}

func brokenLinks(t *testing.T, root, path string) []string {
	t.Helper()
	var problems []string
	for _, line := range prose(t, path) {
		for _, m := range linkTarget.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
			if foreign.MatchString(m[1]) {
				continue
			}
			if problem := follow(t, root, path, m[1]); problem != "" {
				problems = append(problems, fmt.Sprintf("the link to %s: %s", m[1], problem))
			}
		}
	}
	return problems
}

// follow returns what is wrong with a link of a page, empty if nothing is.
func follow(t *testing.T, root, page, link string) string {
	t.Helper()
	file, anchor, hasAnchor := strings.Cut(link, "#")
	target := page
	if file != "" {
		target = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
	}
	if rel, err := filepath.Rel(root, target); err != nil || strings.HasPrefix(rel, "..") {
		return "it leads out of the repository"
	}
	if _, err := os.Stat(target); err != nil {
		return "there is no such file"
	}
	if hasAnchor && !slices.Contains(anchors(t, target), anchor) {
		return "there is no such heading"
	}
	return ""
}

// prose returns the lines of a page that are not code.
func prose(t *testing.T, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	code := false
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(strings.TrimSpace(line), blockEnd) {
			code = !code
			continue
		}
		if !code {
			out = append(out, line)
		}
	}
	return out
}

// anchors returns the names under which GitHub lets links lead to the headings of a page.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	var out []string
	seen := make(map[string]int)
	for _, line := range prose(t, path) {
		m := heading.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		name := slug(m[1])
		if n := seen[name]; n > 0 {
			out = append(out, fmt.Sprintf("%s-%d", name, n))
		} else {
			out = append(out, name)
		}
		seen[name]++
	}
	return out
}

func slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"What works today":         "what-works-today",
		"`arg.properties`":         "argproperties",
		"A task, failed: why?":     "a-task-failed-why",
		"Keys that are_no-effect!": "keys-that-are_no-effect",
	} {
		if got := slug(text); got != want {
			t.Errorf("slug(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("b.md", "# Here\n\n```\n# not here\n```\n# Here\n")
	page := write("a.md", "[a](b.md) [`a`](b.md#here) [a](b.md#here-1) [a](#me) [w](https://example.com/x)\n# Me\n`[a](code.md)`\n"+
		"[a](c.md) [a](b.md#not-here) [a](#you) [a](../d.md)\n")
	want := []string{
		"the link to c.md: there is no such file",
		"the link to b.md#not-here: there is no such heading",
		"the link to #you: there is no such heading",
		"the link to ../d.md: it leads out of the repository",
	}
	if got := brokenLinks(t, root, page); !slices.Equal(got, want) {
		t.Errorf("brokenLinks = %q, want %q", got, want)
	}
}
