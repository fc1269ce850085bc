package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// TestPagesAreCurrent compares the pages in the tree with those that would be written now.
func TestPagesAreCurrent(t *testing.T) {
	t.Parallel()
	want, err := render()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", "docs", "connectors")
	paths, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(path)] = string(raw)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("pages in %s, run `make docs` (-want +got):\n%s", dir, diff)
	}
	for name, text := range got {
		if diff := cmp.Diff(want[name], text); diff != "" && want[name] != "" {
			t.Errorf("%s is not what its connector and template say, run `make docs` (-want +got):\n%s", name, diff)
		}
	}
}

func TestWriteRemovesPagesOfNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gone, other := filepath.Join(dir, "gone.md"), filepath.Join(dir, "other.txt")
	for _, path := range []string{gone, other} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("the page of a connector that does not exist is still there: %v", err)
	}
	for _, path := range []string{other, filepath.Join(dir, "datagen.md"), filepath.Join(dir, "README.md")} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestPageNeedsItsKeys(t *testing.T) {
	t.Parallel()
	p := page{name: "some", title: "Some", plugin: &connect.Plugin{Class: "a.SomeConnector", Def: config.New()}}
	if text, err := p.render("{{configuration}}"); err != nil || text == "" {
		t.Errorf("render = %q, %v", text, err)
	}
	if text, err := p.render("A page without keys."); err == nil {
		t.Errorf("render = %q, want an error", text)
	}
}

func TestDashed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"FileStreamSource": "file-stream-source", "Datagen": "datagen", "Hdfs3Sink": "hdfs3-sink"} {
		if got := dashed(name); got != want {
			t.Errorf("dashed(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	def := config.New()
	def.String("a", config.Required, config.NonEmpty, config.High, config.Doc("One | two."))
	def.String("b", config.Default(""), config.OneOf("", "x"), config.Low, config.Doc("Letter."))
	def.Int("c", config.Default(3), config.AtLeast(1), config.Doc("Number."))
	def.Password("d", config.NullDefault, config.Doc("Secret."))
	def.Password("e", config.Default("f"), config.Doc("Secret."))
	want := "| key | type | default | accepted | importance | meaning |\n" +
		"| --- | --- | --- | --- | --- | --- |\n" +
		"| `a` | STRING | required | non-empty text | HIGH | One \\| two. |\n" +
		"| `b` | STRING | empty | empty, `x` | LOW | Letter. |\n" +
		"| `c` | INT | `3` | at least 1 | MEDIUM | Number. |\n" +
		"| `d` | PASSWORD | none |  | MEDIUM | Secret. |\n" +
		"| `e` | PASSWORD | `[hidden]` |  | MEDIUM | Secret. |\n\n" +
		"Besides there are the [keys that all connectors have](README.md#keys-that-all-connectors-have)."
	if diff := cmp.Diff(want, configuration(def.Keys())); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}
