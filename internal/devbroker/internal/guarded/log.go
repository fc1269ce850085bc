package guarded

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// bridge hands kfake's lines to slog. kfake's info level is per request and per join, hence debug here.
type bridge struct {
	log *slog.Logger

	mu      sync.Mutex // guards what follows
	closing bool
	errs    []error
}

var levels = map[kfake.LogLevel]slog.Level{
	kfake.LogLevelError: slog.LevelError,
	kfake.LogLevelWarn:  slog.LevelWarn,
	kfake.LogLevelInfo:  slog.LevelDebug,
	kfake.LogLevelDebug: slog.LevelDebug,
}

// Logf implements kfake.Logger.
func (b *bridge) Logf(level kfake.LogLevel, format string, args ...any) {
	l := levels[level]
	if l == slog.LevelError && b.keep(format, args) {
		return
	}
	if ctx := context.Background(); b.log.Enabled(ctx, l) {
		b.log.Log(ctx, l, "embedded broker: "+fmt.Sprintf(format, args...))
	}
}

// collect turns every further error line into an error of Close.
func (b *bridge) collect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closing = true
}

func (b *bridge) collected() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.errs
}

func (b *bridge) keep(format string, args []any) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		b.errs = append(b.errs, fmt.Errorf(format, args...))
	}
	return b.closing
}
