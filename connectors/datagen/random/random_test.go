package random

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The numbers of these tests were printed by java.util.Random.

func TestNumbersOfSeeds(t *testing.T) {
	t.Parallel()
	type numbers struct {
		Ints    [4]int32
		Longs   [3]int64
		Floats  [3]uint32 // bits
		Doubles [3]uint64 // bits
		Bools   [8]bool
		Bytes   string
	}
	zero := numbers{
		Ints:    [4]int32{-1155484576, -723955400, 1033096058, -1690734402},
		Longs:   [3]int64{-4962768465676381896, 4437113781045784766, -6688467811848818630},
		Floats:  [3]uint32{0x3f3b20b4, 0x3f54d951, 0x3e764f2c},
		Doubles: [3]uint64{0x3fe764168ea6ca89, 0x3fcec9e5b3672e14, 0x3fe465b93a78ef81},
		Bools:   [8]bool{true, true, false, true, true, false, true, false},
		Bytes:   "60b420bb3851d9",
	}
	for seed, want := range map[int64]numbers{
		0:             zero,
		math.MinInt64: zero,
		42: {
			Ints:    [4]int32{-1170105035, 234785527, -1360544799, 205897768},
			Longs:   [3]int64{-5025562857975149833, -5843495416241995736, 5694868678511409995},
			Floats:  [3]uint32{0x3f3a419d, 0x3d5fe8a0, 0x3f2ee7bb},
			Doubles: [3]uint64{0x3fe74833a06ff457, 0x3fe5dcf778622e01, 0x3fd3c20f3f12bbb4},
			Bools:   [8]bool{true, false, true, false, false, true, false, true},
			Bytes:   "359d41baf78afe",
		},
		-1: {
			Ints:    [4]int32{1155099827, 1887904451, 52699159, -1941176418},
			Longs:   [3]int64{4961115982468162243, 226341162490527646, -6233441030884181172},
			Floats:  [3]uint32{0x3e89b2d8, 0x3ee10e44, 0x3c490800},
			Doubles: [3]uint64{0x3fd1365b2708722c, 0x3f8921011897ff00, 0x3fe52fcbccce6dda},
			Bools:   [8]bool{false, false, false, true, true, true, false, false},
			Bytes:   "b36cd944c32287",
		},
		1234567890123: {
			Ints:    [4]int32{-8722476, -1977939436, -999828940, -741339138},
			Longs:   [3]int64{-37462751138084332, -4294232599635685378, -3937534964849336365},
			Floats:  [3]uint32{0x3f7f7ae7, 0x3f0a1b0a, 0x3f4467d2},
			Doubles: [3]uint64{0x3fefef5cfc50d850, 0x3fe88cfa469e807f, 0x3fe92b621dcbccfe},
			Bools:   [8]bool{true, true, true, true, true, true, true, true},
			Bytes:   "d4e77aff140a1b",
		},
	} {
		var got numbers
		r := New(seed)
		for i := range got.Ints {
			got.Ints[i] = r.NextInt()
		}
		r.Seed(seed)
		for i := range got.Longs {
			got.Longs[i] = r.NextInt64()
		}
		r.Seed(seed)
		for i := range got.Floats {
			got.Floats[i] = math.Float32bits(r.NextFloat32())
		}
		r.Seed(seed)
		for i := range got.Doubles {
			got.Doubles[i] = math.Float64bits(r.NextFloat64())
		}
		r.Seed(seed)
		for i := range got.Bools {
			got.Bools[i] = r.NextBool()
		}
		r.Seed(seed)
		b := make([]byte, 7)
		r.NextBytes(b)
		got.Bytes = hex.EncodeToString(b)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("seed %d:\n%s", seed, d)
		}
	}
}

// TestBounds draws four numbers below each bound, and then one of any size, which shows how often was drawn: of the
// numbers above 2^30 a bound of 2^30+1 refuses nearly every second.
func TestBounds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		seed  int64
		bound int32
		want  [4]int32
		then  int32
	}{
		{0, 1, [4]int32{0, 0, 0, 0}, -1557280266},
		{0, 2, [4]int32{1, 1, 0, 1}, -1557280266},
		{0, 10, [4]int32{0, 8, 9, 7}, -1557280266},
		{0, 64, [4]int32{46, 53, 15, 38}, -1557280266},
		{0, 1000, [4]int32{360, 948, 29, 447}, -1557280266},
		{0, 1 << 30, [4]int32{784870680, 892752974, 258274014, 651058223}, -1557280266},
		{0, 1<<30 + 1, [4]int32{516548029, 663681053, 251269761, 715581077}, 1085665355},
		{0, math.MaxInt32, [4]int32{1569741360, 1785505948, 516548029, 1302116447}, -1557280266},
		{42, 10, [4]int32{0, 3, 8, 4}, 1325939940},
		{42, 64, [4]int32{46, 3, 43, 3}, 1325939940},
		{42, 1<<30 + 1, [4]int32{117392763, 102948884, 662969970, 595021505}, -1255373459},
		{42, math.MaxInt32, [4]int32{1562431130, 117392763, 1467211248, 102948884}, 1325939940},
		{-1, 1000, [4]int32{913, 225, 579, 439}, -1451336087},
		{-1, 1<<30 + 1, [4]int32{577549913, 943952225, 26349579, 894294477}, 1714930956},
		{1234567890123, 1<<30 + 1, [4]int32{458291080, 470392121, 570267634, 694613688}, 185999198},
	} {
		r := New(test.seed)
		var got [4]int32
		for i := range got {
			got[i] = r.NextIntn(test.bound)
		}
		if then := r.NextInt(); got != test.want || then != test.then {
			t.Errorf("seed %d below %d: got %v, then %d; want %v, then %d", test.seed, test.bound, got, then, test.want, test.then)
		}
	}
}

func TestNextBytesDrawsOnceForFourBytes(t *testing.T) {
	t.Parallel()
	for size, draws := range map[int]int{0: 0, 1: 1, 4: 1, 5: 2, 8: 2, 9: 3} {
		got, want := New(7), New(7)
		got.NextBytes(make([]byte, size))
		for range draws {
			want.NextInt()
		}
		if *got != *want {
			t.Errorf("%d bytes took other than %d draws", size, draws)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	r := New(1)
	b.ReportAllocs()
	for b.Loop() {
		r.NextIntn(3)
		r.NextFloat64()
	}
}
