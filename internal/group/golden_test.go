package group

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data/golden"
)

// recording is group.json: lives of groups of Java workers.
type recording struct {
	Captures []capture `json:"captures"`
}

type capture struct {
	Mode       string        `json:"connect_protocol"`
	Group      string        `json:"group"`
	MaxDelay   int64         `json:"scheduled_rebalance_max_delay_ms"`
	Connectors []goldenSetup `json:"connectors"`
	Events     []goldenEvent `json:"events"`
}

type goldenSetup struct {
	Name  string `json:"name"`
	Tasks int    `json:"tasks"`
}

// goldenEvent is a line of the protocol log of one worker. The members that it has depend on the event.
type goldenEvent struct {
	Time        string             `json:"time"`
	Worker      int                `json:"worker"`
	Event       string             `json:"event"`
	MemberID    string             `json:"member_id"`
	Generation  int32              `json:"generation"`
	Protocol    string             `json:"protocol"`
	Leader      string             `json:"leader"`
	Protocols   []goldenMetadata   `json:"protocols"`
	Members     []goldenMetadata   `json:"members"`
	Assignments []goldenAssignment `json:"assignments"`
}

type goldenMetadata struct {
	Name     string `json:"name"`
	MemberID string `json:"member_id"`
	Hex      string `json:"metadata_hex"`
}

type goldenAssignment struct {
	MemberID string `json:"member_id"`
	Hex      string `json:"assignment_hex"`
}

// goldenFile reads group.json from where recordings are taken, see [golden.Cases].
func goldenFile(tb testing.TB) []byte {
	tb.Helper()
	dir, chosen := os.LookupEnv(golden.DirEnv)
	if !chosen {
		dir = "testdata"
	}
	text, err := os.ReadFile(filepath.Join(dir, "group.json"))
	switch {
	case chosen && errors.Is(err, fs.ErrNotExist):
		tb.Skipf("no group.json in the folder of %s", golden.DirEnv)
	case err != nil:
		tb.Fatal(err)
	}
	return text
}

func goldenRecording(tb testing.TB) recording {
	tb.Helper()
	var r recording
	if err := json.Unmarshal(goldenFile(tb), &r); err != nil {
		tb.Fatal(err)
	}
	if len(r.Captures) == 0 {
		tb.Fatal("a recording without captures")
	}
	return r
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// encoded is a pair of bytes and what they mean, at any place of a recording.
type encoded struct {
	raw     []byte
	decoded json.RawMessage
}

// encodedIn collects the pairs <name>_hex and <name> under v.
func encodedIn(tb testing.TB, v any, name string) []encoded {
	tb.Helper()
	var found []encoded
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			found = append(found, encodedIn(tb, e, name)...)
		}
	case map[string]any:
		if s, ok := v[name+"_hex"].(string); ok {
			decoded, err := json.Marshal(v[name])
			if err != nil {
				tb.Fatal(err)
			}
			found = append(found, encoded{unhex(tb, s), decoded})
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			found = append(found, encodedIn(tb, v[key], name)...)
		}
	}
	return found
}

func goldenEncoded(tb testing.TB, name string) []encoded {
	tb.Helper()
	var all any
	if err := json.Unmarshal(goldenFile(tb), &all); err != nil {
		tb.Fatal(err)
	}
	found := encodedIn(tb, all, name)
	if len(found) == 0 {
		tb.Fatalf("a recording without %s_hex", name)
	}
	return found
}

// The decoded forms in recordings.
type (
	jsonMetadata struct {
		Version    Version         `json:"version"`
		URL        string          `json:"url"`
		Offset     int64           `json:"config_offset"`
		Allocation *jsonAssignment `json:"allocation"`
	}
	jsonAssignment struct {
		Version   Version    `json:"version"`
		Error     int16      `json:"error"`
		LeaderID  string     `json:"leader"`
		LeaderURL string     `json:"leader_url"`
		Offset    int64      `json:"config_offset"`
		Assigned  []jsonItem `json:"assigned"`
		Revoked   []jsonItem `json:"revoked"`
		Delay     int64      `json:"delay"`
	}
	jsonItem struct {
		Connector string `json:"connector"`
		Tasks     []int  `json:"tasks"`
	}
)

func (m jsonMetadata) metadata() Metadata {
	want := Metadata{Version: m.Version, URL: m.URL, Offset: m.Offset}
	if m.Allocation != nil {
		a := m.Allocation.assignment()
		want.Allocation = &a
	}
	return want
}

func (a jsonAssignment) assignment() Assignment {
	return Assignment{
		Version: a.Version, Error: a.Error, LeaderID: a.LeaderID, LeaderURL: a.LeaderURL, Offset: a.Offset,
		Assigned: itemsOf(a.Assigned), Revoked: itemsOf(a.Revoked), Delay: time.Duration(a.Delay) * time.Millisecond,
	}
}

func itemsOf(list []jsonItem) []Item {
	var items []Item
	for _, i := range list {
		for _, t := range i.Tasks {
			items = append(items, Item{Connector: i.Connector, Task: t})
		}
	}
	return items
}

func TestGoldenGroupMetadata(t *testing.T) {
	t.Parallel()
	for _, e := range goldenEncoded(t, "metadata") {
		var want jsonMetadata
		if err := json.Unmarshal(e.decoded, &want); err != nil {
			t.Fatal(err)
		}
		got, err := ParseMetadata(e.raw)
		if err != nil {
			t.Errorf("%x: %v", e.raw, err)
			continue
		}
		if d := cmp.Diff(want.metadata(), got); d != "" {
			t.Errorf("%x (-want +got):\n%s", e.raw, d)
		}
		if again := got.Append([]byte{7}); !bytes.Equal(again, append([]byte{7}, e.raw...)) {
			t.Errorf("encoded again: %x, want 07 and %x", again, e.raw)
		}
	}
}

func TestGoldenGroupAssignment(t *testing.T) {
	t.Parallel()
	for _, e := range goldenEncoded(t, "assignment") {
		var want jsonAssignment
		if err := json.Unmarshal(e.decoded, &want); err != nil {
			t.Fatal(err)
		}
		got, err := ParseAssignment(e.raw)
		if err != nil {
			t.Errorf("%x: %v", e.raw, err)
			continue
		}
		if d := cmp.Diff(want.assignment(), got); d != "" {
			t.Errorf("%x (-want +got):\n%s", e.raw, d)
		}
		if again := got.Append([]byte{7}); !bytes.Equal(again, append([]byte{7}, e.raw...)) {
			t.Errorf("encoded again: %x, want 07 and %x", again, e.raw)
		}
	}
}

// TestGoldenGroupJoin checks what workers list when they join: the version that they like best, and all that come after it.
func TestGoldenGroupJoin(t *testing.T) {
	t.Parallel()
	joins := 0
	for _, c := range goldenRecording(t).Captures {
		for _, e := range c.Events {
			if e.Event != joinRequest {
				continue
			}
			joins++
			var listed []Version
			for _, p := range e.Protocols {
				m, err := ParseMetadata(unhex(t, p.Hex))
				if err != nil {
					t.Fatal(err)
				}
				if named, ok := ByProtocol(p.Name); !ok || named != m.Version {
					t.Errorf("%s, %s: protocol %s with metadata of version %d", c.Group, e.Time, p.Name, m.Version)
				}
				listed = append(listed, m.Version)
			}
			if len(listed) == 0 {
				t.Fatalf("%s, %s: no protocols", c.Group, e.Time)
			}
			if d := cmp.Diff(listed[0].Protocols(), listed); d != "" {
				t.Errorf("%s, %s (-ours +listed):\n%s", c.Group, e.Time, d)
			}
		}
	}
	if joins == 0 {
		t.Error("a recording without joins")
	}
}
