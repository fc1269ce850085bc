package generator

import (
	"math"
	"math/big"
	"strconv"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

// integers is what the numbers of an int or long become.
type integers uint8

const (
	asInt64 integers = iota
	asInt32
	asInt16
	asInt8
	asInstant // milliseconds
	asDay
	asTimeOfDay
)

const millisPerDay = 24 * 60 * 60 * 1000

// integers returns what the numbers of a type become.
func (n *node) integers() integers {
	t := n.plainType()
	switch {
	case n.logical == logicalDate:
		return asDay
	case n.logical == logicalTime:
		return asTimeOfDay
	case n.logical == logicalTimestamp:
		return asInstant
	case t == data.TypeInt32:
		return asInt32
	case t == data.TypeInt16:
		return asInt16
	case t == data.TypeInt8:
		return asInt8
	default:
		return asInt64
	}
}

// value returns a number as it is wanted. A time of day is one whatever the number: it wraps around at midnight.
func (as integers) value(n int64) data.Value {
	switch as {
	case asInt32:
		return data.Int32(int32(n))
	case asInt16:
		return data.Int16(int16(n))
	case asInt8:
		return data.Int8(int8(n))
	case asInstant:
		return data.Instant(n)
	case asDay:
		return data.Instant(n * millisPerDay)
	case asTimeOfDay:
		return data.Instant((n%millisPerDay + millisPerDay) % millisPerDay)
	default:
		return data.Int64(n)
	}
}

// value makes one value.
func (g *Generator) value(p *plan, slab *data.Slab) data.Value {
	switch p.op {
	case opPick:
		return p.values[g.r.NextIntn(int32(len(p.values)))]
	case opRecord:
		return g.record(p, slab)
	case opInt:
		return p.integers.value(int64(g.r.NextInt()))
	case opLong:
		return p.integers.value(g.r.NextInt64())
	case opIntegerRange:
		return p.integers.value(p.inRange(g.r))
	case opIntegerSequence:
		return p.integers.value(p.seq.at(g.advance(p)))
	case opText, opPattern, opTextSequence:
		return g.text(p, slab)
	case opBoolean:
		return data.Bool(g.r.NextBool())
	case opOdds:
		return data.Bool(g.r.NextFloat64() < p.width)
	case opBooleanSequence:
		return data.Bool(p.seq.at(g.advance(p)) != 0)
	case opArray, opMap, opUnion, opUnionStruct:
		return g.nested(p, slab)
	case opBytes, opFixed, opDecimal:
		return g.bytes(p, slab)
	case opNull:
		return data.Null
	default:
		return g.real(p)
	}
}

func (g *Generator) record(p *plan, slab *data.Slab) data.Value {
	st := slab.Struct(p.schema)
	for i := range p.fields {
		st.Set(i, g.value(&p.fields[i], slab))
	}
	return st.Value()
}

// inRange draws an integer. A width beyond 2^53 rounds, so that the sum could reach the limit.
func (p *plan) inRange(r *random.Random) int64 {
	offset := r.NextFloat64() * p.width
	if offset < math.MaxInt64 {
		return min(p.low+int64(offset), p.last)
	}
	return min(int64(uint64(p.low)+uint64(offset)), p.last)
}

// advance returns the state of a sequence and goes on to the next.
func (g *Generator) advance(p *plan) uint64 {
	at := g.state[p.slot]
	g.state[p.slot] = p.seq.next(at)
	return at
}

// real makes numbers with a fraction.
func (g *Generator) real(p *plan) data.Value {
	switch p.op {
	case opFloat:
		return data.Float32(g.r.NextFloat32())
	case opDouble:
		return data.Float64(g.r.NextFloat64())
	case opFloatSequence:
		return data.Float32(float32(p.seq.real(g.advance(p))))
	case opDoubleSequence:
		return data.Float64(p.seq.real(g.advance(p)))
	case opFloatRange:
		low, high := float32(p.reals.min), float32(p.reals.max)
		return data.Float32(min(between32(low, high, g.r.NextFloat32()), math.Nextafter32(high, low)))
	default:
		low, high := p.reals.min, p.reals.max
		return data.Float64(min(between64(low, high, g.r.NextFloat64()), math.Nextafter(high, low)))
	}
}

// between32 returns the number at a fraction of the way from low to high, whose distance may be beyond all numbers.
func between32(low, high, fraction float32) float32 {
	if width := high - low; width <= math.MaxFloat32 {
		return low + float32(fraction*width)
	}
	return float32(low*(1-fraction)) + float32(high*fraction)
}

func between64(low, high, fraction float64) float64 {
	if width := high - low; width <= math.MaxFloat64 {
		return low + float64(fraction*width)
	}
	return float64(low*(1-fraction)) + float64(high*fraction)
}

// size draws a length.
func (g *Generator) size(p *plan) int {
	if p.length.max < 0 {
		return int(p.length.min)
	}
	return int(p.length.min) + int(g.r.NextIntn(int32(p.length.max-p.length.min)))
}

// text makes strings: characters of ASCII, matches of a pattern, or numbers that count.
func (g *Generator) text(p *plan, slab *data.Slab) data.Value {
	b := append(g.buf[:0], p.prefix...)
	switch p.op {
	case opText:
		for range g.size(p) {
			b = append(b, byte(g.r.NextIntn(128)))
		}
	case opPattern:
		b = p.program.Append(b, g.r)
	default:
		b = strconv.AppendInt(b, p.seq.at(g.advance(p)), 10)
	}
	b = append(b, p.suffix...)
	g.buf = b
	return slab.String(b)
}

func (g *Generator) bytes(p *plan, slab *data.Slab) data.Value {
	if p.op == opDecimal {
		return g.decimal(p, slab)
	}
	size := int(p.low)
	if p.op == opBytes {
		size = g.size(p)
	}
	b := slab.Bytes(size)
	g.r.NextBytes(b)
	return data.Bytes(b)
}

// A decimal is drawn in groups of digits that a float64 holds.
const (
	groupDigits = 15
	smallDigits = 18 // that an int64 holds
)

// decimal draws the digits of a decimal, the most significant first, and then the sign.
func (g *Generator) decimal(p *plan, slab *data.Slab) data.Value {
	scale := p.scale
	if p.low > smallDigits {
		return data.Decimal(g.bigUnscaled(int(p.low)), scale)
	}
	n := int64(0)
	for digits := int(p.low); digits > 0; digits -= groupDigits {
		power := math.Pow10(min(digits, groupDigits))
		n = n*int64(power) + int64(g.r.NextFloat64()*power)
	}
	if g.r.NextBool() {
		n = -n
	}
	return data.DecimalBytes(appendUnscaled(slab, n), scale)
}

func (g *Generator) bigUnscaled(digits int) *big.Int {
	n, part := new(big.Int), new(big.Int)
	for ; digits > 0; digits -= groupDigits {
		power := math.Pow10(min(digits, groupDigits))
		n.Mul(n, part.SetInt64(int64(power)))
		n.Add(n, part.SetInt64(int64(g.r.NextFloat64()*power)))
	}
	if g.r.NextBool() {
		n.Neg(n)
	}
	return n
}

// appendUnscaled returns a number in as few bytes of two's complement as it takes.
func appendUnscaled(slab *data.Slab, n int64) []byte {
	size := 1
	for v := n; v > math.MaxInt8 || v < math.MinInt8; v >>= 8 {
		size++
	}
	b := slab.Bytes(size)
	for i := range b {
		b[size-1-i] = byte(n >> (8 * i))
	}
	return b
}

func (g *Generator) nested(p *plan, slab *data.Slab) data.Value {
	switch p.op {
	case opArray:
		vs := slab.Values(g.size(p))
		for i := range vs {
			vs[i] = g.value(p.elem, slab)
		}
		return data.Array(vs)
	case opMap:
		return g.mapping(p, slab)
	case opUnion:
		return g.value(&p.fields[g.r.NextIntn(int32(len(p.fields)))], slab)
	default:
		return g.union(p, slab)
	}
}

// union makes the struct of a union that has one, or null.
func (g *Generator) union(p *plan, slab *data.Slab) data.Value {
	branch := g.r.NextIntn(int32(len(p.fields)))
	if p.places[branch] < 0 {
		return data.Null
	}
	st := slab.Struct(p.schema)
	st.Set(p.places[branch], g.value(&p.fields[branch], slab))
	return st.Value()
}

// fewEntries is the size of a map up to which going through all its keys beats an index.
const fewEntries = 64

// mapping makes maps. Of equal keys the last one counts, so that a map may be smaller than the length that was drawn.
func (g *Generator) mapping(p *plan, slab *data.Slab) data.Value {
	size := g.size(p)
	if size > fewEntries {
		m := slab.Map(size)
		for range size {
			key := g.value(p.key, slab)
			m.Put(key, g.value(p.elem, slab))
		}
		return m.Value()
	}
	base := len(g.entries)
	for range size {
		key := g.value(p.key, slab)
		g.put(base, key, g.value(p.elem, slab))
	}
	m := slab.MapOf(g.entries[base:])
	clear(g.entries[base:])
	g.entries = g.entries[:base]
	return m.Value()
}

// put adds an entry to those from base on, which are of the map that is being made.
func (g *Generator) put(base int, key, v data.Value) {
	for i := range g.entries[base:] {
		if e := &g.entries[base+i]; e.Key.Str() == key.Str() {
			e.Value = v
			return
		}
	}
	g.entries = append(g.entries, data.MapEntry{Key: key, Value: v})
}
