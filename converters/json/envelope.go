package json

// parts says where the parts of an envelope are.
type parts struct {
	schema  []byte // its text
	payload int    // position
	last    bool   // the payload is the last member, and what follows it was not looked at
	usual   bool   // the text in front of the payload is as converters write it
}

// split finds the two members of an envelope in any order, without or with white space. It leaves envelopes with other
// members, repeated ones or escaped names to the exact way.
func (d *decoder) split() (p parts, ok bool) {
	d.depth = 1
	c, i := next(d.raw, 0)
	if c != '{' {
		return p, false
	}
	first, i := d.name(i + 1)
	if i == failed {
		return p, false
	}
	switch string(first) {
	case schemaMember:
		return d.schemaFirst(i)
	case payloadMember:
		return d.payloadFirst(i)
	default:
		return p, false
	}
}

func (d *decoder) schemaFirst(i int) (p parts, ok bool) {
	var after int
	if p.schema, after = d.source(i); after == failed {
		return p, false
	}
	c, i := next(d.raw, after)
	if c != ',' {
		return p, false
	}
	name, i := d.name(i + 1)
	if i == failed || string(name) != payloadMember {
		return p, false
	}
	p.payload, p.last = i, true
	head := string(d.raw[:len(schemaHead)]) == schemaHead
	p.usual = head && i-after == len(payloadHead) && string(d.raw[after:i]) == payloadHead
	return p, true
}

func (d *decoder) payloadFirst(i int) (p parts, ok bool) {
	p.payload = i
	i = d.skip(i)
	if i == failed {
		return p, false
	}
	c, i := next(d.raw, i)
	if c != ',' {
		return p, false
	}
	name, i := d.name(i + 1)
	if i == failed || string(name) != schemaMember {
		return p, false
	}
	p.schema, i = d.source(i)
	return p, d.closed(i)
}

// source returns the text of the value at i without the white space around it.
func (d *decoder) source(i int) ([]byte, int) {
	_, i = next(d.raw, i)
	end := d.skip(i)
	if end == failed {
		return nil, failed
	}
	return d.raw[i:end], end
}

// closed tells whether the envelope ends at i.
func (d *decoder) closed(i int) bool {
	if i == failed {
		return false
	}
	c, _ := next(d.raw, i)
	return c == '}'
}
