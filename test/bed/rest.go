package bed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// patience is how long a worker may take to get a connector where it shall be. Java needs it: a rebalance there takes seconds.
const patience = 90 * time.Second

// Rest talks to the REST interface of a worker, Connect's or Millrace's. Its methods fail the test where they cannot go on.
type Rest struct {
	T   testing.TB
	URL string // without a slash at its end
}

// ConnectorStatus is the answer of GET /connectors/{name}/status.
type ConnectorStatus struct {
	Connector ItemStatus   `json:"connector"`
	Tasks     []ItemStatus `json:"tasks"`
}

// ItemStatus is the state of a connector or a task.
type ItemStatus struct {
	ID     int    `json:"id"`
	State  string `json:"state"`
	Worker string `json:"worker_id"`
	Trace  string `json:"trace"`
}

// states returns all states, the connector's first.
func (s ConnectorStatus) states() []string {
	out := []string{s.Connector.State}
	for _, t := range s.Tasks {
		out = append(out, t.State)
	}
	return out
}

// Path returns the path of a connector, with what follows its name.
func Path(connector, rest string) string { return "/connectors/" + url.PathEscape(connector) + rest }

// Call sends a request; body is sent as JSON unless it is nil. Failing to reach the worker is code 0.
func (r Rest) Call(method, path string, body any) (code int, answer string) {
	r.T.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			r.T.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(r.T.Context(), method, r.URL+path, in)
	if err != nil {
		r.T.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	raw, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(raw)
}

// Must repeats a request while the worker cannot be reached or answers that a rebalance is going on, until it succeeds.
func (r Rest) Must(method, path string, body any) (answer string) {
	r.T.Helper()
	Poll(r.T, patience, method+" "+path, func() (bool, string) {
		var code int
		code, answer = r.Call(method, path, body)
		if code >= http.StatusMultipleChoices && code != http.StatusConflict {
			r.T.Fatalf("%s %s: %d %s", method, path, code, answer)
		}
		return code >= http.StatusOK && code < http.StatusMultipleChoices, answer
	})
	return answer
}

// Get decodes the answer to a GET.
func (r Rest) Get(path string, into any) {
	r.T.Helper()
	answer := r.Must(http.MethodGet, path, nil)
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		r.T.Fatalf("GET %s: %v: %s", path, err, answer)
	}
}

// Put creates or changes a connector.
func (r Rest) Put(name string, config map[string]string) {
	r.T.Helper()
	r.Must(http.MethodPut, Path(name, "/config"), config)
}

// Status returns a connector's status, empty while the worker does not know it yet.
func (r Rest) Status(name string) ConnectorStatus {
	r.T.Helper()
	var s ConnectorStatus
	if code, body := r.Call(http.MethodGet, Path(name, "/status"), nil); code == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			r.T.Fatalf("status of %s: %v: %s", name, err, body)
		}
	}
	return s
}

// Await waits until a connector and its tasks are in these states, the connector's first. If what it waits for has failed it ends
// the test.
func (r Rest) Await(name string, states ...string) {
	r.T.Helper()
	Poll(r.T, patience, fmt.Sprintf("%s to be %v", name, states), func() (bool, string) {
		s := r.Status(name)
		if slices.Equal(s.states(), states) {
			return true, ""
		}
		for _, item := range append(s.Tasks, s.Connector) {
			if item.State == "FAILED" && !slices.Contains(states, "FAILED") {
				r.T.Fatalf("%s has failed:\n%s", name, item.Trace)
			}
		}
		return false, fmt.Sprint(s)
	})
}

// Connectors returns the names of all connectors, sorted.
func (r Rest) Connectors() []string {
	r.T.Helper()
	var names []string
	r.Get("/connectors", &names)
	slices.Sort(names)
	return names
}
