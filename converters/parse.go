package converters

import (
	"errors"
	"maps"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// parse reads a configuration and reports the first violation only, as the reference does.
func parse(def *config.Def, props connect.Props, use connect.ConverterUse) (config.Values, error) {
	p := maps.Clone(props)
	if p == nil {
		p = connect.Props{}
	}
	p[connect.ConverterTypeKey] = string(use)
	v, err := def.Parse(p)
	if errs, ok := errors.AsType[config.Errors](err); ok {
		return v, errs[0]
	}
	return v, err
}
