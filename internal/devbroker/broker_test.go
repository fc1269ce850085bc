package devbroker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(serveChild(dir))
	}
	goleak.VerifyTestMain(m)
}

// running is a broker that a test started, and how to stop it.
type running struct {
	*Broker
	stop func() // returns when the broker is down; fails the test if it did not end well
}

func start(t *testing.T, o Options, tweak ...func(*Broker)) running {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tweak {
		f(b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	select {
	case <-b.Ready():
	case err := <-done:
		t.Fatalf("Run: %v", err)
	}
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return running{b, stop}
}

// refused runs a broker that is expected not to start and returns its error's text.
func refused(t *testing.T, o Options) string {
	t.Helper()
	b, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err = b.Run(limit(t)); err == nil {
		t.Fatal("Run returned nil, want an error")
	}
	return err.Error()
}

func client(t *testing.T, bootstrap string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := limit(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited too long until %s", what)
		case <-tick.C:
		}
	}
}

func createTopic(t *testing.T, c *kgo.Client, topic string, configs map[string]*string) {
	t.Helper()
	if _, err := kadm.NewClient(c).CreateTopic(limit(t), 1, 1, configs, topic); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, c *kgo.Client, recs ...*kgo.Record) {
	t.Helper()
	if err := c.ProduceSync(limit(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// keys reads the topic's only partition to its end.
func keys(t *testing.T, bootstrap, topic string) []string {
	t.Helper()
	c := client(t, bootstrap, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	defer c.Close()
	ctx := limit(t)
	ends, err := kadm.NewClient(c).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	starts, err := kadm.NewClient(c).ListStartOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(topic, 0)
	begin, _ := starts.Lookup(topic, 0)
	var got []string
	for next := begin.Offset; next < end.Offset; {
		f := c.PollFetches(ctx)
		if err := errors.Join(ctx.Err(), f.Err()); err != nil {
			t.Fatal(err)
		}
		f.EachRecord(func(r *kgo.Record) {
			got = append(got, string(r.Key))
			next = r.Offset + 1
		})
	}
	return got
}

func ptr(s string) *string { return &s }

var compacted = map[string]*string{"cleanup.policy": ptr("compact")}

func TestAnnouncedVersions(t *testing.T) {
	t.Parallel()
	b := start(t, Options{})
	resp, err := client(t, b.Bootstrap()).Request(limit(t), kmsg.NewPtrApiVersionsRequest())
	if err != nil {
		t.Fatal(err)
	}
	got := map[int16]int16{}
	for _, k := range resp.(*kmsg.ApiVersionsResponse).ApiKeys {
		got[k.ApiKey] = k.MaxVersion
	}
	if v := got[int16(kmsg.CreateTopics)]; v != 4 {
		t.Errorf("CreateTopics is announced up to version %d; Java's admin client understands no answer above 4", v)
	}
	if v, ok := got[int16(kmsg.DescribeTopicPartitions)]; ok {
		t.Errorf("DescribeTopicPartitions is announced up to version %d; Java's admin client cannot read the answer", v)
	}
	if v := got[int16(kmsg.Produce)]; v < 12 {
		t.Errorf("Produce is announced up to version %d; transaction.version=2 needs 12", v)
	}
	if v := got[int16(kmsg.TxnOffsetCommit)]; v < 5 {
		t.Errorf("TxnOffsetCommit is announced up to version %d; transaction.version=2 needs 5", v)
	}
}

func TestOldCompactedRecordsSurvive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Options{Dir: dir}, compactEvery10ms)
	c := client(t, b.Bootstrap())
	createTopic(t, c, "configs", compacted)
	old := time.Now().Add(-30 * 24 * time.Hour)
	// Batches of their own, so that retention could take them; the first key twice, so that compaction has something to do.
	for _, k := range []string{"a", "b", "a", "c"} {
		produce(t, c, &kgo.Record{Topic: "configs", Key: []byte(k), Value: []byte("v"), Timestamp: old})
	}
	produce(t, c, &kgo.Record{Topic: "configs", Key: []byte("new"), Value: []byte("v")})
	until(t, "the superseded record is gone", func() bool { return len(keys(t, b.Bootstrap(), "configs")) == 4 })
	b.stop()

	b = start(t, Options{Dir: dir}, compactEvery10ms)
	until(t, "compaction has run", compactionRan(t, b, "other"))
	if got, want := strings.Join(keys(t, b.Bootstrap(), "configs"), " "), "b a c new"; got != want {
		t.Errorf("keys after a restart: %q, want %q", got, want)
	}
}

func TestOldTimestampTakesNothingAlong(t *testing.T) {
	t.Parallel()
	b := start(t, Options{}, compactEvery10ms)
	c := client(t, b.Bootstrap())
	createTopic(t, c, "events", nil)
	produce(t, c, &kgo.Record{Topic: "events", Key: []byte("now")})
	produce(t, c, &kgo.Record{Topic: "events", Key: []byte("old"), Timestamp: time.UnixMilli(1)})
	until(t, "compaction has run", compactionRan(t, b, "other"))
	if got, want := strings.Join(keys(t, b.Bootstrap(), "events"), " "), "now old"; got != want {
		t.Errorf("keys: %q, want %q", got, want)
	}
}

func compactEvery10ms(b *Broker) { b.compactEvery = 10 * time.Millisecond }

// compactionRan makes a compacted topic with two records of one key and reports, each time it is asked, whether one is gone.
func compactionRan(t *testing.T, b running, topic string) func() bool {
	t.Helper()
	c := client(t, b.Bootstrap())
	createTopic(t, c, topic, compacted)
	for range 3 { // the last batch is never compacted
		produce(t, c, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")})
	}
	return func() bool { return len(keys(t, b.Bootstrap(), topic)) < 3 }
}

func TestCompactionAfterRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Options{Dir: dir})
	c := client(t, b.Bootstrap())
	createTopic(t, c, "statuses", compacted)
	for i := range 200 {
		produce(t, c, &kgo.Record{Topic: "statuses", Key: []byte{'a' + byte(i%4)}, Value: []byte("v")})
	}
	b.stop()

	b = start(t, Options{Dir: dir}, compactEvery10ms)
	until(t, "old values are gone", func() bool { return len(keys(t, b.Bootstrap(), "statuses")) <= 8 })
}

func TestRetentionIsAnnounced(t *testing.T) {
	t.Parallel()
	var out syncBuffer
	b := start(t, Options{Log: slog.New(slog.NewTextHandler(&out, nil))})
	c := client(t, b.Bootstrap())
	createTopic(t, c, "kept", map[string]*string{"retention.ms": ptr("-1")})
	createTopic(t, c, "created", map[string]*string{"retention.ms": ptr("1000")})
	_, err := kadm.NewClient(c).AlterTopicConfigs(limit(t), []kadm.AlterConfig{{Name: "retention.ms", Value: ptr("2000")}}, "kept")
	if err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{"topic=created retention.ms=1000", "topic=kept retention.ms=2000"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("the log does not hold %q once:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "level=WARN"); n != 2 {
		t.Errorf("%d warnings, want 2:\n%s", n, got)
	}
}

func TestSegmentSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Options{Dir: dir})
	c := client(t, b.Bootstrap(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	createTopic(t, c, "big", nil)
	value := make([]byte, 900_000)
	for range 40 {
		produce(t, c, &kgo.Record{Topic: "big", Value: value})
	}
	b.stop()
	var segments int
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "big") {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > 1<<20 {
			segments++
			if info.Size() > 18<<20 {
				t.Errorf("%s holds %d bytes", d.Name(), info.Size())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if segments < 3 {
		t.Errorf("36 MB make %d segments, want at least 3", segments)
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Options{Dir: dir})
	want := fmt.Sprintf("open the embedded broker's data: the folder %s is in use by another process (process %d)", dir, os.Getpid())
	if got := refused(t, Options{Dir: dir}); got != want {
		t.Errorf("second opener: %q, want %q", got, want)
	}
	b.stop()
	start(t, Options{Dir: dir}) // the folder is free again
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	dir := t.TempDir()
	want := fmt.Sprintf("port %d on 127.0.0.1 is taken by another program; stop it or choose another port for the embedded broker", port)
	if got := refused(t, Options{Dir: dir, Port: port}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, markerFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a broker that never ran left its marker: %v", err)
	}
}

func TestUnwritableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := refused(t, Options{Dir: file}), "open the embedded broker's data: the folder "+file+" cannot be written to: not a directory"; got != want {
		t.Errorf("a file: %q, want %q", got, want)
	}
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o500); err != nil { //nolint:gosec // a folder needs x
		t.Fatal(err)
	}
	if got, want := refused(t, Options{Dir: closed}), "open the embedded broker's data: the folder "+closed+" cannot be written to: permission denied"; got != want {
		t.Errorf("a read-only folder: %q, want %q", got, want)
	}
}

func TestPortOutOfRange(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{Port: 70_000}); err == nil {
		t.Error("port 70000 was accepted")
	}
}

func TestAdvertisedHost(t *testing.T) {
	t.Parallel()
	b := start(t, Options{Host: "localhost"})
	if host, _, _ := net.SplitHostPort(b.Bootstrap()); host != "localhost" {
		t.Errorf("bootstrap %s", b.Bootstrap())
	}
	m, err := kadm.NewClient(client(t, b.Bootstrap())).BrokerMetadata(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := net.JoinHostPort(m.Brokers[0].Host, strconv.Itoa(int(m.Brokers[0].Port))); got != b.Bootstrap() {
		t.Errorf("clients are told %s, want %s", got, b.Bootstrap())
	}
}

func TestClusterIDStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id := func() string {
		b := start(t, Options{Dir: dir})
		defer b.stop()
		m, err := kadm.NewClient(client(t, b.Bootstrap())).BrokerMetadata(limit(t))
		if err != nil {
			t.Fatal(err)
		}
		return m.Cluster
	}
	first := id()
	if len(first) != 22 {
		t.Errorf("cluster id %q is not 16 bytes in base64", first)
	}
	if second := id(); second != first {
		t.Errorf("cluster id %q became %q", first, second)
	}
}

// TestTornGroupsLog does what a power loss does: groups.log ends in half an entry. Offsets committed afterwards have to survive
// the next unclean stop, which a copy of the live folder stands for.
func TestTornGroupsLog(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	commit := func(b running, offset int64) {
		t.Helper()
		var o kadm.Offsets
		o.AddOffset("t", 0, offset, -1)
		if err := kadm.NewClient(client(t, b.Bootstrap())).CommitAllOffsets(limit(t), "g", o); err != nil {
			t.Fatal(err)
		}
	}
	b := start(t, Options{Dir: dir})
	createTopic(t, client(t, b.Bootstrap()), "t", nil)
	commit(b, 1)
	b.stop()
	tear(t, filepath.Join(dir, "groups.log"))
	if err := os.WriteFile(filepath.Join(dir, markerFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	b = start(t, Options{Dir: dir})
	commit(b, 2)
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	b = start(t, Options{Dir: copied})
	got, err := kadm.NewClient(client(t, b.Bootstrap())).FetchOffsets(limit(t), "g")
	if err != nil {
		t.Fatal(err)
	}
	if o, _ := got.Lookup("t", 0); o.At != 2 {
		t.Errorf("committed offset is %d after the second crash, want 2", o.At)
	}
}

// tear appends half an entry: a length that promises more than follows.
func tear(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	torn := binary.BigEndian.AppendUint32(nil, 500)
	torn = binary.BigEndian.AppendUint32(torn, crc32.ChecksumIEEE(nil))
	if _, err := f.Write(append(torn, "half"...)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMarker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	marker := filepath.Join(dir, markerFile)
	b := start(t, Options{Dir: dir})
	if _, err := os.Stat(marker); err != nil {
		t.Errorf("no marker while the broker runs: %v", err)
	}
	b.stop()
	if _, err := os.Stat(marker); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the marker outlived a clean stop: %v", err)
	}
}

func TestStateThatCannotBeSavedIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	<-b.Ready()
	if err := os.Mkdir(filepath.Join(dir, "topics.json.tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "save the embedded broker's data in "+dir) {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, markerFile)); err != nil {
		t.Errorf("the marker is gone although the state was not saved: %v", err)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
