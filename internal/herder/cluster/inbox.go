package cluster

import "sync"

// inbox takes events from any goroutine without ever blocking it: callbacks of connectors and of the topics' readers post here.
type inbox struct {
	mu     sync.Mutex // guards events
	events []Event
	filled chan struct{} // holds a token while there may be events
}

func newInbox() *inbox { return &inbox{filled: make(chan struct{}, 1)} }

func (b *inbox) post(e Event) {
	b.mu.Lock()
	b.events = append(b.events, e)
	b.mu.Unlock()
	select {
	case b.filled <- struct{}{}:
	default:
	}
}

// take returns what has come, in order.
func (b *inbox) take() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	b.events = nil
	return events
}
