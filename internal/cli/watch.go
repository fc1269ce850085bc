package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/millrace-io/millrace/internal/app"
)

const (
	// refresh is how often the screen is drawn anew, and rateSpan over how many of these a rate is taken.
	refresh  = time.Second
	rateSpan = 5
)

// connectors is what the screen shows.
type connectors interface{ Connectors() []app.DevConnector }

// watch shows how the connectors are doing until ctx ends.
func watch(ctx context.Context, s *screen, from connectors, demo *app.Demo) {
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	var rates rates
	for {
		now := from.Connectors()
		rates.add(time.Now(), now)
		latest := ""
		if demo != nil {
			latest = demo.Latest()
		}
		s.Set(panel(now, &rates, latest))
		select {
		case <-ticker.C:
		case <-ctx.Done():
			s.Set(append(panel(now, &rates, latest), "", "Stopping…"))
			return
		}
	}
}

// rates remembers how many records had been moved at the last few looks.
type rates struct{ looks []look }

type look struct {
	at      time.Time
	records map[string]int64
}

func (r *rates) add(at time.Time, now []app.DevConnector) {
	records := make(map[string]int64, len(now))
	for _, c := range now {
		records[c.Name] = c.Records
	}
	r.looks = append(r.looks, look{at, records})
	if len(r.looks) > rateSpan+1 {
		r.looks = r.looks[1:]
	}
}

// of returns a connector's records a second since the earliest look that knew it.
func (r *rates) of(name string) float64 {
	last := r.looks[len(r.looks)-1]
	for _, l := range r.looks {
		before, ok := l.records[name]
		if span := last.at.Sub(l.at).Seconds(); ok && span > 0 {
			return float64(last.records[name]-before) / span
		}
	}
	return 0
}

// panel is a table of the connectors and the latest record.
func panel(now []app.DevConnector, r *rates, latest string) []string {
	name := len("connector")
	for _, c := range now {
		name = max(name, len([]rune(c.Name)))
	}
	lines := []string{dim(fmt.Sprintf("  %-*s  %-6s  %-10s  %-14s  %10s  %12s", name, "connector", "type", "state", "tasks", "records/s", "records"))}
	for _, c := range now {
		lines = append(lines, fmt.Sprintf("  %-*s  %-6s  %s  %-14s  %10s  %12s",
			name, c.Name, c.Type, state(c.Connector.State), tasks(c), rate(r.of(c.Name)), thousands(c.Records)))
		if c.Failure != "" {
			lines = append(lines, "    "+red(printable(c.Failure)))
		}
	}
	if len(now) == 0 {
		lines = append(lines, "  none yet")
	}
	if latest != "" {
		lines = append(lines, "", dim("  latest  ")+printable(latest))
	}
	return lines
}

func state(s string) string {
	padded := fmt.Sprintf("%-10s", s)
	switch s {
	case "RUNNING":
		return green(padded)
	case "FAILED":
		return red(padded)
	default:
		return padded
	}
}

// tasks says how many tasks there are, and how many are not running.
func tasks(c app.DevConnector) string {
	states := make(map[string]int)
	for _, t := range c.Tasks {
		states[t.State.State]++
	}
	switch n := len(c.Tasks); {
	case n == 0:
		return "-"
	case states["FAILED"] > 0:
		return fmt.Sprintf("%d of %d failed", states["FAILED"], n)
	case states["RUNNING"] == n:
		return strconv.Itoa(n)
	default:
		return fmt.Sprintf("%d of %d run", states["RUNNING"], n)
	}
}

func rate(r float64) string {
	if r < 100 {
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return thousands(int64(r + 0.5))
}

// thousands writes a number with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// printable replaces what would move the cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

func green(s string) string { return "\x1b[32m" + s + "\x1b[0m" }
func red(s string) string   { return "\x1b[31m" + s + "\x1b[0m" }
