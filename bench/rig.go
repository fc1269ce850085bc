package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/test/bed"
)

// rig is what all measurements share: a broker, a folder, an admin client that counts what arrives.
type rig struct {
	options
	dir    string
	broker *bed.Broker
	admin  *kadm.Client
	java   *javaWorker // warm after the first comparison
}

func newRig(ctx context.Context, o options) (_ *rig, err error) {
	r := &rig{options: o}
	if r.dir, err = os.MkdirTemp("", "millrace-bench-"); err != nil {
		return nil, fmt.Errorf("make a folder for the run: %w", err)
	}
	note("starting a broker")
	if _, err := bed.MillraceBinary(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.broker, err = bed.StartBroker(ctx, bed.BrokerOptions{
		Dir: filepath.Join(r.dir, "broker"),
		// What a round leaves behind is gone before the next one needs the disk and the page cache.
		Properties: map[string]string{"log.segment.delete.delay.ms": "1000"},
	})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(r.broker.Bootstrap()))
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.admin = kadm.NewClient(client)
	r.java = &javaWorker{bootstrap: r.broker.Bootstrap(), dir: filepath.Join(r.dir, "java")}
	return r, nil
}

// close ends every process and removes the folder.
func (r *rig) close() error {
	if r.java != nil {
		r.java.close()
	}
	if r.admin != nil {
		r.admin.Close()
	}
	var err error
	if r.broker != nil {
		err = r.broker.Close()
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

func (r *rig) bootstrap() string { return r.broker.Bootstrap() }

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

// note tells people at the terminal what is going on.
func note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// createTopic creates a topic and waits until it can be written to.
func (r *rig) createTopic(ctx context.Context, topic string, partitions int32) error {
	resp, err := r.admin.CreateTopic(ctx, partitions, 1, nil, topic)
	if err := errors.Join(err, resp.Err); err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	for {
		if _, err := r.records(ctx, topic); err == nil {
			return nil
		}
		if err := wait(ctx, firstLook); err != nil {
			return err
		}
	}
}

func (r *rig) deleteTopic(ctx context.Context, topic string) error {
	resp, err := r.admin.DeleteTopic(ctx, topic)
	if err := errors.Join(err, resp.Err); err != nil {
		return fmt.Errorf("delete topic %s: %w", topic, err)
	}
	return nil
}

// records is the number of records in a topic: the sum of its end offsets.
func (r *rig) records(ctx context.Context, topic string) (int64, error) {
	listed, err := r.admin.ListEndOffsets(ctx, topic)
	if err := errors.Join(err, listed.Error()); err != nil {
		return 0, fmt.Errorf("count the records of %s: %w", topic, err)
	}
	var sum int64
	listed.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum, nil
}

// fileSize is the number of bytes in a file, 0 if it is not there.
func fileSize(path string) (int64, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return st.Size(), nil
}

// sample is what one side needed for a job.
type sample struct {
	took, cpu time.Duration
	peak      int64 // resident bytes
}

// run has a side do a job and measures it: from the moment the job is given until the last record has arrived.
func (r *rig) run(ctx context.Context, s side, j job) (sample, error) {
	var m sample
	count := func(ctx context.Context) (int64, error) { return r.records(ctx, j.Topic) }
	want := j.Lines
	if j.Sink {
		count, want = func(context.Context) (int64, error) { return fileSize(j.File) }, j.Bytes
	}
	pid, err := s.ready(ctx, j)
	if err != nil {
		return m, err
	}
	before, err := cpuTime(pid)
	if err != nil {
		return m, err
	}
	began := time.Now()
	if err := s.begin(ctx, j); err != nil {
		return m, err
	}
	if err := arrive(ctx, want, count, func(ctx context.Context) error { return s.check(ctx, j) }); err != nil {
		return m, err
	}
	m.took = time.Since(began)
	after, err := cpuTime(pid)
	if err != nil {
		return m, err
	}
	m.cpu = after - before
	if m.peak, err = memory(pid, residentPeak); err != nil {
		return m, err
	}
	if err := s.end(ctx, j); err != nil {
		return m, err
	}
	n, err := count(ctx)
	if err == nil && n != want {
		err = fmt.Errorf("%d arrived where %d were expected", n, want)
	}
	return m, err
}

// sides returns what is compared, the Java worker being the rig's, and a function that ends the other processes.
func (r *rig) sides() (_ [sideCount]side, b *bareLoop, done func()) {
	m := r.millrace()
	b = &bareLoop{}
	return [sideCount]side{ours: m, bare: b, java: r.java}, b, func() {
		m.close()
		b.close()
	}
}

func (r *rig) millrace() *millrace {
	return &millrace{bootstrap: r.bootstrap(), dir: r.path(fmt.Sprintf("millrace-%d", time.Now().UnixNano()))}
}

// javaOptions reads the values of a client's configuration out of the Java worker's log, where the client wrote them when it was made.
// kind is ProducerConfig or ConsumerConfig; client is how the client's id begins.
func (r *rig) javaOptions(kind, client string, keys []string) ([]fact, error) {
	values := lastConfig(r.java.worker.Log(), kind, client)
	if values == nil {
		return nil, fmt.Errorf("the Java worker's log has no %s of a client %s", kind, client)
	}
	var out []fact
	for _, k := range keys {
		out = append(out, fact{k, values[k]})
	}
	return out, nil
}

// lastConfig finds the last block that begins with "KIND values:", has lines of the form "key = value" and such a client id.
func lastConfig(log, kind, client string) map[string]string {
	var found map[string]string
	for block := range strings.SplitSeq(log, kind+" values:") {
		values := map[string]string{}
		_, block, _ = strings.Cut(block, "\n")
		for line := range strings.SplitSeq(block, "\n") {
			key, value, ok := strings.Cut(line, " = ")
			if !ok || !strings.HasPrefix(key, "\t") {
				break
			}
			values[strings.TrimSpace(key)] = value
		}
		if strings.HasPrefix(values["client.id"], client) {
			found = values
		}
	}
	return found
}
