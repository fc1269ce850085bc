package rest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/rest"
	"github.com/millrace-io/millrace/internal/store"
)

const (
	authHeader = "X-Connect-Authorization"
	algHeader  = "X-Connect-Request-Signature-Algorithm"
)

// chief is a leader that remembers what it was asked for.
type chief struct {
	err error
	got []string
}

func (c *chief) PutTasks(_ context.Context, name string, tasks []store.Config) error {
	raw, err := json.Marshal(tasks)
	c.got = append(c.got, "tasks of "+name+": "+string(raw))
	return errors.Join(c.err, err)
}

func (c *chief) Fence(_ context.Context, name string) error {
	c.got = append(c.got, "fence "+name)
	return c.err
}

// ring is what a worker knows of the keys of its group.
type ring struct {
	keys     []store.SessionKey
	required bool
}

func startLeader(t *testing.T, c *chief, r *ring) *service {
	t.Helper()
	return startServer(t, rest.Options{
		Listeners: []string{"http://127.0.0.1:0"}, Herder: follower{}, Log: slog.New(slog.DiscardHandler),
		Internal: &rest.Internal{
			Leader: c, Keys: func() []store.SessionKey { return r.keys }, Required: func() bool { return r.required },
			Algorithms: []string{"HmacSHA256", "HmacSHA512"},
		},
	})
}

func keyOf(text string) store.SessionKey {
	return store.SessionKey{Key: []byte(text), Algorithm: "HmacSHA256"}
}

func signed(key, body string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(body))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestInternalRequests(t *testing.T) {
	t.Parallel()
	const (
		missing  = "Internal request missing required signature"
		forged   = "Internal request contained invalid signature."
		starting = "This worker is still starting up and has not been able to read a session key from the config topic yet"
		body     = `[{"task.class":"x"}]`
	)
	foreign := func(algorithm string) string {
		return "This worker does not support the '" + algorithm + "' key signing algorithm used by other workers. This worker is currently configured to use: " +
			"[HmacSHA256, HmacSHA512]. Check that all workers' configuration files permit the same set of signature algorithms, and correct any " +
			"misconfigured worker and restart it."
	}
	good := []string{authHeader, signed("new", body), algHeader, "HmacSHA256"}
	both := []store.SessionKey{keyOf("new"), keyOf("old")}
	for _, tc := range []struct {
		name    string
		ring    ring
		body    string
		headers []string
		status  int
		want    string // the message; with a final … its beginning
	}{
		{"signed", ring{both, true}, body, good, 204, ""},
		{"signed with the previous key", ring{both, true}, body, []string{authHeader, signed("old", body), algHeader, "HmacSHA256"}, 204, ""},
		{"no padding", ring{both, true}, body, []string{authHeader, strings.TrimRight(signed("new", body), "="), algHeader, "HmacSHA256"}, 204, ""},
		{"unsigned", ring{both, true}, body, nil, 400, missing},
		{"no algorithm", ring{both, true}, body, good[:2], 400, missing},
		{"algorithm only", ring{both, true}, body, good[2:], 400, missing},
		{"unknown algorithm", ring{both, true}, body, []string{authHeader, "%%%", algHeader, "Bogus"}, 400, "Algorithm Bogus not available"},
		{"no base64", ring{both, true}, body, []string{authHeader, "%%%", algHeader, "HmacMD5"}, 400, "Illegal base64 character 25"},
		{"no base64 either", ring{both, true}, body, []string{authHeader, "a*", algHeader, "HmacSHA256"}, 400, "Illegal base64 character 2a"},
		{"cut off", ring{both, true}, body, []string{authHeader, "a", algHeader, "HmacSHA256"}, 400, "Input byte array has wrong 4-byte ending unit"},
		{"algorithm that is not allowed", ring{nil, true}, body, []string{authHeader, "aaaa", algHeader, "HmacSHA1"}, 400, foreign("HmacSHA1")},
		{"allowed in this case only", ring{both, true}, body, []string{authHeader, signed("new", body), algHeader, "hmacsha256"}, 400, foreign("hmacsha256")},
		{"no key yet", ring{nil, true}, body, good, 503, starting},
		{"forged", ring{both, true}, body, []string{authHeader, signed("none", body), algHeader, "HmacSHA256"}, 403, forged},
		{"other algorithm", ring{both, true}, body, []string{authHeader, signed("new", body), algHeader, "HmacSHA512"}, 403, forged},
		{"signature of another body", ring{both, true}, body + " ", good, 403, forged},
		{"empty signature", ring{both, true}, body, []string{authHeader, "", algHeader, "HmacSHA256"}, 403, forged},
		{"outdated key", ring{both[:1], true}, body, []string{authHeader, signed("old", body), algHeader, "HmacSHA256"}, 403, forged},
		{"unsigned where none is needed", ring{nil, false}, body, nil, 204, ""},
		{"forged where none is needed", ring{nil, false}, body, []string{authHeader, "aaaa", algHeader, "HmacSHA1"}, 204, ""},
		{"unreadable where none is needed", ring{nil, false}, body, []string{authHeader, "%", algHeader, "HmacSHA1"}, 400, "Illegal base64 character 25"},
		{"an object", ring{both, true}, "{}", nil, 500, "read the request's body: …"},
		{"no maps", ring{both, true}, "[1]", nil, 500, "read the request's body: …"},
		{"nested", ring{both, true}, `[{"a":{}}]`, nil, 500, "read the request's body: …"},
		{"nothing", ring{both, true}, "", nil, 500, "read the request's body: …"},
		{"null", ring{both, true}, "null", nil, 500, "the request has no task configurations: expected an array of objects"},
	} {
		c := new(chief)
		s := startLeader(t, c, &tc.ring)
		a := s.do(http.MethodPost, "/connectors/c/tasks", tc.body, append([]string{"Content-Type", "text/plain"}, tc.headers...)...)
		want := []string{"tasks of c: " + body}
		if tc.status == 204 {
			if a.status != 204 || a.body != "" {
				t.Errorf("%s: %d %s", tc.name, a.status, a.body)
			}
		} else {
			want = nil
			checkError(t, tc.name, a, tc.status, tc.want)
		}
		if diff := cmp.Diff(want, c.got); diff != "" {
			t.Errorf("%s\n%s", tc.name, diff)
		}
	}
}

func TestInternalFence(t *testing.T) {
	t.Parallel()
	c, r := new(chief), &ring{[]store.SessionKey{keyOf("k")}, true}
	s := startLeader(t, c, r)
	s.expect(http.MethodPut, "/connectors/c/fence", "", 400, errorBody("400", "Internal request missing required signature"))
	a := s.do(http.MethodPut, "/connectors/c/fence", "", authHeader, signed("k", ""), algHeader, "HmacSHA256")
	if a.status != 204 || a.body != "" {
		t.Errorf("signed: %d %s", a.status, a.body)
	}
	r.required = false
	c.err = &herder.Error{Kind: herder.BadRequest, Message: "Connector c is not a source connector"}
	s.expect(http.MethodPut, "/connectors/c/fence", "", 400, errorBody("400", "Connector c is not a source connector"))
	s.expect(http.MethodGet, "/connectors/c/fence", "", 405, errorBody("405", "HTTP 405 Method Not Allowed"))
	if diff := cmp.Diff([]string{"fence c", "fence c"}, c.got); diff != "" {
		t.Error(diff)
	}
}

func TestInternalRequestsAreNotForwarded(t *testing.T) {
	t.Parallel()
	o, url := startOther(t)
	c := &chief{err: &herder.Error{Kind: herder.Elsewhere, URL: url, Message: "not me"}}
	s := startLeader(t, c, &ring{})
	const conflict = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
	s.expect(http.MethodPost, "/connectors/c/tasks", "[]", 409, errorBody("409", conflict))
	s.expect(http.MethodPut, "/connectors/c/fence", "", 409, errorBody("409", conflict))
	if o.got != nil {
		t.Errorf("forwarded: %v", o.got)
	}
}

func TestPathsOfInternalRequests(t *testing.T) {
	t.Parallel()
	c := new(chief)
	s := startLeader(t, c, &ring{})
	host := strings.TrimPrefix(s.url, "http://")
	for path, want := range map[string]string{
		"/connectors/a%2Fb/tasks":     "tasks of a/b: []",
		"/connectors/a%2fb/tasks/":    "tasks of a/b: []",
		"/connectors/100%25/tasks":    "tasks of 100%: []",
		"/connectors/a%252Fb/tasks":   "tasks of a%2Fb: []",
		"/connectors/a%5Cb/tasks":     `tasks of a\b: []`,
		"/connectors/a;b/tasks":       "tasks of a;b: []",
		"/connectors/a%3Bb/tasks":     "tasks of a;b: []",
		"/connectors/%7B%7D%20/tasks": "tasks of {} : []",
		"/connectors/../tasks":        "tasks of ..: []",
		"/connectors/%C3%BC/tasks":    "tasks of ü: []",
		"/connectors/a%0Ab/tasks":     "",
		"/connectors/%FF/tasks":       "",
		"/connectors//tasks":          "",
		"//connectors/c/tasks":        "",
	} {
		c.got = nil
		status, body := raw(t, host, "POST "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")
		switch {
		case want == "" && (status != 400 || c.got != nil):
			t.Errorf("%s: %d %s, %v; want 400", path, status, body, c.got)
		case want != "" && (status != 204 || len(c.got) != 1 || c.got[0] != want):
			t.Errorf("%s: %d %s, %v; want %s", path, status, body, c.got, want)
		}
	}
	for _, request := range []string{"GET /connectors/a%2Fb/tasks", "POST /connectors/a%2Fb/restart", "PUT /connectors/a%2Fb/tasks", "DELETE /connectors/a%25"} {
		if status, body := raw(t, host, request+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"); status != 400 {
			t.Errorf("%s: %d %s, want 400", request, status, body)
		}
	}
}

func TestInternalRequestsToAStandaloneWorker(t *testing.T) {
	t.Parallel()
	s := startServer(t, rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Herder: follower{}, Log: slog.New(slog.DiscardHandler)})
	s.expect(http.MethodPost, "/connectors/c/tasks", "[]", 500, errorBody("500", "Kafka Connect in standalone mode does not support externally setting task configurations."))
	s.expect(http.MethodPut, "/connectors/c/fence", "", 500, errorBody("500", "Kafka Connect in standalone mode does not support exactly-once source connectors."))
	if a := s.do(http.MethodPost, "/connectors/c/tasks", "[]", "Accept", "text/html"); a.status != 406 {
		t.Errorf("foreign Accept: %d %s", a.status, a.body)
	}
	if a := s.do(http.MethodPost, "/connectors/a%2Fb/tasks", "[]"); a.status != 400 {
		t.Errorf("ambiguous path: %d %s", a.status, a.body)
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	c := new(chief)
	key := keyOf("k")
	s := startLeader(t, c, &ring{[]store.SessionKey{key}, true})
	p := rest.NewPeer("HmacSHA512")
	tasks := []store.Config{store.NewConfig(map[string]string{"a": "<&>", "b": "ü"}), {}}
	for _, name := range []string{"c", "a/b", "100%", "a%2Fb", `a\b`, "a;b", "{x} y", "..", "ü?#+"} {
		c.got = nil
		if err := p.PutTasks(t.Context(), s.url+"/", name, tasks, &key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]string{"tasks of " + name + `: [{"a":"\u003c\u0026\u003e","b":"ü"},{}]`}, c.got); diff != "" {
			t.Errorf("%s\n%s", name, diff)
		}
	}
	c.got = nil
	if err := p.PutTasks(t.Context(), s.url, "c", nil, &key); err != nil || c.got[0] != "tasks of c: []" {
		t.Errorf("no tasks: %v, %v", err, c.got)
	}

	wrong := keyOf("wrong")
	for _, tc := range []struct {
		key    *store.SessionKey
		status int
		want   string
	}{
		{nil, 400, "worker " + s.url + " answered 400: Internal request missing required signature"},
		{&wrong, 403, "worker " + s.url + " answered 403: Internal request contained invalid signature."},
	} {
		err := p.PutTasks(t.Context(), s.url, "c", tasks, tc.key)
		if e, ok := errors.AsType[*rest.PeerError](err); !ok || e.Status != tc.status || err.Error() != tc.want {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
	if err := rest.NewPeer("Bogus").PutTasks(t.Context(), s.url, "c", tasks, &key); err == nil || !strings.HasSuffix(err.Error(), "Algorithm Bogus not available") {
		t.Errorf("unknown algorithm: %v", err)
	}
	if err := p.PutTasks(t.Context(), "", "c", tasks, nil); err == nil {
		t.Error("no URL: no error")
	}
}

// TestPeerOnTheWire compares a request with one of the reference, signed with a known key.
func TestPeerOnTheWire(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body string
	status := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got, body = r, string(raw)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>")
	}))
	defer srv.Close()
	key, err := base64.StdEncoding.DecodeString("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	tasks := []store.Config{store.NewConfig(map[string]string{"task.class": "x"})}
	p := rest.NewPeer("HmacSHA256")
	if err := p.PutTasks(t.Context(), srv.URL+"/", "a b", tasks, &store.SessionKey{Key: key}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"line": "POST /connectors/a%20b/tasks", "body": `[{"task.class":"x"}]`, "Accept": jsonType, "User-Agent": "kafka-connect", "Content-Type": jsonType,
		authHeader: "8nieuLkZbMVLvhWclZOh+/36v+Chzxi7xee9XbBv1oA=", algHeader: "HmacSHA256", "Authorization": "",
	}
	have := map[string]string{"line": got.Method + " " + got.RequestURI, "body": body}
	for k := range want {
		if _, ok := have[k]; !ok {
			have[k] = got.Header.Get(k)
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	status = 502
	err = p.PutTasks(t.Context(), srv.URL, "c", tasks, nil)
	if want := "worker " + srv.URL + " answered 502: Bad Gateway"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if got.Header.Get(authHeader) != "" || got.Header.Get(algHeader) != "" {
		t.Errorf("signed without a key: %v", got.Header)
	}
}
