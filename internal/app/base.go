package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/kafka"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/rest"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// base is what all workers have.
type base struct {
	props   map[string]string
	common  commonKeys
	values  config.Values
	plugins *plugin.Registry
	log     *slog.Logger
	server  *rest.Server
	cluster *clusterID
}

// newBase checks the configuration by the keys of a kind of worker and logs the keys that have no effect.
func newBase(props map[string]string, reg *plugin.Registry, keys commonKeys, log *slog.Logger) (base, error) {
	b := base{props: props, common: keys, plugins: reg, log: log}
	var err error
	if b.values, err = keys.def.Parse(props); err == nil {
		err = checkRefused(props)
	}
	if err != nil {
		return b, fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	nameUnused(log, keys.def, props, kafka.IsClientKey)
	if b.cluster, err = newClusterID(props, log); err != nil {
		return b, err
	}
	for _, n := range b.cluster.admin.Notes() {
		if withoutEffect[n.Key] == "" {
			log.Info("a configuration key has no effect", "key", n.Key, "because", n.Reason)
		}
	}
	return b, nil
}

// listen opens the listeners of the REST interface.
func (b *base) listen(ready func() bool) (err error) {
	b.server, err = rest.Listen(rest.Options{
		Listeners: b.common.listeners.Of(b.values),
		Identity:  b.identity,
		Ready:     ready,
		Log:       b.log,
	})
	return err
}

// newWorker returns the worker's part that runs connectors and tasks.
func (b *base) newWorker(offsets store.Offsets, status event.Listener) *worker.Worker {
	return worker.New(worker.Options{
		Props:         b.withDefaults(),
		FlushInterval: millis(b.common.flushInterval, b.values),
		FlushTimeout:  millis(b.common.flushTimeout, b.values),
		StopTimeout:   millis(b.common.stopTimeout, b.values),
		Plugins:       b.plugins,
		Offsets:       offsets,
		Status:        status,
		Log:           b.log,
	})
}

// withDefaults returns the configuration with the header converter that counts if none is given.
func (b *base) withDefaults() map[string]string {
	props := maps.Clone(b.props)
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
func (b *base) workerID() string {
	addr := b.server.Addr()
	host, port := b.common.host.Of(b.values), addr.Port
	if host == "" && !addr.IP.IsUnspecified() {
		host = addr.IP.String()
	}
	if host == "" {
		host, _ = os.Hostname()
	}
	if p, ok := b.common.port.Lookup(b.values); ok {
		port = int(p)
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// URL returns the address of the REST interface on this machine.
func (b *base) URL() string {
	addr := *b.server.Addr()
	if addr.IP.IsUnspecified() {
		addr.IP = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + addr.String()
}

func (b *base) identity(ctx context.Context) rest.Identity {
	return rest.Identity{Version: connect.KafkaVersion, Commit: commit(), ClusterID: b.cluster.get(ctx)}
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
