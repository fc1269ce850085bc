package rest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

// Headers of requests between workers (KIP-507).
const (
	signatureHeader = "X-Connect-Authorization"
	algorithmHeader = "X-Connect-Request-Signature-Algorithm"
)

// macs returns the hash behind a MAC algorithm, by its name in Java, or nil.
func macs(algorithm string) func() hash.Hash {
	switch strings.ToLower(algorithm) {
	case "hmacmd5":
		return md5.New
	case "hmacsha1":
		return sha1.New
	case "hmacsha224":
		return sha256.New224
	case "hmacsha256":
		return sha256.New
	case "hmacsha384":
		return sha512.New384
	case "hmacsha512":
		return sha512.New
	case "hmacsha512/224":
		return sha512.New512_224
	case "hmacsha512/256":
		return sha512.New512_256
	case "hmacsha3-224":
		return func() hash.Hash { return sha3.New224() }
	case "hmacsha3-256":
		return func() hash.Hash { return sha3.New256() }
	case "hmacsha3-384":
		return func() hash.Hash { return sha3.New384() }
	case "hmacsha3-512":
		return func() hash.Hash { return sha3.New512() }
	default:
		return nil
	}
}

// sign adds the signature of a body to a request.
func sign(h http.Header, algorithm string, key, body []byte) error {
	hashed := macs(algorithm)
	if hashed == nil {
		return fmt.Errorf("sign a request to the leader: Algorithm %s not available", algorithm)
	}
	h.Set(signatureHeader, base64.StdEncoding.EncodeToString(macOf(hashed, key, body)))
	h.Set(algorithmHeader, algorithm)
	return nil
}

func macOf(hashed func() hash.Hash, key, body []byte) []byte {
	m := hmac.New(hashed, key)
	m.Write(body)
	return m.Sum(nil)
}

// signature is what a request says about its sender.
type signature struct {
	algorithm string
	hash      func() hash.Hash
	mac       []byte
}

// readSignature returns nil if a request has no complete signature.
func readSignature(h http.Header) (*signature, error) {
	text, algorithm := h[signatureHeader], h[algorithmHeader]
	if len(text) == 0 || len(algorithm) == 0 {
		return nil, nil //nolint:nilnil // no signature is no error before it is known whether one is needed
	}
	s := &signature{algorithm: algorithm[0], hash: macs(algorithm[0])}
	if s.hash == nil {
		return nil, refused("Algorithm %s not available", s.algorithm)
	}
	var err error
	s.mac, err = decodeBase64(text[0])
	return s, err
}

// decodeBase64 decodes with or without padding, and complains in Java's words.
func decodeBase64(text string) ([]byte, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range len(text) {
		if c := text[i]; c != '=' && strings.IndexByte(alphabet, c) < 0 {
			return nil, refused("Illegal base64 character %x", c)
		}
	}
	out, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, refused("Input byte array has wrong 4-byte ending unit")
	}
	return out, nil
}

// verify checks that a worker of the group has sent a body. s may be nil.
func (s *signature) verify(body []byte, allowed []string, keys []store.SessionKey) error {
	switch {
	case s == nil:
		return refused("Internal request missing required signature")
	case !slices.Contains(allowed, s.algorithm):
		return refused("This worker does not support the '%s' key signing algorithm used by other workers. This worker is currently configured to use: [%s]. "+
			"Check that all workers' configuration files permit the same set of signature algorithms, and correct any misconfigured worker and restart it.",
			s.algorithm, strings.Join(allowed, ", "))
	case len(keys) == 0:
		return &herder.Error{
			Kind:    herder.Unavailable,
			Message: "This worker is still starting up and has not been able to read a session key from the config topic yet",
		}
	}
	for _, key := range keys {
		if hmac.Equal(s.mac, macOf(s.hash, key.Key, body)) {
			return nil
		}
	}
	return forbidden("Internal request contained invalid signature.")
}

func refused(format string, args ...any) error {
	return &herder.Error{Kind: herder.BadRequest, Message: fmt.Sprintf(format, args...)}
}

// forbidden is the error of a request that is not what it claims to be.
type forbidden string

// Error implements error.
func (f forbidden) Error() string { return string(f) }
