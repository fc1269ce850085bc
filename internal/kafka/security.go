package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace-io/millrace/connect/config"
)

// pemType is the one store type that is read, in any case of letters.
const pemType = "PEM"

// security returns how connections are opened and who the client is.
func (c *common) security(s *settings) []kgo.Opt {
	protocol := strings.ToUpper(c.protocol.Of(s.Values))
	dial := c.dial(s)
	if protocol == "SSL" || protocol == "SASL_SSL" {
		if conf := c.tls(s); conf != nil {
			dial = overTLS(dial, conf)
		}
	}
	opts := []kgo.Opt{kgo.Dialer(dial)}
	if strings.HasPrefix(protocol, "SASL_") {
		if m := c.sasl(s); m != nil {
			opts = append(opts, kgo.SASL(m))
		}
	}
	return opts
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// overTLS shakes hands on what dial opens. The name to verify is the host that the client was told to connect to.
func overTLS(dial dialFunc, conf *tls.Config) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		own := conf.Clone()
		own.ServerName = host
		t := tls.Client(conn, own)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS handshake with %s: %w", addr, err), conn.Close())
		}
		return t, nil
	}
}

// tls reads the ssl.* keys. It returns nil if one of them was refused.
func (c *common) tls(s *settings) *tls.Config {
	before := len(s.refused)
	if engine, ok := c.engine.Lookup(s.Values); ok {
		s.refuse(c.engine.Name(), "names the Java class %s, which cannot run in this worker.", engine)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	c.versions(s, conf)
	c.suites(s, conf)
	conf.RootCAs = c.roots(s)
	conf.Certificates = c.certificates(s)
	switch name := c.endpoint.Of(s.Values); strings.ToLower(name) {
	case "https":
	case "":
		skipHostName(conf)
	default:
		s.refuse(c.endpoint.Name(), "must be https or empty, not %s.", name)
	}
	if len(s.refused) > before {
		return nil
	}
	return conf
}

var tlsVersions = map[string]uint16{
	"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13,
}

func (c *common) versions(s *settings, conf *tls.Config) {
	var versions []uint16
	for _, name := range c.protocols.Of(s.Values) {
		v, ok := tlsVersions[name]
		if !ok {
			s.refuse(c.protocols.Name(), "may hold TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3, not %s.", name)
			continue
		}
		versions = append(versions, v)
	}
	if len(versions) > 0 {
		conf.MinVersion, conf.MaxVersion = slices.Min(versions), slices.Max(versions)
	}
}

// suites restricts the cipher suites of TLS 1.2 and older. Those of TLS 1.3 cannot be chosen in Go; naming them is accepted.
func (c *common) suites(s *settings, conf *tls.Config) {
	known := map[string]uint16{}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		known[suite.Name] = suite.ID
	}
	for _, name := range c.ciphers.Of(s.Values) {
		id, ok := known[name]
		if !ok {
			s.refuse(c.ciphers.Name(), "names the cipher suite %s, which is not supported.", name)
			continue
		}
		conf.CipherSuites = append(conf.CipherSuites, id)
	}
}

// skipHostName verifies the certificate's chain, but not for whom it was issued.
func skipHostName(conf *tls.Config) {
	conf.InsecureSkipVerify = true //nolint:gosec // VerifyConnection does the rest
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: conf.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(opts)
		return err
	}
}

// roots returns the trusted authorities, nil for the system's.
func (c *common) roots(s *settings) *x509.CertPool {
	inline, given := c.trustPEM.Lookup(s.Values)
	path, file := c.trustPath.Lookup(s.Values)
	if !given && !file {
		return nil
	}
	if !c.isPEM(s, c.trustType.Name(), c.trustType.Of(s.Values)) {
		return nil
	}
	text := []byte(inline.Reveal())
	if !given {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			s.refuse(c.trustPath.Name(), "cannot be read: %v.", err)
			return nil
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		s.refuse(pick(given, c.trustPEM.Name(), c.trustPath.Name()), "holds no certificate in PEM form.")
	}
	return pool
}

// certificates returns the client's own certificate, if it has one.
func (c *common) certificates(s *settings) []tls.Certificate {
	chain, hasChain := c.chainPEM.Lookup(s.Values)
	key, hasKey := c.keyPEM.Lookup(s.Values)
	path, file := c.keyPath.Lookup(s.Values)
	if !hasChain && !hasKey && !file {
		return nil
	}
	if !c.isPEM(s, c.keyType.Name(), c.keyType.Of(s.Values)) {
		return nil
	}
	where := c.keyPEM.Name()
	chainText, keyText := []byte(chain.Reveal()), []byte(key.Reveal())
	if file {
		where = c.keyPath.Name()
		text, err := os.ReadFile(path)
		if err != nil {
			s.refuse(where, "cannot be read: %v.", err)
			return nil
		}
		chainText, keyText = text, text
	}
	if encrypted(keyText) {
		s.refuse(where, "holds an encrypted private key; only keys without a password are supported.")
		return nil
	}
	cert, err := tls.X509KeyPair(chainText, keyText)
	if err != nil {
		s.refuse(where, "holds no usable certificate and private key: %s.", strings.TrimPrefix(err.Error(), "tls: "))
		return nil
	}
	return []tls.Certificate{cert}
}

func (c *common) isPEM(s *settings, key, typ string) bool {
	if strings.EqualFold(typ, pemType) {
		return true
	}
	s.refuse(key, "is %s, and only PEM stores are supported; set it to PEM and give a store in PEM form.", typ)
	return false
}

func encrypted(text []byte) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return true
		}
	}
	return false
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// Mechanisms and the login modules that go with them.
const (
	plainMechanism = "PLAIN"
	scram256       = "SCRAM-SHA-256"
	scram512       = "SCRAM-SHA-512"
	plainModule    = "org.apache.kafka.common.security.plain.PlainLoginModule"
	scramModule    = "org.apache.kafka.common.security.scram.ScramLoginModule"
)

// sasl reads the sasl.* keys. It returns nil if one of them was refused.
func (c *common) sasl(s *settings) sasl.Mechanism {
	for _, k := range []interface {
		Name() string
		Lookup(v config.Values) (string, bool)
	}{c.callback, c.loginClass, c.loginBack} {
		if class, ok := k.Lookup(s.Values); ok {
			s.refuse(k.Name(), "names the Java class %s, which cannot run in this worker.", class)
			return nil
		}
	}
	mechanism := c.mechanism.Of(s.Values)
	module := scramModule
	switch mechanism {
	case plainMechanism:
		module = plainModule
	case scram256, scram512:
	default:
		s.refuse(c.mechanism.Name(), "is %s; supported are PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.", mechanism)
		return nil
	}
	login, err := parseJAAS(c.jaas.Of(s.Values).Reveal(), module)
	if err != nil {
		s.refuse(c.jaas.Name(), "%v.", err)
		return nil
	}
	switch mechanism {
	case scram256:
		return scram.Auth{User: login.user, Pass: login.password, IsToken: login.token}.AsSha256Mechanism()
	case scram512:
		return scram.Auth{User: login.user, Pass: login.password, IsToken: login.token}.AsSha512Mechanism()
	default:
		return plain.Auth{User: login.user, Pass: login.password}.AsMechanism()
	}
}
