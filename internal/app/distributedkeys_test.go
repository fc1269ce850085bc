package app

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/plugin"
)

// minimalShared returns the least configuration of a distributed worker, with changes as in minimal.
func minimalShared(changes ...string) map[string]string {
	return minimal(append([]string{
		"offset.storage.file.filename", "-", "group.id", "g", "config.storage.topic", "c", "offset.storage.topic", "o", "status.storage.topic", "s",
	}, changes...)...)
}

// readShared parses and checks a configuration as a worker does.
func readShared(changes ...string) (distributedKeys, config.Values, error) {
	k := newDistributedKeys(plugin.Builtin())
	props := minimalShared(changes...)
	v, err := k.def.Parse(props)
	if err == nil {
		err = k.check(v, props)
	}
	return k, v, err
}

// Defaults, types and importances are those of Kafka Connect.
func TestDistributedDefinitions(t *testing.T) {
	t.Parallel()
	const required = "required"
	keys := newDistributedKeys(plugin.Builtin()).def
	for _, want := range []struct {
		name, typ, standard string
		importance          config.Importance
	}{
		{"bootstrap.servers", "LIST", required, config.High},
		{"client.dns.lookup", "STRING", "use_all_dns_ips", config.Medium},
		{"key.converter", "CLASS", required, config.High},
		{"value.converter", "CLASS", required, config.High},
		{"header.converter", "CLASS", "org.apache.kafka.connect.storage.SimpleHeaderConverter", config.Low},
		{"key.converter.plugin.version", "STRING", "", config.Low},
		{"value.converter.plugin.version", "STRING", "", config.Low},
		{"header.converter.plugin.version", "STRING", "", config.Low},
		{"task.shutdown.graceful.timeout.ms", "LONG", "5000", config.Low},
		{"offset.flush.interval.ms", "LONG", "60000", config.Low},
		{"offset.flush.timeout.ms", "LONG", "5000", config.Low},
		{"plugin.path", "LIST", "", config.Low},
		{"plugin.discovery", "STRING", "hybrid_warn", config.Low},
		{"config.providers", "LIST", "", config.Low},
		{"connector.client.config.override.policy", "STRING", "All", config.Medium},
		{"connector.client.config.override.allowlist", "LIST", "", config.Medium},
		{"topic.creation.enable", "BOOLEAN", "true", config.Low},
		{"topic.tracking.enable", "BOOLEAN", "true", config.Low},
		{"topic.tracking.allow.reset", "BOOLEAN", "true", config.Low},
		{"metric.reporters", "LIST", "org.apache.kafka.common.metrics.JmxReporter", config.Low},
		{"metrics.num.samples", "INT", "2", config.Low},
		{"metrics.recording.level", "STRING", "INFO", config.Low},
		{"metrics.sample.window.ms", "LONG", "30000", config.Low},
		{"listeners", "LIST", "http://:8083", config.Low},
		{"rest.advertised.host.name", "STRING", "", config.Low},
		{"rest.advertised.port", "INT", "", config.Low},
		{"rest.advertised.listener", "STRING", "", config.Low},
		{"admin.listeners", "LIST", "", config.Low},
		{"rest.extension.classes", "LIST", "", config.Low},
		{"access.control.allow.origin", "STRING", "", config.Low},
		{"access.control.allow.methods", "STRING", "", config.Low},
		{"response.http.headers.config", "STRING", "", config.Low},
		{"ssl.client.auth", "STRING", "none", config.Low},
		{"group.id", "STRING", required, config.High},
		{"config.storage.topic", "STRING", required, config.High},
		{"offset.storage.topic", "STRING", required, config.High},
		{"status.storage.topic", "STRING", required, config.High},
		{"config.storage.replication.factor", "SHORT", "3", config.Low},
		{"offset.storage.replication.factor", "SHORT", "3", config.Low},
		{"status.storage.replication.factor", "SHORT", "3", config.Low},
		{"offset.storage.partitions", "INT", "25", config.Low},
		{"status.storage.partitions", "INT", "5", config.Low},
		{"session.timeout.ms", "INT", "10000", config.High},
		{"heartbeat.interval.ms", "INT", "3000", config.High},
		{"rebalance.timeout.ms", "INT", "60000", config.High},
		{"exactly.once.source.support", "STRING", "disabled", config.High},
		{"connect.protocol", "STRING", "sessioned", config.Low},
		{"scheduled.rebalance.max.delay.ms", "INT", "300000", config.Low},
		{"worker.sync.timeout.ms", "INT", "3000", config.Medium},
		{"worker.unsync.backoff.ms", "INT", "300000", config.Medium},
		{"inter.worker.key.generation.algorithm", "STRING", "HmacSHA256", config.Low},
		{"inter.worker.key.size", "INT", "", config.Low},
		{"inter.worker.key.ttl.ms", "INT", "3600000", config.Low},
		{"inter.worker.signature.algorithm", "STRING", "HmacSHA256", config.Low},
		{"inter.worker.verification.algorithms", "LIST", "HmacSHA256", config.Low},
		{"client.id", "STRING", "", config.Low},
		{"request.timeout.ms", "INT", "40000", config.Medium},
		{"sasl.login.refresh.window.factor", "DOUBLE", "0.8", config.Low},
		{"sasl.oauthbearer.jwks.endpoint.refresh.ms", "LONG", "3600000", config.Low},
	} {
		info, ok := keys.Lookup(want.name)
		if !ok {
			t.Errorf("%s is not defined", want.name)
			continue
		}
		standard := ""
		switch {
		case info.Required:
			standard = required
		case info.Default != nil:
			standard = *info.Default
		}
		if info.Type.String() != want.typ || standard != want.standard || info.Importance != want.importance || info.Doc == "" {
			t.Errorf("%s is %s, default %q, importance %s, documentation %q; want %s, %q, %s and some", want.name,
				info.Type, standard, info.Importance, info.Doc, want.typ, want.standard, want.importance)
		}
	}
}

func TestDistributedValues(t *testing.T) {
	t.Parallel()
	for key, values := range map[string][]string{
		"config.storage.replication.factor":     {"1", "-1", "32767"},
		"offset.storage.partitions":             {"1", "-1", "100"},
		"status.storage.partitions":             {"-1"},
		"connect.protocol":                      {"eager", "Compatible", "SESSIONED"},
		"exactly.once.source.support":           {"disabled", "Preparing", "PREPARING"},
		"inter.worker.key.generation.algorithm": {"HmacMD5", "HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"},
		"inter.worker.verification.algorithms":  {"HmacSHA1, HmacSHA256"},
		"inter.worker.key.size":                 {"40", "256"},
		"inter.worker.key.ttl.ms":               {"0"},
		"scheduled.rebalance.max.delay.ms":      {"0"},
		"heartbeat.interval.ms":                 {"9999"},
		"session.timeout.ms":                    {"3001"},
		"default.api.timeout.ms":                {"30000"},
		"request.timeout.ms":                    {"60001"},
		"rest.advertised.listener":              {"http", "HTTP"},
		"metrics.recording.level":               {"DEBUG"},
		"plugin.discovery":                      {"ONLY_SCAN"},
	} {
		for _, value := range values {
			if _, _, err := readShared(key, value); err != nil {
				t.Errorf("%s=%s: %v", key, value, err)
			}
		}
	}
}

func TestDistributedViolations(t *testing.T) {
	t.Parallel()
	const (
		replication = "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default"
		partitions  = "Number of partitions must be positive, or -1 to use the broker's default"
		algorithms  = "the algorithm is not supported; the supported algorithms are: [HmacMD5, HmacSHA1, HmacSHA224, HmacSHA256, HmacSHA384, HmacSHA512]"
	)
	for _, tc := range []struct {
		changes []string
		want    string // all of the error
	}{
		{[]string{"group.id", "-"}, `Missing required configuration "group.id" which has no default value.`},
		{[]string{"group.id", " "}, `Invalid value  for configuration group.id: String must be non-empty`},
		{[]string{"config.storage.topic", "-"}, `Missing required configuration "config.storage.topic" which has no default value.`},
		{[]string{"offset.storage.topic", ""}, `Invalid value  for configuration offset.storage.topic: String must be non-empty`},
		{[]string{"status.storage.topic", "\t"}, `Invalid value  for configuration status.storage.topic: String must be non-empty`},
		{[]string{"config.storage.replication.factor", "0"}, "Invalid value 0 for configuration config.storage.replication.factor: " + replication},
		{[]string{"offset.storage.replication.factor", "-2"}, "Invalid value -2 for configuration offset.storage.replication.factor: " + replication},
		{[]string{"status.storage.replication.factor", "40000"}, "Invalid value 40000 for configuration status.storage.replication.factor: Not a number of type SHORT"},
		{[]string{"offset.storage.partitions", "0"}, "Invalid value 0 for configuration offset.storage.partitions: " + partitions},
		{[]string{"status.storage.partitions", "-5"}, "Invalid value -5 for configuration status.storage.partitions: " + partitions},
		{[]string{"session.timeout.ms", "0"}, "Invalid value 0 for configuration session.timeout.ms: Value must be at least 1"},
		{[]string{"rebalance.timeout.ms", "soon"}, "Invalid value soon for configuration rebalance.timeout.ms: Not a number of type INT"},
		{[]string{"connect.protocol", "v2"}, "Invalid value v2 for configuration connect.protocol: Invalid Connect protocol compatibility"},
		{[]string{"exactly.once.source.support", "maybe"}, "Invalid value maybe for configuration exactly.once.source.support: String must be one of (case insensitive): DISABLED, ENABLED, PREPARING"},
		{[]string{"inter.worker.key.generation.algorithm", "AES"}, "Invalid value AES for configuration inter.worker.key.generation.algorithm: " + algorithms},
		{[]string{"inter.worker.signature.algorithm", "hmac"}, "Invalid value hmac for configuration inter.worker.signature.algorithm: " + algorithms},
		{[]string{"inter.worker.verification.algorithms", ""}, "Invalid value [] for configuration inter.worker.verification.algorithms: At least one signature verification algorithm must be provided"},
		{[]string{"inter.worker.verification.algorithms", "HmacSHA256,x"}, "Invalid value [HmacSHA256, x] for configuration inter.worker.verification.algorithms: " + algorithms},
		{[]string{"inter.worker.key.size", "39"}, "Invalid value 39 for configuration inter.worker.key.size: Key length must be at least 40 bits"},
		{[]string{"inter.worker.key.ttl.ms", "-1"}, "Invalid value -1 for configuration inter.worker.key.ttl.ms: Value must be at least 0"},
		{[]string{"scheduled.rebalance.max.delay.ms", "-1"}, "Invalid value -1 for configuration scheduled.rebalance.max.delay.ms: Value must be at least 0"},
		{[]string{"worker.sync.timeout.ms", "-1"}, "Invalid value -1 for configuration worker.sync.timeout.ms: Value must be at least 0"},
		{[]string{"topic.creation.enable", "yes"}, "Invalid value yes for configuration topic.creation.enable: Expected value to be either true or false"},
		{[]string{"metrics.recording.level", "TRACE"}, "Invalid value TRACE for configuration metrics.recording.level: String must be one of: INFO, DEBUG"},
		{[]string{"metrics.num.samples", "0"}, "Invalid value 0 for configuration metrics.num.samples: Value must be at least 1"},
		{[]string{"ssl.client.auth", "maybe"}, "Invalid value maybe for configuration ssl.client.auth: String must be one of: required, requested, none"},
		{[]string{"rest.advertised.listener", "ftp"}, "Invalid value ftp for configuration rest.advertised.listener: String must be one of (case insensitive): HTTPS, HTTP"},
		{[]string{"sasl.login.refresh.window.factor", "0.1"}, "Invalid value 0.1 for configuration sasl.login.refresh.window.factor: Value must be at least 0.5"},

		{[]string{"exactly.once.source.support", "Enabled"}, "Invalid value Enabled for configuration exactly.once.source.support: " +
			"sources of this version of Millrace deliver at least once; use preparing or disabled"},
		{[]string{"rest.advertised.listener", "https"}, "Invalid value https for configuration rest.advertised.listener: " +
			"workers of this version of Millrace reach each other over http only; remove the key"},
		{[]string{"heartbeat.interval.ms", "10000"}, "Invalid value 10000 for configuration heartbeat.interval.ms: Heartbeat must be set lower than the session timeout"},
		{[]string{"inter.worker.signature.algorithm", "HmacSHA1"}, "Invalid value HmacSHA1 for configuration inter.worker.signature.algorithm: " +
			"Signature algorithm must be present in inter.worker.verification.algorithms list"},
		{[]string{"default.api.timeout.ms", "29999"}, "The specified value of default.api.timeout.ms must be no smaller than the value of request.timeout.ms."},
		{[]string{"default.api.timeout.ms", "39999", "request.timeout.ms", "40000"}, "The specified value of default.api.timeout.ms must be no smaller than the value of request.timeout.ms."},
		{
			[]string{"offset.storage.topic", "c", "status.storage.topic", "c "},
			"Invalid value c for configuration offset.storage.topic: the topic is also config.storage.topic, and each use needs a topic of its own\n" +
				"Invalid value c for configuration status.storage.topic: the topic is also config.storage.topic, and each use needs a topic of its own",
		},
		{
			[]string{"status.storage.topic", "o", "session.timeout.ms", "1"},
			"Invalid value o for configuration status.storage.topic: the topic is also offset.storage.topic, and each use needs a topic of its own\n" +
				"Invalid value 3000 for configuration heartbeat.interval.ms: Heartbeat must be set lower than the session timeout",
		},
	} {
		_, _, err := readShared(tc.changes...)
		if err == nil {
			t.Errorf("%q are accepted", tc.changes)
			continue
		}
		if diff := cmp.Diff(tc.want, strings.TrimPrefix(err.Error(), "the worker's configuration is not valid: ")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.changes, diff)
		}
	}
}

// What is wrong with a configuration is told before anything is opened.
func TestDistributedThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, changes := range [][]string{
		{"group.id", "-"}, {"status.storage.topic", "c"}, {"exactly.once.source.support", "enabled"}, {"config.providers", "file"}, {"security.protocol", "PLAIN"},
	} {
		_, err := NewDistributed(minimalShared(changes...), slog.New(slog.DiscardHandler))
		if err == nil || !strings.HasPrefix(err.Error(), "the worker's configuration is not valid: ") || !strings.Contains(err.Error(), changes[0]) {
			t.Errorf("NewDistributed with %q: %v, want an error that names the key", changes, err)
		}
	}
}

func TestKeyBytes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		algorithm, size string
		want            int
	}{
		{"HmacMD5", "-", 64},
		{"HmacSHA1", "-", 64},
		{"HmacSHA224", "-", 28},
		{"HmacSHA256", "-", 32},
		{"HmacSHA384", "-", 48},
		{"HmacSHA512", "-", 64},
		{"HmacSHA256", "512", 64},
		{"HmacSHA256", "41", 6},
	} {
		k, v, err := readShared("inter.worker.key.generation.algorithm", tc.algorithm, "inter.worker.key.size", tc.size)
		if got := k.keyBytes(v); err != nil || got != tc.want {
			t.Errorf("a key for %s of %s bits has %d bytes, want %d; %v", tc.algorithm, tc.size, got, tc.want, err)
		}
	}
}

func TestTopics(t *testing.T) {
	t.Parallel()
	changes := []string{
		"config.storage.topic", "connect-configs", "config.storage.partitions", "7", "config.storage.cleanup.policy", "delete",
		"config.storage.replication.factor", "1", "config.storage.min.insync.replicas", "2", "config.storage.", "x",
		"offset.storage.partitions", "-1", "offset.storage.segment.bytes", "1048576", "offset.storage.cleanup.policy", "compact,delete",
		"offset.storage.file.filename", "offsets",
		"status.storage.replication.factor", "-1",
	}
	k, v, err := readShared(changes...)
	if err != nil {
		t.Fatal(err)
	}
	for use, want := range map[topicUse]kafka.InternalTopic{
		configUse: {
			Name: "connect-configs", NameKey: "config.storage.topic", Purpose: "connector configurations", ReplicationKey: "config.storage.replication.factor",
			Partitions: 1, Replication: 1, Configs: map[string]string{"min.insync.replicas": "2"},
		},
		offsetUse: {
			Name: "o", NameKey: "offset.storage.topic", Purpose: "source connector offsets", ReplicationKey: "offset.storage.replication.factor",
			Partitions: -1, Replication: 3, Configs: map[string]string{"segment.bytes": "1048576"},
		},
		statusUse: {
			Name: "s", NameKey: "status.storage.topic", Purpose: "connector and task statuses", ReplicationKey: "status.storage.replication.factor",
			Partitions: 5, Replication: -1, Configs: map[string]string{},
		},
	} {
		if diff := cmp.Diff(want, k.topic(use, v, minimalShared(changes...))); diff != "" {
			t.Errorf("topic %s (-want +got):\n%s", use, diff)
		}
	}
}

func TestNearTopicSettings(t *testing.T) {
	t.Parallel()
	k := newDistributedKeys(plugin.Builtin())
	for key, want := range map[string]string{
		"offset.storage.replicaton.factor":      "offset.storage.replication.factor",
		"status.storage.partition":              "status.storage.partitions",
		"config.storage.topics":                 "config.storage.topic",
		"config.storage.topic":                  "",
		"config.storage.segment.bytes":          "",
		"config.storage.retention.ms":           "",
		"config.storage.min.insync.replicas":    "",
		"offset.storage.min.compaction.lag.ms":  "",
		"offset.storage.compression.type":       "",
		"offset.storage.delete.retention.ms":    "",
		"status.storage.message.timestamp.type": "",
		"offset.flush.interval":                 "",
	} {
		if got := nearSetting(k.def, key); got != want {
			t.Errorf("%s is taken for %q, want %q", key, got, want)
		}
	}
	if got := nearSetting(newStandaloneKeys(plugin.Builtin()).def, "status.storage.partition"); got != "" {
		t.Errorf("a standalone worker takes a key for %q, which it does not have", got)
	}
}

func TestDistributedKeysWithoutEffect(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	nameUnused(NewLog(&out, slog.LevelInfo), newDistributedKeys(plugin.Builtin()).def, minimalShared(
		"topic.tracking.enable", "true", "topic.tracking.allow.reset", "false", "config.storage.partitions", "1", "offset.storage.cleanup.policy", "compact",
		"offset.storage.file.filename", "x", "internal.key.converter", "JsonConverter", "internal.value.converter.schemas.enable", "false",
		"status.storage.partition", "1", "status.storage.segment.bytes", "1", "sesion.timeout.ms", "1", "sasl.login.read.timeout.ms", "1",
		"reconnect.backoff.ms", "1", "exactly.once.source.suport", "disabled", "producer.acks", "all", "admin.listeners.https.ssl.protocol", "x", "security.protocl", "SSL",
	), kafka.IsClientKey)
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		_, text, _ := strings.Cut(line, "] ")
		got = append(got, text)
	}
	want := []string{
		`WARN a configuration key is ignored key=config.storage.partitions because="the topic of the configurations always has one partition"`,
		`WARN an unknown configuration key is ignored key=exactly.once.source.suport nearest=exactly.once.source.support`,
		`WARN a configuration key is ignored key=internal.key.converter because="what the worker keeps for itself is always JSON without schemas, as in Kafka Connect since 3.0"`,
		`WARN a configuration key is ignored key=internal.value.converter.schemas.enable because="what the worker keeps for itself is always JSON without schemas, as in Kafka Connect since 3.0"`,
		`WARN a configuration key is ignored key=offset.storage.cleanup.policy because="the worker's topics are always compacted"`,
		`WARN a configuration key is ignored key=offset.storage.file.filename because="a distributed worker keeps offsets in a topic"`,
		`INFO a configuration key has no effect key=sasl.login.read.timeout.ms because="SASL is by PLAIN and SCRAM only, which log in with every connection"`,
		`WARN an unknown configuration key is ignored key=security.protocl nearest=security.protocol`,
		`WARN an unknown configuration key is ignored key=sesion.timeout.ms nearest=session.timeout.ms`,
		`WARN an unknown configuration key is taken for a setting of the topic key=status.storage.partition nearest=status.storage.partitions`,
		`INFO a configuration key has no effect key=topic.tracking.allow.reset because="there is no request that resets them"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// Each key is in one table of the documentation, with a type and with words.
func TestWorkerKeysAreDocumented(t *testing.T) {
	t.Parallel()
	all := WorkerKeys()
	places := map[string]int{}
	for _, info := range slices.Concat(all.Common, all.Distributed, all.Standalone, all.Clients) {
		places[info.Name]++
		if info.Doc == "" {
			t.Errorf("%s has no documentation", info.Name)
		}
	}
	for _, n := range slices.Concat(all.Inert, all.Refused) {
		if n.In == "" {
			places[n.Name]++
		}
		if n.Name == "" || n.Reason == "" {
			t.Errorf("%+v lacks a name or a reason", n)
		}
	}
	for name, n := range places {
		if n != 1 {
			t.Errorf("%s is in %d places", name, n)
		}
	}
	for _, def := range []*config.Def{newStandaloneKeys(plugin.Builtin()).def, newDistributedKeys(plugin.Builtin()).def} {
		for _, info := range def.Keys() {
			if places[info.Name] == 0 {
				t.Errorf("%s is in no table", info.Name)
			}
		}
	}
	inert := map[string]string{}
	for _, n := range all.Inert {
		if n.In != "" {
			inert[n.Name] = n.In
		}
	}
	if diff := cmp.Diff(map[string]string{"topic.tracking.enable": "standalone"}, inert); diff != "" {
		t.Errorf("keys without effect in one kind of worker (-want +got):\n%s", diff)
	}
	for _, key := range slices.Sorted(maps.Keys(refused)) {
		if !newStandaloneKeys(plugin.Builtin()).def.Has(key) {
			t.Errorf("%s is refused and not defined", key)
		}
	}
}
