package app

import (
	"errors"
	"path/filepath"

	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// Names of the demo. They stay the same from version to version: connectors of an earlier run are found by them.
const (
	demoSource = "demo-source"
	demoSink   = "demo-sink"
	demoTopic  = "demo-users"
	demoOutput = "demo-users.jsonl"
)

// Class names of converters that the development mode uses.
const (
	stringConverterClass = "org.apache.kafka.connect.storage.StringConverter"
	jsonConverterClass   = "org.apache.kafka.connect.json.JsonConverter"
)

// Demo is a source that makes up users, and a sink that writes them to a file.
type Demo struct {
	Source, Sink, Topic string
	Output              string // the sink's file
}

func newDemo(dir string) *Demo {
	return &Demo{Source: demoSource, Sink: demoSink, Topic: demoTopic, Output: filepath.Join(dir, demoOutput)}
}

// Latest returns the last record in the sink's file, empty if there is none.
func (d *Demo) Latest() string { return lastLine(d.Output) }

func (d *Demo) connectors() []connectorFile {
	return []connectorFile{
		demoConnector(d.Source, "io.confluent.kafka.connect.datagen.DatagenConnector", map[string]string{
			"kafka.topic": d.Topic, "quickstart": "users", "max.interval": "400",
		}),
		demoConnector(d.Sink, "org.apache.kafka.connect.file.FileStreamSinkConnector", map[string]string{
			"topics": d.Topic, "file": d.Output, "value.converter": stringConverterClass,
		}),
	}
}

func demoConnector(name, class string, props map[string]string) connectorFile {
	var cfg store.Config
	cfg.Set(worker.NameKey, name)
	cfg.Set(worker.ConnectorClassKey, class)
	cfg.Set(worker.TasksMaxKey, "1")
	own := store.NewConfig(props)
	for _, k := range own.Keys() {
		cfg.Set(k, own.Value(k))
	}
	return connectorFile{path: "the demo", name: name, config: cfg, target: store.Started}
}

// removeDemo forgets the connectors of the demo.
func removeDemo(configs *store.FileConfig) error {
	var errs []error
	for _, name := range []string{demoSource, demoSink} {
		if _, ok := configs.Connector(name); ok {
			errs = append(errs, configs.Remove(name))
		}
	}
	return errors.Join(errs...)
}
