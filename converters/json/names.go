package json

import (
	"hash/maphash"

	"github.com/millrace-io/millrace/connect/data"
)

// fewNames is up to how many names each is compared with all others.
const fewNames = 8

// nameSet finds repeated names. It keeps its memory from one use to the next.
type nameSet struct {
	seed  maphash.Seed
	slots []int32 // 1 + position of a name, 0 when free; a power of two of them
}

// repeat tells whether two entries have the same STRING key.
func (s *nameSet) repeat(entries []data.MapEntry) bool {
	if len(entries) > fewNames {
		return s.repeatMany(entries)
	}
	for i := range entries {
		for j := range i {
			if entries[i].Key.Str() == entries[j].Key.Str() {
				return true
			}
		}
	}
	return false
}

func (s *nameSet) repeatMany(entries []data.MapEntry) bool {
	s.clear(2 * len(entries))
	mask := uint64(len(s.slots) - 1)
	for i := range entries {
		name := entries[i].Key.Str()
		at := maphash.String(s.seed, name) & mask
		for ; s.slots[at] != 0; at = (at + 1) & mask {
			if entries[s.slots[at]-1].Key.Str() == name {
				return true
			}
		}
		s.slots[at] = int32(i + 1)
	}
	return false
}

// clear makes at least n free slots.
func (s *nameSet) clear(n int) {
	if s.seed == (maphash.Seed{}) {
		s.seed = maphash.MakeSeed()
	}
	size := 4 * fewNames
	for size < n {
		size *= 2
	}
	if cap(s.slots) < size {
		s.slots = make([]int32, size)
		return
	}
	s.slots = s.slots[:size]
	clear(s.slots)
}
