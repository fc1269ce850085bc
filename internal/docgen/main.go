// Command docgen writes two parts of the documentation. The reference of the connectors, docs/connectors, has a page for each
// connector that is compiled in, and an index. The page about workers, docs/worker.md, has their keys. `make docs` runs it.
//
// A page is a template, with what only a person can say, into which the generator puts what the connector or the worker
// itself knows: its class, its keys, its bundled data.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace-io/millrace/internal/app"
)

func main() {
	dir := flag.String("o", "docs", "folder of the documentation")
	flag.Parse()
	if err := writeAll(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func writeAll(dir string) error {
	if err := write(filepath.Join(dir, "connectors")); err != nil {
		return err
	}
	text, err := workerPage(app.WorkerKeys())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, workerFile), []byte(text), 0o644)
}

// write writes all pages of connectors and removes those of connectors that are gone.
func write(dir string) error {
	pages, err := render()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, ok := pages[filepath.Base(path)]; ok {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
