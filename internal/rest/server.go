// Package rest is the REST interface: one file a resource, and one place each for routing, content negotiation and
// errors. It depends on small interfaces that it declares itself and that a herder implements.
package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// requestTimeout bounds a request that waits for connectors; Connect has it fixed, too.
	requestTimeout = 90 * time.Second
	// stopGrace is what requests in progress get to finish when the server stops, and stopTimeout what they get after that to answer that
	// they have not.
	stopGrace   = 3 * time.Second
	stopTimeout = 5 * time.Second
	// idleTimeout is how long a connection without requests is kept.
	idleTimeout = 90 * time.Second
)

// Options is what a server is made of.
type Options struct {
	// Listeners are URLs such as http://127.0.0.1:8083; an empty host means all interfaces, port 0 a free one.
	Listeners []string
	Identity  func(context.Context) Identity
	Herder    Herder
	Ready     func() bool // whether the worker has completed its start-up
	// Internal is what other workers of the group may ask for; nil on a standalone worker.
	Internal *Internal
	Log      *slog.Logger
}

// Server serves the REST interface.
type Server struct {
	Options
	listeners []net.Listener
	routes    []route
	peers     *http.Client // for requests that other workers have to carry out
}

// Listen opens the listeners, so that a port that is taken is found before anything else is started. Requests are
// answered once [Server.Run] runs.
func Listen(o Options) (*Server, error) {
	s := &Server{Options: o, peers: newPeerClient()}
	s.routes = s.table()
	for _, l := range o.Listeners {
		addr, err := listenAddress(l)
		if err == nil {
			var ln net.Listener
			if ln, err = net.Listen("tcp", addr); err == nil {
				s.listeners = append(s.listeners, ln)
				continue
			}
			err = fmt.Errorf("cannot listen on %s: %w. Stop the program that uses the port, or choose another with listeners=http://:PORT", l, err)
		}
		s.closeListeners()
		return nil, err
	}
	return s, nil
}

// listenAddress returns host:port of a listener URL.
func listenAddress(listener string) (string, error) {
	scheme, rest, ok := strings.Cut(listener, "://")
	host, port, err := net.SplitHostPort(strings.TrimSuffix(rest, "/"))
	if _, numErr := strconv.ParseUint(port, 10, 16); !ok || err != nil || numErr != nil {
		return "", fmt.Errorf("listeners=%s: Listener doesn't have the right format (protocol://hostname:port).", listener)
	}
	switch strings.ToLower(scheme) {
	case "http":
		return net.JoinHostPort(host, port), nil
	case "https":
		return "", fmt.Errorf("listeners=%s: this version of Millrace serves http only; put a proxy in front of it for https", listener)
	default:
		return "", fmt.Errorf("listeners=%s: Listener protocol must be either \"http\" or \"https\".", listener)
	}
}

// Addr returns the address of the first listener.
func (s *Server) Addr() *net.TCPAddr {
	addr, _ := s.listeners[0].Addr().(*net.TCPAddr)
	return addr
}

// Run answers requests until ctx ends, and then gives those in progress time to finish.
func (s *Server) Run(ctx context.Context) error {
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	srv := &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return requests },
		IdleTimeout:       idleTimeout,
		ReadHeaderTimeout: requestTimeout,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, len(s.listeners))
	var wg sync.WaitGroup
	for _, l := range s.listeners {
		wg.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	defer time.AfterFunc(stopGrace, end).Stop()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace+stopTimeout)
	defer cancel()
	if errors.Is(srv.Shutdown(stop), context.DeadlineExceeded) {
		s.Log.Warn("some requests were still in progress when the REST interface was closed")
		err = errors.Join(err, srv.Close())
	}
	wg.Wait()
	return err
}

// Close closes the listeners of a server that never ran.
func (s *Server) Close() { s.closeListeners() }

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
	defer cancel()
	resp := s.answer(r.WithContext(ctx))
	n := resp.write(w, r.Method == http.MethodHead)
	s.Log.Info("request", "client", r.RemoteAddr, "method", r.Method, "path", r.URL.RequestURI(), "status", resp.status,
		"bytes", n, "took", time.Since(begin).Round(time.Microsecond))
}

func (s *Server) answer(r *http.Request) response {
	path := r.URL.EscapedPath()
	segments, ok := pathSegments(path)
	named, internal := internalSegments(r.Method, path)
	if internal && s.Internal != nil {
		segments, ok = named, true
	}
	if !ok {
		return badPath(r.Method)
	}
	rt, vars, resp := s.route(r.Method, segments)
	if rt == nil {
		return resp
	}
	if resp, ok := negotiate(r, segments, internal); !ok {
		return resp
	}
	kept := keepBody(r.Body)
	r.Body = kept
	return rt.serve(&request{Request: r, server: s, segments: segments, vars: vars, kept: kept})
}

// pathSegments splits and decodes a path. It returns false for what is refused before routing: empty segments other
// than one at the end, and encoded characters that could be taken for structure.
func pathSegments(path string) ([]string, bool) {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil, true
	}
	path = strings.TrimSuffix(path, "/")
	var out []string
	for _, raw := range strings.Split(path, "/") {
		raw, _, _ = strings.Cut(raw, ";") // matrix parameters
		decoded, err := url.PathUnescape(raw)
		if raw == "" || err != nil || ambiguous(raw, decoded) {
			return nil, false
		}
		out = append(out, decoded)
	}
	return out, true
}

func ambiguous(raw, decoded string) bool {
	if raw == decoded {
		return false
	}
	upper := strings.ToUpper(raw)
	for _, escape := range []string{"%2F", "%25", "%5C"} {
		if strings.Contains(upper, escape) {
			return true
		}
	}
	if decoded == "." || decoded == ".." || !isText(decoded) {
		return true
	}
	return false
}

// isText tells whether s is UTF-8 without control characters.
func isText(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' {
			return false
		}
	}
	return true
}
