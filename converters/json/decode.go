package json

import (
	"encoding/base64"
	"math"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connect/data"
)

// decoder is the fast way of reading. All its methods take the position of what they read and return the position
// behind it, or failed to give up, which is not an error but a matter for the exact way.
type decoder struct {
	raw   []byte
	slab  *data.Slab
	depth int

	elems   []data.Value    // of the arrays being read, innermost last
	entries []data.MapEntry // of the maps being read, innermost last
	names   nameSet

	// How many of elems and entries were in use at once.
	mostElems, mostEntries int
}

// reset starts a text.
func (d *decoder) reset(slab *data.Slab, raw []byte) {
	d.raw, d.slab, d.depth = raw, slab, 0
}

// release drops all references to the text.
func (d *decoder) release() {
	d.raw, d.slab = nil, nil
	d.elems = emptied(d.elems[:max(d.mostElems, len(d.elems))])
	d.entries = emptied(d.entries[:max(d.mostEntries, len(d.entries))])
	d.mostElems, d.mostEntries = 0, 0
}

// maxScratch is how much scratch memory is kept for the next text, in elements.
const maxScratch = 1 << 14

// emptied clears used scratch memory, or lets it go if there is much of it.
func emptied[T any](used []T) []T {
	if cap(used) > maxScratch {
		return nil
	}
	clear(used)
	return used[:0]
}

// root reads a whole text by plan p.
func (d *decoder) root(p *plan) (data.Value, bool) {
	v, i := d.element(p, 0)
	if i == failed || (i < len(d.raw) && !isSpace(d.raw[i])) {
		return data.Null, false
	}
	return v, true
}

// element reads a value and gives a null the meaning it has for plan p.
func (d *decoder) element(p *plan, i int) (data.Value, int) {
	v, i := d.value(p, i)
	if v.IsNull() && p != nil {
		switch p.null {
		case nullForbidden:
			return data.Null, failed
		case nullIsDefault:
			return p.def, i
		case nullAllowed:
		}
	}
	return v, i
}

// value reads a value by plan p, with null for a JSON null.
func (d *decoder) value(p *plan, i int) (data.Value, int) {
	c, i := next(d.raw, i)
	if c == 'n' {
		return data.Null, literal(d.raw, i, "null")
	}
	if p == nil {
		return d.any(c, i)
	}
	switch p.read {
	case opString:
		if c == '"' {
			return d.string(i + 1)
		}
	case opStruct:
		if c == '{' {
			return d.structure(p, i)
		}
	case opBoolean:
		return d.boolean(i)
	case opFloat64:
		f, end := scanFloat(d.raw, i)
		return data.Float64(f), end
	case opArray, opObject, opPairs:
		return d.collection(p, c, i)
	case opBytes, opDecimal, opDecimalNumber, opFloat32, opExact:
		return d.rare(p, c, i)
	default:
		return d.integer(p.read, i)
	}
	return data.Null, failed
}

// collection reads a value that begins with c by the plan of an ARRAY or a MAP.
func (d *decoder) collection(p *plan, c byte, i int) (data.Value, int) {
	switch {
	case p.read == opArray && c == '[':
		return d.array(p.elem, i+1)
	case p.read == opObject && c == '{':
		return d.object(p.elem, i+1)
	case p.read == opPairs && c == '[':
		return d.pairs(p, i+1)
	default:
		return data.Null, failed
	}
}

// rare reads a value that begins with c by a plan of the types that are seldom used.
func (d *decoder) rare(p *plan, c byte, i int) (data.Value, int) {
	switch p.read {
	case opBytes:
		if c != '"' {
			return data.Null, failed
		}
		b, end := d.base64(i + 1)
		return data.Bytes(b), end
	case opDecimal, opDecimalNumber:
		return d.decimal(p, c, i)
	case opFloat32:
		n := scanNumber(d.raw, i)
		if n.end == failed {
			return data.Null, failed
		}
		return data.Float32(n.float32(d.raw[i:n.end])), n.end
	default:
		return data.Null, failed
	}
}

// integer reads what JSON has as an integer.
func (d *decoder) integer(o op, i int) (data.Value, int) {
	n, digits, end := scanInteger(d.raw, i)
	switch o {
	case opInt8:
		return data.Int8(int8(n)), end
	case opInt16:
		return data.Int16(int16(n)), end
	case opInt32:
		return data.Int32(int32(n)), end
	case opInt64:
		return data.Int64(n), end
	case opTimestamp:
		return data.Instant(n), end
	default:
		return dateTime(o, n, digits, end)
	}
}

// dateTime makes a Date or Time of an integer, which must fit 32 bits.
func dateTime(o op, n int64, digits, end int) (data.Value, int) {
	if digits >= significant || n < math.MinInt32 || n > math.MaxInt32 {
		return data.Null, failed
	}
	if o == opDate {
		return data.Instant(n * millisOfDay), end
	}
	if n < 0 || n > millisOfDay {
		return data.Null, failed
	}
	return data.Instant(n), end
}

const millisOfDay = 24 * 60 * 60 * 1000

func (d *decoder) boolean(i int) (data.Value, int) {
	if end := literal(d.raw, i, "true"); end != failed {
		return data.Bool(true), end
	}
	return data.Bool(false), literal(d.raw, i, "false")
}

// string reads a literal whose content begins at i. The value is a part of the text if that needs no decoding.
func (d *decoder) string(i int) (data.Value, int) {
	content, end := d.content(i, false)
	return data.AliasString(content), end
}

func (d *decoder) content(i int, isName bool) ([]byte, int) {
	end, escaped, wide := scanString(d.raw, i)
	if end == failed || end-i > maxText {
		return nil, failed
	}
	content := d.raw[i:end:end]
	if escaped || (wide && !utf8.Valid(content)) {
		return d.decoded(content, end, isName)
	}
	return content, end + 1
}

// decoded decodes the content of a literal, into the slab as hardly any text grows by that.
func (d *decoder) decoded(content []byte, end int, isName bool) ([]byte, int) {
	buf := d.slab.Bytes(len(content))
	out, ok := appendDecoded(buf[:0], content, isName)
	if !ok {
		return nil, failed
	}
	return out, end + 1
}

func (d *decoder) base64(i int) ([]byte, int) {
	content, end := d.content(i, false)
	if end == failed || len(content)%4 != 0 {
		return nil, failed
	}
	buf := d.slab.Bytes(base64.StdEncoding.DecodedLen(len(content)))
	n, err := base64.StdEncoding.Decode(buf, content)
	if err != nil || n+padding(content) != len(content)/4*3 {
		// There is a line break, which package base64 skips anywhere and the reference does not.
		return nil, failed
	}
	return buf[:n:n], end
}

// padding counts the padding at the end of base64 text.
func padding(text []byte) int {
	n := 0
	for n < 2 && n < len(text) && text[len(text)-1-n] == '=' {
		n++
	}
	return n
}

func (d *decoder) decimal(p *plan, c byte, i int) (data.Value, int) {
	if c == '"' {
		b, end := d.base64(i + 1)
		if end == failed || len(b) == 0 || !p.scaled {
			return data.Null, failed
		}
		return data.DecimalBytes(b, p.scale), end
	}
	n := scanNumber(d.raw, i)
	if n.end == failed {
		return data.Null, failed
	}
	if !n.exact || n.mantissa > math.MaxInt64 {
		v, ok := data.ParseDecimal(data.AliasString(d.raw[i:n.end]).Str())
		if !ok {
			return data.Null, failed
		}
		return v, n.end
	}
	unscaled := int64(n.mantissa)
	if n.negative {
		unscaled = -unscaled
	}
	return data.DecimalBytes(d.unscaled(unscaled), int32(-n.exp)), n.end
}

// unscaled returns the shortest two's complement of x.
func (d *decoder) unscaled(x int64) []byte {
	n := 1
	for y := x; y > 127 || y < -128; y >>= 8 {
		n++
	}
	b := d.slab.Bytes(n)
	for i := n - 1; i >= 0; i-- {
		b[i] = byte(x)
		x >>= 8
	}
	return b
}

// any reads a value without a schema that begins with c.
func (d *decoder) any(c byte, i int) (data.Value, int) {
	switch c {
	case '"':
		return d.string(i + 1)
	case '{':
		return d.object(nil, i+1)
	case '[':
		return d.array(nil, i+1)
	case 't', 'f':
		return d.boolean(i)
	}
	if n, _, end := scanInteger(d.raw, i); end != failed {
		return data.Int64(n), end
	}
	f, end := scanFloat(d.raw, i)
	if end-i > maxDigits {
		// It may be an integer with many leading zeros.
		return data.Null, failed
	}
	return data.Float64(f), end
}
