package conntest

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"strings"
	"time"
)

// lookEvery is the pause before a second look at a condition.
const lookEvery = time.Millisecond

// leaked returns an error if goroutines that calls of c have started are still there after the limit.
func (c *caller) leaked() error {
	if c.stuck != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.limit)
	defer cancel()
	for pause := lookEvery; ; pause *= 2 {
		left := c.goroutines()
		if left == "" {
			return nil
		}
		if ctx.Err() != nil {
			return errors.New("goroutines are left after Stop:\n" + left)
		}
		pauseFor(ctx, pause)
	}
}

// goroutines returns the stacks of the goroutines that carry the label, empty if there are none.
func (c *caller) goroutines() string {
	var all strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return fmt.Sprintf("goroutines cannot be listed: %v", err)
	}
	label := fmt.Sprintf("%q:%q", callerLabel, c.id)
	var left []string
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		// The one goroutine of os/signal stays for the life of the process.
		if strings.Contains(stack, label) && !strings.Contains(stack, "os/signal.loop") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
