package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/millrace-io/millrace/internal/devbroker"
	"github.com/millrace-io/millrace/internal/run"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// Files and names of the demo, inside the data folder.
const (
	demoInput   = "demo-input.txt"
	demoOutput  = "demo-output.txt"
	demoTopic   = "demo"
	brokerDir   = "kafka"
	offsetsFile = "connect.offsets"
	demoText    = "Millrace moves lines.\nEach line of this file becomes a record of the topic \"demo\",\nand each record becomes a line of demo-output.txt.\n"
)

// DevOptions configure the development mode. The zero Port and KafkaPort are free ones.
type DevOptions struct {
	DataDir         string
	Port, KafkaPort int
	// Ready is called once, when the demo runs.
	Ready func(DevGuide)
	Log   *slog.Logger
}

// Dev is an embedded broker with a standalone worker and a demo on it.
type Dev struct {
	DevOptions
	broker *devbroker.Broker
}

// DevGuide is what a user should look at.
type DevGuide struct {
	Kafka, REST, DataDir, Topic, Input, Output string
}

// NewDev prepares the data folder and checks that the ports are free. Nothing runs yet.
func NewDev(o DevOptions) (*Dev, error) {
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, err
	}
	o.DataDir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data folder: %w. Choose another with --data-dir", err)
	}
	if err := writeOnce(filepath.Join(dir, demoInput), demoText); err != nil {
		return nil, fmt.Errorf("write the demo's input: %w. Choose another folder with --data-dir", err)
	}
	if err := errors.Join(checkPort(o.Port, "--port"), checkPort(o.KafkaPort, "--kafka-port")); err != nil {
		return nil, err
	}
	b, err := devbroker.New(devbroker.Options{Dir: filepath.Join(dir, brokerDir), Port: o.KafkaPort, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return &Dev{DevOptions: o, broker: b}, nil
}

// checkPort finds out before anything is started whether a port is free, and names the flag that chooses another.
func checkPort(port int, flag string) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("port %d is taken: %w. Stop the program that uses it, or choose another port with %s", port, err, flag)
	}
	return l.Close()
}

// writeOnce creates a file unless it is there already.
func writeOnce(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Run runs everything until ctx ends.
func (d *Dev) Run(ctx context.Context) error {
	g := run.NewGroup(d.Log)
	g.AddReady("embedded broker", d.broker.Run, d.broker.Ready())
	g.Add("worker", d.runWorker)
	return g.Run(ctx)
}

func (d *Dev) runWorker(ctx context.Context) error {
	in, out := filepath.Join(d.DataDir, demoInput), filepath.Join(d.DataDir, demoOutput)
	s, err := NewStandalone(map[string]string{
		bootstrapKey:    d.broker.Bootstrap(),
		listenersKey:    "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Port)),
		offsetFileKey:   filepath.Join(d.DataDir, offsetsFile),
		"key.converter": "org.apache.kafka.connect.storage.StringConverter", "value.converter": "org.apache.kafka.connect.storage.StringConverter",
		"offset.flush.interval.ms": "10000",
	}, nil, d.Log)
	if err != nil {
		return err
	}
	s.files = []connectorFile{
		demoConnector("demo-source", "FileStreamSource", map[string]string{"file": in, "topic": demoTopic}),
		demoConnector("demo-sink", "FileStreamSink", map[string]string{"file": out, "topics": demoTopic}),
	}
	s.onReady = func() {
		d.Ready(DevGuide{Kafka: d.broker.Bootstrap(), REST: s.URL(), DataDir: d.DataDir, Topic: demoTopic, Input: in, Output: out})
	}
	return s.Run(ctx)
}

func demoConnector(name, class string, props map[string]string) connectorFile {
	cfg := store.NewConfig(props)
	cfg.Set(worker.NameKey, name)
	cfg.Set(worker.ConnectorClassKey, class)
	cfg.Set(worker.TasksMaxKey, "1")
	return connectorFile{path: "the demo", name: name, config: cfg, target: store.Started}
}
