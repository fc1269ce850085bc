package app

import (
	"fmt"
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
	bootstrapKey          = "bootstrap.servers"
	offsetFileKey         = "offset.storage.file.filename"
	listenersKey          = "listeners"
	advertisedHost        = "rest.advertised.host.name"
	advertisedPort        = "rest.advertised.port"
	advertisedListenerKey = "rest.advertised.listener"
	trackTopicsKey        = "topic.tracking.enable"
	simpleConverter       = "org.apache.kafka.connect.storage.SimpleHeaderConverter"
)

// commonKeys are the keys that all workers have. Fields are those whose values this package uses.
type commonKeys struct {
	def           *config.Def
	bootstrap     config.Key[[]string]
	listeners     config.Key[[]string]
	host          config.Key[string]
	port          config.Key[int32]
	flushInterval config.Key[int64]
	flushTimeout  config.Key[int64]
	stopTimeout   config.Key[int64]
	trackTopics   config.Key[bool]
}

func newCommonKeys(reg *plugin.Registry) commonKeys {
	d := config.New()
	k := commonKeys{def: d}
	k.bootstrap = d.List(bootstrapKey, config.UniqueNonEmptyList, config.High,
		config.Doc("Addresses of Kafka brokers, host:port, separated by commas. A few are enough: the others are found through them."))
	d.String("client.dns.lookup", config.Default("use_all_dns_ips"), config.OneOf("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"), config.Medium,
		config.Doc("How the names of brokers become addresses."))
	converterKeys(d, reg)
	k.stopTimeout = d.Long("task.shutdown.graceful.timeout.ms", config.Default(5000), config.Low,
		config.Doc("How long all tasks together get to stop, in milliseconds."))
	k.flushInterval = d.Long("offset.flush.interval.ms", config.Default(60000), config.Low,
		config.Doc("Pause between two offset commits of a task, in milliseconds."))
	k.flushTimeout = d.Long("offset.flush.timeout.ms", config.Default(5000), config.Low,
		config.Doc("How long a commit may take, in milliseconds."))
	k.restKeys()
	d.String(worker.OverridePolicyKey, config.Default("All"), policyCheck(), config.Medium,
		config.Doc("Which client settings connectors may override: All, None, Principal (who they are to Kafka) or Allowlist, or the class name of one of these."))
	d.List(worker.OverrideAllowlistKey, config.Default([]string{}), config.Medium,
		config.Doc("Client settings that connectors may override under the policy Allowlist."))
	k.topicKeys()
	pluginKeys(d)
	metricKeys(d)
	loginKeys(d)
	return k
}

// restKeys defines what concerns the REST interface.
func (k *commonKeys) restKeys() {
	d := k.def
	k.listeners = d.List(listenersKey, config.Default([]string{"http://:8083"}), config.NonEmptyList, config.Low,
		config.Doc("Addresses of the REST interface, such as http://127.0.0.1:8083. Without a host it is all of the machine's."))
	k.host = d.String(advertisedHost, config.NullDefault, config.Low, config.Doc("Host name under which others reach this worker."))
	k.port = d.Int(advertisedPort, config.NullDefault, config.Low, config.Doc("Port under which others reach this worker."))
	d.String(advertisedListenerKey, config.NullDefault, config.OrNull(config.OneOfFold("http", "https")), config.Low,
		config.Doc("By which protocol others reach this worker."))
	d.List("admin.listeners", config.NullDefault, config.Low, config.Doc("Addresses of the endpoints for administrators, if they are not those of listeners."))
	d.List("rest.extension.classes", config.Default([]string{}), config.Low, config.Doc("Classes that add to the REST interface, such as authentication."))
	d.String("access.control.allow.origin", config.Default(""), config.Low, config.Doc("Web sites whose pages may use the REST interface."))
	d.String("access.control.allow.methods", config.Default(""), config.Low, config.Doc("Methods that pages of other web sites may use on the REST interface."))
	d.String("response.http.headers.config", config.Default(""), config.Low, config.Doc("Rules for headers that are added to responses."))
	d.String("ssl.client.auth", config.Default("none"), config.OneOf("required", "requested", "none"), config.Low,
		config.Doc("Whether clients of the REST interface must show a certificate."))
}

func (k *commonKeys) topicKeys() {
	k.def.Boolean("topic.creation.enable", config.Default(true), config.Low,
		config.Doc("Whether the topics of source connectors are created by their topic.creation settings."))
	k.trackTopics = k.def.Boolean(trackTopicsKey, config.Default(true), config.Low,
		config.Doc("Whether the worker removes what the group knows of a connector's topics when the connector is deleted."))
	k.def.Boolean("topic.tracking.allow.reset", config.Default(true), config.Low,
		config.Doc("Whether a request may reset the topics that a connector has used."))
}

func converterKeys(d *config.Def, reg *plugin.Registry) {
	for _, c := range []struct {
		key, what string
		opts      []config.Option
	}{
		{pipeline.KeyConverterKey, "keys", []config.Option{config.High}},
		{pipeline.ValueConverterKey, "values", []config.Option{config.High}},
		{pipeline.HeaderConverterKey, "headers", []config.Option{config.Low, config.Default(simpleConverter)}},
	} {
		class(d, reg, c.key, append(c.opts, config.Doc("Converter of "+c.what+" for all connectors that name none. Keys that begin with "+c.key+" are its own settings."))...)
		d.String(c.key+".plugin.version", config.NullDefault, config.Low, config.Doc("Versions of the converter of "+c.what+" that will do."))
	}
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
	d.Class(key, append(opts, config.Resolve(resolve))...)
}

func pluginKeys(d *config.Def) {
	d.List("plugin.path", config.NullDefault, config.Low, config.Doc("Folders with the jars of plugins."))
	d.String("plugin.discovery", config.Default("hybrid_warn"), config.Low,
		config.OneOfFold("only_scan", "hybrid_warn", "hybrid_fail", "service_load"), config.Doc("How plugins are found in jars."))
	d.List("config.providers", config.Default([]string{}), config.Low, config.Doc("Names of providers that resolve references such as ${file:path:key}."))
}

func metricKeys(d *config.Def) {
	d.List("metric.reporters", config.Default([]string{"org.apache.kafka.common.metrics.JmxReporter"}), config.Low, config.Doc("Classes that report metrics."))
	d.Int("metrics.num.samples", config.Default(2), config.AtLeast(1), config.Low, config.Doc("How many samples make up a metric."))
	d.String("metrics.recording.level", config.Default("INFO"), config.OneOf("INFO", "DEBUG"), config.Low, config.Doc("How detailed metrics are."))
	d.Long("metrics.sample.window.ms", config.Default(30000), config.AtLeast(0), config.Low, config.Doc("How long a sample of a metric takes, in milliseconds."))
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

// notValid says what err is about.
func notValid(err error) error {
	return fmt.Errorf("the worker's configuration is not valid: %w", err)
}
