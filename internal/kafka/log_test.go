package kafka

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/internal/devbroker"
)

// TestReachability: one line when Kafka goes, one when it is back, none for the attempts in between.
func TestReachability(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var out buffer
	a, err := NewAdmin(map[string]string{
		"bootstrap.servers": addr.String(), "retry.backoff.ms": "5", "retry.backoff.max.ms": "5",
	}, textLog(&out))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	asked := make(chan error, 1)
	ctx := limited(t)
	go func() {
		var err error
		for {
			if _, err = a.ClusterID(ctx); err == nil || ctx.Err() != nil {
				break
			}
		}
		asked <- err
	}()
	gone := fmt.Sprintf("level=WARN msg=\"cannot reach Kafka at %s: connection refused; trying again\"", addr)
	until(t, "the loss is logged", func() bool { return strings.Contains(out.String(), gone) })
	until(t, "there were more attempts", func() bool { return strings.Count(out.String(), "unable to open connection") > 5 })

	b, err := devbroker.New(devbroker.Options{Port: addr.Port})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	back := fmt.Sprintf("level=INFO msg=\"Kafka at %s is back\"", addr)
	got := out.String()
	for _, line := range []string{gone, back} {
		if n := strings.Count(got, line); n != 1 {
			t.Errorf("%d times: %s", n, line)
		}
	}
	for line := range strings.Lines(got) {
		if strings.Contains(line, "level=WARN") && !strings.Contains(line, gone) {
			t.Errorf("another warning: %s", line)
		}
	}
}

func TestBridge(t *testing.T) {
	t.Parallel()
	var out buffer
	b := bridge{textLog(&out)}
	b.Log(kgo.LogLevelWarn, "join group failed", "err", errors.New("no"))
	b.Log(kgo.LogLevelError, "group manage loop errored", "err", &net.OpError{Op: "dial", Err: errors.New("refused")})
	b.Log(kgo.LogLevelInfo, "joined")
	want := []string{
		`level=WARN msg="Kafka client: join group failed" err=no`,
		`level=DEBUG msg="Kafka client: group manage loop errored" err="dial: refused"`,
		`level=DEBUG msg="Kafka client: joined"`,
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if !strings.HasSuffix(line, want[i]) {
			t.Errorf("got %s, want %s", line, want[i])
		}
	}
	if l := (bridge{discard(nil)}).Level(); l != kgo.LogLevelWarn {
		t.Errorf("level without debug: %v", l)
	}
	r := newReachability(textLog(&out))
	for range 3 {
		r.OnBrokerConnect(kgo.BrokerMetadata{Host: "h", Port: 1}, time.Second, nil, errors.New("no route"))
	}
	if n := strings.Count(out.String(), "cannot reach Kafka at h:1: no route; trying again"); n != 1 {
		t.Errorf("%d lines about h:1", n)
	}
}
