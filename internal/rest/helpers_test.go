package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace-io/millrace/internal/app"
	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sourceClass = "org.apache.kafka.connect.file.FileStreamSourceConnector"
	jsonType    = "application/json"
	version     = "4.3.1"
)

// service is a REST interface under test.
type service struct {
	t      *testing.T
	url    string
	client *http.Client
	dir    string // for files of connectors
}

func newService(t *testing.T, url string) *service {
	t.Helper()
	tr := &http.Transport{DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &service{t: t, url: url, client: &http.Client{Transport: tr}, dir: t.TempDir()}
}

// startWorker starts a standalone worker without connectors, on a broker in memory. Both end with the test.
func startWorker(t *testing.T) *service {
	t.Helper()
	broker := brokertest.Start(t)
	const text = "org.apache.kafka.connect.storage.StringConverter"
	w, err := app.NewStandalone(map[string]string{
		"bootstrap.servers": broker.Bootstrap, "listeners": "http://127.0.0.1:0",
		"offset.storage.file.filename": filepath.Join(t.TempDir(), "offsets"), "key.converter": text, "value.converter": text,
	}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the worker ended with %v", err)
		}
	})
	s := newService(t, w.URL())
	s.await(func() bool { return s.get("/health").status == http.StatusOK })
	return s
}

// answer is a response.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. Headers are pairs; a body without them is sent as JSON.
func (s *service) do(method, path, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" && len(headers) == 0 {
		headers = []string{"Content-Type", jsonType}
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(raw)}
}

func (s *service) get(path string) answer { s.t.Helper(); return s.do(http.MethodGet, path, "") }

// expect sends a request and compares status and body.
func (s *service) expect(method, path, body string, status int, want string) answer {
	s.t.Helper()
	a := s.do(method, path, body)
	if a.status != status || a.body != want {
		s.t.Errorf("%s %s: %d %s\nwant %d %s", method, path, a.status, a.body, status, want)
	}
	return a
}

// await polls a condition.
func (s *service) await(condition func() bool) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatal("waited in vain")
		}
	}
}

// states returns the states of a connector and its tasks, such as "RUNNING [PAUSED PAUSED]".
func (s *service) states(name string) string {
	s.t.Helper()
	var st struct {
		Connector struct {
			State string `json:"state"`
		} `json:"connector"`
		Tasks []struct {
			State string `json:"state"`
		} `json:"tasks"`
	}
	a := s.get("/connectors/" + name + "/status")
	if a.status != http.StatusOK {
		return a.body
	}
	if err := json.Unmarshal([]byte(a.body), &st); err != nil {
		s.t.Fatal(err)
	}
	tasks := make([]string, len(st.Tasks))
	for i, t := range st.Tasks {
		tasks[i] = t.State
	}
	return st.Connector.State + " [" + strings.Join(tasks, " ") + "]"
}

// awaitStates polls the states of a connector.
func (s *service) awaitStates(name, want string) {
	s.t.Helper()
	got := ""
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(10 * time.Second); ; {
		if got = s.states(name); got == want {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("states of %s: %s, want %s", name, got, want)
		}
	}
}

// config returns the configuration of a file source whose file does not exist, as the members of a JSON object.
func (s *service) config(more ...string) string {
	members := append([]string{`"connector.class":"FileStreamSource"`, `"topic":"t"`, `"file":"` + s.dir + `/absent"`}, more...)
	return strings.Join(members, ",")
}

// createBody is the body of POST /connectors for a file source.
func (s *service) createBody(name string, more ...string) string {
	return `{"name":"` + name + `","config":{` + s.config(more...) + `}}`
}

// create creates a running file source.
func (s *service) create(name string, more ...string) {
	s.t.Helper()
	if a := s.do(http.MethodPost, "/connectors", s.createBody(name, more...)); a.status != http.StatusCreated {
		s.t.Fatalf("create %s: %d %s", name, a.status, a.body)
	}
	s.awaitStates(name, "RUNNING [RUNNING]")
}

func errorBody(status, message string) string {
	text, _ := json.Marshal(message)
	return `{"error_code":` + status + `,"message":` + string(text) + `}`
}
