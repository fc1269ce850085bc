package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/app"
)

// TestWorkerPageIsCurrent compares the page in the tree with the one that would be written now.
func TestWorkerPageIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := workerPage(app.WorkerKeys())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", workerFile)
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not what the worker and its template say, run `make docs` (-want +got):\n%s", path, diff)
	}
}

func TestWorkerTables(t *testing.T) {
	t.Parallel()
	def := config.New()
	def.String("a", config.Default("x"), config.OneOf("x", "y"), config.Low, config.Doc("Letter."))
	a, _ := def.Lookup("a")
	const head = "| --- | --- | --- | --- | --- | --- |\n"
	for name, tc := range map[string]struct{ got, want string }{
		"inert": {
			inertTable([]app.KeyNote{{KeyInfo: a, Reason: "all is well"}, {KeyInfo: a, Reason: "all is well", In: "standalone"}}),
			"| key | type | default | accepted | importance | meaning, and why it has no effect |\n" + head +
				"| `a` | STRING | `x` | `x`, `y` | LOW | Letter. No effect: all is well. |\n" +
				"| `a` | STRING | `x` | `x`, `y` | LOW | Letter. No effect in `standalone`: all is well. |",
		},
		"ignored": {
			ignoredTable([]app.KeyNote{{KeyInfo: config.KeyInfo{Name: "b."}, Reason: "it is gone"}, {KeyInfo: config.KeyInfo{Name: "c"}, Reason: "it is gone", In: "dev"}}),
			"| key | why |\n| --- | --- |\n| `b.*` | It is gone. |\n| `c` | In `dev`: it is gone. |",
		},
		"refused": {
			refusedTable([]app.KeyNote{{KeyInfo: a, Accepted: []string{"", "x"}, Reason: "y cannot be"}}),
			"| key | type | default | not refused | importance | meaning, and why it is refused |\n" + head +
				"| `a` | STRING | `x` | empty, `x` | LOW | Letter. Refused: y cannot be. |",
		},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWorkerPageNeedsItsTables(t *testing.T) {
	t.Parallel()
	text, err := fillWorker(strings.Replace(workerTemplate, "{{refused}}", "", 1), app.Keys{})
	if err == nil || !strings.Contains(err.Error(), "{{refused}}") {
		t.Errorf("a page without a table: %q, %v, want an error that names it", text, err)
	}
}
