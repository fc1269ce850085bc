package kafka

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/config"
)

// Bounds that franz-go sets to what Java leaves open.
const (
	maxIdle        = 15 * time.Minute
	minIdle        = 100 * time.Millisecond
	maxMetadataAge = time.Hour
	minMetadataAge = 10 * time.Millisecond
	minRequest     = 100 * time.Millisecond
	maxRequest     = 15 * time.Minute
)

// options returns what the common keys come to.
func (c *common) options(s *settings, log *slog.Logger) []kgo.Opt {
	backoff := c.backoff(s)
	age := millis(c.metadataMaxAge.Of(s.Values), minMetadataAge, maxMetadataAge)
	request := c.request(s)
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.seeds(s)...),
		kgo.ClientID(c.clientID.Of(s.Values)),
		kgo.SoftwareNameAndVersion("millrace", "0"),
		kgo.MetadataMaxAge(age),
		// How soon a missing topic is looked for again.
		kgo.MetadataMinAge(min(age, max(backoff(maxBackoffShift), minMetadataAge))),
		kgo.RetryBackoffFn(backoff),
		kgo.RequestTimeoutOverhead(request),
		kgo.ConnIdleTimeout(c.idleTimeout(s)),
		kgo.WithLogger(bridge{log}),
		kgo.WithHooks(newReachability(log)),
	}
	if !c.metricsPush.Of(s.Values) {
		opts = append(opts, kgo.DisableClientMetrics())
	}
	return append(opts, c.security(s)...)
}

func (c *common) request(s *settings) time.Duration {
	return millis(int64(c.requestTimeout.Of(s.Values)), minRequest, maxRequest)
}

// idleTimeout maps Java's negative "never" to the longest that franz-go knows.
func (c *common) idleTimeout(s *settings) time.Duration {
	if ms := c.idle.Of(s.Values); ms >= 0 {
		return millis(ms, minIdle, maxIdle)
	}
	return maxIdle
}

// millis turns a number of milliseconds, which may be as large as Java's "for ever", into a duration within bounds.
func millis(ms int64, low, high time.Duration) time.Duration {
	if ms > high.Milliseconds() {
		return high
	}
	return max(time.Duration(ms)*time.Millisecond, low)
}

// address is what Java takes for an address: an optional protocol, a host, perhaps an IPv6 address in brackets, and a port.
var address = regexp.MustCompile(`^(?:[a-zA-Z]+://)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$`)

func (c *common) seeds(s *settings) []string {
	var out []string
	for _, a := range c.bootstrap.Of(s.Values) {
		m := address.FindStringSubmatch(a)
		if len(m) == 0 || m[1] == "" {
			s.refused = append(s.refused, &config.Error{Key: bootstrapKey, Value: a, Message: "Invalid url in " + bootstrapKey + ": " + a})
			continue
		}
		if _, err := strconv.ParseUint(m[2], 10, 16); err != nil {
			s.refused = append(s.refused, &config.Error{Key: bootstrapKey, Value: a, Message: "Invalid port in " + bootstrapKey + ": " + a})
			continue
		}
		out = append(out, net.JoinHostPort(m[1], m[2]))
	}
	return out
}

// maxBackoffShift is the number of failures after which a pause no longer grows.
const maxBackoffShift = 20

// backoff doubles from retry.backoff.ms to retry.backoff.max.ms, off by a fifth either way, so that many tasks do not knock
// at a broker that comes back all at once.
func (c *common) backoff(s *settings) func(int) time.Duration {
	const jitter = 0.2
	high := millis(c.retryBackoffMax.Of(s.Values), 0, maxRequest)
	low := min(millis(c.retryBackoff.Of(s.Values), 0, maxRequest), high)
	return func(fails int) time.Duration {
		d := low << min(max(fails-1, 0), maxBackoffShift)
		return time.Duration(float64(min(d, high)) * (1 - jitter + 2*jitter*rand.Float64())) //nolint:gosec // no secret
	}
}

// dial opens connections with the socket settings. Buffers are left to the system, which grows them as needed, unless they are given:
// Java's defaults are smaller than what a system of today chooses by itself.
func (c *common) dial(s *settings) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: millis(c.dialTimeout.Of(s.Values), minRequest, maxRequest)}
	send, receive := -1, -1
	if s.given(c.sendBuffer.Name()) {
		send = int(c.sendBuffer.Of(s.Values))
	}
	if s.given(c.receiveBuffer.Name()) {
		receive = int(c.receiveBuffer.Of(s.Values))
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			setBuffers(tcp, send, receive)
		}
		return conn, err
	}
}

// setBuffers asks for buffer sizes. The system may refuse or bound them, which is no reason to do without the connection.
func setBuffers(c *net.TCPConn, send, receive int) {
	if send > 0 {
		_ = c.SetWriteBuffer(send)
	}
	if receive > 0 {
		_ = c.SetReadBuffer(receive)
	}
}
