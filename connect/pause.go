package connect

import (
	"context"
	"time"
)

// Pause waits for d; false means that ctx has ended before. Connectors, converters and the runtime wait with it where they are to
// be interruptible.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
