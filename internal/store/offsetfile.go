package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
)

// FileOffsets is the offset store of a standalone worker: one file, in the format of the reference, which reads what
// this writes and the other way round. It holds all offsets in memory and replaces the file on each change. Changes that
// come while the file is being replaced share the next replacement.
type FileOffsets struct {
	*index
	path string

	writing sync.Mutex // held while the file is replaced

	mu   sync.Mutex // guards next
	next *group     // nil if nobody waits for the file
}

// group is a set of changes that reach the file together.
type group struct {
	changes map[string]indexEntry
	done    chan struct{} // closed when err is valid
	err     error
}

var _ Offsets = (*FileOffsets)(nil)

// OpenFileOffsets reads the file; one that is absent or empty is an empty store. A damaged file is refused, so that
// no source starts from its beginning by accident.
func OpenFileOffsets(path string) (*FileOffsets, error) {
	f := &FileOffsets{index: newIndex(), path: path}
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, checkWritable(path)
	case err != nil:
		return nil, fmt.Errorf("read the offset file: %w", err)
	case len(raw) == 0:
		return f, checkWritable(path)
	}
	entries, err := decodeOffsetFile(raw)
	if err != nil {
		return nil, fmt.Errorf("the offset file %s cannot be read: %w. Restore it from a copy, or move it away to let all source connectors start from the beginning", path, err)
	}
	for _, e := range entries {
		f.load(e.key, e.value)
	}
	return f, checkWritable(path)
}

// checkWritable finds out at start, instead of at the first commit, whether the file can be replaced.
func checkWritable(path string) error {
	probe, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("the folder of the offset file %s is not writable: %w", path, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Set implements [Offsets].
func (f *FileOffsets) Set(_ context.Context, connector string, changes []OffsetChange) error {
	encoded, err := f.encode(connector, changes)
	if err != nil {
		return err
	}
	g, first := f.join(encoded)
	if first {
		f.write(g)
	}
	<-g.done
	return g.err
}

// join adds changes to the group that is written next. The first of a group writes it.
func (f *FileOffsets) join(changes map[string]indexEntry) (g *group, first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = f.next == nil
	if first {
		f.next = &group{changes: make(map[string]indexEntry), done: make(chan struct{})}
	}
	maps.Copy(f.next.changes, changes)
	return f.next, first
}

func (f *FileOffsets) write(g *group) {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.mu.Lock()
	f.next = nil // the group is complete
	f.mu.Unlock()
	if err := replaceFile(f.path, encodeOffsetFile(f.merged(g.changes)), 0o644); err != nil {
		g.err = fmt.Errorf("write the offset file: %w", err)
	} else {
		f.apply(g.changes)
	}
	close(g.done)
}

// replaceFile makes content the content of the file, whole or not at all, whatever happens meanwhile. A file that was not
// there gets the mode.
func replaceFile(path string, content []byte, mode fs.FileMode) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), modeOf(path, mode)); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func modeOf(path string, otherwise fs.FileMode) fs.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return otherwise
}

// syncDir makes the renaming durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	// Some file systems cannot sync directories; the file itself is synced.
	_ = d.Sync()
	return d.Close()
}
