package file

import "bytes"

// Sizes of the read buffer: what is read in one go from a source that was quiet, and from one that has plenty, and what
// is kept after a longer line.
const (
	quietSize = 4 << 10
	readSize  = 128 << 10
	keepSize  = 1 << 20
)

// unknown is the place of a terminator that was not searched for.
const unknown = -1

// span is one line in a lineBuffer: its text, and where the next line starts.
type span struct{ start, end, next int }

// lineBuffer holds what was read and not yet delivered, and finds the lines in it. A line ends at LF, CR LF or a lone
// CR. A CR that is the last byte so far ends nothing yet: an LF may follow.
type lineBuffer struct {
	buf      []byte
	size     int // of the next read, grows with what there is to read
	from, to int // buf[from:to] is not delivered
	next     int // where the next line starts
	searched int // no line ends between next and here
	lf, cr   int // first LF and CR from searched on; to if there is none, unknown if not searched for
}

// space returns room for reading, at least half of the size that reads have now. What follows the lines returned so far moves.
func (b *lineBuffer) space() []byte {
	b.release()
	kept := b.buf[b.from:b.to]
	b.size = max(b.size, quietSize)
	switch {
	case len(b.buf) < b.size:
		b.buf = make([]byte, b.size)
	case len(b.buf) > keepSize && len(kept) < readSize/2:
		b.buf = make([]byte, readSize)
	}
	b.searched -= b.from
	b.to = copy(b.buf, kept)
	b.from, b.next = 0, 0
	b.lf, b.cr = unknown, unknown
	if len(b.buf)-b.to < b.size/2 {
		b.buf = append(b.buf, make([]byte, len(b.buf))...)
	}
	return b.buf[b.to:]
}

// added says that the first n bytes of the space were filled.
func (b *lineBuffer) added(n int) {
	if b.to += n; b.to == len(b.buf) {
		b.size = min(2*b.size, readSize)
	}
}

// rest gives the memory back that a quiet source does not need.
func (b *lineBuffer) rest() {
	if b.pending() == 0 && b.size > quietSize {
		b.buf, b.size = nil, quietSize
		b.from, b.to, b.next, b.searched = 0, 0, 0, 0
		b.lf, b.cr = unknown, unknown
	}
}

// low tells whether it is worth reading more before lines are taken out.
func (b *lineBuffer) low() bool { return b.to-b.next < b.size/2 }

// line returns the next complete line; false if there is none. The positions are valid until space is called.
func (b *lineBuffer) line() (span, bool) {
	at := max(b.searched, b.next)
	if b.lf < at {
		b.lf = b.to
		if i := bytes.IndexByte(b.buf[at:b.to], '\n'); i >= 0 {
			b.lf = at + i
		}
	}
	if b.cr < at {
		b.cr = b.to
		if i := bytes.IndexByte(b.buf[at:b.to], '\r'); i >= 0 {
			b.cr = at + i
		}
	}
	s := span{start: b.next, end: min(b.lf, b.cr)}
	switch {
	case s.end == b.to:
		b.searched = b.to
		return s, false
	case b.lf < b.cr:
		s.next = s.end + 1
	case s.end+1 == b.to:
		b.searched = s.end
		return s, false
	default:
		s.next = s.end + 1
		if b.buf[s.next] == '\n' {
			s.next++
		}
	}
	b.next, b.searched = s.next, s.next
	return s, true
}

// taken returns the bytes of all lines returned since the last release, with their terminators.
func (b *lineBuffer) taken() []byte { return b.buf[b.from:b.next] }

// release forgets the lines returned so far. The positions of the others do not change.
func (b *lineBuffer) release() { b.from = b.next }

// pending returns the number of bytes read that no line was returned of.
func (b *lineBuffer) pending() int { return b.to - b.next }
