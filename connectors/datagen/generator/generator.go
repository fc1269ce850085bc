// Package generator makes random values after an Avro schema whose types say, in arg.properties, what their values look
// like.
//
// A [Shape] is a compiled schema. A [Generator] makes values of it from the numbers of a [random.Random]. Which numbers
// are drawn, and in which order, is that of the Avro random generator, so that equal seeds give equal values; strings
// that match a regular expression are the exception. Where that generator's arithmetic overflows, values stay in their
// range here.
package generator

import (
	"fmt"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// Shape is a compiled schema. It is immutable and safe for use by any number of goroutines.
type Shape struct {
	plan  *plan
	state []uint64    // the first state of all sequences
	seqs  []*sequence // by slot, nil for those that generate nothing
}

// Parse compiles an Avro schema in JSON, which may have comments. Options in files are read now. Errors name the place
// and say what is accepted there.
func Parse(text []byte) (*Shape, error) {
	v, err := readJSON(text)
	if err != nil {
		return nil, fmt.Errorf("the schema is not JSON: %w", err)
	}
	p := parser{names: map[string]*node{}}
	n, err := p.parse(v, "")
	if err != nil {
		return nil, err
	}
	m := mapper{done: map[place]*typed{}}
	t, err := m.typed(n, use{})
	if err != nil {
		return nil, err
	}
	c := compiler{done: map[*typed]*plan{}}
	root, err := c.plan(t)
	if err != nil {
		return nil, err
	}
	s := &Shape{plan: root, state: make([]uint64, p.slots), seqs: make([]*sequence, p.slots)}
	for _, p := range c.done {
		if p.seq != nil {
			s.state[p.slot], s.seqs[p.slot] = p.seq.first, p.seq
		}
	}
	return s, nil
}

// Schema returns the Connect schema of all values, the one that Connect's Avro converter makes of the Avro schema.
func (s *Shape) Schema() *data.Schema { return s.plan.schema }

// New returns a generator whose sequences are at their beginning. It draws from r, which the caller may seed anew
// between values.
func (s *Shape) New(r *random.Random) *Generator {
	g := &Generator{shape: s, r: r, state: make([]uint64, len(s.state))}
	copy(g.state, s.state)
	return g
}

// Generator makes values. It belongs to one goroutine at a time.
type Generator struct {
	shape   *Shape
	r       *random.Random
	state   []uint64 // of the sequences, by slot
	buf     []byte   // a string being made
	entries []data.MapEntry
}

// Skip moves every sequence on by n values, as many records make of a sequence that is in each of them once. It draws
// no numbers. Nothing happens if n is not positive.
func (g *Generator) Skip(n int64) {
	if n <= 0 {
		return
	}
	for slot, seq := range g.shape.seqs {
		if seq != nil {
			g.state[slot] = seq.skip(g.state[slot], uint64(n))
		}
	}
}

// Next makes one value, in memory of the slab. Values that are the same each time, such as options, are shared by all.
func (g *Generator) Next(slab *data.Slab) data.Value { return g.value(g.shape.plan, slab) }
