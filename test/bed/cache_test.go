package bed

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCacheDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	t.Setenv("MILLRACE_CACHE", dir)
	if got, err := CacheDir(); got != dir || err != nil || !exists(dir) {
		t.Errorf("with MILLRACE_CACHE: %q, %v, want %q", got, err, dir)
	}

	t.Setenv("MILLRACE_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("TMPDIR", t.TempDir())
	got, err := CacheDir()
	if err != nil || !strings.HasPrefix(got, os.TempDir()) || !exists(got) {
		t.Errorf("without a home: %q, %v, want a folder among the temporary files", got, err)
	}

	t.Setenv("MILLRACE_CACHE", "/dev/null/nothing")
	if _, err := CacheDir(); err == nil || !strings.Contains(err.Error(), "MILLRACE_CACHE") {
		t.Errorf("with a bad MILLRACE_CACHE: error %v, want advice", err)
	}
}

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockFile(t.Context(), path, "the first")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := lockFile(ctx, path, "the second"); err == nil || !strings.Contains(err.Error(), "held by the first, process") {
		t.Errorf("got error %v, want one that names the holder", err)
	}
	if err := first.unlock(); err != nil {
		t.Fatal(err)
	}
	second, err := lockFile(t.Context(), path, "the second")
	if err != nil {
		t.Fatal(err)
	}
	if err := second.unlock(); err != nil {
		t.Error(err)
	}
}

func TestSweepTakesOnlyWhatNobodyOwns(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var dirs []string
	for range 3 {
		s, err := newScratch()
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, s.dir)
		t.Cleanup(func() { _ = s.remove() })
		if len(dirs) == 1 {
			continue // this one stays locked
		}
		if err := s.lock.unlock(); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	for _, dir := range dirs[:2] {
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	sweep(os.TempDir())
	for i, want := range []bool{true, false, true} {
		if exists(dirs[i]) != want {
			t.Errorf("folder %d exists: %v, want %v (owned, old and left, new and left)", i, !want, want)
		}
	}
}
