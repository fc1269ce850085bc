// Package devbroker is the embedded Kafka broker behind `millrace dev`: a first look, development and tests, with nothing else
// to install. It speaks Kafka's protocol over TCP, so that the worker's code path is the one of a real cluster, and keeps its
// data in one folder. It is not meant for production.
package devbroker

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/millrace-io/millrace/internal/devbroker/internal/guarded"
)

// Options configure a Broker. The zero value is a broker in memory on a free port of the loopback address.
type Options struct {
	Dir   string       // folder of the data, made if missing; empty keeps everything in memory
	Bind  string       // address to listen on; default 127.0.0.1
	Host  string       // name that clients are told to connect to; default 127.0.0.1
	Port  int          // 0 takes a free one
	Fsync bool         // survive a power loss, not just the death of the process, at a tenth of the speed
	Log   *slog.Logger // nil discards
}

const (
	loopback = "127.0.0.1"

	// compactEvery is how often compacted topics are cleaned. The broker answers nothing meanwhile: milliseconds for
	// Connect's own topics, seconds for a compacted topic of a million records.
	compactEvery = time.Minute
)

// Broker is one embedded broker. New makes it, Run runs it.
type Broker struct {
	opts         Options
	compactEvery time.Duration
	ready        chan struct{}
	bootstrap    string // written before ready is closed
}

// New checks the options and starts nothing.
func New(o Options) (*Broker, error) {
	if o.Port < 0 || o.Port > 65535 {
		return nil, fmt.Errorf("the embedded broker's port %d is not between 0 and 65535", o.Port)
	}
	o.Bind = cmp.Or(o.Bind, loopback)
	o.Host = cmp.Or(o.Host, loopback)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Broker{opts: o, compactEvery: compactEvery, ready: make(chan struct{})}, nil
}

// Ready is closed once clients can connect. It stays open if Run fails before that.
func (b *Broker) Ready() <-chan struct{} { return b.ready }

// Bootstrap is the value for clients' bootstrap.servers. It is known once Ready is closed; calling it earlier is a data race.
func (b *Broker) Bootstrap() string { return b.bootstrap }

// Run serves until ctx ends, then saves the state and returns nil. It is called once. Errors that a user can cause (the folder
// is in use or cannot be written, the port is taken) are one sentence each.
func (b *Broker) Run(ctx context.Context) (err error) {
	clean := false
	var f *folder
	if b.opts.Dir != "" {
		if f, err = openFolder(b.opts.Dir); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.close(clean)) }()
	}
	l, err := listen(b.opts)
	if err != nil {
		return err
	}
	defer l.Close() // again after the cluster's own: it may not have come to that
	if f != nil {
		if err := b.begin(f); err != nil {
			return err
		}
	}
	c, err := guarded.Open(b.cluster(l))
	if err != nil {
		return fmt.Errorf("open the embedded broker's data in %s: %w", b.opts.Dir, err)
	}
	c.Watch()
	b.bootstrap = l.Addr().String()
	close(b.ready)
	b.compactUntil(ctx, c)
	if err := c.Close(); err != nil {
		return fmt.Errorf("save the embedded broker's data in %s: %w", b.opts.Dir, err)
	}
	clean = true
	return nil
}

// begin brings a folder that was not closed cleanly into order and marks it as being in use.
//
// After a power loss groups.log may end in garbage, which is skipped at the next start but not cut: offsets committed behind it
// would be gone after one more crash. Opening and closing once writes the state files afresh.
func (b *Broker) begin(f *folder) error {
	if f.dirty() {
		b.opts.Log.Info("the embedded broker was not stopped cleanly; checking its data", "dir", b.opts.Dir)
		if err := b.repair(); err != nil {
			return fmt.Errorf("repair the embedded broker's data in %s: %w", b.opts.Dir, err)
		}
	}
	return f.mark()
}

// repair opens and closes the data behind a listener nobody can reach.
func (b *Broker) repair() error {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := guarded.Open(b.cluster(deaf{l}))
	if err != nil {
		return err
	}
	return c.Close()
}

func (b *Broker) cluster(l net.Listener) guarded.Options {
	return guarded.Options{
		Dir:       b.opts.Dir,
		Fsync:     b.opts.Fsync,
		ClusterID: newClusterID(),
		Log:       b.opts.Log,
		Listen:    func(string, string) (net.Listener, error) { return l, nil },
	}
}

// compactUntil cleans compacted topics until ctx ends. kfake's own timer does not run after a restart until some topic is
// created, altered or deleted.
func (b *Broker) compactUntil(ctx context.Context, c *guarded.Cluster) {
	t := time.NewTicker(b.compactEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			c.Compact()
		}
	}
}

// newClusterID makes an id of the kind that Kafka's storage tool makes: 16 random bytes in URL-safe base64, without padding
// and not beginning with a dash.
func newClusterID() string {
	var raw [16]byte
	for {
		_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
		if id := base64.RawURLEncoding.EncodeToString(raw[:]); id[0] != '-' {
			return id
		}
	}
}
