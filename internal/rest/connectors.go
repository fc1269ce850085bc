package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
)

// Herder is everything the resources ask of a herder.
type Herder interface {
	Reader
	Changer
	Offsetter
	ListPlugins(connectorsOnly bool) []plugin.Info
}

// Reader answers from memory.
type Reader interface {
	Connectors() []string
	Connector(name string) (herder.ConnectorInfo, error)
	ConnectorStatus(name string) (herder.ConnectorStatus, error)
	Tasks(name string) ([]herder.TaskInfo, error)
	TaskStatus(id store.ConnectorTaskID) (herder.TaskStatus, error)
}

// Changer changes connectors and waits for the effect within its context.
type Changer interface {
	Put(ctx context.Context, name string, cfg store.Config, target store.TargetState, replace bool) (info herder.ConnectorInfo, created bool, err error)
	Delete(ctx context.Context, name string) error
	SetTarget(ctx context.Context, name string, target store.TargetState) error
	RestartConnector(ctx context.Context, name string) error
	RestartTask(ctx context.Context, id store.ConnectorTaskID) error
	Restart(ctx context.Context, name string, what herder.Restart) (herder.ConnectorStatus, error)
}

func (s *Server) listConnectors(r *request) (any, int, error) {
	names := s.Herder.Connectors()
	expand, expanded := r.URL.Query()["expand"]
	if !expanded {
		return names, http.StatusOK, nil
	}
	out := make(map[string]map[string]any, len(names))
	for _, name := range names {
		if entry, ok := s.expand(name, expand); ok {
			out[name] = entry
		}
	}
	return out, http.StatusOK, nil
}

// expand returns the parts of one connector that were asked for; false if its status was and is not known yet.
func (s *Server) expand(name string, parts []string) (map[string]any, bool) {
	entry := make(map[string]any)
	if slices.Contains(parts, "status") {
		st, err := s.Herder.ConnectorStatus(name)
		if err != nil {
			return nil, false
		}
		entry["status"] = st
	}
	if slices.Contains(parts, "info") {
		entry["info"] = nil
		if info, err := s.Herder.Connector(name); err == nil {
			entry["info"] = info
		}
	}
	return entry, true
}

// createRequest is the body of POST /connectors. Nil fields are absent or null.
type createRequest struct {
	name, initialState *string
	config             *store.Config
}

// UnmarshalJSON reads an object of which it knows all fields by their exact names. Texts may be numbers and booleans.
func (c *createRequest) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	for k, v := range fields {
		var err error
		switch k {
		case "name":
			c.name, err = text(v)
		case "config":
			err = json.Unmarshal(v, &c.config)
		case "initial_state":
			c.initialState, err = text(v)
		default:
			err = fmt.Errorf("Unrecognized field %q: expected name, config or initial_state", k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text returns a JSON string's content, a number or boolean as it is written, and nil for null.
func text(raw json.RawMessage) (*string, error) {
	switch raw[0] {
	case '"', 'n':
		var s *string
		err := json.Unmarshal(raw, &s)
		return s, err
	case '{', '[':
		return nil, fmt.Errorf("expected a string, found %s", raw)
	}
	s := string(raw)
	return &s, nil
}

func (s *Server) createConnector(r *request) (any, int, error) {
	var body createRequest
	if err := decode(r, &body); err != nil {
		return nil, 0, err
	}
	if body.config == nil {
		return nil, 0, errors.New("the request has no config: expected {\"name\": ..., \"config\": {...}}")
	}
	name := ""
	if body.name != nil {
		name = strings.TrimFunc(*body.name, func(r rune) bool { return r <= ' ' })
	}
	var target store.TargetState
	if body.initialState != nil {
		var err error
		if target, err = store.ParseInitialState(strings.ToUpper(*body.initialState)); err != nil {
			return nil, 0, err
		}
	}
	cfg, err := herder.Named(*body.config, name)
	if err != nil {
		return nil, 0, err
	}
	info, _, err := s.Herder.Put(r.Context(), name, cfg, target, false)
	if err != nil {
		return nil, 0, err
	}
	return located{info}, http.StatusCreated, nil
}

// decode reads a body that is one JSON document. A body whose type is not given is refused.
func decode(r *request, into any) error {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read the request's body: %w", err)
	}
	if len(raw) > 0 && r.Header.Get("Content-Type") == "" {
		return statusCode(http.StatusUnsupportedMediaType)
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || string(trimmed) == "null" {
		return errors.New("the request has no body: expected a JSON object")
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read the request's body: %w", err)
	}
	return nil
}

// located is a connector with its own URL as the Location of the response.
type located struct{ body herder.ConnectorInfo }

func (l located) url(r *http.Request) string {
	return "http://" + r.Host + "/connectors/" + escapeName(l.body.Name)
}

// escapeName encodes what cannot stand in a URL and leaves alone what the reference leaves alone.
func escapeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c > ' ' && c < 0x7f && !strings.ContainsRune("\"<>?#\\^`{|}[]%", rune(c)):
			b.WriteByte(c)
		case c == '%' && isEscape(name[i:]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isEscape(s string) bool {
	const hex = "0123456789abcdefABCDEF"
	return len(s) >= 3 && strings.IndexByte(hex, s[1]) >= 0 && strings.IndexByte(hex, s[2]) >= 0
}
