package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

// Texts of a standalone worker, which has no other workers.
const (
	noForeignTasks = "Kafka Connect in standalone mode does not support externally setting task configurations."
	noFencing      = "Kafka Connect in standalone mode does not support exactly-once source connectors."
)

// Internal is what the endpoints need by which the workers of a group ask their leader for something.
type Internal struct {
	Leader Leader
	// Keys returns the keys that requests may be signed with; none while none is known.
	Keys func() []store.SessionKey
	// Required says whether requests have to be signed now.
	Required func() bool
	// Algorithms are the values of inter.worker.verification.algorithms.
	Algorithms []string
}

// Leader does what other workers ask for. On a worker that is not the leader its methods return an error of kind [herder.Elsewhere].
type Leader interface {
	// PutTasks stores the task configurations of a connector.
	PutTasks(ctx context.Context, name string, tasks []store.Config) error
	// Fence keeps former producers of an exactly-once source connector from writing.
	Fence(ctx context.Context, name string) error
}

func (s *Server) putTasks(r *request) (any, int, error) {
	if s.Internal == nil {
		return nil, 0, errors.New(noForeignTasks)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("read the request's body: %w", err)
	}
	var tasks []store.Config
	if err := json.Unmarshal(body, &tasks); err != nil {
		return nil, 0, fmt.Errorf("read the request's body: %w", err)
	}
	if tasks == nil {
		return nil, 0, errors.New("the request has no task configurations: expected an array of objects")
	}
	if err := s.Internal.verify(r, body); err != nil {
		return nil, 0, err
	}
	return nil, http.StatusNoContent, atHome(s.Internal.Leader.PutTasks(r.Context(), r.vars[0], tasks))
}

func (s *Server) fence(r *request) (any, int, error) {
	if s.Internal == nil {
		return nil, 0, errors.New(noFencing)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("read the request's body: %w", err)
	}
	if err := s.Internal.verify(r, body); err != nil {
		return nil, 0, err
	}
	return nil, http.StatusNoContent, atHome(s.Internal.Leader.Fence(r.Context(), r.vars[0]))
}

// verify checks the sender of a request. A signature that cannot be read is an error even where none is needed.
func (i *Internal) verify(r *request, body []byte) error {
	sig, err := readSignature(r.Header)
	if err != nil || !i.Required() {
		return err
	}
	return sig.verify(body, i.Algorithms, i.Keys())
}

// atHome keeps a request from being forwarded: it would lose its signature. The sender asks the leader that it knows by then.
func atHome(err error) error {
	if e, ok := errors.AsType[*herder.Error](err); ok && e.Kind == herder.Elsewhere {
		return &herder.Error{Kind: herder.Conflict, Message: tooManyHops, Cause: err}
	}
	return err
}

// internalSegments splits the path of a request between workers. A connector's name may have any characters there, also those that
// users cannot address, and a semicolon that a sender did not encode is part of it.
func internalSegments(method, path string) ([]string, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/")
	if len(parts) != 3 || parts[0] != "connectors" || parts[1] == "" {
		return nil, false
	}
	if endpoint := method + " " + parts[2]; endpoint != "POST tasks" && endpoint != "PUT fence" {
		return nil, false
	}
	name, err := url.PathUnescape(parts[1])
	if err != nil || !isText(name) {
		return nil, false
	}
	return []string{parts[0], name, parts[2]}, true
}
