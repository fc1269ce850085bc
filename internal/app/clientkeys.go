package app

import (
	"strings"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/kafka"
)

// noLogin is why keys about Kerberos and OAUTHBEARER have no effect. Whoever needs one of the two is refused by sasl.mechanism.
const noLogin = "SASL is by PLAIN and SCRAM only, which log in with every connection"

const (
	loginPrefix  = "sasl.login."
	bearerPrefix = "sasl.oauthbearer."
)

// loginKeys defines the keys about logins that the Kafka clients here do not know, and which are only checked.
func loginKeys(d *config.Def) {
	d.Int(loginPrefix+"connect.timeout.ms", config.NullDefault, config.Low, config.Doc("How long connecting to the server for logins may take, in milliseconds."))
	d.Int(loginPrefix+"read.timeout.ms", config.NullDefault, config.Low, config.Doc("How long that server may take to answer, in milliseconds."))
	d.Short(loginPrefix+"refresh.buffer.seconds", config.Default(300), config.Between(0, 3600), config.Low,
		config.Doc("How long before its end a token is replaced at the latest."))
	d.Short(loginPrefix+"refresh.min.period.seconds", config.Default(60), config.Between(0, 900), config.Low, config.Doc("How long a token is kept at least."))
	d.Double(loginPrefix+"refresh.window.factor", config.Default(0.8), config.Between(0.5, 1.0), config.Low,
		config.Doc("After which part of its life a token is replaced."))
	d.Double(loginPrefix+"refresh.window.jitter", config.Default(0.05), config.Between(0, 0.25), config.Low, config.Doc("By how much of its life this time varies."))
	d.Long(loginPrefix+"retry.backoff.ms", config.Default(100), config.Low, config.Doc("Pause before a login is tried again, in milliseconds."))
	d.Long(loginPrefix+"retry.backoff.max.ms", config.Default(10_000), config.Low, config.Doc("The longest pause before a login is tried again, in milliseconds."))
	bearerKeys(d)
}

func bearerKeys(d *config.Def) {
	d.Int(bearerPrefix+"clock.skew.seconds", config.Default(30), config.Low, config.Doc("By how much clocks may differ."))
	d.Long(bearerPrefix+"jwks.endpoint.refresh.ms", config.Default(3_600_000), config.Low, config.Doc("After how long keys of tokens are read again."))
	d.Long(bearerPrefix+"jwks.endpoint.retry.backoff.ms", config.Default(100), config.Low, config.Doc("Pause before reading keys of tokens is tried again, in milliseconds."))
	d.Long(bearerPrefix+"jwks.endpoint.retry.backoff.max.ms", config.Default(10_000), config.Low,
		config.Doc("The longest pause before reading keys of tokens is tried again, in milliseconds."))
	d.String(bearerPrefix+"jwks.endpoint.url", config.NullDefault, config.Low, config.Doc("Where keys of tokens are."))
	d.String(bearerPrefix+"token.endpoint.url", config.NullDefault, config.Low, config.Doc("Where tokens are given out."))
	d.List(bearerPrefix+"expected.audience", config.NullDefault, config.Low, config.Doc("For whom a token must be."))
	d.String(bearerPrefix+"expected.issuer", config.NullDefault, config.Low, config.Doc("By whom a token must be."))
	d.String(bearerPrefix+"scope.claim.name", config.Default("scope"), config.Low, config.Doc("Where in a token its scope is."))
	d.String(bearerPrefix+"sub.claim.name", config.Default("sub"), config.Low, config.Doc("Where in a token its subject is."))
}

// clientText is what the documentation says about a key of the worker's own Kafka clients, whose definition is theirs.
type clientText struct {
	name       string
	importance config.Importance
	doc        string
}

// clientTexts are the keys of Kafka clients that are worker keys as well.
var clientTexts = []clientText{
	{"security.protocol", config.Medium, "How connections to Kafka are protected."},
	{"sasl.mechanism", config.Medium, "How the worker shows Kafka who it is. Supported are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512; the others, the default among them, are refused where SASL is used."},
	{"sasl.jaas.config", config.Medium, "Name and password for that, as a JAAS line with PlainLoginModule or ScramLoginModule."},
	{"ssl.truststore.type", config.Medium, "Form of the trusted certificates. PEM is supported, and others are refused where a store is given."},
	{"ssl.truststore.location", config.High, "File with the trusted certificates. Without one they are the system's."},
	{"ssl.truststore.certificates", config.High, "The trusted certificates themselves, instead of a file."},
	{"ssl.keystore.type", config.Medium, "Form of the worker's own certificate. PEM is supported, and others are refused where a store is given."},
	{"ssl.keystore.location", config.High, "File with the worker's own certificate and its private key."},
	{"ssl.keystore.certificate.chain", config.High, "The certificate itself, instead of a file."},
	{"ssl.keystore.key", config.High, "Its private key, without a password."},
	{"ssl.enabled.protocols", config.Medium, "Versions of TLS that the worker speaks."},
	{"ssl.cipher.suites", config.Low, "Cipher suites of TLS 1.2; empty for those that Go thinks safe. Those of TLS 1.3 are always all."},
	{"ssl.endpoint.identification.algorithm", config.Low, "Whether a broker's certificate must be for its host name: https for yes, empty for no."},
	{"metadata.max.age.ms", config.Low, "After how long the worker asks anew which brokers and partitions there are, in milliseconds."},
	{"retry.backoff.ms", config.Low, "Pause before a request is tried again, in milliseconds. It doubles each time."},
	{"retry.backoff.max.ms", config.Low, "The longest such pause."},
	{"socket.connection.setup.timeout.ms", config.Low, "How long connecting may take, in milliseconds."},
	{"connections.max.idle.ms", config.Medium, "After how long an unused connection is closed, in milliseconds. At most 15 minutes."},
	{"send.buffer.bytes", config.Medium, "Size of a connection's buffer for sending. It is the system's unless it is set."},
	{"receive.buffer.bytes", config.Medium, "Size of a connection's buffer for receiving. It is the system's unless it is set."},
	{"reconnect.backoff.ms", config.Low, ""},
	{"reconnect.backoff.max.ms", config.Low, ""},
	{"socket.connection.setup.timeout.max.ms", config.Low, ""},
	{"metadata.recovery.strategy", config.Low, ""},
	{"metadata.recovery.rebootstrap.trigger.ms", config.Low, ""},
	{"ssl.protocol", config.Medium, ""},
	{"ssl.provider", config.Medium, ""},
	{"ssl.keymanager.algorithm", config.Low, ""},
	{"ssl.trustmanager.algorithm", config.Low, ""},
	{"ssl.secure.random.implementation", config.Low, ""},
	{"ssl.truststore.password", config.High, "Stores in PEM form have none: it is not read."},
	{"ssl.keystore.password", config.High, "Stores in PEM form have none: it is not read."},
	{"ssl.key.password", config.High, "Not read: private keys with a password are refused."},
	{"sasl.kerberos.service.name", config.Medium, noLoginText},
	{"sasl.kerberos.kinit.cmd", config.Low, noLoginText},
	{"sasl.kerberos.min.time.before.relogin", config.Low, noLoginText},
	{"sasl.kerberos.ticket.renew.jitter", config.Low, noLoginText},
	{"sasl.kerberos.ticket.renew.window.factor", config.Low, noLoginText},
	{"ssl.engine.factory.class", config.Low, noClass},
	{"sasl.client.callback.handler.class", config.Medium, noClass},
	{"sasl.login.class", config.Medium, noClass},
	{"sasl.login.callback.handler.class", config.Medium, noClass},
}

const (
	noLoginText = "Not read: " + noLogin + "."
	noClass     = "A Java class, which is refused where it would be used."
)

// clientKeys describes the keys of the worker's own clients. What has no effect says so, in the clients' words.
func clientKeys() []config.KeyInfo {
	out := make([]config.KeyInfo, 0, len(clientTexts))
	for _, t := range clientTexts {
		info, ok := kafka.AdminDef().Lookup(t.name)
		if !ok {
			panic("app: no Kafka client has the key " + t.name)
		}
		info.Importance, info.Doc = t.importance, t.doc
		if reason := noteOn(info); reason != "" {
			info.Doc = "No effect: " + reason + "."
		}
		out = append(out, info)
	}
	return out
}

// noteOn returns what a client notes when the key is given, empty if nothing.
func noteOn(info config.KeyInfo) string {
	value := "x"
	if info.Default != nil {
		value = *info.Default
	}
	admin, err := kafka.NewAdmin(map[string]string{bootstrapKey: "127.0.0.1:1", info.Name: value}, nil)
	if err != nil {
		return ""
	}
	for _, n := range admin.Notes() {
		if n.Key == info.Name {
			return strings.TrimSuffix(n.Reason, ".")
		}
	}
	return ""
}
