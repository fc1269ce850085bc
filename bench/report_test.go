package main

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{5, 1, 3}, 3},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v: %v, want %v", tt.values, got, tt.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing: %v", got)
	}
}

func TestRatioIsOfRounds(t *testing.T) {
	t.Parallel()
	// The machine was ten times slower in the second round, for both.
	if got := ratio([]float64{2, 20, 3}, []float64{1, 10, 1}); got != 2 {
		t.Errorf("got %v", got)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		thousands(0):                             "0",
		thousands(999):                           "999",
		thousands(1000):                          "1,000",
		thousands(1234567.8):                     "1,234,568",
		spread(nil, whole):                       "-",
		spread([]float64{2}, tenths):             "2.0",
		spread([]float64{2, 1, 4.2}, hundredths): "2.00 (1.00 to 4.20)",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	got := verdicts(
		verdict{"a", 1.3, atMost, 1.3, hundredths},
		verdict{"b", 1.31, atMost, 1.3, hundredths},
		verdict{"c", 0.8, atLeast, 0.8, hundredths},
		verdict{"d", 6.9, atLeast, 7, tenths},
		verdict{"e", math.NaN(), atMost, 7, tenths},
	)
	var outcomes []string
	for _, row := range got.rows {
		outcomes = append(outcomes, row[3])
	}
	want := []string{"met", "**missed**", "met", "**missed**", "**missed**"}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Error(diff)
	}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	c := &comparison{lines: 2_000_000}
	c.samples[ours] = []sample{{took: time.Second, cpu: 2 * time.Second, peak: 50e6}, {took: 4 * time.Second, cpu: time.Second, peak: 70e6}}
	if diff := cmp.Diff([]float64{2e6, 5e5}, c.rate(ours)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{1, 0.5}, c.cost(ours)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{50, 70}, c.peak(ours)); diff != "" {
		t.Error(diff)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := report{
		options: options{args: []string{"-rounds", "5"}},
		date:    "2026-01-02",
		machine: []fact{{"CPU", "fast"}},
		sections: []section{{
			title: "Title", intro: "An intro.",
			tables: []table{{caption: "Numbers", head: []string{"", "records/s"}, rows: [][]string{{"one", "1"}, {"twenty", "2,000,000"}}}},
		}},
	}
	want := preface +
		"|         |                            |\n" +
		"|---------|----------------------------|\n" +
		"| command | `go run ./bench -rounds 5` |\n" +
		"| date    | 2026-01-02                 |\n" +
		"| CPU     | fast                       |\n" +
		"\n## Title\n\nAn intro.\n\nNumbers:\n\n" +
		"|        | records/s |\n" +
		"|--------|----------:|\n" +
		"| one    |         1 |\n" +
		"| twenty | 2,000,000 |\n\n" + guide
	if diff := cmp.Diff(want, r.markdown()); diff != "" {
		t.Error(diff)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	if got := wrap("one two  three four", 9); got != "one two\nthree\nfour" {
		t.Errorf("got %q", got)
	}
}

func TestParseOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args     string
		out      string
		complete bool
	}{
		{"", "docs/benchmarks.md", true},
		{"-rounds 7", "docs/benchmarks.md", true},
		{"-rounds 3", "", false},
		{"-lines 100000", "", false},
		{"-only source,json", "", false},
		{"-only source -o x.md", "x.md", false},
	} {
		o, err := parseOptions(strings.Fields(tt.args), io.Discard)
		if err != nil || o.out != tt.out || o.complete() != tt.complete {
			t.Errorf("%q: out %q, complete %v, %v", tt.args, o.out, o.complete(), err)
		}
	}
	o, err := parseOptions([]string{"-only", "source, json"}, io.Discard)
	want := map[string]bool{"source": true, "sink": false, "memory": false, "idle": false, "start": false, "json": true, "datagen": false, "crowd": false, "dev": false}
	if diff := cmp.Diff(want, o.parts); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, args := range []string{"-only sauce", "-rounds 0", "-lines 10", "more", "-no"} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
