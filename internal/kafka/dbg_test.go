package kafka
import ("testing";"strings";"fmt";"os";"log/slog";"github.com/twmb/franz-go/pkg/kgo")
func TestDbg(t *testing.T) {
	bootstrap := startBroker(t)
	topic := newTopic(t, admin(t, bootstrap), 1, map[string]string{"max.message.bytes": "10000"})
	p := connectProducerLog(t, bootstrap, map[string]string{"compression.type": "gzip"}, slog.New(slog.NewTextHandler(os.Stderr,&slog.HandlerOptions{Level:slog.LevelDebug})))
	s := p.Sender(func(r *kgo.Record, err error) { fmt.Println("PROMISE", string(r.Value[:1]), len(r.Value), r.Offset, err) })
	for _, v := range []string{"a", "b", "c"} {
		s.Produce(t.Context(), record(topic, v))
		s.Produce(t.Context(), record(topic, v+strings.Repeat("x", 100_000)))
	}
	p.Flush(t.Context())
}
