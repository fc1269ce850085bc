package group

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// null is the length of bytes and arrays that are null.
const null = -1

// Sizes of the smallest elements of arrays, by which counts are checked before anything is allocated.
const (
	minItem  = 2 + 4 // an empty name, no tasks
	taskSize = 4
)

// maxString is how many bytes a string of the protocol can have.
const maxString = math.MaxInt16

// errVersion refuses versions that Java refuses.
var errVersion = errors.New("negative version")

// Append adds the bytes of m to dst and returns the extended slice, as in JoinGroup. Eager leaves out the allocation.
func (m Metadata) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(m.Version))
	dst = appendString(dst, m.URL)
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Offset))
	switch {
	case m.Version == Eager:
		return dst
	case m.Allocation == nil:
		return appendInt32(dst, null)
	}
	at := len(dst)
	dst = m.Allocation.Append(appendInt32(dst, 0))
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// Append adds the bytes of a to dst and returns the extended slice, as in SyncGroup. Eager leaves out what is revoked, and
// the delay. Empty lists are written as such and never as null, which kills Java followers.
//
// Tasks of one connector are written together, where its first item is; otherwise the order stays. Items whose connector
// has a name of more than 32767 bytes are left out, as no member can be told of them.
func (a Assignment) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(a.Version))
	dst = binary.BigEndian.AppendUint16(dst, uint16(a.Error))
	dst = appendString(dst, a.LeaderID)
	dst = appendString(dst, a.LeaderURL)
	dst = binary.BigEndian.AppendUint64(dst, uint64(a.Offset))
	dst = appendItems(dst, a.Assigned)
	if a.Version == Eager {
		return dst
	}
	dst = appendItems(dst, a.Revoked)
	return appendInt32(dst, int32(min(a.Delay.Milliseconds(), math.MaxInt32)))
}

func appendItems(dst []byte, items []Item) []byte {
	type group struct {
		connector string
		tasks     []int
	}
	var groups []group
	byName := make(map[string]int)
	for _, i := range items {
		if len(i.Connector) > maxString {
			continue
		}
		at, ok := byName[i.Connector]
		if !ok {
			at = len(groups)
			byName[i.Connector] = at
			groups = append(groups, group{connector: i.Connector})
		}
		groups[at].tasks = append(groups[at].tasks, i.Task)
	}
	dst = appendInt32(dst, int32(len(groups)))
	for _, g := range groups {
		dst = appendString(dst, g.connector)
		dst = appendInt32(dst, int32(len(g.tasks)))
		for _, t := range g.tasks {
			dst = appendInt32(dst, int32(t))
		}
	}
	return dst
}

func appendInt32(dst []byte, n int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(n)) }

func appendString(dst []byte, s string) []byte {
	s = s[:min(len(s), maxString)]
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// ParseMetadata reads what a member sent in JoinGroup. Like Java it takes any version from 0 up for the layout of the newest
// one, lets the allocation be missing, and ignores what follows. Nothing of raw is kept.
func ParseMetadata(raw []byte) (Metadata, error) {
	r := reader{rest: raw}
	m := Metadata{Version: r.version(), URL: r.string(), Offset: r.int64()}
	if own := r.bytes(); own != nil {
		a, err := ParseAssignment(own)
		if err != nil {
			return Metadata{}, fmt.Errorf("metadata of a worker: allocation: %w", err)
		}
		m.Allocation = &a
	}
	if r.err != nil {
		return Metadata{}, fmt.Errorf("metadata of a worker: %w", r.err)
	}
	return m, nil
}

// ParseAssignment reads what a leader sent in SyncGroup, with the leniency of [ParseMetadata]: null or missing lists are
// empty ones, a missing delay is none. Empty lists are nil.
func ParseAssignment(raw []byte) (Assignment, error) {
	r := reader{rest: raw}
	a := Assignment{
		Version:   r.version(),
		Error:     r.int16(),
		LeaderID:  r.string(),
		LeaderURL: r.string(),
		Offset:    r.int64(),
		Assigned:  r.items(),
		Revoked:   r.items(),
		Delay:     r.delay(),
	}
	if r.err != nil {
		return Assignment{}, fmt.Errorf("assignment: %w", r.err)
	}
	return a, nil
}

// reader takes values off the front of rest. After an error all values are zero.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.err = io.ErrUnexpectedEOF
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// done says that nothing is left, so that a field that may be missing is.
func (r *reader) done() bool { return r.err != nil || len(r.rest) == 0 }

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) version() Version {
	v := Version(r.int16())
	if v < 0 && r.err == nil {
		r.err = errVersion
	}
	return v
}

func (r *reader) string() string {
	n := r.int16()
	if n < 0 && r.err == nil {
		r.err = errors.New("negative length of a string")
	}
	return string(r.take(int(max(n, 0))))
}

// bytes returns nil for bytes that are null or missing; empty ones are not nil.
func (r *reader) bytes() []byte {
	if r.done() {
		return nil
	}
	n := r.int32()
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}

// count reads the length of an array with elements of at least size bytes; 0 if it is null.
func (r *reader) count(size int) int {
	n := int(max(r.int32(), 0))
	if n > len(r.rest)/size && r.err == nil {
		r.err = io.ErrUnexpectedEOF
	}
	if r.err != nil {
		return 0
	}
	return n
}

func (r *reader) items() []Item {
	if r.done() {
		return nil
	}
	var items []Item
	for range r.count(minItem) {
		connector := r.string()
		for range r.count(taskSize) {
			items = append(items, Item{Connector: connector, Task: int(r.int32())})
		}
		if r.err != nil {
			return nil
		}
	}
	return items
}

func (r *reader) delay() time.Duration {
	if r.done() {
		return 0
	}
	return time.Duration(r.int32()) * time.Millisecond
}
