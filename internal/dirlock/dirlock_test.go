package dirlock

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestAcquire(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	l, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("the folder %s is in use by another process (process %d)", dir, os.Getpid())
	if _, err := Acquire(dir); err == nil || err.Error() != want {
		t.Errorf("a second time: %v, want %q", err, want)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := Acquire(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

func TestAcquireWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := Acquire(dir); err == nil || err.Error() != "the folder "+dir+" cannot be written to: not a directory" {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
