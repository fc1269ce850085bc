package cli

import "testing"

func TestCalm(t *testing.T) {
	t.Parallel()
	var c calm
	for i, step := range []struct {
		allocated uint64
		give      bool
	}{
		{2 << 20, false}, // nothing happened yet
		{100 << 20, false},
		{180 << 20, false},
		{181 << 20, true}, // calm after work
		{182 << 20, false},
		{190 << 20, false}, // a trickle is no work
		{400 << 20, false},
		{401 << 20, true},
	} {
		if got := c.look(step.allocated); got != step.give {
			t.Errorf("look %d at %d bytes: %v, want %v", i, step.allocated, got, step.give)
		}
	}
}

func TestCalmTrickle(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		each uint64 // allocated between two looks
		want int    // how often memory is given back in a hundred looks
	}{{0, 0}, {10 << 10, 0}, {100 << 10, 2}, {1 << 20, 8}, {5 << 20, 8}} {
		var c calm
		got := 0
		for i := range uint64(100) {
			if c.look(i * tc.each) {
				got++
			}
		}
		if got != tc.want {
			t.Errorf("%d bytes at each look: given back %d times, want %d", tc.each, got, tc.want)
		}
	}
}
