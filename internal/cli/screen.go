package cli

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// screen is a terminal with a few lines at its end that change in place. What is written to it scrolls by above them.
type screen struct {
	width func() int

	mu    sync.Mutex // guards the rest
	out   io.Writer
	lines []string
}

func newScreen(out io.Writer, width func() int) *screen { return &screen{out: out, width: width} }

// Write implements [io.Writer] for whole lines that stay.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(text), s.draw(text, s.lines)
}

// Set replaces the lines at the end.
func (s *screen) Set(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.draw(nil, lines) // a terminal that is gone has nobody to tell
}

// draw writes everything at once, so that nothing flickers: back to the first of the lines that change, erase, what stays, the
// new lines.
func (s *screen) draw(stays []byte, lines []string) error {
	var b bytes.Buffer
	for range s.lines {
		b.WriteString("\x1b[A")
	}
	b.WriteString("\r\x1b[J")
	b.Write(stays)
	width := s.width()
	for _, l := range lines {
		b.WriteString(fit(l, width-1))
		b.WriteByte('\n')
	}
	s.lines = lines
	_, err := s.out.Write(b.Bytes())
	return err
}

// fit cuts a line to a number of characters, or it would wrap and the lines could not be found again. Escape sequences do
// not count and are kept, so that what they switch on is switched off.
func fit(line string, width int) string {
	if utf8.RuneCountInString(line) <= width {
		return line
	}
	var b strings.Builder
	shown := 0
	for i := 0; i < len(line); {
		if line[i] == '\x1b' {
			end := i + strings.IndexByte(line[i:], 'm') + 1
			if end == i {
				break
			}
			b.WriteString(line[i:end])
			i = end
			continue
		}
		_, n := utf8.DecodeRuneInString(line[i:])
		if shown++; shown < width {
			b.WriteString(line[i : i+n])
		}
		if shown == width {
			b.WriteString(lastColumn(line[i:]))
		}
		i += n
	}
	return b.String()
}

// lastColumn returns what stands in the last column: the last visible character of the line, or a sign that there is more.
func lastColumn(rest string) string {
	_, n := utf8.DecodeRuneInString(rest)
	for tail := rest[n:]; tail != ""; {
		if tail[0] != '\x1b' {
			return "…"
		}
		_, after, ok := strings.Cut(tail, "m")
		if !ok {
			break
		}
		tail = after
	}
	return rest[:n]
}
