package store

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openConfig(t *testing.T, path string) *FileConfig {
	t.Helper()
	f, err := OpenFileConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileConfigSurvives(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connectors.json")
	f := openConfig(t, path)
	if got := f.Names(); got == nil || len(got) != 0 {
		t.Errorf("names without a file: %#v, want an empty list", got)
	}
	var cfg Config
	cfg.Set("name", "b")
	cfg.Set("z.key", "<a & b>")
	cfg.SetNull("a.key")
	want := ConnectorState{Config: cfg, Target: Paused, Tasks: []Config{NewConfig(map[string]string{"task.id": "0"})}}
	for _, err := range []error{f.Put("b", want), f.Put("a", ConnectorState{Target: Started}), f.Put("gone", want), f.Remove("gone")} {
		if err != nil {
			t.Fatal(err)
		}
	}

	f = openConfig(t, path)
	if diff := cmp.Diff([]string{"a", "b"}, f.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	got, ok := f.Connector("b")
	if !ok || got.Target != Paused || !got.Config.Equal(cfg) || len(got.Tasks) != 1 || !got.Tasks[0].Equal(want.Tasks[0]) {
		t.Errorf("connector b: %+v, %v; want %+v", got, ok, want)
	}
	if diff := cmp.Diff([]string{"name", "z.key", "a.key"}, got.Config.Keys()); diff != "" {
		t.Errorf("keys in their order (-want +got):\n%s", diff)
	}
	if _, ok := f.Connector("gone"); ok {
		t.Error("a removed connector is back")
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file may have passwords in it: %v, %v, want mode 0600", info.Mode(), err)
	}
}

func TestFileConfigThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := openConfig(t, filepath.Join(dir, "connectors.json"))
	if err := f.Put("a", ConnectorState{Target: Started}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Put("b", ConnectorState{}); err == nil {
		t.Error("Put without a folder: no error")
	}
	if err := f.Remove("a"); err == nil {
		t.Error("Remove without a folder: no error")
	}
	if diff := cmp.Diff([]string{"a"}, f.Names()); diff != "" {
		t.Errorf("names after changes that failed (-want +got):\n%s", diff)
	}
}

func TestDamagedFileConfig(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "connectors.json")
	if err := os.WriteFile(path, []byte(`{"a":{"config":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFileConfig(path); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one sentence with the path", err)
	}
}
