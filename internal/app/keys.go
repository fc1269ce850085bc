package app

import (
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/worker"
)

// Keys of worker configurations that this package reads by name.
const (
	bootstrapKey    = "bootstrap.servers"
	offsetFileKey   = "offset.storage.file.filename"
	listenersKey    = "listeners"
	advertisedHost  = "rest.advertised.host.name"
	advertisedPort  = "rest.advertised.port"
	simpleConverter = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
)

// commonKeys are the keys that all workers have and that have an effect.
type commonKeys struct {
	def           *config.Def
	bootstrap     config.Key[[]string]
	listeners     config.Key[[]string]
	host          config.Key[string]
	port          config.Key[int32]
	flushInterval config.Key[int64]
	flushTimeout  config.Key[int64]
	stopTimeout   config.Key[int64]
}

func newCommonKeys(reg *plugin.Registry) commonKeys {
	d := config.New()
	k := commonKeys{def: d}
	k.bootstrap = d.List(bootstrapKey, config.UniqueNonEmptyList, config.High, config.Doc("Addresses of Kafka brokers, host:port, separated by commas."))
	class(d, reg, pipeline.KeyConverterKey, config.High)
	class(d, reg, pipeline.ValueConverterKey, config.High)
	class(d, reg, pipeline.HeaderConverterKey, config.Low, config.Default(simpleConverter))
	k.stopTimeout = d.Long("task.shutdown.graceful.timeout.ms", config.Default(5000), config.Low, config.Doc("How long all tasks together get to stop, in milliseconds."))
	k.flushInterval = d.Long("offset.flush.interval.ms", config.Default(60000), config.Low, config.Doc("Pause between two offset commits of a task, in milliseconds."))
	k.flushTimeout = d.Long("offset.flush.timeout.ms", config.Default(5000), config.Low, config.Doc("How long a commit may take, in milliseconds."))
	k.listeners = d.List(listenersKey, config.Default([]string{"http://:8083"}), config.NonEmptyList, config.Low, config.Doc("Addresses of the REST interface, such as http://127.0.0.1:8083."))
	k.host = d.String(advertisedHost, config.NullDefault, config.Low, config.Doc("Host name under which others reach this worker."))
	k.port = d.Int(advertisedPort, config.NullDefault, config.Low, config.Doc("Port under which others reach this worker."))
	d.String(worker.OverridePolicyKey, config.Default("All"), policyCheck(), config.Medium, config.Doc("Which client settings connectors may override: All, None, Principal or Allowlist."))
	d.List(worker.OverrideAllowlistKey, config.Default([]string{}), config.Medium, config.Doc("Client settings that connectors may override under the policy Allowlist."))
	return k
}

func class(d *config.Def, reg *plugin.Registry, key string, opts ...config.Option) {
	headers := key == pipeline.HeaderConverterKey
	resolve := func(name string) (string, bool) {
		p, err := reg.Converter(name, headers)
		if err != nil {
			return "", false
		}
		return p.Class, true
	}
	d.Class(key, append(opts, config.Resolve(resolve), config.Doc("Converter of all connectors that name no other."))...)
}

// policyCheck accepts the override policies, by name or by class.
func policyCheck() config.Check {
	return config.NewCheck("one of "+strings.Join(worker.OverridePolicies, ", "), func(key string, v any) error {
		if policy, ok := v.(string); ok && !slices.Contains(worker.OverridePolicies, worker.PolicyName(policy)) {
			return config.Invalid(key, v, "String must be one of: "+strings.Join(worker.OverridePolicies, ", "))
		}
		return nil
	})
}

// standaloneKeys are the keys of a standalone worker.
type standaloneKeys struct {
	commonKeys
	offsetFile config.Key[string]
}

func newStandaloneKeys(reg *plugin.Registry) standaloneKeys {
	k := standaloneKeys{commonKeys: newCommonKeys(reg)}
	k.offsetFile = k.def.String(offsetFileKey, config.NonEmpty, config.High, config.Doc("File that keeps the offsets of source connectors."))
	return k
}

// millis returns the value of a key that counts milliseconds, or the longest time there is instead of more.
func millis(k config.Key[int64], v config.Values) time.Duration {
	return time.Duration(min(k.Of(v), math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// withoutEffect are the keys that are accepted because configurations for Kafka Connect have them, with the reason why
// they change nothing here.
var withoutEffect = map[string]string{
	"plugin.path":                     "connectors are compiled in",
	"plugin.discovery":                "connectors are compiled in",
	"metric.reporters":                "metrics are not exported yet",
	"metrics.num.samples":             "metrics are not exported yet",
	"metrics.recording.level":         "metrics are not exported yet",
	"metrics.sample.window.ms":        "metrics are not exported yet",
	"topic.creation.enable":           "topics are created by the broker's automatic creation only",
	"topic.tracking.enable":           "the topics of connectors are not tracked yet",
	"topic.tracking.allow.reset":      "the topics of connectors are not tracked yet",
	"client.dns.lookup":               "all addresses of a name are always tried",
	"rest.advertised.listener":        "there are http listeners only",
	"response.http.headers.config":    "no response headers are added yet",
	"access.control.allow.methods":    "the REST interface answers no cross-origin requests yet",
	"key.converter.plugin.version":    "each converter exists in one version",
	"value.converter.plugin.version":  "each converter exists in one version",
	"header.converter.plugin.version": "each converter exists in one version",
}

// refused are keys that must not be ignored, because the worker would then be less safe than its configuration says, with the
// values that change nothing.
var refused = map[string][]string{
	"config.providers":            {""},
	"rest.extension.classes":      {""},
	"admin.listeners":             {""},
	"access.control.allow.origin": {""},
	"ssl.client.auth":             {"", "none"},
}

// checkRefused returns an error for the first key that asks for what this version cannot do.
func checkRefused(props map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(refused)) {
		if v, ok := props[k]; ok && !slices.Contains(refused[k], strings.TrimSpace(v)) {
			return config.Invalid(k, v, "this version of Millrace does not have it; remove the key")
		}
	}
	return nil
}

// prefixes of keys that are for converters and others and are checked where they are used.
var prefixes = []string{"key.converter.", "value.converter.", "header.converter.", "metrics.context.", "config.providers.", "listeners.https.", "offset.storage.", "config.storage.", "status.storage."}

// nameUnused logs each key once that has no effect, and near misses of keys that have one. Keys of Kafka clients are
// left to the clients.
func nameUnused(log *slog.Logger, def *config.Def, props map[string]string, clientKey func(string) bool) {
	var known []string
	for _, k := range def.Keys() {
		known = append(known, k.Name)
	}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		if reason, ok := withoutEffect[k]; ok {
			log.Info("a configuration key has no effect", "key", k, "because", reason)
			continue
		}
		if def.Has(k) || refused[k] != nil || clientKey(k) || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(k, p) }) {
			continue
		}
		if near := config.Nearest(k, known); len(near) > 0 {
			log.Warn("an unknown configuration key is ignored", "key", k, "nearest", strings.Join(near, ", "))
			continue
		}
		log.Warn("an unknown configuration key is ignored", "key", k)
	}
}
