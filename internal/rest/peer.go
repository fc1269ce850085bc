package rest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/millrace-io/millrace/internal/store"
)

// maxPeerError bounds what is read of an answer that is only good for a message.
const maxPeerError = 64 << 10

// Peer sends the requests by which a worker asks the leader of its group for something. Its methods may be called from any goroutine.
type Peer struct {
	algorithm string
	client    *http.Client
}

// NewPeer returns a client that signs with a MAC algorithm, the value of inter.worker.signature.algorithm.
func NewPeer(signatureAlgorithm string) *Peer {
	return &Peer{algorithm: signatureAlgorithm, client: newPeerClient()}
}

// PeerError is the refusal of another worker. One with status 403 right after a key was replaced is to be expected: the two workers do not
// read the new key at the same time.
type PeerError struct {
	URL     string // of the worker
	Status  int
	Message string // empty if it gave none that can be read
}

// Error implements error.
func (e *PeerError) Error() string {
	return fmt.Sprintf("worker %s answered %d: %s", e.URL, e.Status, cmp.Or(e.Message, http.StatusText(e.Status)))
}

// PutTasks sends the task configurations of a connector to the worker at a URL, which is the leader as far as is known, signed with key
// unless that is nil. The error is a [*PeerError] if there was an answer. It is safe to try again.
func (p *Peer) PutTasks(ctx context.Context, leader, connector string, tasks []store.Config, key *store.SessionKey) error {
	if tasks == nil {
		tasks = []store.Config{}
	}
	body := encode(tasks)
	target := strings.TrimSuffix(leader, "/") + "/connectors/" + url.PathEscape(connector) + "/tasks"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send task configurations to the leader: %w", err)
	}
	setPeerHeaders(req, true)
	if key != nil {
		if err := sign(req.Header, p.algorithm, key.Key, body); err != nil {
			return err
		}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("send task configurations to the leader: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	refusal := &PeerError{URL: leader, Status: resp.StatusCode}
	if raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPeerError)); err == nil {
		var e errorBody
		if json.Unmarshal(raw, &e) == nil {
			refusal.Message = e.Message
		}
	}
	return refusal
}
