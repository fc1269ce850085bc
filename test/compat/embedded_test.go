package compat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/internal/devbroker"
	"github.com/millrace-io/millrace/test/bed"
)

// javaOnEmbedded is a real distributed worker on an embedded broker, with a file that goes through a topic into another file.
type javaOnEmbedded struct {
	*testing.T
	broker         *embeddedBroker
	worker         *bed.Worker
	group, topic   string
	in, out        string
	written, moved []string // lines of the input, and of the output in the order in which they must come
}

// TestJavaWorkerOnEmbeddedBroker takes the embedded broker through a worker's life, with source records and offsets committed by
// transactions.
func TestJavaWorkerOnEmbeddedBroker(t *testing.T) {
	bed.Require(t)
	bed.LockJVM(t)
	dir := t.TempDir()
	j := &javaOnEmbedded{
		T: t, group: bed.Name(t, "embedded"), topic: bed.Name(t, "lines"),
		in: filepath.Join(dir, "in.txt"), out: filepath.Join(dir, "out.txt"),
		broker: newEmbedded(t, devbroker.Options{Dir: filepath.Join(dir, "broker"), Port: bed.Port(t)}).start(),
	}
	props := bed.DistributedProperties(j.group)
	for k, v := range map[string]string{
		"key.converter": stringConverter, "value.converter": stringConverter,
		"exactly.once.source.support": "enabled", "offset.flush.interval.ms": "500",
		"heartbeat.interval.ms": "500", "scheduled.rebalance.max.delay.ms": "0",
	} {
		props[k] = v
	}
	j.worker = bed.NewJavaWorker(t, bed.WorkerOptions{Bootstrap: j.broker.Bootstrap(), Properties: props, Fast: true})

	j.moveLines()
	j.checkTopics()
	j.checkTransactions()
	j.alterSource()
	j.resetSource()
	j.moveSink()
	if log := j.worker.Log(); strings.Contains(log, " ERROR ") {
		j.Errorf("the worker has logged errors:\n%s", log)
	}
	j.restartBroker()
	j.restartBoth()
}

// moveLines starts both connectors.
func (j *javaOnEmbedded) moveLines() {
	j.write("one", "two")
	j.put("source", map[string]string{
		"connector.class": "FileStreamSource", "file": j.in, "topic": j.topic, "exactly.once.support": "required",
		"topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "1",
	})
	j.await("source", "RUNNING")
	j.put("sink", map[string]string{
		"connector.class": "FileStreamSink", "file": j.out, "topics": j.topic,
		"consumer.override.isolation.level": "read_committed", "consumer.override.metadata.max.age.ms": "1000",
	})
	j.arrive("one", "two")
	j.write("three")
	j.arrive("three")
}

// checkTopics looks at what the worker created. Its admin client is the reason for the guard on CreateTopics.
func (j *javaOnEmbedded) checkTopics() {
	admin := kadm.NewClient(groupClient(j.T, j.broker.Bootstrap()))
	want := map[string]int{j.group + "-configs": 1, j.group + "-offsets": 5, j.group + "-status": 2, j.topic: 1}
	topics, err := admin.ListTopics(j.Context())
	if err != nil {
		j.Fatal(err)
	}
	got := map[string]int{}
	for name, topic := range topics {
		got[name] = len(topic.Partitions)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		j.Errorf("topics and their partitions (-want +got):\n%s", diff)
	}
	configs, err := admin.DescribeTopicConfigs(j.Context(), j.group+"-configs", j.group+"-offsets", j.group+"-status")
	if err != nil {
		j.Fatal(err)
	}
	for _, rc := range configs {
		i := slices.IndexFunc(rc.Configs, func(c kadm.Config) bool { return c.Key == "cleanup.policy" })
		if i < 0 || rc.Configs[i].MaybeValue() != "compact" {
			j.Errorf("cleanup.policy of %s is not compact: %+v", rc.Name, rc.Configs)
		}
	}
}

// checkTransactions reads the topic as a consumer of committed records does, and looks for the markers that commits leave.
func (j *javaOnEmbedded) checkTransactions() {
	j.Helper()
	values, end := j.committed()
	if diff := cmp.Diff(j.written, values); diff != "" {
		j.Errorf("committed records (-want +got):\n%s", diff)
	}
	if int(end) <= len(values) {
		j.Errorf("%d records end at offset %d: nothing shows that they were committed by transactions", len(values), end)
	}
}

// committed reads all committed records of the topic; end is the offset behind the last record or marker.
func (j *javaOnEmbedded) committed() (values []string, end int64) {
	j.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(j.broker.Bootstrap()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{j.topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		j.Fatal(err)
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(j.Context(), j.topic)
	if err != nil {
		j.Fatal(err)
	}
	last, _ := ends.Lookup(j.topic, 0)
	for end < last.Offset {
		f := cl.PollFetches(j.Context())
		if err := errors.Join(j.Context().Err(), f.Err()); err != nil {
			j.Fatal(err)
		}
		f.EachRecord(func(r *kgo.Record) {
			if end = r.Offset + 1; !r.Attrs.IsControl() {
				values = append(values, string(r.Value))
			}
		})
	}
	return values, end
}

// alterSource sends the source back to its second line.
func (j *javaOnEmbedded) alterSource() {
	j.stop("source")
	j.expectOffsets("source", j.sourceOffset(len("one\ntwo\nthree\n")))
	j.must(http.MethodPatch, "/connectors/source/offsets", j.sourceOffset(len("one\n")))
	j.resume("source")
	j.arrive("two", "three")
}

// resetSource sends the source back to the start.
func (j *javaOnEmbedded) resetSource() {
	j.stop("source")
	j.must(http.MethodDelete, "/connectors/source/offsets", nil)
	j.expectOffsets("source", offsetsBody{Offsets: []offsetEntry{}})
	j.resume("source")
	j.arrive("one", "two", "three")
}

// moveSink sends the sink back, by changing the offsets of its consumer group and by deleting them.
func (j *javaOnEmbedded) moveSink() {
	all := slices.Clone(j.moved)
	j.stop("sink")
	j.must(http.MethodPatch, "/connectors/sink/offsets", offsetsBody{Offsets: []offsetEntry{{
		Partition: map[string]any{"kafka_topic": j.topic, "kafka_partition": 0}, Offset: map[string]any{"kafka_offset": 1},
	}}})
	j.resume("sink")
	j.arrive(all[1:]...)
	j.stop("sink")
	j.must(http.MethodDelete, "/connectors/sink/offsets", nil)
	j.resume("sink")
	j.arrive(all...)
}

// restartBroker takes the broker from under the worker and gives it back. The worker stays the member that it was.
func (j *javaOnEmbedded) restartBroker() {
	members := j.members()
	j.broker.stop()
	j.write("meanwhile")
	before := len(j.worker.Log())
	bed.Poll(j.T, patience, "the worker to notice that the broker is away", func() (bool, string) {
		return strings.Contains(j.worker.Log()[before:], "could not be established"), j.worker.Process().Tail(3)
	})
	j.broker.start()
	j.arrive("meanwhile")
	if diff := cmp.Diff(members, j.members()); diff != "" || len(members) != 1 {
		j.Errorf("members of the worker's group (-before +after):\n%s", diff)
	}
	j.expectConnectors("sink", "source")
	j.await("source", "RUNNING")
	j.await("sink", "RUNNING")

	// The worker's own writes work too: a configuration goes to the config topic.
	j.put("idle", map[string]string{"connector.class": "FileStreamSource", "file": j.in + ".absent", "topic": j.topic})
	j.await("idle", "RUNNING")
	j.write("afterwards")
	j.arrive("afterwards")
}

// members are those of the worker's group.
func (j *javaOnEmbedded) members() []string {
	j.Helper()
	c := groupCheck{T: j.T, group: j.group, admin: groupClient(j.T, j.broker.Bootstrap())}
	return c.memberIDs()
}

// restartBoth starts broker and worker anew on what they left.
func (j *javaOnEmbedded) restartBoth() {
	j.stopWorker()
	j.broker.stop()
	j.write("overnight")
	j.broker.start()
	if err := j.worker.Restart(j.Context()); err != nil {
		j.Fatal(err)
	}
	for _, name := range []string{"source", "sink", "idle"} {
		j.await(name, "RUNNING")
	}
	j.expectConnectors("idle", "sink", "source")
	j.arrive("overnight")
	j.stop("source")
	info, err := os.Stat(j.in)
	if err != nil {
		j.Fatal(err)
	}
	j.expectOffsets("source", j.sourceOffset(int(info.Size())))
}

// stopWorker waits for as long as the worker takes: the limits that it sets its own shutdown add up to more than Stop allows.
func (j *javaOnEmbedded) stopWorker() {
	j.Helper()
	process := j.worker.Process()
	if err := process.Signal(syscall.SIGTERM); err != nil {
		j.Fatal(err)
	}
	bed.Poll(j.T, patience, "the worker to end", func() (bool, string) { return !process.Running(), process.Tail(3) })
}

// write appends lines to the input.
func (j *javaOnEmbedded) write(lines ...string) {
	j.Helper()
	f, err := os.OpenFile(j.in, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		j.Fatal(err)
	}
	_, err = f.WriteString(strings.Join(lines, "\n") + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		j.Fatal(err)
	}
	j.written = append(j.written, lines...)
}

// arrive waits until the output has these lines more, and nothing else.
func (j *javaOnEmbedded) arrive(lines ...string) {
	j.Helper()
	j.moved = append(j.moved, lines...)
	want := strings.Join(j.moved, "\n") + "\n"
	bed.Poll(j.T, patience, fmt.Sprintf("the lines %q", lines), func() (bool, string) {
		j.status("source")
		j.status("sink")
		got, err := os.ReadFile(j.out)
		return err == nil && string(got) == want, fmt.Sprintf("%q, want %q", got, want)
	})
}

// call makes a request to the worker.
func (j *javaOnEmbedded) call(method, path string, body any) (code int, answer string) {
	j.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			j.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(j.Context(), method, j.worker.URL()+path, in)
	if err != nil {
		j.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		j.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		j.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

// must repeats a request while the worker answers that a rebalance is going on, until it succeeds.
func (j *javaOnEmbedded) must(method, path string, body any) {
	j.Helper()
	bed.Poll(j.T, patience, method+" "+path, func() (bool, string) {
		code, answer := j.call(method, path, body)
		if code >= 300 && code != http.StatusConflict {
			j.Fatalf("%s %s: %d %s", method, path, code, answer)
		}
		return code < 300, answer
	})
}

func (j *javaOnEmbedded) put(name string, config map[string]string) {
	j.Helper()
	j.must(http.MethodPut, "/connectors/"+name+"/config", config)
}

func (j *javaOnEmbedded) stop(name string) {
	j.Helper()
	j.must(http.MethodPut, "/connectors/"+name+"/stop", nil)
	j.await(name, "STOPPED")
}

func (j *javaOnEmbedded) resume(name string) {
	j.Helper()
	j.must(http.MethodPut, "/connectors/"+name+"/resume", nil)
	j.await(name, "RUNNING")
}

// await waits for a connector's state, with its one task in the same, or without tasks if it is stopped.
func (j *javaOnEmbedded) await(name, state string) {
	j.Helper()
	tasks := 1
	if state == "STOPPED" {
		tasks = 0
	}
	bed.Poll(j.T, patience, name+" to be "+state, func() (bool, string) {
		got := j.status(name)
		same := len(got.Tasks) == tasks && (tasks == 0 || got.Tasks[0].State == state)
		return got.Connector.State == state && same, fmt.Sprint(got)
	})
}

type connectorStatus struct {
	Connector workState
	Tasks     []workState
}

type workState struct{ State, Trace string }

// status asks how a connector is; the answer is empty while the worker does not know it yet. What has failed stays failed, so the test
// ends there.
func (j *javaOnEmbedded) status(name string) connectorStatus {
	j.Helper()
	var s connectorStatus
	code, body := j.call(http.MethodGet, "/connectors/"+name+"/status", nil)
	if code != http.StatusOK {
		return s
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		j.Fatalf("%v: %s", err, body)
	}
	for _, w := range append(s.Tasks, s.Connector) {
		if w.State == "FAILED" {
			j.Fatalf("%s has failed:\n%s", name, w.Trace)
		}
	}
	return s
}

func (j *javaOnEmbedded) expectConnectors(want ...string) {
	j.Helper()
	var got []string
	_, body := j.call(http.MethodGet, "/connectors", nil)
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		j.Fatalf("%v: %s", err, body)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		j.Errorf("connectors (-want +got):\n%s", diff)
	}
}

type offsetEntry struct {
	Partition map[string]any `json:"partition"`
	Offset    map[string]any `json:"offset"`
}

type offsetsBody struct {
	Offsets []offsetEntry `json:"offsets"`
}

func (j *javaOnEmbedded) sourceOffset(position int) offsetsBody {
	return offsetsBody{Offsets: []offsetEntry{{
		Partition: map[string]any{"filename": j.in}, Offset: map[string]any{"position": float64(position)},
	}}}
}

func (j *javaOnEmbedded) expectOffsets(name string, want offsetsBody) {
	j.Helper()
	_, body := j.call(http.MethodGet, "/connectors/"+name+"/offsets", nil)
	var got offsetsBody
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		j.Fatalf("%v: %s", err, body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		j.Errorf("offsets of %s (-want +got):\n%s", name, diff)
	}
}
