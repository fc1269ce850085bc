// Package pipeline is the path of records between a connector and Kafka's bytes: converters, and the tolerance
// operator that decides what becomes of a record that fails on the way.
package pipeline

import (
	"fmt"
	"maps"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/plugin"
)

// Keys that name the converters, in worker and connector configurations.
const (
	KeyConverterKey    = "key.converter"
	ValueConverterKey  = "value.converter"
	HeaderConverterKey = "header.converter"
)

// Converters are the three converters of a task with the classes they are reported under.
type Converters struct {
	Key, Value                        connect.Converter
	Header                            connect.HeaderConverter
	KeyClass, ValueClass, HeaderClass string
}

// NewConverters makes the converters of a task: each from the connector's configuration if it names a class there, else
// from the worker's. A converter gets the keys below its prefix from where its class was named.
func NewConverters(reg *plugin.Registry, connector, worker map[string]string) (Converters, error) {
	var c Converters
	var err error
	if c.Key, c.KeyClass, err = newConverter(reg, KeyConverterKey, connect.ForKey, connector, worker); err != nil {
		return c, err
	}
	if c.Value, c.ValueClass, err = newConverter(reg, ValueConverterKey, connect.ForValue, connector, worker); err != nil {
		return c, err
	}
	p, props, err := lookup(reg, HeaderConverterKey, true, connector, worker)
	if err != nil {
		return c, err
	}
	c.HeaderClass = p.Class
	c.Header, err = p.NewHeader(props)
	return c, wrap(HeaderConverterKey, p.Class, err)
}

func newConverter(reg *plugin.Registry, key string, use connect.ConverterUse, connector, worker map[string]string) (connect.Converter, string, error) {
	p, props, err := lookup(reg, key, false, connector, worker)
	if err != nil {
		return nil, "", err
	}
	c, err := p.New(props, use)
	return c, p.Class, wrap(key, p.Class, err)
}

func wrap(key, class string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s=%s: %w", key, class, err)
}

func lookup(reg *plugin.Registry, key string, headers bool, connector, worker map[string]string) (*connect.ConverterPlugin, connect.Props, error) {
	from := connector
	if strings.TrimSpace(connector[key]) == "" {
		from = worker
	}
	p, err := reg.Converter(from[key], headers)
	if err != nil {
		return nil, nil, fmt.Errorf("Invalid value %s for configuration %s: %w", from[key], key, err)
	}
	return p, below(from, key+"."), nil
}

// below returns the entries under a prefix, without it.
func below(props map[string]string, prefix string) connect.Props {
	out := make(connect.Props)
	for k, v := range maps.All(props) {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			out[rest] = v
		}
	}
	return out
}
