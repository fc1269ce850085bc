package bed

import (
	"net/http"
	"path/filepath"
	"testing"
)

// MillraceWorker is a distributed worker of the product, started by NewMillraceWorker.
type MillraceWorker struct {
	*Process
	Rest
}

// NewMillraceWorker starts a distributed worker for the length of the test, with the properties that a Java worker would get, and
// returns when it has joined its group. Listeners are its own unless they are given.
func NewMillraceWorker(t testing.TB, bootstrap string, props map[string]string) *MillraceWorker {
	t.Helper()
	w := StartMillraceWorker(t, bootstrap, props)
	w.AwaitReady()
	return w
}

// StartMillraceWorker is NewMillraceWorker without the wait.
func StartMillraceWorker(t testing.TB, bootstrap string, props map[string]string) *MillraceWorker {
	t.Helper()
	address := Address(Port(t))
	props = merge(map[string]string{
		"bootstrap.servers": bootstrap,
		"listeners":         "http://" + address,
		"key.converter":     "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":   "org.apache.kafka.connect.json.JsonConverter",
	}, props)
	file := filepath.Join(t.TempDir(), "worker.properties")
	if err := writeProperties(file, props); err != nil {
		t.Fatal(err)
	}
	return &MillraceWorker{Millrace(t, "distributed", file), Rest{t, "http://" + address}}
}

// AwaitReady waits until the worker says that it has joined its group.
func (w *MillraceWorker) AwaitReady() {
	w.T.Helper()
	Poll(w.T, patience, "the worker to join its group", func() (bool, string) {
		if !w.Running() {
			w.T.Fatalf("the worker has ended:\n%s", w.Tail(20))
		}
		code, answer := w.Call(http.MethodGet, "/health", nil)
		return code == http.StatusOK, answer
	})
}
