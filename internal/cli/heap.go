package cli

import (
	"os"
	"runtime"
)

// heapFloor is how much larger than it is the heap is made to look to the garbage collector.
const heapFloor = 20 << 20

// withHeapFloor calls f with a block of memory on the heap that nothing ever touches. The pages of the block never
// exist, but the collector counts it, so it waits for tens of megabytes of garbage instead of the few that a worker's
// live data would allow. With a small heap, collecting costs the record path a third of its time.
//
// Whoever sets GOGC or GOMEMLIMIT has a wish of their own, which is left alone.
func withHeapFloor(f func() int) int {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return f()
	}
	floor := make([]byte, heapFloor)
	code := f()
	runtime.KeepAlive(floor)
	return code
}
