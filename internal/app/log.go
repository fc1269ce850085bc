package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// Attributes that make up the context in brackets before a message, as Connect's logs have it.
const (
	connectorAttr = "connector"
	taskAttr      = "task"
)

// logHandler writes lines in the form of Connect's logs: time, level, [connector|task-n], message, attributes.
type logHandler struct {
	level slog.Leveler
	out   *lockedWriter
	attrs []slog.Attr
	group string
}

type lockedWriter struct {
	mu sync.Mutex // serializes lines
	w  io.Writer
}

// NewLog returns a logger that writes to w.
func NewLog(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&logHandler{level: level, out: &lockedWriter{w: w}})
}

// Enabled implements [slog.Handler].
func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle implements [slog.Handler].
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	line := make([]byte, 0, 256)
	line = append(line, '[')
	line = r.Time.AppendFormat(line, "2006-01-02 15:04:05,000")
	line = append(line, "] "...)
	line = append(line, r.Level.String()...)
	line = append(line, ' ')
	attrs := h.attrs
	r.Attrs(func(a slog.Attr) bool {
		a.Key = h.group + a.Key
		attrs = append(attrs[:len(attrs):len(attrs)], a)
		return true
	})
	line, attrs = appendContext(line, attrs)
	line = append(line, r.Message...)
	for _, a := range attrs {
		line = appendAttr(line, a)
	}
	line = append(line, '\n')
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err := h.out.w.Write(line)
	return err
}

// appendContext writes the connector and task and returns the other attributes.
func appendContext(line []byte, attrs []slog.Attr) ([]byte, []slog.Attr) {
	connector, task := "", ""
	var rest []slog.Attr
	for _, a := range attrs {
		switch a.Key {
		case connectorAttr:
			connector = a.Value.String()
		case taskAttr:
			task = a.Value.String()
		default:
			rest = append(rest, a)
		}
	}
	switch {
	case connector == "":
		return line, rest
	case task == "":
		return fmt.Appendf(line, "[%s|worker] ", connector), rest
	default:
		return fmt.Appendf(line, "[%s|task-%s] ", connector, task), rest
	}
}

func appendAttr(line []byte, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if a.Key == "" {
		return line
	}
	text := v.String()
	line = append(append(append(line, ' '), a.Key...), '=')
	if strings.ContainsAny(text, " =\"\n\t") || text == "" {
		return strconv.AppendQuote(line, text)
	}
	return append(line, text...)
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = h.attrs[:len(h.attrs):len(h.attrs)]
	for _, a := range attrs {
		a.Key = h.group + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.group += name + "."
	return &c
}
