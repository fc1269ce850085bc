package conntest

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// running is a started connector with its monitor.
type running struct {
	*caller
	plugin connect.Plugin
	conn   connect.Connector
	raised chan error // what RaiseError was called with first

	stopMonitor context.CancelFunc
	monitor     <-chan error // nil without a Monitor
}

// startConnector makes and starts a connector. One that does not start is not stopped, as on a worker.
func startConnector(c *caller, p connect.Plugin, props connect.Props, o Options) (*running, error) {
	r := &running{caller: c, plugin: p, raised: make(chan error, 1)}
	err := c.call("making the connector", func(context.Context) error {
		r.conn = newConnector(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	cc := connect.NewConnectorContext(connect.ConnectorRuntime{
		Log:                    o.Log,
		RequestReconfiguration: func() {},
		RaiseError:             r.raise,
		Offsets: func(_ context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
			return o.Store.get(ps)
		},
	})
	if err := c.call("Start of the connector", func(ctx context.Context) error { return r.conn.Start(ctx, cc, props) }); err != nil {
		return nil, err
	}
	r.startMonitor()
	return r, nil
}

func newConnector(p connect.Plugin) connect.Connector {
	if p.Source != nil {
		return p.Source()
	}
	return p.Sink()
}

func (r *running) raise(err error) {
	select {
	case r.raised <- err:
	default:
	}
}

func (r *running) startMonitor() {
	m, ok := r.conn.(connect.Monitor)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stopMonitor = cancel
	r.monitor = r.start(ctx, "Run of the connector", m.Run)
}

// taskConfigs asks for at most limit task configurations.
func (r *running) taskConfigs(limit int) ([]connect.Props, error) {
	var configs []connect.Props
	err := r.call("TaskConfigs", func(ctx context.Context) (err error) {
		configs, err = r.conn.TaskConfigs(ctx, limit)
		return err
	})
	if err == nil && len(configs) > limit {
		err = fmt.Errorf("TaskConfigs returned %d task configurations, at most %d are allowed", len(configs), limit)
	}
	return configs, err
}

// stop ends the monitor and stops the connector.
func (r *running) stop() error {
	var errs []error
	if r.monitor != nil {
		r.stopMonitor()
		if err := r.await("Run of the connector", r.monitor); !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, r.call("Stop of the connector", r.conn.Stop))
	select {
	case err := <-r.raised:
		errs = append(errs, fmt.Errorf("RaiseError: %w", err))
	default:
	}
	return errors.Join(errs...)
}
