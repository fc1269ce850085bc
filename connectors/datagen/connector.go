package datagen

import (
	"context"
	"maps"
	"strconv"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// connector gives each task the same work, with numbers of its own.
type connector struct {
	pause pause
	props connect.Props
}

var (
	_ connect.SourceConnector = (*connector)(nil)
	_ connect.Validator       = (*connector)(nil)
)

func (c *connector) Start(_ context.Context, _ *connect.ConnectorContext, p connect.Props) error {
	v, err := def.Parse(p)
	if err != nil {
		return err
	}
	c.props = p
	_, err = loadShape(v)
	return err
}

func (c *connector) TaskConfigs(_ context.Context, limit int) ([]connect.Props, error) {
	out := make([]connect.Props, limit)
	for i := range out {
		out[i] = maps.Clone(c.props)
		out[i][keyTask] = strconv.Itoa(i)
	}
	return out, nil
}

func (c *connector) NewTask() connect.SourceTask { return &task{pause: c.pause} }

func (c *connector) Stop(context.Context) error { return nil }

// Validate checks what one key alone does not show: that there is one shape, and that it has the key's field. The second
// is looked at when all else is in order.
func (c *connector) Validate(_ context.Context, p connect.Props) []config.Value {
	values := def.Validate(p)
	for _, v := range values {
		if len(v.Errors) > 0 {
			return values
		}
	}
	v, err := def.Parse(p)
	if err != nil {
		return values // the values say it
	}
	blamed := chosen(v)
	switch len(blamed) {
	case 0:
		blamed = []string{keySchema, keyFile, keyQuickstart}
	case 1:
		_, err = loadShape(v)
		if keyName.Of(v) != "" {
			blamed = []string{keyField}
		}
	}
	if len(chosen(v)) != 1 {
		err = errExclusive
	}
	if err != nil {
		blame(values, err, blamed)
	}
	return values
}

func blame(values []config.Value, err error, keys []string) {
	for i := range values {
		for _, k := range keys {
			if values[i].Name == k {
				values[i].Errors = append(values[i].Errors, err.Error())
			}
		}
	}
}
