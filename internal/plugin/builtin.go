package plugin

import (
	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connectors/datagen"
	"github.com/millrace-io/millrace/connectors/file"
	"github.com/millrace-io/millrace/connectors/mock"
	"github.com/millrace-io/millrace/connectors/verifiable"
	"github.com/millrace-io/millrace/converters"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/converters/number"
	"github.com/millrace-io/millrace/converters/simple"
)

// Builtin returns the registry of all plugins that are compiled into the program.
func Builtin() *Registry {
	return New(
		[]connect.Plugin{
			datagen.Source,
			file.Source, file.Sink,
			verifiable.Source, verifiable.Sink, verifiable.SchemaSource,
			mock.Source, mock.Sink,
		},
		[]connect.ConverterPlugin{
			json.Plugin, converters.String, converters.ByteArray, simple.Plugin,
			number.Short, number.Integer, number.Long, number.Float, number.Double, number.Boolean,
		},
	)
}
