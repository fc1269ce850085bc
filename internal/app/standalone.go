// Package app puts the parts of a worker together.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/rest"
	"github.com/millrace-io/millrace/internal/run"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// ErrConnector marks the failure of a connector given on the command line, which ends the process with an exit code
// of its own.
var ErrConnector = errors.New("a connector of the command line could not be created")

// Standalone is a worker of one process, with offsets in a file.
type Standalone struct {
	props   map[string]string
	keys    standaloneKeys
	values  config.Values
	plugins *plugin.Registry
	configs herder.ConfigStore
	log     *slog.Logger
	offsets *store.FileOffsets
	server  *rest.Server
	herder  *herder.Standalone
	cluster *clusterID
	files   []connectorFile
	created atomic.Bool // whether the connectors of the command line exist
	onReady func()      // called when they do
}

// NewStandalone checks the configuration, reads the files of the command line and opens the offset file and the
// listeners. Nothing runs before [Standalone.Run], which must be called to release them.
func NewStandalone(props map[string]string, connectorFiles []string, log *slog.Logger) (*Standalone, error) {
	return newStandalone(props, connectorFiles, store.NewMemoryConfig(), log)
}

func newStandalone(props map[string]string, connectorFiles []string, configs herder.ConfigStore, log *slog.Logger) (*Standalone, error) {
	s := &Standalone{props: props, plugins: plugin.Builtin(), configs: configs, log: log, onReady: func() {}}
	s.keys = newStandaloneKeys(s.plugins)
	var err error
	if s.values, err = s.keys.def.Parse(props); err != nil {
		return nil, fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	if err := checkRefused(props); err != nil {
		return nil, fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	nameUnused(log, s.keys.def, props, kafka.IsClientKey)
	for _, path := range connectorFiles {
		f, err := readConnectorFile(path)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, f)
	}
	if s.cluster, err = newClusterID(props, log); err != nil {
		return nil, err
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

func (s *Standalone) assemble() (err error) {
	s.server, err = rest.Listen(rest.Options{
		Listeners: s.keys.listeners.Of(s.values),
		Identity:  s.identity,
		Ready:     s.created.Load,
		Log:       s.log,
	})
	if err != nil {
		return err
	}
	status := store.NewMemoryStatus(s.workerID())
	listen := event.Tee(status.Listen, logStatus(s.log))
	w := worker.New(worker.Options{
		Props:         s.withDefaults(),
		FlushInterval: millis(s.keys.flushInterval, s.values),
		FlushTimeout:  millis(s.keys.flushTimeout, s.values),
		StopTimeout:   millis(s.keys.stopTimeout, s.values),
		Plugins:       s.plugins,
		Offsets:       s.offsets,
		Status:        listen,
		Log:           s.log,
	})
	s.herder = herder.NewStandalone(herder.StandaloneOptions{
		Worker: w, Plugins: s.plugins, Config: s.configs, Status: status, Events: listen, Log: s.log,
	})
	s.server.Herder = s.herder
	return nil
}

// withDefaults returns the configuration with the header converter that counts if none is given.
func (s *Standalone) withDefaults() map[string]string {
	props := maps.Clone(s.props)
	if strings.TrimSpace(props[pipeline.HeaderConverterKey]) == "" {
		props[pipeline.HeaderConverterKey] = simpleConverter
	}
	return props
}

// logStatus returns a listener that logs what operators act on.
func logStatus(log *slog.Logger) event.Listener {
	return func(s event.Status) {
		log := log.With(connectorAttr, s.Connector)
		if s.Task != event.NoTask {
			log = log.With(taskAttr, s.Task)
		}
		if s.State == event.Failed {
			log.Error("state is now FAILED, until it is restarted", "error", s.Err)
			log.Debug("the failure's trace", "trace", s.Trace)
			return
		}
		log.Info("state is now " + string(s.State))
	}
}

// workerID returns host and port under which others reach this worker.
func (s *Standalone) workerID() string {
	addr := s.server.Addr()
	host, port := s.keys.host.Of(s.values), addr.Port
	if host == "" && !addr.IP.IsUnspecified() {
		host = addr.IP.String()
	}
	if host == "" {
		host, _ = os.Hostname()
	}
	if p, ok := s.keys.port.Lookup(s.values); ok {
		port = int(p)
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// URL returns the address of the REST interface on this machine.
func (s *Standalone) URL() string {
	addr := *s.server.Addr()
	if addr.IP.IsUnspecified() {
		addr.IP = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + addr.String()
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

// createConnectors starts the connectors that the config store has and creates those of the command line. Of these, the first that cannot be created ends the worker, as in
// Connect, because nobody might notice otherwise.
func (s *Standalone) createConnectors(ctx context.Context) error {
	s.herder.Resume(ctx)
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
	s.onReady()
	<-ctx.Done()
	return nil
}

func (s *Standalone) identity(ctx context.Context) rest.Identity {
	return rest.Identity{Version: connect.KafkaVersion, Commit: commit(), ClusterID: s.cluster.get(ctx)}
}

// Version returns the version of this program.
func Version() string {
	if version != "" {
		return version
	}
	return "development"
}

// version is set by the linker.
var version string

// revision is set by the linker.
var revision string

// commit returns 16 hexadecimal digits of the commit the program was built from, zeros if that is not known.
func commit() string {
	const digits = 16
	if len(revision) >= digits {
		return revision[:digits]
	}
	revision := strings.Repeat("0", digits)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= digits {
				revision = s.Value[:digits]
			}
		}
	}
	return revision
}

// clusterIDWait is how long a request waits for the cluster's id while Kafka is not reachable.
const clusterIDWait = 2 * time.Second

// clusterID finds out the id of the Kafka cluster in the background, so that the worker starts and answers without it.
type clusterID struct {
	admin *kafka.Admin
	log   *slog.Logger
	found chan struct{} // closed when id is set
	id    string
}

func newClusterID(props map[string]string, log *slog.Logger) (*clusterID, error) {
	admin, err := kafka.NewAdmin(kafka.AdminProps(props, "", nil), log)
	if err != nil {
		return nil, fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	return &clusterID{admin: admin, log: log, found: make(chan struct{})}, nil
}

// Run asks until there is an answer.
func (c *clusterID) Run(ctx context.Context) error {
	defer c.admin.Close()
	for ctx.Err() == nil {
		id, err := c.admin.ClusterID(ctx)
		if err == nil {
			c.id = id
			close(c.found)
			break
		}
		c.log.Debug("the id of the Kafka cluster is not known yet", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	return nil
}

// get returns the id, empty if it cannot be found out soon.
func (c *clusterID) get(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, clusterIDWait)
	defer cancel()
	select {
	case <-c.found:
		return c.id
	case <-ctx.Done():
		return ""
	}
}
