package conntest

// TB is what the kit needs of a test; *testing.T has it. The kit calls it from the goroutine it was called on.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Skipf(format string, args ...any)
	TempDir() string
	Cleanup(f func())
}

// Test is a test with subtests of its own type, as *testing.T is.
type Test[T any] interface {
	TB
	Run(name string, f func(t T)) bool
}
