package kafka

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-io/millrace/internal/devbroker/brokertest"
)

func TestParseJAAS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]login{
		plainModule + ` required username="u" password="p";`:                           {user: "u", password: "p"},
		plainModule + " required\n\tusername=\"a b\" password=\"q\\\"\\\\;\" ; // end": {user: "a b", password: `q"\;`},
		plainModule + ` REQUIRED user_x="y" username='u' password=plain ;`:             {user: "u", password: "plain"},
		"/* who */ " + plainModule + ` optional password="p" username="u" debug=true;`: {user: "u", password: "p"},
		plainModule + ` required username="u" password="p" tokenauth="TRUE";`:          {user: "u", password: "p", token: true},
	} {
		got, err := parseJAAS(text, plainModule)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestJAASErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "must be set to an entry",
		plainModule + ` required username="u" password="secret"`:                         "semicolon",
		scramModule + ` required username="u" password="secret";`:                        "the mechanism needs " + plainModule,
		plainModule + ` username="u" password="secret";`:                                 "control flag",
		plainModule + ` required username="u password=secret;`:                           "quote that is not closed",
		plainModule + ` required password="secret";`:                                     "no username",
		plainModule + ` required username "u" "secret";`:                                 "not of the form",
		plainModule + ` required username="u" password="secret"; ` + plainModule + ` x;`: "more than one",
	} {
		_, err := parseJAAS(text, plainModule)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is in the error: %v", text, err)
		}
	}
}

func TestSASL(t *testing.T) {
	t.Parallel()
	for mechanism, module := range map[string]string{plainMechanism: plainModule, scram256: scramModule, scram512: scramModule} {
		b := brokertest.Start(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "u", "p"))
		for password, ok := range map[string]bool{"p": true, "wrong": false} {
			a, err := NewAdmin(map[string]string{
				"bootstrap.servers":      b.Bootstrap,
				"security.protocol":      "sasl_plaintext",
				"sasl.mechanism":         mechanism,
				"sasl.jaas.config":       module + ` required username="u" password="` + password + `";`,
				"default.api.timeout.ms": "1",
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := a.ClusterID(limited(t)); (err == nil) != ok {
				t.Errorf("%s with password %s: %v", mechanism, password, err)
			}
			a.Close()
		}
	}
}

// TestTLS connects to a broker that wants to see a certificate, in all ways of giving stores.
func TestTLS(t *testing.T) {
	t.Parallel()
	ca, caKey := issue(t, "ca", nil, nil)
	server, serverKey := issue(t, "127.0.0.1", ca, caKey)
	user, userKey := issue(t, "user", ca, caKey)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	b := brokertest.Start(t, kfake.TLS(&tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
	}))
	trust, chain, key := certPEM(ca), certPEM(user), keyPEM(t, userKey)
	dir := t.TempDir()
	trustFile, keyFile := filepath.Join(dir, "trust.pem"), filepath.Join(dir, "key.pem")
	for name, text := range map[string]string{trustFile: trust, keyFile: key + chain} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inline := map[string]string{
		"bootstrap.servers": b.Bootstrap, "security.protocol": "SSL", "default.api.timeout.ms": "1",
		"ssl.truststore.type": "PEM", "ssl.truststore.certificates": trust,
		"ssl.keystore.type": "pem", "ssl.keystore.certificate.chain": chain, "ssl.keystore.key": key,
	}
	files := map[string]string{
		"bootstrap.servers": b.Bootstrap, "security.protocol": "SSL", "default.api.timeout.ms": "1",
		"ssl.truststore.type": "PEM", "ssl.truststore.location": trustFile,
		"ssl.keystore.type": "PEM", "ssl.keystore.location": keyFile,
	}
	other, otherKey := issue(t, "other-ca", nil, nil)
	stranger, strangerKey := issue(t, "user", other, otherKey)
	_, port, _ := net.SplitHostPort(b.Bootstrap)
	for _, c := range []struct {
		name  string
		props map[string]string
		ok    bool
	}{
		{"inline", inline, true},
		{"files", files, true},
		{"TLS 1.2 with a suite", with(inline, map[string]string{
			"ssl.enabled.protocols": "TLSv1.2", "ssl.cipher.suites": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
		}), true},
		{"other authority", with(inline, map[string]string{"ssl.truststore.certificates": certPEM(other)}), false},
		{"no certificate", map[string]string{
			"bootstrap.servers": b.Bootstrap, "security.protocol": "SSL", "default.api.timeout.ms": "1",
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": trust,
		}, false},
		{"certificate of a stranger", with(inline, map[string]string{
			"ssl.keystore.certificate.chain": certPEM(stranger), "ssl.keystore.key": keyPEM(t, strangerKey),
		}), false},
		{"other host name", with(inline, map[string]string{"bootstrap.servers": "localhost:" + port}), false},
		{"other host name, not verified", with(inline, map[string]string{
			"bootstrap.servers": "localhost:" + port, "ssl.endpoint.identification.algorithm": "",
		}), true},
		{"not verified, but of another authority", with(inline, map[string]string{
			"ssl.endpoint.identification.algorithm": "", "ssl.truststore.certificates": certPEM(other),
		}), false},
	} {
		a, err := NewAdmin(c.props, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, err := a.ClusterID(limited(t)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		a.Close()
	}
}

func TestUnusableStores(t *testing.T) {
	t.Parallel()
	base := map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.keystore.type": "PEM"}
	for _, c := range []struct{ key, value, want string }{
		{"ssl.truststore.certificates", "xx", "Configuration 'ssl.truststore.certificates' holds no certificate in PEM form."},
		{"ssl.truststore.location", "/nowhere", "Configuration 'ssl.truststore.location' cannot be read: open /nowhere: no such file or directory."},
		{
			"ssl.keystore.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
			"Configuration 'ssl.keystore.key' holds an encrypted private key; only keys without a password are supported.",
		},
	} {
		err := producerError(with(base, map[string]string{c.key: c.value}))
		if err == nil {
			t.Errorf("%s was accepted", c.key)
			continue
		}
		if diff := cmp.Diff(c.want, err.Error()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

// issue makes a certificate for a host name or address, signed by another one or by itself.
func issue(t *testing.T, name string, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  parent == nil,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func certPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func keyPEM(t *testing.T, k *ecdsa.PrivateKey) string {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}
