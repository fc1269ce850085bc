package bed

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// CacheDir is the folder that survives runs: downloaded jars, built tools, lock files. It is $MILLRACE_CACHE, else
// "millrace" in the user's cache folder, else a folder of this user among the temporary files. It is made when missing.
func CacheDir() (string, error) {
	for _, dir := range cacheCandidates() {
		if err := os.MkdirAll(dir, 0o755); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("no folder for the test bed's cache: set MILLRACE_CACHE to a writable one")
}

func cacheCandidates() []string {
	if dir := os.Getenv("MILLRACE_CACHE"); dir != "" {
		return []string{dir}
	}
	var dirs []string
	if dir, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(dir, "millrace"))
	}
	return append(dirs, filepath.Join(os.TempDir(), "millrace-cache-"+strconv.Itoa(os.Getuid())))
}

// fileLock is an exclusive lock between processes, and between goroutines that open the file separately. The system
// releases it when the process ends, however it ends.
type fileLock struct{ f *os.File }

// tryLock returns nil without an error when somebody else holds the lock.
func tryLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	held, err := flock(f)
	if err != nil || !held {
		return nil, errors.Join(err, f.Close())
	}
	return &fileLock{f}, nil
}

// lockFile waits for the lock until ctx ends. owner is written into the file, for those who wait in vain.
func lockFile(ctx context.Context, path, owner string) (*fileLock, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if l != nil {
			err := l.sign(owner)
			return l, err
		}
		select {
		case <-ctx.Done():
			holder, _ := os.ReadFile(path)
			return nil, fmt.Errorf("wait for the lock %s, held by %s: %w", path, holder, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func (l *fileLock) sign(owner string) error {
	if err := l.f.Truncate(0); err != nil {
		return fmt.Errorf("write lock file: %w", err)
	}
	if _, err := fmt.Fprintf(l.f, "%s, process %d", owner, os.Getpid()); err != nil {
		return fmt.Errorf("write lock file: %w", err)
	}
	return nil
}

func (l *fileLock) unlock() error { return l.f.Close() }

// scratchPrefix begins the name of every folder made by newScratch, so that sweeping finds them.
const scratchPrefix = "millrace-bed-"

// scratch is a temporary folder of this process. Processes that are killed cannot tidy up, so each new scratch folder
// removes those whose owner is gone, which shows by the lock inside.
type scratch struct {
	dir  string
	lock *fileLock
}

func newScratch() (*scratch, error) {
	sweep(os.TempDir())
	dir, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a scratch folder: %w", err)
	}
	lock, err := tryLock(filepath.Join(dir, ".lock"))
	if err != nil {
		return nil, err
	}
	return &scratch{dir, lock}, nil
}

func (s *scratch) remove() error {
	return errors.Join(os.RemoveAll(s.dir), s.lock.unlock())
}

// sweep leaves alone what is younger than a minute: its owner may be between making the folder and locking it.
func sweep(parent string) {
	dirs, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		lock, err := tryLock(filepath.Join(dir, ".lock"))
		if err != nil || lock == nil {
			continue
		}
		// A folder that cannot be removed belongs to somebody else and does no harm.
		_ = os.RemoveAll(dir)
		_ = lock.unlock()
	}
}

// writeAtomic lets readers in other processes see the whole text or no file at all.
func writeAtomic(path, text string) error {
	tmp := path + ".tmp-" + randomHex(4)
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
