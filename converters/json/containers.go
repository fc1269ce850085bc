package json

import (
	"github.com/millrace-io/millrace/connect/data"
)

// structure reads an object as a STRUCT; i is at the brace. Members mostly come in the order of the fields and without
// white space, so that is tried first.
func (d *decoder) structure(p *plan, i int) (data.Value, int) {
	if d.depth++; d.depth > maxDepth {
		return data.Null, failed
	}
	s := d.slab.Struct(p.schema)
	expected := 0
	for ; expected < len(p.fields); expected++ {
		f := &p.fields[expected]
		if len(d.raw)-i < len(f.lead) || string(d.raw[i:i+len(f.lead)]) != f.lead {
			break
		}
		var v data.Value
		if v, i = d.value(f.plan, i+len(f.lead)); i == failed {
			return data.Null, failed
		}
		s.Set(expected, v)
	}
	if expected == 0 || i == len(d.raw) || d.raw[i] != '}' {
		if i = d.members(p, s, expected, i); i == failed {
			return data.Null, failed
		}
	}
	d.depth--
	if !fillNulls(p, s) {
		return data.Null, failed
	}
	return s.Value(), i + 1
}

// members reads the members of a STRUCT that come in another order; i is at the brace if nothing was read yet, else
// behind the last value. It returns the position of the closing brace. Members that are no fields are checked and
// dropped.
func (d *decoder) members(p *plan, s *data.Struct, expected, i int) int {
	var c byte
	if expected == 0 {
		c, i = next(d.raw, i+1)
	} else {
		c, i = d.more(i, '}')
	}
	for i != failed && c != '}' {
		f, at := d.field(p, expected, i)
		if f < 0 {
			i = d.skip(at)
		} else {
			var v data.Value
			v, i = d.value(p.fields[f].plan, at)
			s.Set(f, v)
			expected = f + 1
		}
		c, i = d.more(i, '}')
	}
	return i
}

// more looks at what follows an element: at a comma it returns the position behind it, at the end of the container the
// end and its position, and otherwise it fails.
func (d *decoder) more(i int, end byte) (byte, int) {
	if i == failed {
		return 0, failed
	}
	c, at := next(d.raw, i)
	switch c {
	case ',':
		return c, at + 1
	case end:
		return c, at
	default:
		return 0, failed
	}
}

// field reads the name of a member and the colon. It returns the position of the field, or -1 for a member that is
// none. The expected field is tried before any other.
func (d *decoder) field(p *plan, expected, i int) (f, end int) {
	if expected < len(p.fields) {
		quoted := p.fields[expected].quoted
		if len(d.raw)-i >= len(quoted) && string(d.raw[i:i+len(quoted)]) == quoted {
			return expected, i + len(quoted)
		}
	}
	name, end := d.name(i)
	if end == failed {
		return -1, failed
	}
	if f := p.schema.FieldBytes(name); f != nil {
		return f.Index, end
	}
	return -1, end
}

// name reads the name of a member and the colon.
func (d *decoder) name(i int) ([]byte, int) {
	c, i := next(d.raw, i)
	if c != '"' {
		return nil, failed
	}
	name, i := d.content(i+1, true)
	if i == failed || len(name) > maxName {
		return nil, failed
	}
	c, i = next(d.raw, i)
	if c != ':' {
		return nil, failed
	}
	return name, i + 1
}

// fillNulls gives the nulls of a struct, among them the members that are missing, the meaning they have.
func fillNulls(p *plan, s *data.Struct) bool {
	for i := range p.fields {
		if !s.At(i).IsNull() {
			continue
		}
		switch f := p.fields[i].plan; f.null {
		case nullForbidden:
			return false
		case nullIsDefault:
			s.Set(i, f.def)
		case nullAllowed:
		}
	}
	return true
}

// array reads the elements of an array; i is behind the bracket.
func (d *decoder) array(elem *plan, i int) (data.Value, int) {
	if d.depth++; d.depth > maxDepth {
		return data.Null, failed
	}
	base := len(d.elems)
	c, i := next(d.raw, i)
	for c != ']' {
		var v data.Value
		v, i = d.element(elem, i)
		d.elems = append(d.elems, v)
		if c, i = d.more(i, ']'); i == failed {
			return data.Null, failed
		}
	}
	d.depth--
	read := d.elems[base:]
	out := d.slab.Values(len(read))
	copy(out, read)
	d.mostElems = max(d.mostElems, len(d.elems))
	d.elems = d.elems[:base]
	return data.Array(out), i + 1
}

// object reads an object as a MAP with STRING keys; i is behind the brace.
func (d *decoder) object(elem *plan, i int) (data.Value, int) {
	if d.depth++; d.depth > maxDepth {
		return data.Null, failed
	}
	base := len(d.entries)
	c, i := next(d.raw, i)
	for c != '}' {
		name, at := d.name(i)
		if at == failed {
			return data.Null, failed
		}
		var v data.Value
		v, i = d.element(elem, at)
		d.entries = append(d.entries, data.MapEntry{Key: data.AliasString(name), Value: v})
		if c, i = d.more(i, '}'); i == failed {
			return data.Null, failed
		}
	}
	d.depth--
	read := d.entries[base:]
	if d.names.repeat(read) {
		return data.Null, failed
	}
	d.dropEntries(base)
	return d.slab.MapOf(read).Value(), i + 1
}

// dropEntries forgets the entries of a map that is complete.
func (d *decoder) dropEntries(base int) {
	d.mostEntries = max(d.mostEntries, len(d.entries))
	d.entries = d.entries[:base]
}

// pairs reads a list of pairs as a MAP; i is behind the bracket.
func (d *decoder) pairs(p *plan, i int) (data.Value, int) {
	if d.depth += 2; d.depth > maxDepth {
		return data.Null, failed
	}
	base := len(d.entries)
	c, i := next(d.raw, i)
	for c != ']' {
		var e data.MapEntry
		if e, i = d.pair(p, i); i == failed {
			return data.Null, failed
		}
		d.entries = append(d.entries, e)
		if c, i = d.more(i, ']'); i == failed {
			return data.Null, failed
		}
	}
	d.depth -= 2
	read := d.entries[base:]
	m := d.slab.Map(len(read))
	for _, e := range read {
		m.Put(e.Key, e.Value)
	}
	d.dropEntries(base)
	return m.Value(), i + 1
}

// pair reads one entry of a map as an array of two elements.
func (d *decoder) pair(p *plan, i int) (e data.MapEntry, end int) {
	c, i := next(d.raw, i)
	if c != '[' {
		return e, failed
	}
	if e.Key, i = d.element(p.key, i+1); i == failed {
		return e, failed
	}
	if c, i = next(d.raw, i); c != ',' {
		return e, failed
	}
	if e.Value, i = d.element(p.elem, i+1); i == failed {
		return e, failed
	}
	if c, i = next(d.raw, i); c != ']' {
		return e, failed
	}
	return e, i + 1
}

// skip checks a value without making anything of it.
func (d *decoder) skip(i int) int {
	if i == failed {
		return failed
	}
	c, i := next(d.raw, i)
	switch c {
	case '"':
		_, i = d.content(i+1, false)
		return i
	case '{', '[':
		return d.skipContainer(c, i+1)
	case 't':
		return literal(d.raw, i, "true")
	case 'f':
		return literal(d.raw, i, "false")
	case 'n':
		return literal(d.raw, i, "null")
	default:
		n := scanNumber(d.raw, i)
		return n.end
	}
}

func (d *decoder) skipContainer(open byte, i int) int {
	if d.depth++; d.depth > maxDepth {
		return failed
	}
	// In ASCII both closing characters come two behind the opening ones.
	end := open + 2
	c, i := next(d.raw, i)
	for c != end {
		if open == '{' {
			if _, i = d.name(i); i == failed {
				return failed
			}
		}
		if c, i = d.more(d.skip(i), end); i == failed {
			return failed
		}
	}
	d.depth--
	return i + 1
}
