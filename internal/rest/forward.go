package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/millrace-io/millrace/internal/herder"
)

// forwardKey is the query parameter that counts the hops of a request between workers: absent on the first, then true, then false.
const forwardKey = "forward"

// Texts for requests that cannot be forwarded.
const (
	tooManyHops   = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
	unknownLeader = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
)

// dialTimeout bounds the wait for a connection to another worker. The answer has the time of the request.
const dialTimeout = 10 * time.Second

// newPeerClient returns a client for requests to other workers. It keeps no connections: there is a request now and then, and one that
// is not safe to repeat should not meet a connection that the other side has just closed. No proxy and no redirect is followed.
func newPeerClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       (&net.Dialer{Timeout: dialTimeout}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// keptBody is the body of a request that remembers what was read of it, so that another worker can be sent the same.
type keptBody struct {
	io.Closer
	io.Reader
	read bytes.Buffer
}

func keepBody(body io.ReadCloser) *keptBody {
	k := &keptBody{Closer: body}
	k.Reader = io.TeeReader(body, &k.read)
	return k
}

// refusal answers a request that a resource has refused, or asks the worker that is the right one.
func (s *Server) refusal(r *request, err error) response {
	if e, ok := errors.AsType[*herder.Error](err); ok && e.Kind == herder.Elsewhere {
		return s.forward(r, e.URL)
	}
	return errorResponse(err)
}

// forward sends a request to the worker that can carry it out and relays its answer.
func (s *Server) forward(r *request, target string) response {
	hop, ok := nextHop(r.URL.Query())
	switch {
	case !ok:
		return errorWith(http.StatusConflict, tooManyHops)
	case target == "":
		return errorWith(http.StatusConflict, unknownLeader)
	}
	s.Log.Debug("forwarding a request", "method", r.Method, "path", r.URL.Path, "to", target)
	req, err := r.forwarded(target, hop)
	if err != nil {
		return errorWith(http.StatusInternalServerError, "Error trying to forward REST request: "+err.Error())
	}
	resp, err := s.peers.Do(req)
	if err != nil {
		return unforwarded(r.Context(), target, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return unforwarded(r.Context(), target, err)
	}
	return relay(r, resp.StatusCode, body)
}

// nextHop returns the parameter for the next worker; false if the request has come far enough.
func nextHop(query url.Values) (hop string, ok bool) {
	values, given := query[forwardKey]
	switch {
	case !given:
		return "true", true
	case strings.EqualFold(values[0], "true"):
		return "false", true
	default:
		return "", false
	}
}

// forwarded makes the request for another worker: the same method, path, parameters and body, and of the headers only the user's
// credentials.
func (r *request) forwarded(target, hop string) (*http.Request, error) {
	path := ""
	for _, segment := range r.segments {
		path += "/" + url.PathEscape(segment)
	}
	sent := r.kept.read.Bytes()
	to := strings.TrimSuffix(target, "/") + path + "?" + withHop(r.URL.RawQuery, hop)
	req, err := http.NewRequestWithContext(r.Context(), r.Method, to, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	setPeerHeaders(req, len(sent) > 0)
	if auth := r.Header["Authorization"]; auth != nil {
		req.Header["Authorization"] = auth
	}
	return req, nil
}

func setPeerHeaders(req *http.Request, body bool) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "kafka-connect")
	if body {
		req.Header.Set("Content-Type", "application/json")
	}
}

// withHop returns a query with another number of hops.
func withHop(rawQuery, hop string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(rawQuery, "&") {
		raw, _, _ := strings.Cut(part, "=")
		if key, err := url.QueryUnescape(raw); part != "" && (err != nil || key != forwardKey) {
			b.WriteString(part + "&")
		}
	}
	return b.String() + forwardKey + "=" + hop
}

// unforwarded answers a request that did not reach another worker, or whose answer was lost.
func unforwarded(ctx context.Context, target string, err error) response {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errorResponse(&herder.Error{Kind: herder.Timeout, Message: "Request timed out. The worker is currently waiting for the answer of " + target})
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	cause := err.Error()
	if errors.Is(err, syscall.ECONNREFUSED) {
		cause = "java.net.ConnectException: Connection refused"
	}
	return unreadable(cause)
}

func unreadable(cause string) response {
	return errorWith(http.StatusInternalServerError, "IO Error trying to forward REST request: "+cause)
}

// relay passes an answer on. The Location of what was created is on the worker that the user asked.
func relay(r *request, status int, body []byte) response {
	switch {
	case status >= http.StatusBadRequest:
		return relayError(status, body)
	case status < http.StatusOK || status >= http.StatusMultipleChoices:
		return errorWith(http.StatusInternalServerError, fmt.Sprintf("Unexpected status code when handling forwarded request: %d", status))
	case len(body) == 0:
		return success(r, status, nil)
	case !json.Valid(body):
		return unreadable("the answer is not JSON")
	}
	resp := success(r, status, json.RawMessage(body))
	var created struct {
		Name string `json:"name"`
	}
	if status == http.StatusCreated && json.Unmarshal(body, &created) == nil {
		resp.header.Set("Location", located{herder.ConnectorInfo{Name: created.Name}}.url(r.Request))
	}
	return resp
}

// relayError passes an error on with the code and the message that it came with.
func relayError(status int, body []byte) response {
	var e struct {
		ErrorCode int     `json:"error_code"`
		Message   *string `json:"message"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return unreadable(fmt.Sprintf("the answer with status %d is not an error of Kafka Connect: %s", status, err))
	}
	return response{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: encode(e)}
}
