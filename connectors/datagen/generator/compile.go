package generator

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/pattern"
)

// op is the way a plan makes its values.
type op uint8

const (
	opNull op = iota
	opPick
	opRecord
	opBoolean
	opOdds
	opBooleanSequence
	opInt
	opLong
	opIntegerRange
	opIntegerSequence
	opFloat
	opDouble
	opFloatRange
	opDoubleRange
	opFloatSequence
	opDoubleSequence
	opText
	opPattern
	opTextSequence
	opBytes
	opFixed
	opDecimal
	opArray
	opMap
	opUnion
	opUnionStruct
)

// plan is how to make the values of one type in one place. It is immutable.
type plan struct {
	op       op
	integers integers      // what numbers become
	slot     int           // place of the state of the sequence
	values   []data.Value  // to pick from
	schema   *data.Schema  // of structs
	fields   []plan        // of a record, or branches of a union
	places   []int         // of the branches in the struct of the union, -1 for null
	key      *plan         // of a map
	elem     *plan         // of an array or map
	low      int64         // of an integer range; the digits of a decimal; the size of a fixed
	scale    int32         // of a decimal
	width    float64       // of an integer range; odds
	last     int64         // of an integer range
	reals    span[float64] // of a range of numbers with a fraction
	length   span[int64]   // of what has a length; -1 as the upper limit draws nothing for it
	seq      *sequence     // nil if there is none
	prefix   string
	suffix   string
	program  *pattern.Program
	weight   int64 // about how many values and pieces of text one value has at most
}

// Limits of what is made.
const (
	maxListed = 4096    // strings that a pattern stands for are kept if they are no more
	maxWeight = 1 << 22 // of a record
	textPiece = 16      // bytes of text that count like a value
)

var errWeight = fmt.Errorf("values can become too large: lengths may give %d elements or pieces of text of %d bytes in all", maxWeight, textPiece)

// compiler makes plans, one for each type in a place.
type compiler struct{ done map[*typed]*plan }

func (c *compiler) plan(t *typed) (*plan, error) {
	if p := c.done[t]; p != nil {
		return p, nil
	}
	p, err := c.build(t)
	if err != nil {
		return nil, err
	}
	if p.weight++; p.weight > maxWeight {
		return nil, errWeight
	}
	c.done[t] = p
	return p, nil
}

// build makes the plan of a type that has properties or not. Errors in properties say that they are in those.
func (c *compiler) build(t *typed) (*plan, error) {
	p := &plan{schema: t.schema, slot: t.node.slot}
	done, err := p.common(t)
	if !done && err == nil {
		done, err = p.scalar(t)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", propsKey, err)
	}
	if !done {
		err = c.nested(p, t)
	}
	return p, err
}

// common looks at the properties that every type has. It is done if they say all.
func (p *plan) common(t *typed) (done bool, err error) {
	if err := checkExclusive(t.node.props); err != nil {
		return false, err
	}
	if v, ok := t.node.props.get(propOptions); ok {
		if p.values, err = options(t, v); err != nil {
			return false, fmt.Errorf("%s: %w", propOptions, err)
		}
		p.op = opPick
		return true, nil
	}
	v, ok := t.node.props.get(propIteration)
	if !ok {
		return false, nil
	}
	o, ok := v.(object)
	if !ok {
		return false, fmt.Errorf("%s: %w", propIteration, errStart)
	}
	if err = p.iteration(t, o); err != nil {
		return false, fmt.Errorf("%s: %w", propIteration, err)
	}
	return true, p.affixes(t.node.props)
}

func (p *plan) iteration(t *typed, o object) (err error) {
	switch t.node.kind {
	case kindBoolean:
		p.op = opBooleanSequence
		p.seq, err = iterateBooleans(o)
	case kindInt, kindLong:
		p.op, p.integers = opIntegerSequence, t.node.integers()
		p.seq, err = iterateIntegers(o, bitsOf(t.node.kind))
	case kindFloat:
		p.op = opFloatSequence
		p.seq, err = iterateReals(o)
	case kindDouble:
		p.op = opDoubleSequence
		p.seq, err = iterateReals(o)
	case kindString:
		p.op = opTextSequence
		p.seq, err = iterateIntegers(o, 32)
	default:
		return fmt.Errorf("does not apply to %s, but to boolean, numbers and string", t.node.kind)
	}
	return err
}

func bitsOf(k kind) int {
	if k == kindInt {
		return 32
	}
	return 64
}

// affixes reads what stands around a text.
func (p *plan) affixes(props object) (err error) {
	if p.prefix, _, err = textProp(props, propPrefix); err == nil {
		p.suffix, _, err = textProp(props, propSuffix)
	}
	p.weight += int64(len(p.prefix)+len(p.suffix)) / textPiece
	return err
}

// scalar makes the plan of types without others in them, from the properties that only they have.
func (p *plan) scalar(t *typed) (done bool, err error) {
	switch t.node.kind {
	case kindNull:
		p.op = opNull
	case kindBoolean:
		var odds bool
		p.op = opBoolean
		if p.width, odds, err = oddsOf(t.node.props); odds {
			p.op = opOdds
		}
	case kindInt, kindLong:
		err = p.integerRange(t)
	case kindFloat, kindDouble:
		err = p.realRange(t)
	case kindString:
		err = p.text(t.node.props, span[int64]{minLength, maxLength})
	case kindEnum:
		p.op = opPick
		for _, s := range t.node.symbols {
			p.values = append(p.values, data.String(s))
		}
	case kindBytes, kindFixed:
		err = p.bytes(t)
	default:
		return false, nil
	}
	return true, err
}

func (p *plan) integerRange(t *typed) error {
	bits := bitsOf(t.node.kind)
	limits := span[int64]{math.MinInt64 >> (64 - bits), math.MaxInt64 >> (64 - bits)}
	s, ok, err := rangeOf(t.node.props, limits, func(v any) (int64, error) { return integer(v, bits) })
	p.op, p.integers = opLong, t.node.integers()
	if bits == 32 {
		p.op = opInt
	}
	if ok {
		p.op, p.low, p.last = opIntegerRange, s.min, s.max-1
		p.width = float64(distance(s.min, s.max))
	}
	return err
}

func (p *plan) realRange(t *typed) error {
	limit, ops := math.MaxFloat64, [2]op{opDouble, opDoubleRange}
	if t.node.kind == kindFloat {
		limit, ops = math.MaxFloat32, [2]op{opFloat, opFloatRange}
	}
	s, ok, err := rangeOf(t.node.props, span[float64]{-limit, limit}, func(v any) (float64, error) { return realNumber(v, limit) })
	p.op = ops[0]
	if ok {
		p.op, p.reals = ops[1], s
	}
	if ok && t.node.kind == kindFloat && float32(s.min) >= float32(s.max) {
		return fmt.Errorf("%s: min must be less than max", propRange)
	}
	return err
}

// text makes the plan of strings, which have that length if the properties name none.
func (p *plan) text(props object, length span[int64]) error {
	if err := p.affixes(props); err != nil {
		return err
	}
	given, ok, err := lengthOf(props)
	if err != nil {
		return err
	}
	regex, isPattern, err := textProp(props, propRegex)
	if err != nil {
		return err
	}
	if isPattern {
		if !ok {
			given = span[int64]{0, pattern.AnyLength}
		}
		return p.pattern(regex, given)
	}
	if p.op, p.length = opText, length; ok {
		p.length = given
	}
	p.weight += p.length.max / textPiece
	return nil
}

// pattern makes the plan of strings that match. If they are few, they are kept.
func (p *plan) pattern(regex string, length span[int64]) (err error) {
	if !utf8.ValidString(regex) {
		return fmt.Errorf("%s: must be UTF-8", propRegex)
	}
	if p.program, err = pattern.Compile(regex, int(length.min), int(length.max-1)); err != nil {
		return fmt.Errorf("%s: %w", propRegex, err)
	}
	p.op = opPattern
	p.weight += int64(p.program.MaxLen()) / textPiece
	all, ok := p.program.List(maxListed)
	if !ok {
		return nil
	}
	p.op = opPick
	for _, s := range all {
		p.values = append(p.values, data.String(p.prefix+s+p.suffix))
	}
	return nil
}

func (p *plan) bytes(t *typed) (err error) {
	switch {
	case t.node.logical == logicalDecimal:
		p.op, p.low, p.scale = opDecimal, int64(t.node.precision), t.node.scale
		p.weight += p.low / textPiece
	case t.node.kind == kindFixed:
		p.op, p.low = opFixed, int64(t.node.size)
		p.weight += p.low / textPiece
	default:
		p.op = opBytes
		p.length, _, err = lengthOf(t.node.props)
		p.weight += p.length.max / textPiece
	}
	return err
}

// nested makes the plan of types with others in them.
func (c *compiler) nested(p *plan, t *typed) error {
	if t.node.kind == kindRecord {
		return c.record(p, t)
	}
	if t.node.kind == kindUnion {
		return c.union(p, t)
	}
	return c.collection(p, t)
}

// collection makes the plan of an array or map.
func (c *compiler) collection(p *plan, t *typed) error {
	word, opcode := "items", opArray
	if t.node.kind == kindMap {
		word, opcode = "values", opMap
	}
	var err error
	p.op = opcode
	if p.length, _, err = lengthOf(t.node.props); err != nil {
		return fmt.Errorf("%s: %w", propsKey, err)
	}
	if p.elem, err = c.plan(t.elem); err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	each := p.elem.weight
	if opcode == opMap {
		if p.key, err = keyPlan(t.node.props); err != nil {
			return fmt.Errorf("%s: %s: %w", propsKey, propKeys, err)
		}
		each += p.key.weight
	}
	if p.weight = maxWeight; each < maxWeight/max(1, p.length.max-1) {
		p.weight = each * (p.length.max - 1)
	}
	return nil
}

func (c *compiler) record(p *plan, t *typed) error {
	p.op = opRecord
	for i, ft := range t.fields {
		f, err := c.plan(ft)
		if err != nil {
			return fmt.Errorf("field %q: %w", t.node.fields[i].name, err)
		}
		p.fields = append(p.fields, *f)
		p.weight = min(p.weight+f.weight, maxWeight)
	}
	return nil
}

func (c *compiler) union(p *plan, t *typed) error {
	p.op = opUnion
	if !t.nullable {
		p.op = opUnionStruct
	}
	for i, bt := range t.branches {
		b, err := c.plan(bt)
		if err != nil {
			return fmt.Errorf("branch %d: %w", i+1, err)
		}
		p.fields = append(p.fields, *b)
		p.weight = max(p.weight, b.weight)
		place := -1
		if bt.node.kind != kindNull {
			place = t.position(i)
		}
		p.places = append(p.places, place)
	}
	return nil
}

// keyPlan makes the plan of a map's keys.
func keyPlan(props object) (*plan, error) {
	v, ok := props.get(propKeys)
	if !ok {
		return &plan{op: opText, length: span[int64]{1, -1}}, nil
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("must be an object")
	}
	if err := checkExclusive(o); err != nil {
		return nil, err
	}
	p := &plan{}
	v, ok = o.get(propOptions)
	if !ok {
		return p, p.text(o, span[int64]{minLength, maxLength})
	}
	var err error
	p.op = opPick
	if p.values, err = options(&typed{node: &node{kind: kindString}, schema: data.StringSchema}, v); err != nil {
		return nil, fmt.Errorf("%s: %w", propOptions, err)
	}
	return p, nil
}
