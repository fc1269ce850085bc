package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

// side is one of the programs that are compared.
type side interface {
	// ready brings a process to the point from which the job is counted.
	ready(ctx context.Context, j job) (pid int, err error)
	// begin begins the job.
	begin(ctx context.Context, j job) error
	// check returns an error if the job can no longer be done.
	check(ctx context.Context, j job) error
	// end ends the job, which is done, in order.
	end(ctx context.Context, j job) error
	// close ends every process, in any state.
	close()
}

// The sides, in the order of the tables.
const (
	ours = iota
	bare
	java
	sideCount
)

var sideNames = [sideCount]string{"Millrace", "bare franz-go loop", "Java worker"}

const stringConverter = "org.apache.kafka.connect.storage.StringConverter"

// workerProps are what both workers are told about records and clients.
func workerProps(bootstrap string) map[string]string {
	return map[string]string{
		"bootstrap.servers": bootstrap,
		"key.converter":     stringConverter,
		"value.converter":   stringConverter,
	}
}

// millrace is our worker: a new process for each job, which is the harder case for it.
type millrace struct {
	bootstrap, dir string
	cluster        string // group of a distributed worker; empty for a standalone one
	runs           int
	rest           rest
	process        *bed.Process
}

// start starts a worker without waiting for it.
func (m *millrace) start() error {
	bin, err := bed.MillraceBinary()
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	m.runs++
	dir := filepath.Join(m.dir, fmt.Sprintf("run-%d", m.runs))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	props := workerProps(m.bootstrap)
	m.rest = rest("http://" + bed.Address(port))
	props["listeners"] = string(m.rest)
	mode := "standalone"
	if m.cluster != "" {
		mode = "distributed"
		maps.Copy(props, clusterProps(m.cluster))
	} else {
		props["offset.storage.file.filename"] = filepath.Join(dir, "connect.offsets")
	}
	var text strings.Builder
	for k, v := range props {
		fmt.Fprintf(&text, "%s=%s\n", k, v)
	}
	file := filepath.Join(dir, "worker.properties")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		return err
	}
	m.process, err = bed.StartProcess(bed.ProcessOptions{
		Path: bin, Args: []string{mode, file}, Dir: dir, LogFile: filepath.Join(dir, "millrace.log"),
	})
	return err
}

// answer waits until the worker answers.
func (m *millrace) answer(ctx context.Context) error {
	const every, limit = time.Millisecond, time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := m.rest.answers(ctx)
		if err == nil {
			return nil
		}
		if !m.process.Running() {
			return fmt.Errorf("millrace ended before it answered:\n%s", m.process.Tail(20))
		}
		if waitErr := wait(ctx, every); waitErr != nil {
			return fmt.Errorf("millrace does not answer: %w", errors.Join(err, waitErr))
		}
	}
}

func (m *millrace) ready(ctx context.Context, _ job) (int, error) {
	if err := m.start(); err != nil {
		return 0, err
	}
	return m.process.Pid(), m.answer(ctx)
}

func (m *millrace) begin(ctx context.Context, j job) error {
	return m.rest.create(ctx, j.Name, j.config())
}

func (m *millrace) check(ctx context.Context, j job) error {
	if !m.process.Running() {
		return fmt.Errorf("millrace ended:\n%s", m.process.Tail(20))
	}
	return m.rest.healthy(ctx, j.Name)
}

func (m *millrace) end(context.Context, job) error {
	if err := m.process.Stop(); err != nil {
		return err
	}
	if code := m.process.ExitCode(); code != 0 {
		return fmt.Errorf("millrace ended with code %d:\n%s", code, m.process.Tail(20))
	}
	return nil
}

func (m *millrace) close() {
	if m.process != nil {
		m.process.Kill()
	}
}

// javaWorker is the real worker, one process for all jobs, because it takes some to get warm.
type javaWorker struct {
	bootstrap, dir string
	cluster        string // group of a distributed worker; empty for a standalone one
	worker         *bed.Worker
}

// javaFlags are those with which Kafka's own scripts start a worker, next to the largest heap of 2 GB, which the test bed gives it.
const javaFlags = "-Xms256M -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent"

// start starts the worker and waits until it answers.
func (w *javaWorker) start(ctx context.Context) (err error) {
	// The variable by which the java command takes flags from outside. No other JVM is to have them.
	const variable = "JDK_JAVA_OPTIONS"
	before, was := os.LookupEnv(variable)
	if err := os.Setenv(variable, strings.TrimSpace(before+" "+javaFlags)); err != nil {
		return err
	}
	defer func() {
		if was {
			err = errors.Join(err, os.Setenv(variable, before))
		} else {
			err = errors.Join(err, os.Unsetenv(variable))
		}
	}()
	props, mode := workerProps(w.bootstrap), bed.Standalone
	if w.cluster != "" {
		mode = bed.Distributed
		maps.Copy(props, clusterProps(w.cluster))
	}
	w.worker, err = bed.StartJavaWorker(ctx, bed.WorkerOptions{
		Mode: mode, Bootstrap: w.bootstrap, Dir: w.dir, Properties: props,
	})
	return err
}

func (w *javaWorker) ready(ctx context.Context, _ job) (int, error) {
	if w.worker == nil {
		if err := w.start(ctx); err != nil {
			return 0, err
		}
	}
	return w.worker.Process().Pid(), nil
}

func (w *javaWorker) rest() rest { return rest(w.worker.URL()) }

func (w *javaWorker) begin(ctx context.Context, j job) error {
	return w.rest().create(ctx, j.Name, j.config())
}

func (w *javaWorker) check(ctx context.Context, j job) error {
	if p := w.worker.Process(); !p.Running() {
		return fmt.Errorf("the Java worker ended:\n%s", p.Tail(20))
	}
	return w.rest().healthy(ctx, j.Name)
}

func (w *javaWorker) end(ctx context.Context, j job) error { return w.rest().remove(ctx, j.Name) }

func (w *javaWorker) close() {
	if w.worker != nil {
		_ = w.worker.Close() // the folder is the caller's, so there is nothing that can go wrong
	}
}

// bareLoop is this program as one of the bare loops, a new process for each job.
type bareLoop struct {
	child   *child
	options []fact // of the client of the last job
}

func (b *bareLoop) ready(ctx context.Context, j job) (pid int, err error) {
	role := bareSourceRole
	if j.Sink {
		role = bareSinkRole
	}
	if b.child, err = startSelf(ctx, role, j); err != nil {
		return 0, err
	}
	return b.child.pid(), nil
}

func (b *bareLoop) begin(context.Context, job) error {
	b.child.tell(goWord)
	return nil
}

func (b *bareLoop) check(context.Context, job) error {
	select {
	case <-b.child.ended:
		return errors.Join(errors.New("the "+b.child.name+" ended too early"), b.child.err)
	default:
		return nil
	}
}

func (b *bareLoop) end(context.Context, job) error {
	lines, err := b.child.read(doneWord)
	if err != nil {
		return err
	}
	b.options = b.options[:0]
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		b.options = append(b.options, fact{name, value})
	}
	return b.child.end()
}

func (b *bareLoop) close() {
	if b.child != nil {
		b.child.kill()
	}
}

// freePort returns a port of 127.0.0.1 that nobody listens on, from below the range of outgoing connections.
func freePort() (int, error) {
	const low, high, tries = 15000, 32000, 1000
	for range tries {
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", bed.Address(port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("found no free port on 127.0.0.1")
}
