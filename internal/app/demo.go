package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/millrace-io/millrace/connectors/datagen"
	"github.com/millrace-io/millrace/connectors/file"
	"github.com/millrace-io/millrace/converters"
	"github.com/millrace-io/millrace/internal/herder/cluster"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/store/topic"
	"github.com/millrace-io/millrace/internal/worker"
)

// Names of the demo. They stay the same from version to version: connectors of an earlier run are found by them.
const (
	demoSource = "demo-source"
	demoSink   = "demo-sink"
	demoTopic  = "demo-users"
	demoOutput = "demo-users.jsonl"
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
		demoConnector(d.Source, datagen.Source.Class, map[string]string{
			"kafka.topic": d.Topic, "quickstart": "users", "max.interval": "400",
		}),
		demoConnector(d.Sink, file.Sink.Class, map[string]string{
			worker.TopicsKey: d.Topic, "file": d.Output, pipeline.ValueConverterKey: converters.String.Class,
		}),
	}
}

func demoConnector(name, class string, props map[string]string) connectorFile {
	cfg := store.NewConfig(props)
	cfg.Set(worker.NameKey, name)
	cfg.Set(worker.ConnectorClassKey, class)
	cfg.Set(worker.TasksMaxKey, "1")
	return connectorFile{path: "the demo", name: name, config: cfg}
}

// create creates the connectors that are not there from an earlier run; none without a demo.
func (d *Demo) create(ctx context.Context, h *cluster.Herder) error {
	if d == nil {
		return nil
	}
	for _, f := range d.connectors() {
		if _, err := h.Connector(f.name); err == nil {
			continue
		}
		if _, _, err := h.Put(ctx, f.name, f.config, f.target, false); err != nil {
			return fmt.Errorf("create the demo's connector %s: %w", f.name, err)
		}
	}
	return nil
}

// removeDemo forgets the connectors of the demo before any connector starts.
func removeDemo(ctx context.Context, configs *topic.Config) error {
	for _, name := range []string{demoSource, demoSink} {
		if _, ok := configs.Connector(name); !ok {
			continue
		}
		if err := configs.RemoveConnector(ctx, name); err != nil {
			return fmt.Errorf("forget the demo's connector %s: %w", name, err)
		}
	}
	return nil
}
