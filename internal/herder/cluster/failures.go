package cluster

import (
	"sync"

	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/group"
)

// failures are the items that have failed on this worker. The status store knows that only when it has been read back from the topic, and
// till then takes an item that was restarted for one that has failed. Its methods may be called from any goroutine.
type failures struct {
	mu    sync.Mutex // guards items
	items map[group.Item]struct{}
}

// listen is told of what happens to items of this worker.
func (f *failures) listen(s event.Status) {
	item := group.Item{Connector: s.Connector, Task: s.Task}
	if s.State != event.Failed {
		f.forget(item)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.items == nil {
		f.items = make(map[group.Item]struct{})
	}
	f.items[item] = struct{}{}
}

func (f *failures) has(item group.Item) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.items[item]
	return ok
}

func (f *failures) forget(item group.Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.items, item)
}
