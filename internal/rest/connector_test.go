package rest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
)

// TestShapes holds every answer literally: clients refuse fields they do not know.
func TestShapes(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	host := strings.TrimPrefix(s.url, "http://")
	config := s.config(`"tasks.max":"1"`, `"name":"c"`)
	info := `{"name":"c","config":{` + config + `},"tasks":[{"connector":"c","task":0}],"type":"source"}`
	state := `"state":"RUNNING","worker_id":"` + host + `","version":"` + version + `"}`
	status := `{"name":"c","connector":{` + state + `,"tasks":[{"id":0,` + state + `],"type":"source"}`

	a := s.expect(http.MethodPost, "/connectors", s.createBody("c", `"tasks.max":"1"`), 201, info)
	if got, want := a.header.Get("Location"), s.url+"/connectors/c"; got != want {
		t.Errorf("Location %s, want %s", got, want)
	}
	if got := a.header["Content-Type"]; len(got) != 1 || got[0] != jsonType {
		t.Errorf("Content-Type %v, want %s", got, jsonType)
	}
	s.awaitStates("c", "RUNNING [RUNNING]")
	s.expect(http.MethodGet, "/connectors", "", 200, `["c"]`)
	s.expect(http.MethodGet, "/connectors/c", "", 200, info)
	s.expect(http.MethodGet, "/connectors/c/config", "", 200, "{"+config+"}")
	s.expect(http.MethodGet, "/connectors/c/status", "", 200, status)
	s.expect(http.MethodGet, "/connectors/c/tasks/0/status", "", 200, `{"id":0,`+state)
	s.expect(http.MethodGet, "/connectors/c/tasks/+00/status", "", 200, `{"id":0,`+state)
	s.expect(http.MethodGet, "/connectors/c/tasks", "", 200, `[{"id":{"connector":"c","task":0},"config":{`+
		`"connector.class":"FileStreamSource","file":"`+s.dir+`/absent","name":"c",`+
		`"task.class":"org.apache.kafka.connect.file.FileStreamSourceTask","tasks.max":"1","topic":"t"}}]`)

	for query, want := range map[string]string{
		"?expand=status":             `{"c":{"status":` + status + `}}`,
		"?expand=info":               `{"c":{"info":` + info + `}}`,
		"?expand=info&expand=status": `{"c":{"info":` + info + `,"status":` + status + `}}`,
		"?expand=status&expand=info": `{"c":{"info":` + info + `,"status":` + status + `}}`,
		"?expand=status,info":        `{"c":{}}`,
		"?expand=":                   `{"c":{}}`,
		"?expand":                    `{"c":{}}`,
		"?expand=STATUS":             `{"c":{}}`,
		"?Expand=status":             `["c"]`,
		"?search=x":                  `["c"]`,
	} {
		s.expect(http.MethodGet, "/connectors"+query, "", 200, want)
	}

	s.expect(http.MethodDelete, "/connectors/c", "", 204, "")
	s.expect(http.MethodGet, "/connectors", "", 200, `[]`)
	s.expect(http.MethodGet, "/connectors?expand=status", "", 200, `{}`)
	s.expect(http.MethodGet, "/connectors/c/status", "", 404, errorBody("404", "No status found for connector c"))
	s.expect(http.MethodGet, "/connectors/c/tasks/0/status", "", 404, errorBody("404", "No status found for task c-0"))
}

func TestRootAndPlugins(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	var root map[string]string
	a := s.get("/")
	if err := json.Unmarshal([]byte(a.body), &root); err != nil {
		t.Fatal(err)
	}
	if len(root) != 3 || root["version"] != version || len(root["commit"]) != 16 || root["kafka_cluster_id"] != "brokertest" {
		t.Errorf("GET /: %s", a.body)
	}
	var entries []string
	for _, p := range [][3]string{
		{"org.apache.kafka.connect.file.FileStreamSinkConnector", "sink", version},
		{"org.apache.kafka.connect.tools.MockSinkConnector", "sink", version},
		{"org.apache.kafka.connect.tools.VerifiableSinkConnector", "sink", version},
		{"io.confluent.kafka.connect.datagen.DatagenConnector", "source", connect.Version},
		{"org.apache.kafka.connect.file.FileStreamSourceConnector", "source", version},
		{"org.apache.kafka.connect.tools.MockSourceConnector", "source", version},
		{"org.apache.kafka.connect.tools.SchemaSourceConnector", "source", version},
		{"org.apache.kafka.connect.tools.VerifiableSourceConnector", "source", version},
	} {
		entries = append(entries, `{"class":"`+p[0]+`","type":"`+p[1]+`","version":"`+p[2]+`"}`)
	}
	connectors := strings.Join(entries, ",")
	for _, query := range []string{"", "?connectorsOnly=", "?connectorsOnly=true", "?connectorsOnly=TRUE"} {
		s.expect(http.MethodGet, "/connector-plugins"+query, "", 200, "["+connectors+"]")
	}
	for _, query := range []string{"?connectorsOnly=false", "?connectorsOnly=no"} {
		all := s.get("/connector-plugins" + query).body
		if !strings.HasPrefix(all, "["+connectors+`,{"class":"`) || !strings.Contains(all, `"org.apache.kafka.connect.json.JsonConverter","type":"converter"`) ||
			!strings.HasSuffix(all, `{"class":"org.apache.kafka.connect.storage.StringConverter","type":"header_converter","version":"4.3.1"}]`) {
			t.Errorf("plugins%s: %s", query, all)
		}
	}
}

func TestLifeCycle(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	s.create("c")
	for _, step := range []struct {
		method, path string
		status       int
		states       string
	}{
		{"PUT", "/pause", 202, "PAUSED [PAUSED]"},
		{"PUT", "/pause", 202, "PAUSED [PAUSED]"},
		{"POST", "/restart", 204, "PAUSED [PAUSED]"},
		{"POST", "/tasks/0/restart", 204, "PAUSED [PAUSED]"},
		{"PUT", "/resume", 202, "RUNNING [RUNNING]"},
		{"PUT", "/stop", 204, "STOPPED []"},
		{"PUT", "/stop", 204, "STOPPED []"},
		{"POST", "/restart", 204, "STOPPED []"},
		{"PUT", "/pause", 202, "PAUSED []"},
		{"PUT", "/resume", 202, "RUNNING [RUNNING]"},
		{"PUT", "/resume", 202, "RUNNING [RUNNING]"},
		{"POST", "/restart", 204, "RUNNING [RUNNING]"},
		{"POST", "/restart?includeTasks=false&onlyFailed=", 204, "RUNNING [RUNNING]"},
		{"POST", "/tasks/0/restart", 204, "RUNNING [RUNNING]"},
	} {
		a := s.do(step.method, "/connectors/c"+step.path, "")
		if a.status != step.status || a.body != "" || a.header["Content-Type"] != nil {
			t.Errorf("%s %s: %d %q with Content-Type %v, want %d and nothing else", step.method, step.path, a.status, a.body, a.header["Content-Type"], step.status)
		}
		s.awaitStates("c", step.states)
	}
	s.expect(http.MethodPut, "/connectors/c/stop", "null", 204, "")
	s.expect(http.MethodGet, "/connectors/c/tasks", "", 200, "[]")
	s.expect(http.MethodGet, "/connectors/c/tasks/0/status", "", 404, errorBody("404", "No status found for task c-0"))
	s.expect(http.MethodPost, "/connectors/c/tasks/0/restart", "", 404, errorBody("404", "Task c-0 not found"))
}

func TestRestartWithStatus(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	for query, want := range map[string]string{
		"?includeTasks=true":                 "RESTARTING RESTARTING",
		"?includeTasks=True&onlyFailed=1":    "RESTARTING RESTARTING",
		"?onlyFailed=true":                   "RUNNING RUNNING",
		"?includeTasks=true&onlyFailed=true": "RUNNING RUNNING",
	} {
		// A connector for each request: the restart that one asks for goes on after its answer.
		name := "c" + strings.NewReplacer("?", "-", "&", "-", "=", "-").Replace(query)
		s.create(name)
		s.awaitStates(name, "RUNNING [RUNNING]")
		a := s.do(http.MethodPost, "/connectors/"+name+"/restart"+query, "{}")
		var st struct {
			Connector struct{ State string }
			Tasks     []struct{ State string }
		}
		if err := json.Unmarshal([]byte(a.body), &st); err != nil || a.status != http.StatusAccepted || len(st.Tasks) != 1 {
			t.Fatalf("restart%s: %d %s, %v", query, a.status, a.body, err)
		}
		if got := st.Connector.State + " " + st.Tasks[0].State; got != want {
			t.Errorf("restart%s: %s, want %s", query, got, want)
		}
		s.awaitStates(name, "RUNNING [RUNNING]")
	}
}

func TestInitialState(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	for state, want := range map[string]string{
		`"RUNNING"`: "RUNNING [RUNNING]", `null`: "RUNNING [RUNNING]", `"PAUSED"`: "PAUSED []", `"stopped"`: "STOPPED []", `"Paused"`: "PAUSED []",
	} {
		name := strings.Trim(state, `"`)
		body := strings.TrimSuffix(s.createBody(name), "}") + `,"initial_state":` + state + "}"
		if a := s.do(http.MethodPost, "/connectors", body); a.status != 201 {
			t.Errorf("initial_state %s: %d %s", state, a.status, a.body)
		}
		s.awaitStates(name, want)
	}
	s.expect(http.MethodPut, "/connectors/PAUSED/resume", "", 202, "")
	s.awaitStates("PAUSED", "RUNNING [RUNNING]")
}

func TestPutConfig(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	put := func(config string, status int) {
		t.Helper()
		want := `{"name":"c","config":{` + config + `,"name":"c"},"tasks":[{"connector":"c","task":0}],"type":"source"}`
		a := s.expect(http.MethodPut, "/connectors/c/config", "{"+config+"}", status, want)
		if location := a.header.Get("Location"); (location == s.url+"/connectors/c") != (status == 201) {
			t.Errorf("status %d with Location %q", a.status, location)
		}
		s.expect(http.MethodGet, "/connectors/c", "", 200, want)
	}
	put(s.config(), 201)
	put(s.config(), 200)
	put(s.config(`"batch.size":"10"`), 200)
	s.awaitStates("c", "RUNNING [RUNNING]")
	s.expect(http.MethodPut, "/connectors/c/pause", "", 202, "")
	s.awaitStates("c", "PAUSED [PAUSED]")
	put(s.config(`"batch.size":"11"`), 200)
	s.awaitStates("c", "PAUSED [PAUSED]")
	s.expect(http.MethodPut, "/connectors/c/stop", "", 204, "")
	if a := s.do(http.MethodPut, "/connectors/c/config", "{"+s.config()+"}"); a.status != 200 || !strings.Contains(a.body, `"tasks":[]`) {
		t.Errorf("change of a stopped connector: %d %s", a.status, a.body)
	}
	s.awaitStates("c", "STOPPED []")
}

func TestNamesRoundTrip(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	for _, tc := range []struct{ name, path, location string }{
		{"a b", "a%20b", "a%20b"},
		{"a+b", "a+b", "a+b"},
		{"größe→π", "gr%C3%B6%C3%9Fe%E2%86%92%CF%80", "gr%C3%B6%C3%9Fe%E2%86%92%CF%80"},
		{"a>b<c|d", "a%3Eb%3Cc%7Cd", "a%3Eb%3Cc%7Cd"},
		{"a:b@c,d=e&f!", "a:b@c,d=e&f!", "a:b@c,d=e&f!"},
		{"x?y#z", "x%3Fy%23z", "x%3Fy%23z"},
		{"semi;colon", "semi%3Bcolon", "semi;colon"},
		{"..", "..", ".."},
		{"\u00a0", "%C2%A0", "%C2%A0"},
	} {
		encoded, _ := json.Marshal(tc.name)
		body := strings.Replace(s.createBody("N"), `"N"`, string(encoded), 1)
		a := s.do(http.MethodPost, "/connectors", body)
		if got, want := a.header.Get("Location"), s.url+"/connectors/"+tc.location; a.status != 201 || got != want {
			t.Errorf("create %q: %d %s, Location %s, want %s", tc.name, a.status, a.body, got, want)
			continue
		}
		for _, suffix := range []string{"", "/", "/status", "/config"} {
			var got struct{ Name string }
			a := s.get("/connectors/" + tc.path + suffix)
			if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 || got.Name != tc.name {
				t.Errorf("GET %s%s: %d %s", tc.path, suffix, a.status, a.body)
			}
		}
		s.expect(http.MethodDelete, "/connectors/"+tc.path, "", 204, "")
	}
	a := s.do(http.MethodPost, "/connectors", s.createBody(` \t padded \n`))
	if a.status != 201 || a.header.Get("Location") != s.url+"/connectors/padded" || !strings.Contains(a.body, `"name":"padded"}`) {
		t.Errorf("a padded name: %d %s", a.status, a.body)
	}
	a = s.do(http.MethodPut, "/connectors/"+url.PathEscape(" untrimmed ")+"/config", "{"+s.config()+"}")
	if a.status != 201 || !strings.Contains(a.body, `{"name":" untrimmed "`) {
		t.Errorf("a padded name in the path: %d %s", a.status, a.body)
	}
}

func TestConfigurationValues(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	const given = `"a":1.50,"b":1e10,"c":12345678901234567890,"d":true,"e":false,"f":"<&>\u00e9\u2028","g":"x","g":"y","h":-0`
	const want = `"a":"1.50","b":"1e10","c":"12345678901234567890","d":"true","e":"false","f":"<&>é\u2028","g":"y","h":"-0"`
	a := s.do(http.MethodPost, "/connectors", "\xef\xbb\xbf"+s.createBody("c", given), "Content-Type", jsonType+"; charset=utf-8")
	if a.status != 201 {
		t.Fatalf("create: %d %s", a.status, a.body)
	}
	if diff := cmp.Diff("{"+s.config(want, `"name":"c"`)+"}", s.get("/connectors/c/config").body); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{"5": "5", "true": "true"} {
		if a := s.do(http.MethodPost, "/connectors", strings.Replace(s.createBody("N"), `"N"`, text, 1)); a.status != 201 || !strings.HasPrefix(a.body, `{"name":"`+name+`"`) {
			t.Errorf("the name %s: %d %s", text, a.status, a.body)
		}
	}
}
