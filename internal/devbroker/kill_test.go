package devbroker

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// childDir is the environment variable that makes the test binary a broker with that folder.
const childDir = "DEVBROKER_TEST_CHILD_DIR"

// serveChild runs a broker until its standard input ends or the process is killed. It prints where it is.
func serveChild(dir string) int {
	b, err := New(Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-b.Ready()
		fmt.Println(b.Bootstrap()) //nolint:forbidigo // read by the parent
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	if err := b.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestKillLosesNothingAcknowledged kills a broker in another process while records pour in.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe() // held open: the child would end with it
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	bootstrap, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	acked := pourUntil(t, strings.TrimSpace(bootstrap), 5_000, func() {
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	_ = child.Wait() // killed

	b := start(t, Options{Dir: dir})
	have := map[string]bool{}
	for _, k := range keys(t, b.Bootstrap(), "t") {
		have[k] = true
	}
	for _, k := range acked {
		if !have[k] {
			t.Fatalf("record %s of %d acknowledged ones is lost", k, len(acked))
		}
	}
}

// pourUntil produces numbered records, calls kill once after so many acknowledgements and returns the keys of all that were
// acknowledged.
func pourUntil(t *testing.T, bootstrap string, after int, kill func()) []string {
	t.Helper()
	c := client(t, bootstrap, kgo.AllowAutoTopicCreation(), kgo.DisableIdempotentWrite(),
		kgo.MaxProduceRequestsInflightPerBroker(1), kgo.ProducerLinger(0))
	ctx, cancel := context.WithCancel(limit(t))
	defer cancel()
	var mu sync.Mutex
	var acked []string
	for i := 0; ctx.Err() == nil; i++ {
		r := &kgo.Record{Topic: "t", Key: []byte(strconv.Itoa(i)), Value: make([]byte, 100)}
		c.Produce(ctx, r, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				return
			}
			acked = append(acked, string(r.Key))
			if len(acked) == after {
				kill()
				cancel()
			}
		})
	}
	c.Close()
	mu.Lock()
	defer mu.Unlock()
	if len(acked) < after {
		t.Fatalf("only %d records were acknowledged", len(acked))
	}
	return acked
}
