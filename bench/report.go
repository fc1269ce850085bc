package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/millrace-io/millrace/test/bed"
)

// section is what a part found.
type section struct {
	title, intro string
	tables       []table
}

// table has its first column on the left and the others on the right, unless it is text.
type table struct {
	caption string
	head    []string
	rows    [][]string
	text    bool
}

func factTable(caption string, facts []fact) table {
	t := table{caption: caption, head: []string{"", ""}, text: true}
	for _, f := range facts {
		t.rows = append(t.rows, []string{f.name, f.value})
	}
	return t
}

// report is the whole document.
type report struct {
	options
	date     string
	machine  []fact
	sections []section
}

func newReport(ctx context.Context, o options) *report {
	return &report{options: o, date: time.Now().Format(time.DateOnly), machine: describeMachine(ctx)}
}

// publish prints the report and writes it to its file, if it has one.
func (r *report) publish() error {
	text := r.markdown()
	fmt.Print(text)
	if r.out == "" {
		note("not written to a file: this was not a complete run, and -o names none")
		return nil
	}
	path := r.out
	if !filepath.IsAbs(path) {
		root, err := bed.ModuleDir()
		if err != nil {
			return err
		}
		path = filepath.Join(root, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of the results: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	note("written to %s", path)
	return nil
}

const preface = `# Benchmarks

Millrace beside Apache Kafka's own Connect worker, and beside a franz-go loop with no worker around it. This page is written by
the command below.

`

const guide = `## How to read this

- All sides use one Apache Kafka broker on the same machine, one after the other, in an order that changes every round. One round
  before the counted ones warms the Java worker and the broker up. Millrace and the bare loop are new processes each time.
- Work counts when it has arrived: at the topic's end offset, or in the file. Time and CPU are counted from the request that creates
  the connector (for the bare loop: from the word to go, before it has a client) until then. Starting the process does not count.
- CPU is user and system time of the one process, with its garbage collector and compiler threads, without the broker's.
- Values are medians of the rounds, with the lowest and highest in brackets. Ratios are medians of the ratios within a round, so they may
  differ a little from those of the medians.
- Memory is resident memory, in millions of bytes. Peaks are the kernel's high-water mark of the process: of one run for Millrace and
  the bare loop, since its start for the Java worker, whose heap may grow to 2 GB.
- The bare loop has the client that the worker makes, options included, and a heap with as much room, and does nothing but the work. It is
  the bar; it is in ` + "`bench/bare.go`" + `.
- Rates depend on what else the machine is doing, and on the broker, which shares it. CPU a record depends on it much less: trust that and the
  ratios first, rates second. Compare figures of one run with each other, never with another machine's.
`

func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString(preface)
	facts := append([]fact{{"command", "`" + r.command() + "`"}, {"date", r.date}}, r.machine...)
	factTable("", facts).write(&b)
	for _, s := range r.sections {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, wrap(s.intro, 130))
		for _, t := range s.tables {
			t.write(&b)
		}
	}
	b.WriteString(guide)
	return b.String()
}

// write writes the table in Markdown, with columns that line up.
func (t table) write(b *strings.Builder) {
	if t.caption != "" {
		fmt.Fprintf(b, "%s:\n\n", t.caption)
	}
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	t.line(b, widths, t.head)
	for i, w := range widths {
		rule := strings.Repeat("-", w+2)
		if t.right(i) {
			rule = rule[1:] + ":"
		}
		b.WriteString("|" + rule)
	}
	b.WriteString("|\n")
	for _, row := range t.rows {
		t.line(b, widths, row)
	}
	b.WriteByte('\n')
}

func (t table) right(column int) bool { return column > 0 && !t.text }

func (t table) line(b *strings.Builder, widths []int, cells []string) {
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if t.right(i) {
			cell = pad + cell
		} else {
			cell += pad
		}
		b.WriteString("| " + cell + " ")
	}
	b.WriteString("|\n")
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
