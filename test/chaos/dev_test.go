package chaos

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/test/bed"
)

// life is one run of the development mode.
type life struct {
	t    *testing.T
	p    *bed.Process
	rest string
}

var restLine = regexp.MustCompile(`(?m)^REST: (http://\S+)$`)

func startDev(t *testing.T, dir string) *life {
	t.Helper()
	l := &life{t: t, p: bed.Millrace(t, "dev", "--data-dir", dir, "--port", "0", "--kafka-port", "0")}
	l.await("the start", func() bool {
		raw, _ := os.ReadFile(l.p.LogFile())
		if m := restLine.FindSubmatch(raw); m != nil {
			l.rest = string(m[1])
		}
		return l.rest != ""
	})
	return l
}

func (l *life) await(what string, condition func() bool) {
	l.t.Helper()
	bed.Poll(l.t, patience, what, func() (bool, string) { return condition(), "not yet" })
}

func (l *life) request(method, path, body string) string {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.rest+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		l.t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, raw, err)
	}
	return string(raw)
}

// orders reads the numbers of the orders in the sink's file, with how often each is there. A kill may have cut off the last
// line of a life; then the first line of the next one stands behind what is left of it.
func orders(t *testing.T, path string) (counts map[int]int, last, torn int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts = make(map[int]int)
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if i := strings.LastIndex(line, `{"ordertime"`); i > 0 {
			line = line[i:]
			torn++
		}
		var order struct {
			ID *int `json:"orderid"`
		}
		if err := json.Unmarshal([]byte(line), &order); err != nil || order.ID == nil {
			t.Errorf("line %q is no order: %v", s.Text(), err)
			continue
		}
		counts[*order.ID]++
		last = max(last, *order.ID)
	}
	return counts, last, torn
}

// TestDevKilledWhileWriting kills the development mode twenty times while records flow through its broker. Each time it starts
// again with its connectors, and with offsets and records that neither lose nor begin anew.
func TestDevKilledWhileWriting(t *testing.T) {
	t.Parallel()
	const kills = 20
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := filepath.Join(t.TempDir(), "data")
	out := filepath.Join(dir, "orders.jsonl")
	size := func() int64 {
		st, err := os.Stat(out)
		if err != nil {
			return 0
		}
		return st.Size()
	}
	l := startDev(t, dir)
	l.request(http.MethodPut, "/connectors/orders/config", `{"connector.class":"Datagen","kafka.topic":"orders","quickstart":"orders","max.interval":"1"}`)
	l.request(http.MethodPut, "/connectors/file/config", fmt.Sprintf(
		`{"connector.class":"FileStreamSink","topics":"orders","file":%q,"value.converter":"org.apache.kafka.connect.storage.StringConverter"}`, out))
	l.await("a committed offset", func() bool {
		return strings.Contains(l.request(http.MethodGet, "/connectors/orders/offsets", ""), `"partition":`)
	})
	for range kills {
		before, more := size(), rng.Int64N(200_000)
		l.await("records in the file", func() bool { return size() > before+more })
		l.p.Kill()
		l = startDev(t, dir)
		if got, want := l.request(http.MethodGet, "/connectors", ""), `["demo-sink","demo-source","file","orders"]`; got != want {
			t.Fatalf("connectors after a kill: %s, want %s", got, want)
		}
	}
	before := size()
	l.await("records after the last kill", func() bool { return size() > before+100_000 })
	l.p.Kill()

	counts, last, torn := orders(t, out)
	for id := range last + 1 {
		if counts[id] == 0 {
			t.Errorf("order %d of %d is lost", id, last+1)
		}
	}
	if counts[0] != 1 {
		t.Errorf("the first order is there %d times: the committed offset was forgotten", counts[0])
	}
	t.Logf("%d orders, %d lines were cut off by a kill", last+1, torn)
}
