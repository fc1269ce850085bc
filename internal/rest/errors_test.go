package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/rest"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	s.create("c")
	const invalid = "Connector configuration is invalid and contains the following 1 error(s):\n"
	const advice = "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
	const create, config = "/connectors", "/connectors/c/config"
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		want                     string // the message; with a final … its beginning
	}{
		{"name taken", "POST", create, s.createBody("c"), 409, "Connector c already exists"},
		{"name taken and invalid", "POST", create, `{"name":"c","config":{"connector.class":"FileStreamSource"}}`, 400, invalid + `Missing required configuration "topic" which has no default value.` + advice},
		{"invalid", "PUT", config, `{"connector.class":"FileStreamSource"}`, 400, invalid + `Missing required configuration "topic" which has no default value.` + advice},
		{"null", "PUT", config, "{" + s.config(`"unknown":null`) + "}", 400, invalid + "Null value can not be supplied as the configuration value." + advice},
		{"no class", "POST", create, `{"name":"n","config":{"a":"b"}}`, 400, "Connector config {a=b, name=n} contains no connector type"},
		{"unknown class", "POST", create, `{"name":"n","config":{"connector.class":"NoSuch"}}`, 400, "Failed to find any class that implements Connector and which name matches NoSuch, available connectors are: …"},
		{"unknown class again", "PUT", config, `{"connector.class":"NoSuch"}`, 400, "Failed to find any class that implements Connector and which name matches NoSuch, available connectors are: …"},
		{"near miss", "PUT", config, `{"connector.class":"FileStreamSuorce"}`, 400, "Failed to find any class that implements Connector and which name matches FileStreamSuorce, available connectors are: …"},
		{"names differ", "POST", create, s.createBody("n", `"name":"m"`), 400, "Connector name configuration (m) doesn't match connector name in the URL (n)"},
		{"names differ, number", "POST", create, `{"name":5,"config":{"name":"m"}}`, 400, "Connector name configuration (m) doesn't match connector name in the URL (5)"},
		{"names differ, path", "PUT", config, "{" + s.config(`"name":"m"`) + "}", 400, "Connector name configuration (m) doesn't match connector name in the URL (c)"},
		{"empty name", "POST", create, s.createBody(" "), 400, invalid + "Invalid value  for configuration name: String may not be empty" + advice},
		{"no name", "POST", create, `{"config":{` + s.config() + `}}`, 400, invalid + "Invalid value  for configuration name: String may not be empty" + advice},
		{"control characters", "POST", create, s.createBody(`a\nb\tc`), 400, invalid + "Invalid value a\nb\tc for configuration name: String may not contain control sequences but had the following ASCII chars: 10, 9" + advice},

		{"no body", "POST", create, "", 500, "…"},
		{"null body", "POST", create, "null", 500, "…"},
		{"no config", "POST", create, `{"name":"n"}`, 500, "…"},
		{"null config", "POST", create, `{"name":"n","config":null}`, 500, "…"},
		{"config is a list", "POST", create, `{"name":"n","config":[]}`, 500, "…"},
		{"unknown field", "POST", create, `{"name":"n","config":{},"unknown":1}`, 500, `read the request's body: Unrecognized field "unknown"…`},
		{"field in another case", "POST", create, `{"Name":"n","config":{}}`, 500, `read the request's body: Unrecognized field "Name"…`},
		{"name is an object", "POST", create, `{"name":{},"config":{}}`, 500, "…"},
		{"initial state", "POST", create, `{"name":"n","config":{},"initial_state":"FINE"}`, 500, "…"},
		{"value is an object", "PUT", config, `{"config":{"a":"b"}}`, 500, "…"},
		{"value is a list", "PUT", config, `{"a":["b"]}`, 500, "…"},
		{"malformed", "PUT", config, `{"a":"b"`, 500, "…"},
		{"single quotes", "PUT", config, `{'a':'b'}`, 500, "…"},
		{"comment", "PUT", config, `{"a":"b"} // c`, 500, "…"},
		{"two documents", "PUT", config, `{"a":"b"}{}`, 500, "…"},
		{"trailing comma", "PUT", config, `{"a":"b",}`, 500, "…"},
		{"no object", "PUT", config, `"a"`, 500, "…"},
		{"no body to put", "PUT", config, "", 500, "…"},
		{"null to put", "PUT", config, " null ", 500, "…"},

		{"unknown", "GET", "/connectors/x", "", 404, "Connector x not found"},
		{"unknown config", "GET", "/connectors/x/config", "", 404, "Connector x not found"},
		{"unknown tasks", "GET", "/connectors/x/tasks", "", 404, "Connector x not found"},
		{"unknown status", "GET", "/connectors/x/status", "", 404, "No status found for connector x"},
		{"unknown to delete", "DELETE", "/connectors/x", "", 404, "Connector x not found"},
		{"unknown to pause", "PUT", "/connectors/x/pause", "", 404, "Unknown connector x"},
		{"unknown to resume", "PUT", "/connectors/x/resume", "", 404, "Unknown connector x"},
		{"unknown to stop", "PUT", "/connectors/x/stop", "", 404, "Unknown connector x"},
		{"unknown to restart", "POST", "/connectors/x/restart", "", 404, "Connector x not found"},
		{"unknown to restart with tasks", "POST", "/connectors/x/restart?includeTasks=true", "", 404, "Unknown connector: x"},
		{"unknown task", "GET", "/connectors/c/tasks/7/status", "", 404, "No status found for task c-7"},
		{"negative task", "GET", "/connectors/c/tasks/-1/status", "", 404, "No status found for task c--1"},
		{"unknown task to restart", "POST", "/connectors/c/tasks/7/restart", "", 404, "Task c-7 not found"},
		{"task of an unknown connector", "POST", "/connectors/x/tasks/0/restart", "", 404, "Connector x not found"},
		{"task that is no number", "GET", "/connectors/c/tasks/a/status", "", 404, "HTTP 404 Not Found"},
		{"task that is too large", "POST", "/connectors/c/tasks/2147483648/restart", "", 404, "HTTP 404 Not Found"},
	} {
		a := s.do(tc.method, tc.path, tc.body, "Content-Type", jsonType)
		var got struct {
			ErrorCode int    `json:"error_code"`
			Message   string `json:"message"`
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Errorf("%s: %d %s: %v", tc.name, a.status, a.body, err)
			continue
		}
		begin, open := strings.CutSuffix(tc.want, "…")
		ok := got.Message == begin || open && got.Message != "" && strings.HasPrefix(got.Message, begin)
		if a.status != tc.status || got.ErrorCode != tc.status || !ok || a.header.Get("Content-Type") != jsonType {
			t.Errorf("%s: %d %s, Content-Type %q; want %d %q", tc.name, a.status, a.body, a.header.Get("Content-Type"), tc.status, tc.want)
		}
	}
	s.expect(http.MethodGet, "/connectors", "", 200, `["c"]`)
	s.awaitStates("c", "RUNNING [RUNNING]")
}

func TestRequestsThatReachNoResource(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	for _, tc := range []struct {
		method, path string
		headers      []string
		status       int
	}{
		{"GET", "/nope", nil, 404},
		{"GET", "/Connectors", nil, 404},
		{"GET", "/connectors/x/nope", nil, 404},
		{"GET", "/connectors/x/tasks/0", nil, 404},
		{"GET", "/connectors/x/tasks-config", nil, 404},
		{"GET", "/connector-plugins/FileStreamSink", nil, 404},
		{"OPTIONS", "/nope", nil, 404},
		{"POST", "/nope", []string{"Content-Type", "text/plain"}, 404},
		{"POST", "/", nil, 405},
		{"PUT", "/health", nil, 405},
		{"DELETE", "/connectors", nil, 405},
		{"PUT", "/connectors/x", nil, 405},
		{"GET", "/connectors/x/restart", nil, 405},
		{"HEAD", "/connectors/x/restart", nil, 405},
		{"POST", "/connectors/x/pause", []string{"Content-Type", "text/plain"}, 405},
		{"TRACE", "/", nil, 405},
		{"GET", "/connectors", []string{"Content-Type", "text/plain"}, 415},
		{"POST", "/connectors", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"DELETE", "/connectors/x", []string{"Content-Type", "text/json"}, 415},
		{"PUT", "/connectors/x/pause", []string{"Content-Type", "application/merge-patch+json"}, 415},
		{"GET", "/connector-plugins", []string{"Content-Type", "a/b", "Accept", "text/html"}, 415},
		{"GET", "/", []string{"Accept", "text/html"}, 406},
		{"GET", "/connectors", []string{"Accept", "application/vnd.kafka+json"}, 406},
		{"PUT", "/connectors/x/pause", []string{"Accept", "text/html;q=1, text/plain"}, 406},
	} {
		a := s.do(tc.method, tc.path, "", tc.headers...)
		want := errorBody(fmt.Sprint(tc.status), fmt.Sprintf("HTTP %d %s", tc.status, http.StatusText(tc.status)))
		if tc.method == http.MethodHead {
			want = ""
		}
		if a.status != tc.status || a.body != want || a.header["Content-Type"] != nil || a.header["Allow"] != nil {
			t.Errorf("%s %s %v: %d %s, headers %v; want %s and neither Content-Type nor Allow", tc.method, tc.path, tc.headers, a.status, a.body, a.header, want)
		}
	}
	// A body whose type is not given is refused by the resource itself.
	a := s.do(http.MethodPost, "/connectors", "{}", "Content-Type", "")
	if a.status != 415 || a.body != errorBody("415", "HTTP 415 Unsupported Media Type") || a.header.Get("Content-Type") != jsonType {
		t.Errorf("a body without a type: %d %s, headers %v", a.status, a.body, a.header)
	}
}

func TestAcceptedMediaTypes(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	for _, headers := range [][]string{
		{"Accept", ""},
		{"Accept", "*/*"},
		{"Accept", "application/*"},
		{"Accept", "Application/JSON"},
		{"Accept", "text/html, application/json;q=0.5"},
		{"Content-Type", "application/json; charset=utf-8"},
		{"Content-Type", "APPLICATION/JSON"},
		{"Authorization", "Basic Og=="},
	} {
		if a := s.do(http.MethodGet, "/connectors", "", headers...); a.status != 200 || a.body != "[]" || a.header.Get("Content-Type") != jsonType {
			t.Errorf("%v: %d %s, headers %v", headers, a.status, a.body, a.header)
		}
	}
	for _, path := range []string{"/", "/health"} {
		if a := s.do(http.MethodGet, path, "", "Content-Type", "text/plain"); a.status != 200 {
			t.Errorf("%s takes no foreign type: %d %s", path, a.status, a.body)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	s.create("c")
	for _, path := range []string{
		"", "/", "/health/", "/connectors/", "/connector-plugins/", "/connectors/c/", "/connectors/c/status/", "/connectors/c/tasks/0/status/",
		"/connectors/c;v=1/config", "/connectors;a=b;c/c;d", "/connectors/%63/config", "/connectors?%zz=%",
	} {
		if a := s.get(path); a.status != 200 {
			t.Errorf("GET %s: %d %s", path, a.status, a.body)
		}
	}
	s.expect(http.MethodGet, "/connectors/../status", "", 404, errorBody("404", "No status found for connector .."))
	host := strings.TrimPrefix(s.url, "http://")
	for _, path := range []string{
		"//", "//connectors", "/connectors//status", "/connectors//", "/connectors/a%2Fb", "/connectors/a%2fb/status", "/connectors/a%25b", "/connectors/%2e%2e",
		"/connectors/%2E", "/connectors/a%5Cb", "/connectors/a%0Ab", "/connectors/a%00", "/connectors/a%7F", "/connectors/%zz", "/connectors/a%", "/connectors/%ff",
	} {
		for method, empty := range map[string]bool{"GET": false, "POST": false, "DELETE": true, "PUT": true, "PATCH": true} {
			status, body := raw(t, host, method+" "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			if status != 400 {
				t.Errorf("%s %s: %d %s, want 400", method, path, status, body)
			}
			// Paths that are no URLs at all are refused by Go's own server, with a text for every method.
			if malformed := strings.Contains(path, "%zz") || strings.HasSuffix(path, "%"); !malformed && empty != (body == "") {
				t.Errorf("%s %s: body %q, want one: %t", method, path, body, !empty)
			}
		}
	}
}

// raw sends a request as it is and returns the status and the body.
func raw(t *testing.T, host, request string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

func TestHeadAndOptions(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	s.create("c", `"padding":"`+strings.Repeat("x", 5000)+`"`) // more than the server buffers before it decides on its own
	for _, path := range []string{"/", "/connectors", "/connectors/c", "/connectors/c/status", "/connectors/x", "/nope", "/connector-plugins"} {
		get, head := s.get(path), s.do(http.MethodHead, path, "")
		get.header.Del("Date")
		head.header.Del("Date")
		if head.status != get.status || head.body != "" || fmt.Sprint(head.header) != fmt.Sprint(get.header) || head.header.Get("Content-Length") != fmt.Sprint(len(get.body)) {
			t.Errorf("HEAD %s: %d %v %q; GET: %d %v", path, head.status, head.header, head.body, get.status, get.header)
		}
	}
	for path, want := range map[string]string{
		"/":                            "HEAD,GET,OPTIONS",
		"/connectors":                  "HEAD,GET,POST,OPTIONS",
		"/connectors/c":                "HEAD,GET,DELETE,OPTIONS",
		"/connectors/x/pause":          "PUT,OPTIONS",
		"/connectors/c/restart":        "POST,OPTIONS",
		"/connectors/c/tasks/0/status": "HEAD,GET,OPTIONS",
	} {
		a := s.do(http.MethodOptions, path, "", "Content-Type", "text/plain")
		if a.status != 200 || a.header.Get("Allow") != want || a.body != strings.ReplaceAll(want, ",", ", ") || a.header.Get("Content-Type") != "text/plain" {
			t.Errorf("OPTIONS %s: %d %q, headers %v; want %s", path, a.status, a.body, a.header, want)
		}
	}
}

// refusing is a herder that answers with an error of each kind, by the name asked for.
type refusing struct{ rest.Herder }

func (refusing) Connector(name string) (herder.ConnectorInfo, error) {
	kinds := map[string]herder.Kind{
		"internal": herder.Internal, "notfound": herder.NotFound, "exists": herder.AlreadyExists, "bad": herder.BadRequest,
		"conflict": herder.Conflict, "timeout": herder.Timeout, "unavailable": herder.Unavailable,
	}
	if kind, ok := kinds[name]; ok {
		return herder.ConnectorInfo{}, fmt.Errorf("wrapped: %w", &herder.Error{Kind: kind, Message: name})
	}
	return herder.ConnectorInfo{}, context.Canceled
}

func TestStatusOfEachKindOfError(t *testing.T) {
	t.Parallel()
	s := startServer(t, rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Herder: refusing{}, Log: slog.New(slog.DiscardHandler)})
	for name, want := range map[string]int{
		"internal": 500, "notfound": 404, "exists": 409, "bad": 400, "conflict": 409, "timeout": 500, "unavailable": 503, "other": 500,
	} {
		message := "wrapped: " + name
		if name == "other" {
			message = context.Canceled.Error()
		}
		s.expect(http.MethodGet, "/connectors/"+name, "", want, errorBody(fmt.Sprint(want), message))
	}
}
