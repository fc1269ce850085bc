package app

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect/config"
)

// withoutEffect are the keys that are accepted because configurations for Kafka Connect have them, with the reason why
// they change nothing in any worker.
var withoutEffect = map[string]string{
	"plugin.path":                     "connectors are compiled in",
	"plugin.discovery":                "connectors are compiled in",
	"metric.reporters":                noMetrics,
	"metrics.num.samples":             noMetrics,
	"metrics.recording.level":         noMetrics,
	"metrics.sample.window.ms":        noMetrics,
	"topic.creation.enable":           "topics are created by the broker's automatic creation only",
	"topic.tracking.allow.reset":      "there is no request that resets them",
	"client.dns.lookup":               "all addresses of a name are always tried",
	advertisedListenerKey:             "there are http listeners only",
	"response.http.headers.config":    "no response headers are added",
	"access.control.allow.methods":    "the REST interface answers no cross-origin requests",
	"key.converter.plugin.version":    oneVersion,
	"value.converter.plugin.version":  oneVersion,
	"header.converter.plugin.version": oneVersion,
}

const (
	noMetrics  = "metrics are not exported"
	oneVersion = "each converter exists in one version"
)

// inertKeys returns the keys that change nothing in a worker with the keys of def, with the reasons.
func inertKeys(def *config.Def) map[string]string {
	inert := maps.Clone(withoutEffect)
	for _, k := range def.Keys() {
		if strings.HasPrefix(k.Name, loginPrefix) || strings.HasPrefix(k.Name, bearerPrefix) {
			inert[k.Name] = noLogin
		}
	}
	if !def.Has(groupKey) {
		inert[trackTopicsKey] = "a standalone worker does not track the topics of connectors"
	}
	return inert
}

// ignored are keys, and prefixes with a dot at the end, that nothing reads. People may believe otherwise, so that they are warned.
var ignored = map[string]string{
	"internal.key.converter":    alwaysJSON,
	"internal.key.converter.":   alwaysJSON,
	"internal.value.converter":  alwaysJSON,
	"internal.value.converter.": alwaysJSON,
}

const alwaysJSON = "what the worker keeps for itself is always JSON without schemas, as in Kafka Connect since 3.0"

// refusal says which values of a key are accepted and why others are not.
type refusal struct {
	accepted []string
	reason   string
}

// refused are keys that must not be ignored, because the worker would then be less safe than its configuration says. The
// reasons are for the documentation.
var refused = map[string]refusal{
	"config.providers":            {[]string{""}, "references such as ${file:path:key} are not resolved"},
	"rest.extension.classes":      {[]string{""}, "extensions, such as authentication, are Java classes"},
	"admin.listeners":             {[]string{""}, "there are no listeners for administrators alone"},
	"access.control.allow.origin": {[]string{""}, "the REST interface answers no cross-origin requests"},
	"ssl.client.auth":             {[]string{"none"}, "there are http listeners only, which see no certificates"},
}

// checkRefused returns an error for the first key that asks for what this version cannot do.
func checkRefused(props map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(refused)) {
		if v, ok := props[k]; ok && !slices.Contains(refused[k].accepted, strings.TrimSpace(v)) {
			return config.Invalid(k, v, "this version of Millrace does not have it; remove the key")
		}
	}
	return nil
}

// prefixes of keys that are for converters and others and are checked where they are used.
var prefixes = []string{
	"key.converter.", "value.converter.", "header.converter.", "metrics.context.", "config.providers.", "listeners.https.", "admin.listeners.https.",
	configUse.prefix(), offsetUse.prefix(), statusUse.prefix(),
}

// nameUnused logs each key once that has no effect, and near misses of keys that have one. Keys of Kafka clients are
// left to the clients.
func nameUnused(log *slog.Logger, def *config.Def, props map[string]string, clientKey func(string) bool) {
	inert := inertKeys(def)
	var known []string
	for _, k := range def.Keys() {
		known = append(known, k.Name)
	}
	for _, t := range clientTexts {
		known = append(known, t.name)
	}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		if reason, ok := inert[k]; ok {
			log.Info("a configuration key has no effect", "key", k, "because", reason)
			continue
		}
		if reason, ok := ignoredFor(def, k); ok {
			log.Warn("a configuration key is ignored", "key", k, "because", reason)
			continue
		}
		if def.Has(k) {
			continue
		}
		if near := nearSetting(def, k); near != "" {
			log.Warn("an unknown configuration key is taken for a setting of the topic", "key", k, "nearest", near)
			continue
		}
		if clientKey(k) || hasPrefix(k) {
			continue
		}
		if near := config.Nearest(k, known); len(near) > 0 {
			log.Warn("an unknown configuration key is ignored", "key", k, "nearest", strings.Join(near, ", "))
			continue
		}
		log.Warn("an unknown configuration key is ignored", "key", k)
	}
}

func hasPrefix(key string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

// ignoredFor says why nothing reads the key in a worker with the keys of def.
func ignoredFor(def *config.Def, key string) (reason string, ok bool) {
	if reason, ok = ignored[key]; ok {
		return reason, true
	}
	for prefix, reason := range ignored {
		if strings.HasSuffix(prefix, ".") && strings.HasPrefix(key, prefix) {
			return reason, true
		}
	}
	if def.Has(groupKey) {
		reason, ok = ignoredDistributed[key]
	}
	return reason, ok
}
