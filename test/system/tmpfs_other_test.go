//go:build !linux

package system

import "testing"

func smallFileSystem(t *testing.T) string {
	t.Helper()
	t.Skip("there is a small file system to fill on Linux only")
	return ""
}
