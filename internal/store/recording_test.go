package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/connect/data/golden"
)

// recorded is a record of an internal topic of the reference.
type recorded struct {
	Step      string  `json:"step"`
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	Offset    int64   `json:"offset"`
	Timestamp int64   `json:"timestamp"`
	Key       string  `json:"key"`
	Value     *string `json:"value"`
}

// value returns nil for a tombstone.
func (r recorded) value() []byte {
	if r.Value == nil {
		return nil
	}
	return []byte(*r.Value)
}

// recordedTopics returns the recorded topics whose names have a suffix, each in the order of the recording's file. committed tells
// whether it is the recording in testdata.
func recordedTopics(t *testing.T, suffix string) (topics map[string][]recorded, committed bool) {
	t.Helper()
	dir, chosen := os.LookupEnv(golden.DirEnv)
	if !chosen {
		dir = "testdata"
	}
	text, err := os.ReadFile(filepath.Join(dir, "topics.jsonl"))
	if chosen && errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no topics.jsonl in the folder of %s", golden.DirEnv)
	}
	if err != nil {
		t.Fatal(err)
	}
	topics = make(map[string][]recorded)
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if strings.HasSuffix(r.Topic, suffix) {
			topics[r.Topic] = append(topics[r.Topic], r)
		}
	}
	if len(topics) == 0 {
		t.Fatalf("no topic in the recording ends in %s", suffix)
	}
	return topics, !chosen
}

// byTime returns the records of all partitions in the order of their making, as far as it is known.
func byTime(records []recorded) []recorded {
	records = slices.Clone(records)
	slices.SortStableFunc(records, func(a, b recorded) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return records
}
