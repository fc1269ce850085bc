package rest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// route is one method on one path. A segment that begins with a brace is a variable.
type route struct {
	method  string
	pattern []string
	serve   func(*request) response
}

// request is a request with the segments of its path, the variables among them, and what has been read of its body.
type request struct {
	*http.Request
	server         *Server
	segments, vars []string
	kept           *keptBody
}

// flag returns a boolean query parameter: true only for the word true, in any case.
func (r *request) flag(name string) bool { return strings.EqualFold(r.URL.Query().Get(name), "true") }

// at makes a route of a path such as /connectors/{c}/status.
func at(method, path string, serve func(*request) (any, int, error)) route {
	pattern := strings.Split(strings.Trim(path, "/"), "/")
	if path == "/" {
		pattern = nil
	}
	return route{method, pattern, func(r *request) response {
		body, status, err := serve(r)
		if err != nil {
			return r.server.refusal(r, err)
		}
		return success(r, status, body)
	}}
}

// table is the list of all routes.
func (s *Server) table() []route {
	return []route{
		at(http.MethodGet, "/", s.getRoot),
		at(http.MethodGet, "/health", s.getHealth),
		at(http.MethodGet, "/connectors", s.listConnectors),
		at(http.MethodPost, "/connectors", s.createConnector),
		at(http.MethodGet, "/connectors/{c}", s.getConnector),
		at(http.MethodDelete, "/connectors/{c}", s.deleteConnector),
		at(http.MethodGet, "/connectors/{c}/config", s.getConfig),
		at(http.MethodPut, "/connectors/{c}/config", s.putConfig),
		at(http.MethodGet, "/connectors/{c}/status", s.getStatus),
		at(http.MethodPost, "/connectors/{c}/restart", s.restartConnector),
		at(http.MethodPut, "/connectors/{c}/pause", s.pauseConnector),
		at(http.MethodPut, "/connectors/{c}/resume", s.resumeConnector),
		at(http.MethodPut, "/connectors/{c}/stop", s.stopConnector),
		at(http.MethodGet, "/connectors/{c}/tasks", s.listTasks),
		at(http.MethodPost, "/connectors/{c}/tasks", s.putTasks),
		at(http.MethodPut, "/connectors/{c}/fence", s.fence),
		at(http.MethodGet, "/connectors/{c}/offsets", s.getOffsets),
		at(http.MethodPatch, "/connectors/{c}/offsets", s.alterOffsets),
		at(http.MethodDelete, "/connectors/{c}/offsets", s.resetOffsets),
		at(http.MethodGet, "/connectors/{c}/tasks/{t}/status", s.getTaskStatus),
		at(http.MethodPost, "/connectors/{c}/tasks/{t}/restart", s.restartTask),
		at(http.MethodGet, "/connector-plugins", s.listPlugins),
	}
}

// route finds the route of a request. If there is none, it returns the response instead.
func (s *Server) route(method string, segments []string) (*route, []string, response) {
	var allowed []string
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range s.routes {
		rt := &s.routes[i]
		vars, ok := match(rt.pattern, segments)
		if !ok {
			continue
		}
		if rt.method == method {
			return rt, vars, response{}
		}
		allowed = append(allowed, rt.method)
	}
	switch {
	case allowed == nil:
		return nil, nil, statusError(http.StatusNotFound)
	case method == http.MethodOptions:
		return nil, nil, options(allowed)
	default:
		return nil, nil, statusError(http.StatusMethodNotAllowed)
	}
}

func match(pattern, segments []string) (vars []string, ok bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	for i, p := range pattern {
		if p[0] == '{' {
			vars = append(vars, segments[i])
		} else if p != segments[i] {
			return nil, false
		}
	}
	return vars, true
}

// options answers OPTIONS with the methods of a path.
func options(allowed []string) response {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append([]string{http.MethodHead}, allowed...)
	}
	allowed = append(allowed, http.MethodOptions)
	return response{
		status: http.StatusOK,
		header: http.Header{"Allow": {strings.Join(allowed, ",")}, "Content-Type": {"text/plain"}},
		body:   []byte(strings.Join(allowed, ", ")),
	}
}

// negotiate refuses requests in other media types than JSON, except between workers, and those that want another answer.
func negotiate(r *http.Request, segments []string, internal bool) (response, bool) {
	contentType := r.Header.Get("Content-Type")
	if len(segments) > 0 && segments[0] != "health" && !internal && contentType != "" && !isJSON(contentType) {
		return statusError(http.StatusUnsupportedMediaType), false
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return response{}, true
	}
	for _, entry := range strings.Split(accept, ",") {
		media, _, _ := strings.Cut(entry, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "*/*", "application/*", "application/json":
			return response{}, true
		}
	}
	return statusError(http.StatusNotAcceptable), false
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/json")
}

// response is an answer before it is written.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (resp response) write(w http.ResponseWriter, head bool) int {
	for k, v := range resp.header {
		w.Header()[k] = v
	}
	if resp.header["Content-Type"] == nil {
		w.Header()["Content-Type"] = nil // no guess
	}
	if len(resp.body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(resp.body))) // for HEAD, too
	}
	w.WriteHeader(resp.status)
	if head {
		return 0
	}
	n, _ := w.Write(resp.body) // a client that is gone gets no answer
	return n
}

// success makes the response of a value; nil is an empty body.
func success(r *request, status int, body any) response {
	resp := response{status: status, header: make(http.Header)}
	if loc, ok := body.(located); ok {
		resp.header.Set("Location", loc.url(r.Request))
		body = loc.body
	}
	if body == nil {
		return resp
	}
	resp.header.Set("Content-Type", "application/json")
	resp.body = encode(body)
	return resp
}

// encode returns compact JSON without escaping of <, > and &. All bodies are made of types that can be encoded.
func encode(body any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
