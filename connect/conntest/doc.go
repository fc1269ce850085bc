// Package conntest tests connectors: a conformance suite that every connector should pass, and the in-memory runtime
// that the suite drives them with.
//
// [RunSource] and [RunSink] run one scenario per subtest against a connector and an environment made for it:
//
//	func TestConformance(t *testing.T) {
//		conntest.RunSource(t, conntest.SourceCase{
//			Plugin: file.Source,
//			Setup: func(t conntest.TB) conntest.SourceEnv {
//				path := filepath.Join(t.TempDir(), "in.txt")
//				return conntest.SourceEnv{
//					Props:   connect.Props{"file": path, "topic": "lines"},
//					Produce: func(from, n int) error { return appendLines(path, from, n) },
//					Number:  func(r connect.SourceRecord) (int, error) { return strconv.Atoi(r.Value.Str()) },
//				}
//			},
//		})
//	}
//
// [StartSource] and [StartSink] start a connector with one task, for an author's own tests: records go in and out,
// acknowledgements, commits, rebalances and crashes happen when the test says so. Nothing but what the connector itself
// does needs a network or a disk.
//
// In both, a call that panics or does not return in time is an error and not the end of the test process.
package conntest
