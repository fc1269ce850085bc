package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// heapFloor is how much larger than it is the heap is made to look to the garbage collector, and heapGrowth by how
// many percent of that it may grow before the next collection. Together they leave a small heap room for 24 MB of
// garbage, and let one of 90 MB grow to 136 MB instead of 180 MB: what a worker has on its way is reused and makes little
// garbage.
const (
	heapFloor  = 96 << 20
	heapGrowth = 25
)

// withTunedHeap calls f with a garbage collector that suits a worker.
//
// A block of memory that nothing ever touches stands on the heap. Its pages never exist, but the collector counts it, so
// it waits for tens of megabytes of garbage instead of the few that a worker's live data would allow. With a small
// heap, collecting costs the record path a third of its time. After a burst of work the garbage that is left goes
// back to the system.
//
// Whoever sets GOGC or GOMEMLIMIT has a wish of their own, which is left alone.
func withTunedHeap(f func() int) int {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return f()
	}
	debug.SetGCPercent(heapGrowth)
	floor := make([]byte, heapFloor)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { returnMemory(done) })
	code := f()
	close(done)
	wg.Wait()
	runtime.KeepAlive(floor)
	return code
}

const (
	// calmPeriod is how often the process looks whether it is calm.
	calmPeriod = 5 * time.Second
	// calmBytes is what a calm process allocates at most in that time; a thousand idle tasks stay below it.
	calmBytes = 10 << 20
	// trickleBytes and trickleLooks say when a process that stays calm gives memory back all the same: what a thousand idle
	// tasks allocate would otherwise pile up to half of the heap before the next collection.
	trickleBytes = 4 << 20
	trickleLooks = 12
)

// returnMemory gives memory back to the system each time the process becomes calm, and now and then while it stays so, until done
// is closed.
func returnMemory(done <-chan struct{}) {
	ticker := time.NewTicker(calmPeriod)
	defer ticker.Stop()
	var c calm
	for {
		select {
		case <-ticker.C:
			if c.look(allocated()) {
				debug.FreeOSMemory()
			}
		case <-done:
			return
		}
	}
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// calm finds the moments at which a process has become calm.
type calm struct {
	last  uint64 // allocated at the last look
	busy  bool   // more than a little was allocated since memory was last given back
	given uint64 // allocated when memory was last given back
	looks int    // since then
}

// look tells, from the bytes allocated so far, whether memory is to be given back now.
func (c *calm) look(allocated uint64) bool {
	quiet := allocated-c.last <= calmBytes
	c.last = allocated
	c.looks++
	give := quiet && (c.busy || c.looks >= trickleLooks && allocated-c.given >= trickleBytes)
	if give {
		c.given, c.looks = allocated, 0
	}
	c.busy = !quiet
	return give
}
