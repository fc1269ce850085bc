package kafka

import (
	"github.com/millrace-io/millrace/connect/config"
)

// common are the keys that all three clients share. Each client has a definition of its own, because defaults differ.
type common struct {
	bootstrap                       config.Key[[]string]
	clientID                        config.Key[string]
	metadataMaxAge                  config.Key[int64]
	retryBackoff, retryBackoffMax   config.Key[int64]
	requestTimeout                  config.Key[int32]
	idle                            config.Key[int64]
	sendBuffer, receiveBuffer       config.Key[int32]
	dialTimeout                     config.Key[int64]
	metricsPush                     config.Key[bool]
	protocol, mechanism             config.Key[string]
	jaas                            config.Key[config.Password]
	trustType, trustPath            config.Key[string]
	trustPEM                        config.Key[config.Password]
	keyType, keyPath                config.Key[string]
	chainPEM, keyPEM, keyPassword   config.Key[config.Password]
	ciphers, protocols              config.Key[[]string]
	endpoint, engine                config.Key[string]
	callback, loginClass, loginBack config.Key[string]
}

// inertCommon are keys of all clients without an effect here, with the reason.
var inertCommon = map[string]string{
	"metric.reporters":                         "metrics are served over HTTP",
	"metrics.num.samples":                      "metrics are served over HTTP",
	"metrics.recording.level":                  "metrics are served over HTTP",
	"metrics.sample.window.ms":                 "metrics are served over HTTP",
	"reconnect.backoff.ms":                     "retry.backoff.ms applies to connecting as well",
	"reconnect.backoff.max.ms":                 "retry.backoff.max.ms applies to connecting as well",
	"socket.connection.setup.timeout.max.ms":   "every attempt has socket.connection.setup.timeout.ms",
	"client.dns.lookup":                        "all addresses of a name are tried",
	"metadata.recovery.strategy":               "the client always falls back to bootstrap.servers",
	"metadata.recovery.rebootstrap.trigger.ms": "the client always falls back to bootstrap.servers",
	"security.providers":                       "there is no Java security provider",
	"ssl.provider":                             "there is no Java security provider",
	"ssl.protocol":                             "ssl.enabled.protocols decides",
	"ssl.keymanager.algorithm":                 "there is no Java key manager",
	"ssl.trustmanager.algorithm":               "there is no Java trust manager",
	"ssl.secure.random.implementation":         "the system's random numbers are used",
	"config.providers":                         "the worker resolves references before its clients see them",
}

var (
	anyText     = config.Default("")
	optional    = config.NullDefault
	nonNegative = config.AtLeast(0)
)

// defineCommon adds the common keys. idleMillis and buffer are the defaults in which the clients differ.
func defineCommon(d *config.Def, idleMillis, buffer int, push bool) common {
	defineInert(d)
	return common{
		bootstrap:       d.List(bootstrapKey, config.UniqueNonEmptyList),
		clientID:        d.String(clientIDKey, anyText),
		metadataMaxAge:  d.Long("metadata.max.age.ms", config.Default(300_000), nonNegative),
		retryBackoff:    d.Long("retry.backoff.ms", config.Default(100), nonNegative),
		retryBackoffMax: d.Long("retry.backoff.max.ms", config.Default(1000), nonNegative),
		requestTimeout:  d.Int("request.timeout.ms", config.Default(30_000), nonNegative),
		idle:            d.Long("connections.max.idle.ms", config.Default(idleMillis)),
		sendBuffer:      d.Int("send.buffer.bytes", config.Default(131_072), config.AtLeast(-1)),
		receiveBuffer:   d.Int("receive.buffer.bytes", config.Default(buffer), config.AtLeast(-1)),
		dialTimeout:     d.Long("socket.connection.setup.timeout.ms", config.Default(10_000)),
		metricsPush:     d.Boolean("enable.metrics.push", config.Default(push)),
		protocol: d.String("security.protocol", config.Default("PLAINTEXT"),
			config.OneOfFold("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")),
		mechanism:   d.String("sasl.mechanism", config.Default("GSSAPI")),
		jaas:        d.Password("sasl.jaas.config", optional),
		trustType:   d.String("ssl.truststore.type", config.Default("JKS")),
		trustPath:   d.String("ssl.truststore.location", optional),
		trustPEM:    d.Password("ssl.truststore.certificates", optional),
		keyType:     d.String("ssl.keystore.type", config.Default("JKS")),
		keyPath:     d.String("ssl.keystore.location", optional),
		chainPEM:    d.Password("ssl.keystore.certificate.chain", optional),
		keyPEM:      d.Password("ssl.keystore.key", optional),
		keyPassword: d.Password("ssl.key.password", optional),
		ciphers:     d.List("ssl.cipher.suites", config.Default([]string{})),
		protocols:   d.List("ssl.enabled.protocols", config.Default([]string{"TLSv1.2", "TLSv1.3"})),
		endpoint:    d.String("ssl.endpoint.identification.algorithm", config.Default("https")),
		engine:      d.Class("ssl.engine.factory.class", optional),
		callback:    d.Class("sasl.client.callback.handler.class", optional),
		loginClass:  d.Class("sasl.login.class", optional),
		loginBack:   d.Class("sasl.login.callback.handler.class", optional),
	}
}

// defineInert adds the keys that are type-checked, as a Java client would, and otherwise not used.
func defineInert(d *config.Def) {
	d.List("metric.reporters", config.Default([]string{}))
	d.Int("metrics.num.samples", config.Default(2), config.AtLeast(1))
	d.String("metrics.recording.level", config.Default("INFO"), config.OneOf("INFO", "DEBUG", "TRACE"))
	d.Long("metrics.sample.window.ms", config.Default(30_000), nonNegative)
	d.Long("reconnect.backoff.ms", config.Default(50), nonNegative)
	d.Long("reconnect.backoff.max.ms", config.Default(1000), nonNegative)
	d.Long("socket.connection.setup.timeout.max.ms", config.Default(30_000))
	d.String("client.dns.lookup", config.Default("use_all_dns_ips"),
		config.OneOf("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"))
	d.String("metadata.recovery.strategy", config.Default("rebootstrap"), config.OneOfFold("rebootstrap", "none"))
	d.Long("metadata.recovery.rebootstrap.trigger.ms", config.Default(300_000), nonNegative)
	for _, key := range []string{
		"security.providers", "ssl.provider", "ssl.protocol", "ssl.keymanager.algorithm", "ssl.trustmanager.algorithm",
		"ssl.secure.random.implementation", "sasl.kerberos.service.name", "sasl.kerberos.kinit.cmd",
	} {
		d.String(key, optional)
	}
	d.Password("ssl.truststore.password", optional)
	d.Password("ssl.keystore.password", optional)
	d.List("config.providers", config.Default([]string{}))
	d.Long("sasl.kerberos.min.time.before.relogin", config.Default(60_000))
	d.Double("sasl.kerberos.ticket.renew.jitter", config.Default(0.05))
	d.Double("sasl.kerberos.ticket.renew.window.factor", config.Default(0.8))
}
