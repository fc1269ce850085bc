package data

import "unsafe"

// Sizes of the first and the largest chunk of a slab, in elements.
const (
	firstChunk = 16
	maxChunk   = 1 << 12
	maxBytes   = 1 << 16
)

// Slab hands out memory for values in chunks, so that a batch of records costs a few allocations instead of several
// a record. A nil *Slab is valid and allocates each piece by itself.
//
// A slab belongs to one goroutine at a time. What it handed out stays valid for as long as somebody holds it, unless
// the owner calls [Slab.Reset], which makes everything handed out before invalid. A slab that is never reset forgets
// what it handed out.
type Slab struct {
	values  chunk[Value]
	entries chunk[MapEntry]
	maps    chunk[Map]
	structs chunk[Struct]
	bytes   chunk[byte]
}

// chunk is the current piece of memory for one element type, and the pieces before and after it.
type chunk[T any] struct {
	buf   []T
	off   int   // elements of buf that were handed out
	again bool  // there was a reset, so used pieces will be free again
	full  [][]T // pieces used up since the last reset
	spare [][]T // pieces from before that, all zero
}

// maxSpare is how many pieces of one element type a slab keeps for later.
const maxSpare = 16

func (c *chunk[T]) take(n, limit int) []T {
	if c.off+n > len(c.buf) {
		c.grow(n, limit)
	}
	out := c.buf[c.off : c.off+n : c.off+n]
	c.off += n
	return out
}

func (c *chunk[T]) grow(n, limit int) {
	size := min(max(firstChunk, 2*len(c.buf)), limit)
	if c.again && len(c.buf) == limit && len(c.full) < maxSpare {
		c.full = append(c.full, c.buf[:c.off])
	}
	c.off = 0
	if last := len(c.spare) - 1; last >= 0 && n <= len(c.spare[last]) {
		c.buf, c.spare = c.spare[last], c.spare[:last]
		return
	}
	c.buf = make([]T, max(size, n))
}

// reset clears what was handed out, all at once and so that it refers to nothing any more.
func (c *chunk[T]) reset() {
	clear(c.buf[:c.off])
	c.off, c.again = 0, true
	for _, used := range c.full {
		clear(used)
		c.spare = append(c.spare, used[:cap(used)])
	}
	clear(c.full)
	c.full = c.full[:0]
}

// Reset makes all memory of the slab available again. Values that came from it must not be used any more.
func (s *Slab) Reset() {
	s.values.reset()
	s.entries.reset()
	s.maps.reset()
	s.structs.reset()
	s.bytes.reset()
}

// Values returns n null values.
func (s *Slab) Values(n int) []Value {
	if s == nil {
		return make([]Value, n)
	}
	return s.values.take(n, maxChunk)
}

// Bytes returns n zero bytes.
func (s *Slab) Bytes(n int) []byte {
	if s == nil {
		return make([]byte, n)
	}
	return s.bytes.take(n, maxBytes)
}

// Copy returns a copy of b.
func (s *Slab) Copy(b []byte) []byte {
	out := s.Bytes(len(b))
	copy(out, b)
	return out
}

// String returns a STRING value over a copy of b.
func (s *Slab) String(b []byte) Value { return AliasString(s.Copy(b)) }

// Struct returns an empty struct of that schema, which must be of type STRUCT.
func (s *Slab) Struct(schema *Schema) *Struct {
	if s == nil {
		return &Struct{schema: schema, values: make([]Value, len(schema.fields))}
	}
	st := &s.structs.take(1, maxChunk)[0]
	st.schema, st.values = schema, s.Values(len(schema.fields))
	return st
}

// Map returns a map over n empty entries' room; entries are added with [Map.Put].
func (s *Slab) Map(n int) *Map {
	if s == nil {
		return NewMap(n)
	}
	m := &s.maps.take(1, maxChunk)[0]
	m.entries = s.entries.take(n, maxChunk)[:0]
	return m
}

// MapOf returns a map with copies of the entries, whose keys must be distinct.
func (s *Slab) MapOf(entries []MapEntry) *Map {
	m := s.Map(len(entries))
	m.entries = append(m.entries, entries...)
	return m
}

// valueSize is the size the whole design counts on.
const valueSize = 24

var _ [valueSize - unsafe.Sizeof(Value{})]struct{}
