package herder

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/store"
)

// parse reads a configuration from JSON.
func parse(t *testing.T, text string) store.Config {
	t.Helper()
	var c store.Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestValidation(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		const invalid = "Connector configuration is invalid and contains the following "
		const source = `"name":"c","connector.class":"ScriptSource"`
		const picky = `"name":"c","connector.class":"PickySink","topics":"t","needed":"n"`
		for _, tc := range []struct {
			name, cfg string
			want      []string // parts of the text, in order; none for a valid configuration
		}{
			{"valid source", source, nil},
			{"valid sink", picky, nil},
			{"empty list of transforms", source + `,"transforms":"","predicates":" "`, nil},
			{"no class", `"name":"c"`, []string{"Connector config {name=c} contains no connector type"}},
			{"null class", `"connector.class":null,"b.password":"hush","name":"c"`, []string{"Connector config {connector.class=null, b.password=[hidden], name=c} contains no connector type"}},
			{"unknown class", `"connector.class":"x.Y"`, []string{"Failed to find any class that implements Connector and which name matches x.Y, available connectors are: test."}},
			{"empty name", `"name":"","connector.class":"ScriptSource"`, []string{invalid + "1 error(s):\n", "Invalid value  for configuration name: String may not be empty\n"}},
			{"control characters in the name", `"name":"a\n\tb","connector.class":"ScriptSource"`, []string{invalid + "1 error(s):\n", "String may not contain control sequences but had the following ASCII chars: 10, 9"}},
			{"tasks.max", source + `,"tasks.max":"0"`, []string{invalid + "1 error(s):\n", "Invalid value 0 for configuration tasks.max: "}},
			{"several", source + `,"tasks.max":"x","errors.tolerance":"some"`, []string{invalid + "", "tasks.max", "errors.tolerance", "\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"}},
			{"converter", source + `,"value.converter":"x.Y"`, []string{invalid + "1 error(s):\n", "value.converter"}},
			{"null for a key of all connectors", source + `,"tasks.max":null`, []string{invalid, "Null value can not be supplied as the configuration value."}},
			{"null for an undefined key", source + `,"unknown":null`, []string{invalid + "1 error(s):\nNull value can not be supplied as the configuration value.\nYou can"}},
			{"null for a key of the connector's own", upTo(picky, `,"needed"`) + `,"needed":null`, nil},
			{"own key missing", `"name":"c","connector.class":"PickySink","topics":"t"`, []string{invalid + "1 error(s):\n", `Missing required configuration "needed" which has no default value.`}},
			{"own key invalid", picky + `,"own":"z"`, []string{invalid + "1 error(s):\n", "Invalid value z for configuration own: "}},
			{"no topics", `"name":"c","connector.class":"PickySink","needed":"n"`, []string{invalid + "2 error(s):\n", "Must configure one of topics or topics.regex\nMust configure one of topics or topics.regex"}},
			{"topics and pattern", picky + `,"topics.regex":"t.*"`, []string{invalid + "2 error(s):\n", "topics and topics.regex are mutually exclusive options, but both are set."}},
			{"bad pattern", `"name":"c","connector.class":"PickySink","needed":"n","topics.regex":"("`, []string{invalid, "topics.regex"}},
			{"dead letter queue", picky + `,"errors.deadletterqueue.topic.name":"d"`, []string{invalid + "1 error(s):\n", "this version of Millrace does not have it"}},
			{"transforms", source + `,"transforms":"t"`, []string{invalid + "1 error(s):\n", "this version of Millrace does not have it"}},
			{"exactly once", source + `,"exactly.once.support":"maybe"`, []string{invalid + "1 error(s):\n", "exactly.once.support"}},
		} {
			err := r.valid.Check(t.Context(), parse(t, "{"+tc.cfg+"}"))
			if tc.want == nil {
				if err != nil {
					t.Errorf("%s: %v, want a valid configuration", tc.name, err)
				}
				continue
			}
			kind, rest := kindOf(err)
			if kind != BadRequest {
				t.Errorf("%s: kind %d, %v; want BadRequest", tc.name, kind, err)
			}
			for _, want := range tc.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Errorf("%s: %q lacks %q", tc.name, rest, want)
					break
				}
				rest = after
			}
		}
		if len(r.Connectors()) != 0 {
			t.Error("validation has created connectors")
		}
	})
}

func TestValidationInACluster(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		v := NewValidator(r.Plugins, "connect-busy")
		const source, sink = `"name":"c","connector.class":"ScriptSource"`, `"connector.class":"PickySink","topics":"t","needed":"n"`
		for _, tc := range []struct{ cfg, want string }{
			{source, ""},
			{source + `,"exactly.once.support":"requested"`, ""},
			{source + `,"exactly.once.support":"Required"`, "This worker does not have exactly-once source support enabled."},
			{sink + `,"name":"c"`, ""},
			{sink + `,"name":"busy"`, "Consumer group for sink connector named busy conflicts with Connect worker group connect-busy"},
			{sink + `,"name":"busy","consumer.override.group.id":"other"`, ""},
			{sink + `,"name":"c","consumer.override.group.id":"connect-busy"`, "Consumer group connect-busy conflicts with Connect worker group connect-busy"},
			{`"name":"busy","connector.class":"ScriptSource"`, ""},
		} {
			err := v.Check(t.Context(), parse(t, "{"+tc.cfg+"}"))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%s: %v, want it valid", tc.cfg, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), "1 error(s):\n"+tc.want+"\n")):
				t.Errorf("%s: %v, want %q", tc.cfg, err, tc.want)
			}
		}
	})
}

func TestConnectorsOwnValidation(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.set("c", hooks{Validate: func() []config.Value { return []config.Value{{Name: "x", Errors: []string{"x is wrong"}}} }})
		if kind, text := kindOf(r.valid.Check(t.Context(), cfg("c"))); kind != BadRequest || !strings.Contains(text, "1 error(s):\nx is wrong\n") {
			t.Errorf("kind %d, %q", kind, text)
		}
		r.set("c", hooks{Validate: func() []config.Value { panic("lost") }})
		if kind, text := kindOf(r.valid.Check(t.Context(), cfg("c"))); kind != Internal || text != "panic: lost" {
			t.Errorf("kind %d, %q; want the panic contained", kind, text)
		}
	})
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ cfg, want string }{
		{`{"a":"1"}`, `{"a":"1","name":"c"}`},
		{`{"name":"c","a":"1"}`, `{"name":"c","a":"1"}`},
		{`{"name":null,"a":"1"}`, `{"name":"c","a":"1"}`},
		{`{"name":"d"}`, "Connector name configuration (d) doesn't match connector name in the URL (c)"},
		{`{"name":" c"}`, "Connector name configuration ( c) doesn't match connector name in the URL (c)"},
	} {
		in := parse(t, tc.cfg)
		got := ""
		named, err := Named(in, "c")
		if err != nil {
			got = err.Error()
		} else {
			text, _ := json.Marshal(named)
			got = string(text)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("Named(%s) (-want +got):\n%s", tc.cfg, diff)
		}
		if text, _ := json.Marshal(in); string(text) != tc.cfg {
			t.Errorf("Named changed its argument %s to %s", tc.cfg, text)
		}
	}
}

func TestKeysThatNobodyReads(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.create("c", store.Started, "tasks.maxx", "1", "zzz", "1", "topic.creation.groups", "a", "producer.override.acks", "all",
			"value.converter.schemas.enable", "false")
		picky := parse(t, `{"name":"p","connector.class":"test.PickySinkConnector","zzz":"1"}`)
		r.valid.NameUnused(r.Log.With("connector", "p"), picky)
		log := r.log.String()
		for _, want := range []string{
			"key=tasks.maxx nearest=tasks.max", "an unknown configuration key is ignored\" connector=p key=zzz\n",
			"a configuration key has no effect\" connector=c key=topic.creation.groups because=",
		} {
			if n := strings.Count(log, want); n != 1 {
				t.Errorf("%q is in the log %d times, want once:\n%s", want, n, log)
			}
		}
		for _, never := range []string{"key=producer.", "key=value.converter", "key=name", "key=connector.class", "connector=c key=zzz"} {
			if strings.Contains(log, never) {
				t.Errorf("the log complains about %q:\n%s", never, log)
			}
		}
	})
}

// upTo returns what stands before sep.
func upTo(s, sep string) string {
	before, _, _ := strings.Cut(s, sep)
	return before
}
