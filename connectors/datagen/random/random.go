// Package random is the pseudorandom number generator that java.util.Random documents: a linear congruential generator
// of 48 bits. Equal seeds give equal numbers on both platforms, which is what makes generated data comparable.
package random

import "math"

// Parameters of the generator, fixed by its documentation.
const (
	multiplier = 0x5DEECE66D
	increment  = 0xB
	mask       = 1<<48 - 1
)

// Random draws numbers. It belongs to one goroutine at a time and never allocates. The zero Random is ready, but is no
// generator that a seed of zero gives: use [New].
type Random struct{ state uint64 }

// New returns a generator with that seed, of which the lower 48 bits count.
func New(seed int64) *Random {
	r := new(Random)
	r.Seed(seed)
	return r
}

// Seed starts the sequence of numbers that belongs to a seed, whatever was drawn before.
func (r *Random) Seed(seed int64) { r.state = (uint64(seed) ^ multiplier) & mask }

// next draws once and returns the upper bits of the new state, at most 32, with the highest one as the sign of a full 32.
func (r *Random) next(bits uint) int32 {
	r.state = (r.state*multiplier + increment) & mask
	return int32(r.state >> (48 - bits))
}

// NextInt returns any int32.
func (r *Random) NextInt() int32 { return r.next(32) }

// NextIntn returns a number from 0 to below the bound, which must be positive.
func (r *Random) NextIntn(bound int32) int32 {
	u := r.next(31)
	if bound&(bound-1) == 0 {
		return int32(int64(bound) * int64(u) >> 31)
	}
	return r.reduce(u, bound)
}

// reduce draws again for as long as u is of the last, incomplete run of numbers that the bound divides 31 bits into.
func (r *Random) reduce(u, bound int32) int32 {
	for {
		v := u % bound
		if int64(u)-int64(v)+int64(bound)-1 <= math.MaxInt32 {
			return v
		}
		u = r.next(31)
	}
}

// NextInt64 returns one of 2^48 int64 values, in two draws.
func (r *Random) NextInt64() int64 {
	high := int64(r.next(32)) << 32
	return high + int64(r.next(32))
}

// NextFloat32 returns a number from 0 to below 1 with 24 random bits.
func (r *Random) NextFloat32() float32 { return float32(r.next(24)) * (1.0 / (1 << 24)) }

// NextFloat64 returns a number from 0 to below 1 with 53 random bits, in two draws.
func (r *Random) NextFloat64() float64 {
	high := int64(r.next(26)) << 27
	return float64(high+int64(r.next(27))) * (1.0 / (1 << 53))
}

// NextBool returns true or false.
func (r *Random) NextBool() bool { return r.next(1) != 0 }

// NextBytes fills b, in one draw for every four bytes begun.
func (r *Random) NextBytes(b []byte) {
	for len(b) >= 4 {
		n := r.next(32)
		b[0], b[1], b[2], b[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
		b = b[4:]
	}
	if len(b) == 0 {
		return
	}
	n := r.next(32)
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
}
