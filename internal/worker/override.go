package worker

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect"
)

// Prefixes under which a connector sets properties of its Kafka clients (KIP-458).
const (
	ProducerOverridePrefix = "producer.override."
	ConsumerOverridePrefix = "consumer.override."
	AdminOverridePrefix    = "admin.override."
)

// Keys of the worker that say what connectors may override.
const (
	OverridePolicyKey    = "connector.client.config.override.policy"
	OverrideAllowlistKey = "connector.client.config.override.allowlist"
)

// OverridePolicies are the names of the policies, the values of OverridePolicyKey. Class names of the reference are
// understood, too.
var OverridePolicies = []string{"All", "None", "Principal", "Allowlist"}

const policyClassSuffix = "ConnectorClientConfigOverridePolicy"

// PolicyName returns the short name of a policy given by name or class.
func PolicyName(policy string) string {
	name := policy[strings.LastIndexByte(policy, '.')+1:]
	return strings.TrimSuffix(name, policyClassSuffix)
}

// principalKeys are what the policy Principal allows.
var principalKeys = []string{"sasl.jaas.config", "sasl.mechanism", "security.protocol"}

// overrides returns the connector's keys below a prefix, without it, if the worker's policy allows them all.
func (w *Worker) overrides(connector connect.Props, prefix string) (map[string]string, error) {
	out := make(map[string]string)
	for k, v := range connector {
		if key, ok := strings.CutPrefix(k, prefix); ok {
			out[key] = v
		}
	}
	var refused []string
	policy := PolicyName(w.Props[OverridePolicyKey])
	for _, k := range slices.Sorted(maps.Keys(out)) {
		if !w.allows(policy, k) {
			refused = append(refused, fmt.Sprintf("The '%s' policy does not allow '%s' to be overridden in the connector configuration.", policy, k))
		}
	}
	if refused != nil {
		return nil, connect.NewError("Client Config Overrides not allowed ["+strings.Join(refused, ", ")+"]", nil)
	}
	return out, nil
}

func (w *Worker) allows(policy, key string) bool {
	switch policy {
	case "None":
		return false
	case "Principal":
		return slices.Contains(principalKeys, key)
	case "Allowlist":
		return slices.ContainsFunc(strings.Split(w.Props[OverrideAllowlistKey], ","), func(k string) bool { return strings.TrimSpace(k) == key })
	default:
		return true
	}
}
