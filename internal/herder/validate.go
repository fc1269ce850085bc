package herder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// Validator checks connector configurations. It does not change after it was made.
type Validator struct {
	plugins              *plugin.Registry
	workerGroup          string // empty on a standalone worker
	common, source, sink *config.Def
}

// NewValidator returns a validator that knows the plugins of reg. workerGroup is the group.id of the workers, which no sink may
// use, and empty on a standalone worker.
func NewValidator(reg *plugin.Registry, workerGroup string) *Validator {
	return &Validator{plugins: reg, workerGroup: workerGroup, common: commonDef(reg), source: sourceDef(), sink: sinkDef()}
}

// Check returns nil for a valid configuration, and otherwise a BadRequest with the text that clients parse.
func (v *Validator) Check(ctx context.Context, cfg store.Config) error {
	class, ok := cfg.Get(worker.ConnectorClassKey)
	if !ok || strings.TrimSpace(class) == "" {
		return errorf(BadRequest, "Connector config %s contains no connector type", javaMap(cfg))
	}
	p, err := v.plugins.Connector(class)
	if err != nil {
		return errorf(BadRequest, "%s", err)
	}
	var messages []string
	var values []config.Value
	if err := event.Guard(func() error { values = v.validate(ctx, p, cfg); return nil }); err != nil {
		return internal(err)
	}
	for _, value := range values {
		messages = append(messages, value.Errors...)
	}
	if len(messages) == 0 {
		return nil
	}
	return errorf(BadRequest, "Connector configuration is invalid and contains the following %d error(s):\n%s\n"+
		"You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`",
		len(messages), strings.Join(messages, "\n"))
}

// validate checks the keys that all connectors have, then the connector's own; where it defines a key of the first
// kind itself, its outcome counts. Nulls are refused, but for the connector's own keys, as in Connect.
func (v *Validator) validate(ctx context.Context, p *connect.Plugin, cfg store.Config) []config.Value {
	props := cfg.Props()
	var nulls []string
	for _, k := range cfg.Keys() {
		if cfg.IsNull(k) {
			nulls = append(nulls, k)
		}
	}
	values := v.common.Validate(props, nulls...)
	if p.Source != nil {
		values = append(values, v.source.Validate(props, nulls...)...)
		if v.workerGroup != "" && strings.EqualFold(props[exactlyKey], "required") {
			addErrors(values, errors.New("This worker does not have exactly-once source support enabled."), exactlyKey)
		}
	} else {
		values = append(values, v.sink.Validate(props, nulls...)...)
		addErrors(values, worker.ValidateTopics(props), worker.TopicsKey, worker.TopicsRegexKey)
		values = v.checkGroup(values, props)
	}
	values = refuseNulls(values, nulls)
	own := p.Def.Validate(props, nulls...)
	var instance connect.Connector
	if p.Source != nil {
		instance = p.Source()
	} else {
		instance = p.Sink()
	}
	if check, ok := instance.(connect.Validator); ok {
		own = merge(own, check.Validate(ctx, props))
	}
	return merge(values, own)
}

// checkGroup refuses a sink that would consume as a member of the workers' own group.
func (v *Validator) checkGroup(values []config.Value, props connect.Props) []config.Value {
	const override = worker.ConsumerOverridePrefix + "group.id"
	name := props[worker.NameKey]
	given, overridden := props[override]
	switch {
	case v.workerGroup == "":
	case overridden && given == v.workerGroup:
		values = append(values, config.Value{Name: override, Errors: []string{fmt.Sprintf("Consumer group %s conflicts with Connect worker group %s", given, v.workerGroup)}})
	case !overridden && "connect-"+name == v.workerGroup:
		addErrors(values, fmt.Errorf("Consumer group for sink connector named %s conflicts with Connect worker group %s", name, v.workerGroup), worker.NameKey)
	}
	return values
}

// Named returns the configuration with the connector's name in it. A name that it has already must be the same.
func Named(cfg store.Config, name string) (store.Config, error) {
	if given, ok := cfg.Get(worker.NameKey); ok && given != name {
		return cfg, errorf(BadRequest, "Connector name configuration (%s) doesn't match connector name in the URL (%s)", given, name)
	}
	cfg = cfg.Clone()
	cfg.Set(worker.NameKey, name)
	return cfg, nil
}

// refuseNulls adds an error for each key that was given as null, whether or not it is defined.
func refuseNulls(values []config.Value, nulls []string) []config.Value {
	const message = "Null value can not be supplied as the configuration value."
	for _, k := range nulls {
		i := slices.IndexFunc(values, func(v config.Value) bool { return v.Name == k })
		if i < 0 {
			i = len(values)
			values = append(values, config.Value{Name: k})
		}
		values[i].Errors = append(values[i].Errors, message)
	}
	return values
}

// addErrors puts an error that concerns several keys on each of them.
func addErrors(values []config.Value, err error, keys ...string) {
	if err == nil {
		return
	}
	for i := range values {
		for _, k := range keys {
			if values[i].Name == k && len(values[i].Errors) == 0 {
				values[i].Errors = append(values[i].Errors, err.Error())
			}
		}
	}
}

// merge replaces outcomes by later ones of the same name and appends the others.
func merge(values, more []config.Value) []config.Value {
	for _, m := range more {
		found := false
		for i := range values {
			if values[i].Name == m.Name {
				values[i], found = m, true
			}
		}
		if !found {
			values = append(values, m)
		}
	}
	return values
}

// javaMap returns the text of the configuration as Java prints a map, with values that may be secret left out.
func javaMap(cfg store.Config) string {
	parts := make([]string, len(cfg.Keys()))
	for i, k := range cfg.Keys() {
		text := "null"
		if v, ok := cfg.Get(k); ok {
			text = v
			if secret(k) {
				text = "[hidden]"
			}
		}
		parts[i] = fmt.Sprintf("%s=%s", k, text)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// secret tells by its name whether a key of an unknown class is likely to hold a secret.
func secret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"password", "secret", "token", "credential", "jaas", "private"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
