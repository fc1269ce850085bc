package docs

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/test/bed"
)

// docsDir is the folder of the pages.
func docsDir(t *testing.T) string {
	t.Helper()
	root, err := bed.ModuleDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "docs")
}

// perform does what a page says, from its first command to its last.
func perform(t *testing.T, path string) {
	t.Helper()
	steps, err := readSteps(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(steps) == 0 {
		t.Fatalf("%s has no %s block with commands", path, blockStart)
	}
	s := newSession(t)
	for _, st := range steps {
		if err := s.do(st); err != nil {
			t.Fatalf("%s:%d:\n%v", path, st.line, err)
		}
	}
}

func TestTutorial(t *testing.T) {
	t.Parallel()
	perform(t, filepath.Join(docsDir(t), "tutorial.md"))
}

func TestConnectorPages(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(docsDir(t), "connectors", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		if name == "README" {
			continue
		}
		tested++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			perform(t, page)
		})
	}
	if tested == 0 {
		t.Errorf("there are no pages in %s/connectors", docsDir(t))
	}
}

// TestMistakesAreFound makes sure that a page that is wrong would fail.
func TestMistakesAreFound(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	for _, right := range []step{
		{command: "mkdir a && cd a && x=1"},
		{command: "pwd; echo $x", want: []string{"…/a", "1"}},
		{command: "sleep 100 &"},
		{command: "(echo late > b) &"},
		{command: "cat b", want: []string{"late"}},
		{command: "cat c", want: []string{"cat: c: No such file or directory"}},
		{command: "kill %sleep"},
	} {
		if err := s.do(right); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []step{
		{command: "echo a", want: []string{"b"}},
		{command: "echo a"},
		{command: "true", want: []string{"a"}},
		{command: "no-such-command"},
		{command: "millrace dav --no-demo"},
		{command: "exit"},
		{command: "echo after the end"},
	} {
		if err := s.do(wrong); err == nil {
			t.Errorf("$ %s passed", wrong.command)
		}
	}
}
