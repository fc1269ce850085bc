package verifiable

import (
	"context"
	"maps"
	"strconv"

	"github.com/millrace-io/millrace/connect"
)

// connector has as many tasks as are allowed, which differ in their id.
type connector struct{ props connect.Props }

func (c *connector) Start(_ context.Context, _ *connect.ConnectorContext, p connect.Props) error {
	c.props = p
	return nil
}

func (c *connector) TaskConfigs(_ context.Context, limit int) ([]connect.Props, error) {
	configs := make([]connect.Props, limit)
	for i := range configs {
		configs[i] = maps.Clone(c.props)
		configs[i][keyID] = strconv.Itoa(i)
	}
	return configs, nil
}

func (c *connector) Stop(context.Context) error { return nil }

type sourceConnector struct {
	connector
	newTask func() connect.SourceTask
}

func (c *sourceConnector) NewTask() connect.SourceTask { return c.newTask() }

type sinkConnector struct {
	connector
	newTask func() connect.SinkTask
}

func (c *sinkConnector) NewTask() connect.SinkTask { return c.newTask() }
