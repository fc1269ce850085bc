package kafka

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// bridge hands franz-go's lines to slog. Its info level is for developers of clients, hence debug here; what it says about
// connections that cannot be opened is left to [reachability].
type bridge struct{ log *slog.Logger }

// Level implements kgo.Logger.
func (b bridge) Level() kgo.LogLevel {
	if b.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

// Log implements kgo.Logger.
func (b bridge) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	switch level {
	case kgo.LogLevelError, kgo.LogLevelWarn:
		if !aboutConnections(msg, keyvals) {
			to = slog.LevelWarn
		}
	default:
	}
	b.log.Log(context.Background(), to, "Kafka client: "+msg, keyvals...)
}

// aboutConnections says whether a line only repeats that a broker cannot be reached.
func aboutConnections(msg string, keyvals []any) bool {
	if strings.HasPrefix(msg, "unable to open connection") {
		return true
	}
	for _, v := range keyvals {
		if err, ok := v.(error); ok && (unreachable(err) || ended(err)) {
			return true
		}
	}
	return false
}

func unreachable(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}

// reachability logs one line when a broker can no longer be reached and one when it can be again, whatever the number of
// attempts in between.
type reachability struct {
	log *slog.Logger

	mu   sync.Mutex // guards down
	down map[string]struct{}
}

func newReachability(log *slog.Logger) *reachability {
	return &reachability{log: log, down: map[string]struct{}{}}
}

var _ kgo.HookBrokerConnect = (*reachability)(nil)

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (r *reachability) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return // the client is closing
	}
	addr := net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
	r.mu.Lock()
	_, was := r.down[addr]
	if err != nil {
		r.down[addr] = struct{}{}
	} else {
		delete(r.down, addr)
	}
	r.mu.Unlock()
	switch {
	case err != nil && !was:
		r.log.Warn("cannot reach Kafka at " + addr + ": " + reason(err) + "; trying again")
	case err == nil && was:
		r.log.Info("Kafka at " + addr + " is back")
	}
}

// reason is the cause in few words: the address is in the line already.
func reason(err error) string {
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		return no.Error()
	}
	if oe, ok := errors.AsType[*net.OpError](err); ok && oe.Err != nil {
		return oe.Err.Error()
	}
	return err.Error()
}
