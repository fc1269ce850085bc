// Package app puts the parts of a worker together.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/run"
	"github.com/millrace-io/millrace/internal/store"
)

// ErrConnector marks the failure of a connector given on the command line, which ends the process with an exit code
// of its own.
var ErrConnector = errors.New("a connector of the command line could not be created")

// Standalone is a worker of one process, with offsets in a file.
type Standalone struct {
	base
	keys    standaloneKeys
	offsets *store.FileOffsets
	herder  *herder.Standalone
	files   []connectorFile
	created atomic.Bool // whether the connectors of the command line exist
}

// NewStandalone checks the configuration, reads the files of the command line and opens the offset file and the
// listeners. Nothing runs before [Standalone.Run], which must be called to release them.
func NewStandalone(props map[string]string, connectorFiles []string, log *slog.Logger) (*Standalone, error) {
	reg := plugin.Builtin()
	s := &Standalone{keys: newStandaloneKeys(reg)}
	var err error
	if s.base, err = newBase(props, reg, s.keys.commonKeys, log); err != nil {
		return nil, err
	}
	for _, path := range connectorFiles {
		f, err := readConnectorFile(path)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	if s.offsets, err = store.OpenFileOffsets(s.keys.offsetFile.Of(s.values)); err == nil {
		err = s.assemble()
	}
	if err != nil {
		s.cluster.admin.Close()
		return nil, err
	}
	return s, nil
}

func (s *Standalone) assemble() error {
	if err := s.listen(s.created.Load); err != nil {
		return err
	}
	status := store.NewMemoryStatus(s.workerID())
	listen := event.Tee(status.Listen, logStatus(s.log))
	s.herder = herder.NewStandalone(herder.StandaloneOptions{
		Worker: s.newWorker(s.offsets, listen), Plugins: s.plugins, Config: store.NewMemoryConfig(), Status: status, Events: listen, Log: s.log,
	})
	s.server.Herder = s.herder
	return nil
}

// Run runs the worker until ctx ends.
func (s *Standalone) Run(ctx context.Context) error {
	s.log.Info("Kafka version: "+connect.KafkaVersion, "millrace", Version())
	g := run.NewGroup(s.log)
	g.Add("cluster id", s.cluster.Run)
	g.Add("herder", s.herder.Run)
	g.Add("rest", s.server.Run)
	g.Add("connectors", s.createConnectors)
	return g.Run(ctx)
}

// createConnectors creates the connectors of the command line. The first that cannot be created ends the worker, as in
// Connect, because nobody might notice otherwise.
func (s *Standalone) createConnectors(ctx context.Context) error {
	for _, f := range s.files {
		if _, _, err := s.herder.Put(ctx, f.name, f.config, f.target, false); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%w: %s: %w", ErrConnector, f.path, err)
		}
		s.log.Info("Created connector "+f.name, "from", f.path)
	}
	s.created.Store(true)
	s.log.Info("Kafka Connect started", "rest", s.URL())
	<-ctx.Done()
	return nil
}
