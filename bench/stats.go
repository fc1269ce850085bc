package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// median is the middle value, or the mean of the two in the middle; NaN of nothing.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratio is the median of the rounds' ratios. Both sides of a round ran within minutes of each other, so what else the machine was
// doing then weighs on both.
func ratio(a, b []float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	return median(ratios)
}

// spread is the median with the lowest and the highest value.
func spread(values []float64, format func(float64) string) string {
	switch len(values) {
	case 0:
		return "-"
	case 1:
		return format(values[0])
	}
	return fmt.Sprintf("%s (%s to %s)", format(median(values)), format(slices.Min(values)), format(slices.Max(values)))
}

func whole(v float64) string       { return strconv.FormatFloat(v, 'f', 0, 64) }
func tenths(v float64) string      { return strconv.FormatFloat(v, 'f', 1, 64) }
func hundredths(v float64) string  { return strconv.FormatFloat(v, 'f', 2, 64) }
func thousandths(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }

// thousands is a whole number with commas.
func thousands(v float64) string {
	s := whole(v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// megabytes are millions of bytes.
func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }

// direction says on which side of a bar a result has to be.
type direction string

const (
	atMost  direction = "at most"
	atLeast direction = "at least"
)

// verdict is a result with its bar.
type verdict struct {
	what   string
	value  float64
	want   direction
	bar    float64
	format func(float64) string
}

func (v verdict) met() bool {
	if v.want == atMost {
		return v.value <= v.bar
	}
	return v.value >= v.bar
}

func verdicts(all ...verdict) table {
	t := table{head: []string{"", "measured", "bar", ""}}
	for _, v := range all {
		outcome := "**missed**"
		if v.met() {
			outcome = "met"
		}
		t.rows = append(t.rows, []string{v.what, v.format(v.value), fmt.Sprintf("%s %v", v.want, v.bar), outcome})
	}
	return t
}
