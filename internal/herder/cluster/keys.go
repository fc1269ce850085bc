package cluster

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

// keyGrace is how long a key is good for after another has replaced it: those who sign learn of the new one a little later.
const keyGrace = time.Minute

// keyRing has the keys that requests of other workers may be signed with. The zero keyRing has none. Its methods may be called from any
// goroutine.
type keyRing struct {
	mu       sync.Mutex // guards the rest
	current  *store.SessionKey
	previous *store.SessionKey
	replaced time.Time // when previous was
}

// learn takes over the key of a snapshot, if it is another one than before.
func (r *keyRing) learn(s *store.ConfigSnapshot, now time.Time) {
	key, ok := s.SessionKey()
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil && bytes.Equal(r.current.Key, key.Key) {
		return
	}
	r.previous, r.replaced = r.current, now
	r.current = &key
}

// valid returns the keys that are good at a time, newest first.
func (r *keyRing) valid(now time.Time) []store.SessionKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []store.SessionKey
	if r.current != nil {
		out = append(out, *r.current)
	}
	if r.previous != nil && now.Sub(r.replaced) < keyGrace {
		out = append(out, *r.previous)
	}
	return out
}

// SessionKeys returns the keys that requests of other workers may be signed with, newest first: the last that was read from the config
// topic, and the one before for a minute. There are none before the first was read.
func (h *Herder) SessionKeys() []store.SessionKey { return h.keys.valid(time.Now()) }

// SignedRequests says whether requests of other workers have to be signed: in a group of the sessioned protocol (KIP-507), and before this
// worker is in a group if it wishes that protocol.
func (h *Herder) SignedRequests() bool {
	v := h.View()
	if !v.Ready {
		return h.Core.Mode == group.Sessioned
	}
	return v.Version == group.Sessioned
}

// Fence is the request of another worker to fence the former producers of a source connector that it is to run with exactly-once support.
// This worker does not have that, and refuses after the checks that the leader makes.
func (h *Herder) Fence(ctx context.Context, name string) error {
	return h.alone(ctx, name, func(context.Context) error {
		info, err := h.Connector(name)
		if err != nil {
			return err
		}
		if info.Type != herder.SourceType {
			return &herder.Error{Kind: herder.BadRequest, Message: "Connector " + name + " is not a source connector"}
		}
		return &herder.Error{Kind: herder.Internal, Message: "The leader of this group cannot fence the producers of connector " + name +
			": it does not support exactly-once source connectors. Run all workers of the group with exactly.once.source.support=disabled or preparing"}
	})
}
