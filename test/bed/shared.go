package bed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// StateDirVariable names the environment variable through which a run hands its shared servers to its test processes.
const StateDirVariable = "MILLRACE_BED_DIR"

// A state folder holds, for each shared server, NAME with its address once it is ready or NAME.error with the reason why it never will
// be, and NAME.want when somebody asked for one that starts on demand.
const (
	brokerName = "broker"
	workerName = "worker"
)

// SharedBroker returns the bootstrap address of a broker that all tests of a run use: take names from Name, leave its settings alone and
// do not stop it. In a run started by test/bed/run it is that run's, else this process starts one that lives as long as the process.
func SharedBroker(t testing.TB) string {
	t.Helper()
	Require(t)
	if dir := os.Getenv(StateDirVariable); dir != "" {
		return sharedAddress(t, dir, brokerName)
	}
	broker, err := ownBroker()
	if err != nil {
		t.Fatal(err)
	}
	return broker.Bootstrap()
}

// SharedJavaWorker returns the REST address of a real distributed worker on the shared broker, started when first asked for.
func SharedJavaWorker(t testing.TB) string {
	t.Helper()
	Require(t)
	if dir := os.Getenv(StateDirVariable); dir != "" {
		if err := writeAtomic(filepath.Join(dir, workerName+".want"), ""); err != nil {
			t.Fatalf("ask for the shared Connect worker: %v", err)
		}
		return sharedAddress(t, dir, workerName)
	}
	worker, err := ownWorker()
	if err != nil {
		t.Fatal(err)
	}
	return worker.URL()
}

// sharedAddress waits for one of the two files about a server.
func sharedAddress(t testing.TB, dir, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*startLimit)
	defer cancel()
	for {
		if address, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return string(address)
		}
		if reason, err := os.ReadFile(filepath.Join(dir, name+".error")); err == nil {
			t.Fatalf("the shared %s of this run did not start: %s", name, reason)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			t.Fatalf("no word of the shared %s in %s: %v", name, dir, err)
		}
	}
}

// The servers of a test process without a run around it. Nobody can stop them at its end: they die with it, and the next process sweeps
// their folders.
var (
	ownBroker = sync.OnceValues(func() (*Broker, error) {
		return startSharedBroker(context.Background())
	})
	ownWorker = sync.OnceValues(func() (*Worker, error) {
		broker, err := ownBroker()
		if err != nil {
			return nil, err
		}
		return startSharedWorker(context.Background(), broker)
	})
)

func startSharedBroker(ctx context.Context) (*Broker, error) {
	return StartBroker(ctx, BrokerOptions{Fast: true})
}

func startSharedWorker(ctx context.Context, b *Broker) (*Worker, error) {
	return StartJavaWorker(ctx, WorkerOptions{
		Bootstrap: b.Bootstrap(), Fast: true,
		Properties: map[string]string{"offset.flush.interval.ms": "1000"},
	})
}

// Serve starts a shared broker at once and a shared Connect worker when a test asks for it, hands their addresses over through dir, and
// closes both when ctx ends. It returns nil then, also when a server did not start: that is for the tests to complain about.
// note is told what happens, for people to read.
func Serve(ctx context.Context, dir string, note func(format string, args ...any)) error {
	s := &servers{dir: dir, note: note}
	err := s.serve(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, s.close())
}

type servers struct {
	dir    string
	note   func(format string, args ...any)
	broker *Broker
	worker *Worker
}

func (s *servers) serve(ctx context.Context) error {
	err := s.offer(brokerName, func() (address string, err error) {
		if err := checkTools(ctx); err != nil {
			return "", err
		}
		if s.broker, err = startSharedBroker(ctx); err != nil {
			return "", err
		}
		return s.broker.Bootstrap(), nil
	})
	if err != nil {
		return err
	}
	for !exists(filepath.Join(s.dir, workerName+".want")) {
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	err = s.offer(workerName, func() (address string, err error) {
		if s.broker == nil {
			return "", errors.New("it needs the shared broker, which did not start")
		}
		if s.worker, err = startSharedWorker(ctx, s.broker); err != nil {
			return "", err
		}
		return s.worker.URL(), nil
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// offer writes the address or the reason why there is none. Its own error is about the writing.
func (s *servers) offer(name string, start func() (address string, err error)) error {
	began := time.Now()
	address, err := start()
	file := name
	if err != nil {
		file, address = name+".error", err.Error()
		s.note("no shared %s: %v", name, err)
	} else {
		s.note("shared %s ready at %s after %.1fs", name, address, time.Since(began).Seconds())
	}
	if err := writeAtomic(filepath.Join(s.dir, file), address); err != nil {
		return fmt.Errorf("hand over the shared %s: %w", name, err)
	}
	return nil
}

func (s *servers) close() error {
	var errs []error
	if s.worker != nil {
		errs = append(errs, s.worker.Close())
	}
	if s.broker != nil {
		errs = append(errs, s.broker.Close())
	}
	return errors.Join(errs...)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
