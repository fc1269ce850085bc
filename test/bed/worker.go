package bed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Mode is how a Connect worker runs.
type Mode string

// The two modes, named as Connect's own commands are.
const (
	Standalone  Mode = "standalone"
	Distributed Mode = "distributed"
)

// WorkerOptions describe a real Connect worker. Bootstrap is required.
type WorkerOptions struct {
	Mode           Mode                // Distributed by default
	Bootstrap      string              // of the Kafka cluster
	Dir            string              // configuration, log and offset file; a temporary folder that Close removes when empty
	Properties     map[string]string   // of the worker; they win over the bed's own. Workers of one group need the same group.id and topics
	Connectors     []map[string]string // for Standalone: started with the worker
	ConnectorFiles []string            // for Standalone: the same as files, in any form Connect reads
	Heap           string              // as in -Xmx; "512m" when Fast, else Connect's own default "2g"
	Fast           bool                // quick start instead of peak speed, plugins found by manifest only: for tests, not for benchmarks
}

// Worker is a Connect worker in a JVM, started by StartJavaWorker or NewJavaWorker. Its methods are for one goroutine at a time.
type Worker struct {
	opts    WorkerOptions
	jars    Jars
	port    int
	proc    *Process
	scratch *scratch // nil when the caller chose the folder
}

// StartJavaWorker starts a worker and returns when its REST interface answers, which a distributed worker does before it has joined
// its group. ctx bounds the start only; the worker runs until Close, Stop or the end of this process.
func StartJavaWorker(ctx context.Context, o WorkerOptions) (*Worker, error) {
	if o.Mode == "" {
		o.Mode = Distributed
	}
	if o.Heap == "" {
		o.Heap = "2g"
		if o.Fast {
			o.Heap = "512m"
		}
	}
	jars, err := ResolveJars(ctx)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	w := &Worker{opts: o, jars: jars, port: ports[0]}
	if o.Dir == "" {
		if w.scratch, err = newScratch(); err != nil {
			return nil, err
		}
		w.opts.Dir = w.scratch.dir
	}
	if err := w.configure(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *Worker) configure() error {
	if err := os.MkdirAll(w.opts.Dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the Connect worker: %w", err)
	}
	if err := writeProperties(w.config(), w.properties()); err != nil {
		return fmt.Errorf("configure the Connect worker: %w", err)
	}
	for i, props := range w.opts.Connectors {
		file := filepath.Join(w.opts.Dir, "connector-"+strconv.Itoa(i+1)+".properties")
		if err := writeProperties(file, props); err != nil {
			return fmt.Errorf("configure connector %d: %w", i+1, err)
		}
		w.opts.ConnectorFiles = append(w.opts.ConnectorFiles, file)
	}
	return nil
}

func (w *Worker) config() string { return filepath.Join(w.opts.Dir, "worker.properties") }

func (w *Worker) properties() map[string]string {
	props := map[string]string{
		"bootstrap.servers": w.opts.Bootstrap,
		"listeners":         "http://" + Address(w.port),
		"plugin.path":       w.jars.PluginPath(),
		"key.converter":     "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":   "org.apache.kafka.connect.json.JsonConverter",
	}
	if w.opts.Fast {
		// All of Connect's own plugins have manifests; searching every class takes two thirds of the start.
		props["plugin.discovery"] = "service_load"
	}
	if w.opts.Mode == Standalone {
		props["offset.storage.file.filename"] = filepath.Join(w.opts.Dir, "connect.offsets")
		return merge(props, w.opts.Properties)
	}
	return merge(props, DistributedProperties("connect-"+randomHex(4)), w.opts.Properties)
}

// DistributedProperties are the worker properties that make up the identity of a group on a single broker: group.id and the three topics.
// Give the same to every worker that is to join, be it Connect's or Millrace's.
func DistributedProperties(group string) map[string]string {
	return map[string]string{
		"group.id":                          group,
		"config.storage.topic":              group + "-configs",
		"offset.storage.topic":              group + "-offsets",
		"status.storage.topic":              group + "-status",
		"config.storage.replication.factor": "1",
		"offset.storage.replication.factor": "1",
		"status.storage.replication.factor": "1",
		"offset.storage.partitions":         "5",
		"status.storage.partitions":         "2",
	}
}

func (w *Worker) start(ctx context.Context) error {
	class := "org.apache.kafka.connect.cli.ConnectDistributed"
	args := []string{w.config()}
	if w.opts.Mode == Standalone {
		class = "org.apache.kafka.connect.cli.ConnectStandalone"
		args = append(args, w.opts.ConnectorFiles...)
	}
	var err error
	w.proc, err = jvm{
		name: "connect-" + string(w.opts.Mode), dir: w.opts.Dir, heap: w.opts.Heap, fast: w.opts.Fast,
		class: class, args: args,
		pattern: "[%d] %p %X{connector.context}%m (%c)%n",
	}.start(ctx, w.jars)
	if err != nil {
		return err
	}
	return w.proc.await(ctx, startLimit, func(ctx context.Context) error { return answers(ctx, w.URL()) })
}

// answers reports whether GET url is answered with 200.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", url, resp.Status, body)
	}
	return nil
}

// URL is the root of the REST interface, without a slash at its end.
func (w *Worker) URL() string { return "http://" + Address(w.port) }

// Process is the JVM, the present one or the last.
func (w *Worker) Process() *Process { return w.proc }

// Dir holds the configuration, the log and, for Standalone, the offset file.
func (w *Worker) Dir() string { return w.opts.Dir }

// Log is all the worker has logged.
func (w *Worker) Log() string { return w.proc.Output() }

// Stop shuts the worker down gracefully and waits for its end.
func (w *Worker) Stop() error { return w.proc.Stop() }

// Kill ends the worker with SIGKILL.
func (w *Worker) Kill() { w.proc.Kill() }

// Suspend freezes the worker: its connections stay open and nothing answers.
func (w *Worker) Suspend() error { return w.proc.Suspend() }

// Resume wakes a suspended worker.
func (w *Worker) Resume() error { return w.proc.Resume() }

// Restart stops the worker gracefully if it runs and starts it with the same configuration, port and files.
func (w *Worker) Restart(ctx context.Context) error {
	if err := w.Stop(); err != nil {
		return err
	}
	return w.start(ctx)
}

// Close kills the worker and removes the temporary folder, if the bed chose it.
func (w *Worker) Close() error {
	if w.proc != nil {
		w.proc.Kill()
	}
	if w.scratch != nil {
		return w.scratch.remove()
	}
	return nil
}
