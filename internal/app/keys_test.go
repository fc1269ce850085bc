package app

import (
	"bytes"
	"log/slog"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/plugin"
)

const stringConverter = "org.apache.kafka.connect.storage.StringConverter"

// minimal returns the least configuration of a worker, with changes; the value "-" takes a key away.
func minimal(changes ...string) map[string]string {
	props := map[string]string{
		"bootstrap.servers": "127.0.0.1:1", "key.converter": "String", "value.converter": stringConverter, "offset.storage.file.filename": "x",
	}
	for i := 0; i < len(changes); i += 2 {
		props[changes[i]] = changes[i+1]
	}
	maps.DeleteFunc(props, func(_, v string) bool { return v == "-" })
	return props
}

func TestWorkerDefaults(t *testing.T) {
	t.Parallel()
	k := newStandaloneKeys(plugin.Builtin())
	v, err := k.def.Parse(minimal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"http://:8083"}, k.listeners.Of(v)); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
	for name, got := range map[string]struct{ got, want time.Duration }{
		"offset.flush.interval.ms":          {millis(k.flushInterval, v), time.Minute},
		"offset.flush.timeout.ms":           {millis(k.flushTimeout, v), 5 * time.Second},
		"task.shutdown.graceful.timeout.ms": {millis(k.stopTimeout, v), 5 * time.Second},
	} {
		if got.got != got.want {
			t.Errorf("%s is %v, want %v", name, got.got, got.want)
		}
	}
	if _, ok := k.port.Lookup(v); ok || k.host.Of(v) != "" {
		t.Error("an address is advertised that nobody has set")
	}
	v, err = k.def.Parse(minimal("offset.flush.interval.ms", "9223372036854775807"))
	if err != nil || millis(k.flushInterval, v) < math.MaxInt64/2 {
		t.Errorf("the longest interval is %v, %v", millis(k.flushInterval, v), err)
	}
}

func TestWorkerViolations(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		changes []string
		want    []string
	}{
		{"everything missing", []string{"bootstrap.servers", "-", "key.converter", "-", "value.converter", "-", "offset.storage.file.filename", "-"}, []string{
			`Missing required configuration "bootstrap.servers" which has no default value.`, `Missing required configuration "key.converter" which has no default value.`,
			`Missing required configuration "value.converter" which has no default value.`, `Missing required configuration "offset.storage.file.filename" which has no default value.`,
		}},
		{"several wrong", []string{"offset.flush.timeout.ms", "soon", "key.converter", "x.Y", "listeners", "", "connector.client.config.override.policy", "Some"}, []string{
			"offset.flush.timeout.ms", "key.converter", "listeners", "String must be one of: All, None, Principal, Allowlist",
		}},
		{"config providers", []string{"config.providers", "file"}, []string{"Invalid value file for configuration config.providers: this version of Millrace does not have it; remove the key"}},
		{"extensions", []string{"rest.extension.classes", "a.B"}, []string{"rest.extension.classes"}},
		{"admin listeners", []string{"admin.listeners", "http://:1"}, []string{"admin.listeners"}},
		{"cross-origin requests", []string{"access.control.allow.origin", "*"}, []string{"access.control.allow.origin"}},
		{"client certificates", []string{"ssl.client.auth", "required"}, []string{"ssl.client.auth"}},
		{"client setting", []string{"security.protocol", "PLAIN"}, []string{"security.protocol"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := NewStandalone(minimal(tc.changes...), nil, slog.New(slog.DiscardHandler))
			if err == nil || !strings.HasPrefix(err.Error(), "the worker's configuration is not valid: ") {
				t.Fatalf("NewStandalone: %v", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q: %v", want, err)
				}
			}
		})
	}
}

func TestRefusedKeysThatChangeNothing(t *testing.T) {
	t.Parallel()
	for key, value := range map[string]string{"config.providers": " ", "ssl.client.auth": "none", "admin.listeners": "", "rest.extension.classes": ""} {
		if err := checkRefused(map[string]string{key: value}); err != nil {
			t.Errorf("%s=%s: %v", key, value, err)
		}
	}
}

func TestOverridePolicies(t *testing.T) {
	t.Parallel()
	k := newStandaloneKeys(plugin.Builtin())
	for _, policy := range []string{"None", "Principal", "org.apache.kafka.connect.connector.policy.AllConnectorClientConfigOverridePolicy", "AllowlistConnectorClientConfigOverridePolicy"} {
		if _, err := k.def.Parse(minimal("connector.client.config.override.policy", policy)); err != nil {
			t.Errorf("policy %s: %v", policy, err)
		}
	}
}

func TestKeysWithoutEffectAreNamedOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	nameUnused(NewLog(&out, slog.LevelInfo), newStandaloneKeys(plugin.Builtin()).def, minimal(
		"plugin.path", "/opt", "ofset.flush.interval.ms", "1", "zzz", "1", "producer.linger.ms", "5", "linger.ms", "5", "consumer.max.poll.records", "5",
		"key.converter.schemas.enable", "false", "config.providers", "", "offset.flush.timeout.ms", "1", "config.storage.topic", "x",
	), kafka.IsClientKey)
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		_, text, _ := strings.Cut(line, "] ")
		got = append(got, text)
	}
	want := []string{
		"WARN an unknown configuration key is ignored key=ofset.flush.interval.ms nearest=offset.flush.interval.ms",
		`INFO a configuration key has no effect key=plugin.path because="connectors are compiled in"`,
		"WARN an unknown configuration key is ignored key=zzz",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}
