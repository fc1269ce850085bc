package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The offset file is one java.util.HashMap of byte arrays in Java's object serialization format.
const (
	tcNull      = 0x70
	tcReference = 0x71
	tcClassDesc = 0x72
	tcArray     = 0x75
	tcBlockData = 0x77
	tcEnd       = 0x78

	// baseHandle is the handle of the first object of a stream: the HashMap's class. The map is the second.
	baseHandle = 0x7e0000
	// byteArrayClass is the handle of the class of byte arrays, which is the third object wherever there is one.
	byteArrayClass = baseHandle + 2
)

var (
	hashMapHeader = []byte("\xac\xed\x00\x05\x73\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02" +
		"\x46\x00\x0aloadFactor\x49\x00\x09threshold\x78\x70\x3f\x40\x00\x00")
	byteArrayDesc = []byte("\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00\x78\x70")
)

// encodeOffsetFile returns the file with these entries.
func encodeOffsetFile(entries []indexEntry) []byte {
	capacity := 16
	for capacity*3/4 < len(entries) {
		capacity *= 2
	}
	threshold := capacity * 3 / 4
	if len(entries) == 0 {
		threshold = 0
	}
	out := append([]byte(nil), hashMapHeader...)
	out = binary.BigEndian.AppendUint32(out, uint32(threshold))
	out = append(out, tcBlockData, 8)
	out = binary.BigEndian.AppendUint32(out, uint32(capacity))
	out = binary.BigEndian.AppendUint32(out, uint32(len(entries)))
	described := false
	for _, e := range entries {
		out = appendByteArray(out, e.key, &described)
		out = appendByteArray(out, e.value, &described)
	}
	return append(out, tcEnd)
}

func appendByteArray(out, b []byte, described *bool) []byte {
	if b == nil {
		return append(out, tcNull)
	}
	out = append(out, tcArray)
	if *described {
		out = binary.BigEndian.AppendUint32(append(out, tcReference), byteArrayClass)
	} else {
		out = append(out, byteArrayDesc...)
		*described = true
	}
	out = binary.BigEndian.AppendUint32(out, uint32(len(b)))
	return append(out, b...)
}

// javaReader reads the few kinds of objects that an offset file consists of.
type javaReader struct {
	rest   []byte
	arrays [][]byte // by handle, from byteArrayClass+1
}

var errForeign = errors.New("it is not a serialized java.util.HashMap of byte arrays")

func decodeOffsetFile(raw []byte) ([]indexEntry, error) {
	r := &javaReader{rest: raw}
	header, err := r.take(min(len(hashMapHeader), len(raw)))
	if err != nil || string(header) != string(hashMapHeader[:len(header)]) {
		return nil, errForeign
	}
	// Threshold, block of eight bytes: capacity and size.
	block, err := r.take(14)
	if err != nil {
		return nil, err
	}
	if block[4] != tcBlockData || block[5] != 8 {
		return nil, errForeign
	}
	size := binary.BigEndian.Uint32(block[10:])
	var entries []indexEntry
	for range size {
		key, err := r.array()
		if err != nil {
			return nil, err
		}
		value, err := r.array()
		if err != nil {
			return nil, err
		}
		entries = append(entries, indexEntry{key, value})
	}
	if end, err := r.take(1); err != nil || end[0] != tcEnd {
		return nil, errors.Join(err, errForeign)
	}
	return entries, nil
}

func (r *javaReader) take(n int) ([]byte, error) {
	if n > len(r.rest) {
		return nil, fmt.Errorf("it is cut off: %w", io.ErrUnexpectedEOF)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out, nil
}

func (r *javaReader) uint32() (uint32, error) {
	b, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

// array reads a byte array, a reference to an earlier one, or null, which is nil.
func (r *javaReader) array() ([]byte, error) {
	tag, err := r.take(1)
	if err != nil {
		return nil, err
	}
	switch tag[0] {
	case tcNull:
		return nil, nil
	case tcReference:
		return r.reference()
	case tcArray:
		return r.newArray()
	default:
		return nil, errForeign
	}
}

func (r *javaReader) reference() ([]byte, error) {
	h, err := r.uint32()
	if err != nil {
		return nil, err
	}
	if i := int64(h) - byteArrayClass - 1; i >= 0 && i < int64(len(r.arrays)) {
		return r.arrays[i], nil
	}
	return nil, errForeign
}

func (r *javaReader) newArray() ([]byte, error) {
	if err := r.arrayClass(); err != nil {
		return nil, err
	}
	n, err := r.uint32()
	if err != nil {
		return nil, err
	}
	if n > 1<<31-1 {
		return nil, errForeign
	}
	b, err := r.take(int(n))
	if err != nil {
		return nil, err
	}
	// Not nil even when empty: nil means null.
	b = append(make([]byte, 0, n), b...)
	r.arrays = append(r.arrays, b)
	return b, nil
}

func (r *javaReader) arrayClass() error {
	if len(r.rest) > 0 && r.rest[0] == tcClassDesc {
		desc, err := r.take(len(byteArrayDesc))
		if err == nil && string(desc) != string(byteArrayDesc) {
			err = errForeign
		}
		return err
	}
	ref, err := r.take(5)
	if err != nil {
		return err
	}
	if ref[0] != tcReference || binary.BigEndian.Uint32(ref[1:]) != byteArrayClass {
		return errForeign
	}
	return nil
}
