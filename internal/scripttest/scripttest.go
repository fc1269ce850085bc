// Package scripttest plays the scripts in a package's testdata: text files of commands with what they print, which a change of behaviour
// rewrites, so that it is reviewed as a change of transcripts.
//
// A script is blocks of commands, one a line, a line of four dashes, and what the commands print up to an empty line. Lines that
// begin with # are comments. With the flag -update, the tests rewrite what is printed.
package scripttest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata")

const separator = "----"

// Run plays all scripts in testdata whose names match a pattern. A script has a runner of its own, which gets the commands of a
// block and returns what they print, in lines.
func Run(t *testing.T, pattern string, runner func(t *testing.T) func(commands []string) string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no scripts %s: %v", pattern, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			Compare(t, filepath.Base(path), play(string(script), runner(t)))
		})
	}
}

// Compare compares a text with a file in testdata, or, with -update, writes the file.
func Compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // as other files of the tree
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got), -update accepts:\n%s", path, diff)
	}
}

// play returns the script with what its commands print now.
func play(script string, run func(commands []string) string) string {
	var out strings.Builder
	var commands []string
	printed := false
	for line := range strings.Lines(script) {
		line = strings.TrimSuffix(line, "\n")
		if printed && line != "" {
			continue
		}
		printed = line == separator
		out.WriteString(line + "\n")
		switch {
		case printed:
			out.WriteString(run(commands))
			commands = nil
		case line != "" && line[0] != '#':
			commands = append(commands, line)
		}
	}
	return out.String()
}
