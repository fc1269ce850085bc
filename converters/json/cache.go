package json

// cache remembers plans, the newest limit of them. The reference evicts the one used longest ago; which one goes makes
// no difference to results.
type cache[K comparable] struct {
	plans map[K]*plan
	keys  []K // a ring, from the time there are limit of them
	next  int // the oldest one in it
	limit int
}

func newCache[K comparable](limit int) cache[K] {
	return cache[K]{plans: make(map[K]*plan), limit: limit}
}

func (c *cache[K]) put(k K, p *plan) {
	if _, ok := c.plans[k]; ok || c.limit <= 0 {
		return
	}
	if len(c.keys) < c.limit {
		c.keys = append(c.keys, k)
	} else {
		delete(c.plans, c.keys[c.next])
		c.keys[c.next] = k
		c.next = (c.next + 1) % c.limit
	}
	c.plans[k] = p
}
