package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/internal/store"
)

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConnectorFiles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       string // the configuration
		target     store.TargetState
	}{
		{"properties", "# comment\nname = c\nz:1\\\n 2\na=\n", `{"name":"c","z":"12","a":""}`, store.Started},
		{"properties without a newline", "name=gr\\u00f6\\u00dfe", `{"name":"größe"}`, store.Started},
		{"JSON map", ` {"z":1.50,"name":"c","a":null,"b":true}`, `{"z":"1.50","name":"c","a":null,"b":"true"}`, store.Started},
		{"JSON of a create request", `{"name":"c","config":{"z":1,"a":"2"}}`, `{"z":"1","a":"2","name":"c"}`, store.Started},
		{"with the name twice", `{"name":"c","config":{"name":"c","a":"2"}}`, `{"name":"c","a":"2"}`, store.Started},
		{"with an initial state", `{"name":"c","initial_state":"paused","config":{}}`, `{"name":"c"}`, store.Paused},
		{"with another one", `{"name":"c","initial_state":"STOPPED","config":{}}`, `{"name":"c"}`, store.Stopped},
		{"running", `{"name":"c","initial_state":"RUNNING","config":{}}`, `{"name":"c"}`, store.Started},
		{"null state", `{"name":"c","initial_state":null,"config":{}}`, `{"name":"c"}`, store.Started},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, tc.text)
			f, err := readConnectorFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.config.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			if f.target != tc.target || f.path != path || f.name == "" {
				t.Errorf("name %q, path %s, target %s", f.name, f.path, f.target)
			}
		})
	}
}

func TestConnectorFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "has no name: add a line such as name=my-connector"},
		{"no name", "a=b", "has no name: add a line such as name=my-connector"},
		{"blank name", `{"name":" "}`, "has no name: add a line such as name=my-connector"},
		{"create request without name", `{"config":{"a":"b"}}`, "has no name"},
		{"names differ", `{"name":"c","config":{"name":"d"}}`, `the name "c" of the connector and the name "d" in its config differ`},
		{"initial state", `{"name":"c","initial_state":"FINE","config":{}}`, `unknown initial_state "FINE"`},
		{"broken JSON", `{"name":"c"`, "unexpected end of JSON input"},
		{"nested", `{"name":"c","a":{"b":"c"}}`, `cannot read the value of "a"`},
		{"broken properties", `name=\u12`, "read the connector's configuration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, tc.text)
			_, err := readConnectorFile(path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v; want the path and %q", err, tc.want)
			}
		})
	}
	missing := filepath.Join(t.TempDir(), "missing")
	for _, read := range []func(string) error{
		func(p string) error { _, err := readConnectorFile(p); return err },
		func(p string) error { _, err := ReadWorkerFile(p); return err },
	} {
		if err := read(missing); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("a missing file: %v", err)
		}
	}
}

func TestWorkerFile(t *testing.T) {
	t.Parallel()
	got, err := ReadWorkerFile(writeFile(t, "! comment\nbootstrap.servers = a:1,\\\n  b:2\nkey.converter: X\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"bootstrap.servers": "a:1,b:2", "key.converter": "X"}, got); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	path := writeFile(t, `a=\uXYZ`)
	if _, err := ReadWorkerFile(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken file: %v", err)
	}
}
