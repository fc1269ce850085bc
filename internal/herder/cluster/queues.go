package cluster

import "sync"

// queues run work one after the other for each key, and side by side for different keys. A goroutine lives as long as its key has
// work.
type queues[K comparable] struct {
	mu   sync.Mutex // guards work
	work map[K][]func()
	wg   sync.WaitGroup
}

func newQueues[K comparable]() *queues[K] { return &queues[K]{work: make(map[K][]func())} }

// add puts work at the end of a key's queue.
func (q *queues[K]) add(key K, f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting, busy := q.work[key]
	q.work[key] = append(waiting, f)
	if !busy {
		q.wg.Go(func() { q.run(key) })
	}
}

func (q *queues[K]) run(key K) {
	for {
		q.mu.Lock()
		waiting := q.work[key]
		if len(waiting) == 0 {
			delete(q.work, key)
			q.mu.Unlock()
			return
		}
		next := waiting[0]
		q.work[key] = waiting[1:]
		q.mu.Unlock()
		next()
	}
}

// wait returns when all work is done.
func (q *queues[K]) wait() { q.wg.Wait() }
