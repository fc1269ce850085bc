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
