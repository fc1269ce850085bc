package data

import (
	"hash/maphash"
	"unsafe"
)

// indexFrom is the number of entries from which a Map looks keys up through an index instead of a scan.
const indexFrom = 9

// MapEntry is one key and value of a [Map].
type MapEntry struct{ Key, Value Value }

// Map is an ordered list of entries with distinct keys. It is built by one goroutine and not changed after its
// [Map.Value] became part of a record.
type Map struct {
	entries []MapEntry
	index   map[uint64]int32 // hash of the key to 1 + position of the newest entry with it
	next    []int32          // position to 1 + position of the next older entry with the same hash
}

var mapSeed = maphash.MakeSeed()

// NewMap returns an empty map with room for n entries.
func NewMap(n int) *Map { return &Map{entries: make([]MapEntry, 0, n)} }

// Value returns the map as a value, sharing it.
func (m *Map) Value() Value { return Value{kind: KindMap, ptr: unsafe.Pointer(m)} }

// Len returns the number of entries.
func (m *Map) Len() int { return len(m.entries) }

// Entries returns the entries in the order of insertion, not to be changed.
func (m *Map) Entries() []MapEntry { return m.entries }

// Get returns the value of a key; false if the map has no such key.
func (m *Map) Get(key Value) (Value, bool) {
	if i := m.find(key); i >= 0 {
		return m.entries[i].Value, true
	}
	return Null, false
}

// GetString returns the value of a STRING key; null if there is none.
func (m *Map) GetString(key string) Value {
	v, _ := m.Get(String(key))
	return v
}

// Put sets the value of a key. A key that is there already keeps its place and gets the new value.
func (m *Map) Put(key, v Value) {
	if i := m.find(key); i >= 0 {
		m.entries[i].Value = v
		return
	}
	m.Append(key, v)
}

// Append adds an entry without looking for the key. The caller answers for the key not being there already.
func (m *Map) Append(key, v Value) {
	m.entries = append(m.entries, MapEntry{key, v})
	if m.index != nil {
		m.indexEntry(len(m.entries) - 1)
	}
}

func (m *Map) find(key Value) int {
	if len(m.entries) < indexFrom {
		for i := range m.entries {
			if m.entries[i].Key.Equal(key) {
				return i
			}
		}
		return -1
	}
	if m.index == nil {
		m.buildIndex()
	}
	for i := m.index[key.hash()]; i != 0; i = m.next[i-1] {
		if m.entries[i-1].Key.Equal(key) {
			return int(i - 1)
		}
	}
	return -1
}

func (m *Map) buildIndex() {
	m.index = make(map[uint64]int32, 2*len(m.entries))
	for i := range m.entries {
		m.indexEntry(i)
	}
}

func (m *Map) indexEntry(i int) {
	h := m.entries[i].Key.hash()
	m.next = append(m.next, m.index[h])
	m.index[h] = int32(i + 1)
}

func (m *Map) cloneTo(slab *Slab) *Map {
	c := slab.Map(len(m.entries))
	for _, e := range m.entries {
		c.entries = append(c.entries, MapEntry{e.Key.CloneTo(slab), e.Value.CloneTo(slab)})
	}
	return c
}

func (m *Map) equal(o *Map) bool {
	if len(m.entries) != len(o.entries) {
		return false
	}
	for _, e := range m.entries {
		if v, ok := o.Get(e.Key); !ok || !v.Equal(e.Value) {
			return false
		}
	}
	return true
}

// hash returns equal numbers for equal values. Containers hash by their size only: they are rare as map keys.
func (v Value) hash() uint64 {
	switch v.kind {
	case KindString, KindBytes:
		return maphash.Bytes(mapSeed, v.Bytes()) + uint64(v.kind)
	case KindMap:
		return uint64(v.Map().Len())
	case KindStruct:
		return uint64(len(v.Struct().values))
	case KindDecimal:
		return v.Unscaled().Uint64()
	case KindFloat32, KindFloat64:
		if f := v.Float64(); f != f {
			return uint64(v.kind)
		}
		return v.num
	default:
		return v.num*0x9E3779B97F4A7C15 + uint64(v.kind)
	}
}
