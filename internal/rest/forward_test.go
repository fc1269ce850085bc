package rest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/rest"
	"github.com/millrace-io/millrace/internal/store"
)

// follower is a herder that sends everybody to another worker.
type follower struct {
	rest.Herder
	url string
}

func (f follower) elsewhere() error {
	return fmt.Errorf("wrapped: %w", &herder.Error{Kind: herder.Elsewhere, URL: f.url})
}

func (f follower) Put(context.Context, string, store.Config, store.TargetState, bool) (herder.ConnectorInfo, bool, error) {
	return herder.ConnectorInfo{}, false, f.elsewhere()
}

func (f follower) Delete(context.Context, string) error { return f.elsewhere() }

func (f follower) SetTarget(context.Context, string, store.TargetState) error { return f.elsewhere() }

func (f follower) RestartConnector(context.Context, string) error { return f.elsewhere() }

func (f follower) RestartTask(context.Context, store.ConnectorTaskID) error { return f.elsewhere() }

func (f follower) Restart(context.Context, string, herder.Restart) (herder.ConnectorStatus, error) {
	return herder.ConnectorStatus{}, f.elsewhere()
}

func (f follower) AlterOffsets(context.Context, string, []store.PartitionOffset) (string, error) {
	return "", f.elsewhere()
}

func startFollower(t *testing.T, url string) *service {
	t.Helper()
	return startServer(t, rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Herder: follower{url: url}, Log: slog.New(slog.DiscardHandler)})
}

// other is another worker that answers all requests alike.
type other struct {
	status int
	body   string
	header http.Header
	got    []string // requests
}

func startOther(t *testing.T) (*other, string) {
	t.Helper()
	o := &other{status: 204}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		o.got = append(o.got, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
		o.header = r.Header.Clone()
		w.Header().Set("Location", "http://elsewhere/")
		w.Header().Set("X-Other", "1")
		if o.body != "" {
			w.Header().Set("Content-Type", jsonType)
		}
		w.WriteHeader(o.status)
		_, _ = io.WriteString(w, o.body)
	}))
	t.Cleanup(srv.Close)
	return o, srv.URL
}

func TestForwardedRequests(t *testing.T) {
	t.Parallel()
	o, url := startOther(t)
	s := startFollower(t, url+"/")
	const cfg = `{"connector.class":"X","n":1.50}`
	for _, tc := range []struct{ method, path, body, want string }{
		{"DELETE", "/connectors/c", "", "DELETE /connectors/c?forward=true"},
		{"DELETE", "/connectors/c/", "ignored", "DELETE /connectors/c?forward=true"},
		{"DELETE", "/connectors/c;v=1?forward=true", "", "DELETE /connectors/c?forward=false"},
		{"DELETE", "/connectors/c?forward=TRUE&forward=false", "", "DELETE /connectors/c?forward=false"},
		{"DELETE", "/connectors/a%3Bb", "", "DELETE /connectors/a%3Bb?forward=true"},
		{"DELETE", "/connectors/%7Ba%7D%20%C3%BC+", "", "DELETE /connectors/%7Ba%7D%20%C3%BC+?forward=true"},
		{"PUT", "/connectors/c/stop?x=y", "", "PUT /connectors/c/stop?x=y&forward=true"},
		{"POST", "/connectors/c/restart?includeTasks=true&forward=true&onlyFailed=true", "", "POST /connectors/c/restart?includeTasks=true&onlyFailed=true&forward=false"},
		{"POST", "/connectors/c/restart", "", "POST /connectors/c/restart?forward=true"},
		{"POST", "/connectors/c/tasks/0/restart?%66orward=true&%zz", "", "POST /connectors/c/tasks/0/restart?%zz&forward=false"},
		{"PUT", "/connectors/c/config", cfg, "PUT /connectors/c/config?forward=true " + cfg},
		{"POST", "/connectors", `{"name":"c", "config":` + cfg + `}`, `POST /connectors?forward=true {"name":"c", "config":` + cfg + `}`},
		{"PATCH", "/connectors/c/offsets?forward=true", `{"offsets":[{}]}`, `PATCH /connectors/c/offsets?forward=false {"offsets":[{}]}`},
	} {
		o.got = nil
		a := s.do(tc.method, tc.path, tc.body, "Content-Type", jsonType+"; charset=utf-8", "Authorization", "Basic YTpi", "X-Mine", "1")
		if a.status != 204 || a.body != "" || a.header["Content-Type"] != nil || a.header["X-Other"] != nil || a.header["Location"] != nil {
			t.Errorf("%s %s: %d %s %v", tc.method, tc.path, a.status, a.body, a.header)
		}
		if diff := cmp.Diff([]string{tc.want}, o.got); diff != "" {
			t.Errorf("%s %s\n%s", tc.method, tc.path, diff)
		}
		h := o.header
		for k, want := range map[string]string{
			"Accept": jsonType, "User-Agent": "kafka-connect", "Authorization": "Basic YTpi", "Accept-Encoding": "gzip", "X-Mine": "",
		} {
			if got := h.Get(k); got != want {
				t.Errorf("%s %s: %s is %q, want %q", tc.method, tc.path, k, got, want)
			}
		}
		if got := h.Get("Content-Type"); (got == jsonType) != strings.HasSuffix(tc.want, "}") || got != "" && got != jsonType {
			t.Errorf("%s %s: Content-Type %q", tc.method, tc.path, got)
		}
	}
}

func TestRelayedAnswers(t *testing.T) {
	t.Parallel()
	o, url := startOther(t)
	s := startFollower(t, url)
	const ioError = "IO Error trying to forward REST request: "
	info := `{"name":"a b","config":{"k":"<&>"},"tasks":[],"type":"source"}`
	for _, tc := range []struct {
		status   int
		body     string
		want     int
		wantBody string // if it begins with a brace; else the beginning of the message
		location string
	}{
		{200, info, 200, info, ""},
		{201, info, 201, info, s.url + "/connectors/a%20b"},
		{202, `{"name":"c"}`, 202, `{"name":"c"}`, ""},
		{202, "", 202, "", ""},
		{204, "", 204, "", ""},
		{404, errorBody("404", "Connector c not found"), 404, errorBody("404", "Connector c not found"), ""},
		{409, `{"error_code":40901,"message":null}`, 409, `{"error_code":40901,"message":null}`, ""},
		{500, errorBody("500", "a\nb <c>"), 500, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(errorBody("500", "a\nb <c>")), ""},
		{200, "<html>", 500, ioError, ""},
		{401, "User cannot access the resource.", 500, ioError, ""},
		{400, `{"error_code":400,"message":"m","more":1}`, 500, ioError, ""},
		{302, "", 500, "Unexpected status code when handling forwarded request: 302", ""},
	} {
		o.status, o.body = tc.status, tc.body
		a := s.do(http.MethodPut, "/connectors/c/config", `{}`)
		ok := a.body == tc.wantBody
		if tc.wantBody != "" && tc.wantBody[0] != '{' {
			ok = strings.HasPrefix(a.body, `{"error_code":500,"message":"`+tc.wantBody)
		}
		if a.status != tc.want || !ok || a.header.Get("Location") != tc.location || (a.body != "") != (a.header.Get("Content-Type") == jsonType) {
			t.Errorf("%d %s: %d %s, headers %v", tc.status, tc.body, a.status, a.body, a.header)
		}
	}
}

func TestRequestsThatAreNotForwarded(t *testing.T) {
	t.Parallel()
	o, url := startOther(t)
	s := startFollower(t, url)
	const hops = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)"
	for _, value := range []string{"false", "", "1", "False", "x"} {
		s.expect(http.MethodDelete, "/connectors/c?forward="+value, "", 409, errorBody("409", hops))
	}
	if o.got != nil {
		t.Errorf("forwarded: %v", o.got)
	}
	const unknown = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."
	s = startFollower(t, "")
	s.expect(http.MethodDelete, "/connectors/c", "", 409, errorBody("409", unknown))
	s.expect(http.MethodDelete, "/connectors/c?forward=true", "", 409, errorBody("409", unknown))
	s.expect(http.MethodDelete, "/connectors/c?forward=false", "", 409, errorBody("409", hops))
}

func TestForwardingFailures(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	s := startFollower(t, refusing)
	s.expect(http.MethodDelete, "/connectors/c", "", 500, errorBody("500", "IO Error trying to forward REST request: java.net.ConnectException: Connection refused"))

	s = startFollower(t, "http://[")
	checkError(t, "no URL", s.do(http.MethodDelete, "/connectors/c", ""), 500, "Error trying to forward REST request: …")

	s = startFollower(t, hangUp(t))
	checkError(t, "no answer", s.do(http.MethodDelete, "/connectors/c", ""), 500, "IO Error trying to forward REST request: …")
}

// hangUp starts a listener that ends each connection after the first line of a request.
func hangUp(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

// TestForwardingLoop lets two workers send a request to each other: it ends after two hops.
func TestForwardingLoop(t *testing.T) {
	t.Parallel()
	o, url := startOther(t)
	o.status, o.body = 409, errorBody("409", "the end")
	second := startFollower(t, url)
	first := startFollower(t, second.url)
	first.expect(http.MethodDelete, "/connectors/c", "", 409, errorBody("409", "the end"))
	if diff := cmp.Diff([]string{"DELETE /connectors/c?forward=false"}, o.got); diff != "" {
		t.Error(diff)
	}
}
