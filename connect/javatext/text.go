package javatext

import (
	"slices"
	"strings"
)

const (
	// firstCapacity and maxCapacity bound the table of a java.util.HashMap.
	firstCapacity = 16
	maxCapacity   = 1 << 30

	surrogateStart = 0x10000
	highSurrogate  = 0xD800
	lowSurrogate   = 0xDC00
)

// Trim removes characters up to U+0020 at both ends, as String.trim does.
// Other white space, such as U+00A0, stays.
func Trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// HashCode is String.hashCode: 31-based over the UTF-16 units of s.
func HashCode(s string) int32 {
	var h int32
	for _, r := range s {
		if r < surrogateStart {
			h = 31*h + r
			continue
		}
		r -= surrogateStart
		h = 31*h + highSurrogate + r>>10
		h = 31*h + lowSurrogate + r&0x3FF
	}
	return h
}

// HashOrder returns keys in the order in which a java.util.HashMap (or
// HashSet) iterates when they are added one by one to an empty one. A repeated
// key keeps its first place. The result is the caller's; keys is not changed.
//
// Buckets that Java turns into trees, which takes eight keys with colliding
// hashes, are not modelled.
func HashOrder(keys []string) []string {
	seen := make(map[string]struct{}, len(keys))
	order := make([]string, 0, len(keys))
	for _, k := range keys {
		if _, ok := seen[k]; !ok {
			seen[k] = struct{}{}
			order = append(order, k)
		}
	}
	mask := uint32(capacity(len(order)) - 1)
	bucket := func(s string) uint32 {
		h := uint32(HashCode(s))
		return (h ^ h>>16) & mask
	}
	// Growing a table keeps the relative order within each bucket, so that
	// only the final capacity counts.
	slices.SortStableFunc(order, func(a, b string) int {
		return int(bucket(a)) - int(bucket(b))
	})
	return order
}

// capacity is the table size after n insertions at load factor 0.75.
func capacity(n int) int {
	size := firstCapacity
	for n > size/4*3 && size < maxCapacity {
		size *= 2
	}
	return size
}
