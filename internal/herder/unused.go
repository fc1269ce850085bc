package herder

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// passedOn are prefixes of keys that converters and Kafka clients check themselves.
var passedOn = []string{
	pipeline.KeyConverterKey + ".", pipeline.ValueConverterKey + ".", pipeline.HeaderConverterKey + ".",
	worker.ProducerOverridePrefix, worker.ConsumerOverridePrefix, worker.AdminOverridePrefix,
}

// withoutEffect are keys, and prefixes of keys, of Connect's that change nothing here, with the reason.
var withoutEffect = []struct{ key, reason string }{
	{"topic.creation.", "topics are created by the broker's automatic creation, with the broker's defaults"},
	{"transaction.boundary", "records are delivered at least once"},
	{exactlyKey, "records are delivered at least once"},
	{"errors.deadletterqueue.", "there are no dead letter queues"},
	{"config.action.reload", "there are no config providers"},
	{"connector.plugin.version", "each class exists in one version"},
}

// NameUnused logs each key of a connector's configuration that nobody reads, with what may have been meant. It does nothing for
// a connector whose class is not known.
func (v *Validator) NameUnused(log *slog.Logger, cfg store.Config) {
	p, err := v.plugins.Connector(cfg.Value(worker.ConnectorClassKey))
	if err != nil {
		return
	}
	defs := []*config.Def{v.common, p.Def, v.sink}
	if p.Source != nil {
		defs[2] = v.source
	}
	var known []string
	for _, d := range defs {
		for _, k := range d.Keys() {
			known = append(known, k.Name)
		}
	}
	for _, k := range cfg.Keys() {
		if reason, ok := v.noEffect(k); ok {
			log.Info("a configuration key has no effect", "key", k, "because", reason)
			continue
		}
		passed := slices.ContainsFunc(passedOn, func(prefix string) bool { return strings.HasPrefix(k, prefix) })
		if passed || slices.Contains(known, k) {
			continue
		}
		if near := config.Nearest(k, known); near != nil {
			log.Warn("an unknown configuration key is ignored", "key", k, "nearest", strings.Join(near, ", "))
		} else if len(p.Def.Keys()) > 0 { // a connector that declares no keys may read any
			log.Warn("an unknown configuration key is ignored", "key", k)
		}
	}
}

func (v *Validator) noEffect(key string) (reason string, ok bool) {
	if key == worker.OffsetsTopicKey && v.workerGroup == "" {
		return "a standalone worker keeps offsets in its file", true
	}
	for _, w := range withoutEffect {
		if key == w.key || strings.HasSuffix(w.key, ".") && strings.HasPrefix(key, w.key) {
			return w.reason, true
		}
	}
	return "", false
}
