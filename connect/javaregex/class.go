package javaregex

// class reads a bracketed class behind its opening bracket. A leading ^ negates
// the whole of it.
func (p *parser) class() (set, error) {
	negated := p.accept('^')
	s, err := p.classBody()
	if err != nil {
		return nil, err
	}
	p.at++
	if negated {
		return s.negate(), nil
	}
	return s, nil
}

// classBody reads the items of a class up to its closing bracket, which it
// leaves. A bracket that comes first is an item.
func (p *parser) classBody() (set, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	c := classReader{parser: p}
	for {
		switch r := p.peek(); {
		case r == endOfPattern:
			return nil, p.fail(len(p.src)-1, "Unclosed character class")
		case r == ']' && c.any:
			return c.items, nil
		}
		if err := c.item(); err != nil {
			return nil, err
		}
	}
}

// classReader gathers the items of one class.
type classReader struct {
	*parser
	items set
	// any is true once there is an item.
	any bool
}

func (c *classReader) add(s set) {
	c.items = c.items.union(s)
	c.any = true
}

func (c *classReader) item() error {
	r := c.peek()
	switch {
	case r == '[':
		c.at++
		s, err := c.class()
		if err != nil {
			return err
		}
		c.add(s)
		return nil
	case r == '&' && c.at+1 < len(c.src) && c.src[c.at+1] == '&':
		c.at += 2
		return c.intersect()
	default:
		return c.rangeOrSet()
	}
}

// intersect reads what follows &&. As in Java that is all nested classes next
// to it and, from the first item that is none on, the whole rest of the class,
// intersections included; nothing at all is ignored.
func (c *classReader) intersect() error {
	var right set
	found := false
	for {
		r := c.peek()
		if r == ']' || r == '&' || r == endOfPattern {
			break
		}
		read := c.classBody
		if r == '[' {
			c.at++
			read = c.class
		}
		s, err := read()
		if err != nil {
			return err
		}
		right, found = right.union(s), true
	}
	switch {
	case !found && !c.any:
		return c.fail(c.at-1, "Bad class syntax")
	case !found:
	case c.any:
		c.items = c.items.intersect(right)
	default:
		c.items, c.any = right, true
	}
	return nil
}

// rangeOrSet reads a character, a range of them or an escaped set.
func (c *classReader) rangeOrSet() error {
	lo, s, err := c.char()
	if err != nil {
		return err
	}
	if s != nil {
		c.add(s)
		return nil
	}
	if c.peek() != '-' {
		c.add(foldRune(lo, c.flags))
		return nil
	}
	dash := c.at
	c.at++
	switch c.peek() {
	case '[', ']':
		// The dash is a character of its own.
		c.at = dash
		c.add(foldRune(lo, c.flags))
		return nil
	case endOfPattern:
		return c.fail(c.at, "Illegal character range")
	}
	hi, s, err := c.char()
	if err != nil {
		return err
	}
	if s != nil || hi < lo {
		return c.fail(c.at-1, "Illegal character range")
	}
	c.add(foldSpan(span{lo, hi}, c.flags))
	return nil
}

func (c *classReader) char() (r rune, s set, err error) {
	r = c.peek()
	c.at++
	if r == '\\' {
		return c.charEscape()
	}
	return r &^ quotedRune, nil, nil
}
