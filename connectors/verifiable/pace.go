package verifiable

import (
	"context"
	"math"
	"time"

	"github.com/millrace-io/millrace/connect"
)

// pace waits until more than done records may have been delivered since the start of the task, and returns how many may.
// It returns early, with any number, when ctx ends.
type pace func(ctx context.Context, done int64) int64

// newPace makes a pace that starts now, for a task whose first record has that number.
type newPace func(throughput, first int64) pace

// minPause keeps a high throughput from becoming a poll for each record.
const minPause = 2 * time.Millisecond

// atThroughput allows that many records a second on average since the start, as the original does: what was missed while
// polls did not come, as during a pause, is made up for. Negative is no limit. With 0 there is one record, which is
// what an average of none does not forbid at the moment of the start.
func atThroughput(throughput, _ int64) pace {
	if throughput < 0 || throughput >= int64(time.Second) {
		return func(context.Context, int64) int64 { return math.MaxInt64 }
	}
	start := time.Now()
	return func(ctx context.Context, done int64) int64 {
		for {
			elapsed := time.Since(start)
			if n := due(throughput, elapsed); n > done || ctx.Err() != nil {
				return n
			}
			if throughput == 0 {
				<-ctx.Done()
				continue
			}
			connect.Pause(ctx, max(dueAt(throughput, done)-elapsed, minPause))
		}
	}
}

// due returns how many records are due at a time after the start. Seconds are counted apart, as their nanoseconds times
// the throughput would not fit.
func due(throughput int64, elapsed time.Duration) int64 {
	seconds, rest := int64(elapsed/time.Second), int64(elapsed%time.Second)
	return seconds*throughput + rest*throughput/int64(time.Second) + 1
}

// dueAt returns when a record is due; they count from 0.
func dueAt(throughput, record int64) time.Duration {
	seconds, rest := record/throughput, record%throughput
	nanos := (rest*int64(time.Second) + throughput - 1) / throughput
	return time.Duration(seconds)*time.Second + time.Duration(nanos)
}
