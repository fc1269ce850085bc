package kafka

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func newTransactor(t *testing.T, bootstrap, id, topic string) *Transactor {
	t.Helper()
	x, err := NewTransactor(map[string]string{bootstrapKey: bootstrap}, "test-configs-leader", id, topic, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

func claim(t *testing.T, x *Transactor) {
	t.Helper()
	if err := x.Claim(limited(t)); err != nil {
		t.Fatal(err)
	}
}

// Every transaction has its end in the topic, so that offsets skip one.
func TestTransactor(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	x := newTransactor(t, bootstrap, unique(t), topic)
	if _, err := x.Write(limited(t), kv("k", "0")); err == nil {
		t.Error("wrote without a claim")
	}
	claim(t, x)
	for i, want := range []int64{0, 3, 5} {
		records := []LogRecord{kv("k", "v")}
		if i == 1 {
			records = append(records, kv("l", "w"))
		}
		if last, err := x.Write(limited(t), records...); err != nil || last != want {
			t.Errorf("write %d: offset %d, %v; want %d", i, last, err, want)
		}
	}
	l, s := newLog(t, bootstrap, topic, func(o *LogOptions) { o.ReadCommitted = true })
	if err := l.Load(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k=v", "k=v", "l=w", "k=v"}, s.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A claim takes the right away from whoever had it, who can claim it back.
func TestTransactorFences(t *testing.T) {
	t.Parallel()
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, nil)
	id := unique(t)
	old, next := newTransactor(t, bootstrap, id, topic), newTransactor(t, bootstrap, id, topic)
	claim(t, old)
	if _, err := old.Write(limited(t), kv("k", "1")); err != nil {
		t.Fatal(err)
	}
	claim(t, next)
	if _, err := old.Write(limited(t), kv("k", "2")); !errors.Is(err, ErrFenced) {
		t.Errorf("the old leader: %v, want %v", err, ErrFenced)
	}
	if _, err := old.Write(limited(t), kv("k", "3")); err == nil || errors.Is(err, ErrFenced) {
		t.Errorf("the old leader once more: %v, want that it has no claim", err)
	}
	if _, err := next.Write(limited(t), kv("k", "4")); err != nil {
		t.Error(err)
	}
	claim(t, old)
	if _, err := old.Write(limited(t), kv("k", "5")); err != nil {
		t.Error(err)
	}
	l, s := newLog(t, bootstrap, topic, func(o *LogOptions) { o.ReadCommitted = true })
	if err := l.Load(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k=1", "k=4", "k=5"}, s.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a failed write leaves must not hold up readers.
func TestTransactorAborts(t *testing.T) {
	t.Parallel()
	b := onlyEmbedded(t)
	topic := newTopic(t, admin(t, b.Bootstrap), 1, nil)
	x := newTransactor(t, b.Bootstrap, unique(t), topic)
	claim(t, x)
	b.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.UnknownServerError.Code
		return resp, nil, true
	})
	if _, err := x.Write(limited(t), kv("k", "1")); !errors.Is(err, kerr.UnknownServerError) {
		t.Fatalf("Write: %v", err)
	}
	l, s := newLog(t, b.Bootstrap, topic, func(o *LogOptions) { o.ReadCommitted = true })
	startLog(t, l)
	claim(t, x)
	if _, err := x.Write(limited(t), kv("k", "2")); err != nil {
		t.Fatal(err)
	}
	if err := l.ReadToEnd(limited(t)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k=2"}, s.texts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
