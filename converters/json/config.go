package json

import (
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// Class is the name under which configurations ask for this converter.
const Class = "org.apache.kafka.connect.json.JsonConverter"

// Keys of the converter's configuration.
const (
	SchemasEnableKey          = "schemas.enable"
	SchemasCacheSizeKey       = "schemas.cache.size"
	SchemaContentKey          = "schema.content"
	DecimalFormatKey          = "decimal.format"
	ReplaceNullWithDefaultKey = "replace.null.with.default"
)

// The values of [DecimalFormatKey].
const (
	formatBase64  = "BASE64"
	formatNumeric = "NUMERIC"
)

const (
	schemasGroup       = "Schemas"
	serializationGroup = "Serialization"
)

var (
	def = config.New()

	_ = def.String(connect.ConverterTypeKey, config.Low,
		config.OneOf(string(connect.ForKey), string(connect.ForValue), string(connect.ForHeader)),
		config.Doc("What the converter is used for. The worker sets it."))
	schemasEnable = def.Boolean(SchemasEnableKey, config.Default(true), config.High,
		config.Group(schemasGroup, 0), config.WidthMedium, config.Display("Enable Schemas"),
		config.Doc("Whether each key and value is written, and expected, with its schema next to it."))
	schemasCacheSize = def.Int(SchemasCacheSizeKey, config.Default(1000), config.High,
		config.Group(schemasGroup, 1), config.WidthMedium, config.Display("Schema Cache Size"),
		config.Doc("How many schemas are remembered in each direction."))
	schemaContent = def.String(SchemaContentKey, config.NullDefault, config.High,
		config.Group(schemasGroup, 2), config.WidthMedium, config.Display("Schema Content"),
		config.Doc("A schema in the converter's own JSON form. With it messages are read as values of this schema and are expected without one."))
	decimalFormat = def.String(DecimalFormatKey, config.Default(formatBase64), config.Low,
		config.OneOfFold(formatBase64, formatNumeric),
		config.Group(serializationGroup, 0), config.WidthMedium, config.Display("Decimal Format"),
		config.Doc("How decimals are written: BASE64 for their bytes, NUMERIC for JSON numbers. Both are read."))
	replaceNull = def.Boolean(ReplaceNullWithDefaultKey, config.Default(true), config.Low,
		config.Group(serializationGroup, 1), config.WidthMedium, config.Display("Replace null with default"),
		config.Doc("Whether a null becomes the default value of its schema, if that has one."))
)

// Plugin describes the converter to a worker.
var Plugin = connect.ConverterPlugin{
	Class:   Class,
	Version: connect.KafkaVersion,
	Def:     def,
	New: func(p connect.Props, use connect.ConverterUse) (connect.Converter, error) {
		return orNil(New(p, use))
	},
	NewHeader: connect.HeadersOf(func(p connect.Props, use connect.ConverterUse) (connect.Converter, error) {
		return orNil(New(p, use))
	}),
}

// orNil keeps a nil *Converter from becoming an interface that is not nil.
func orNil(c *Converter, err error) (connect.Converter, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

func isNumeric(v config.Values) bool {
	return strings.EqualFold(decimalFormat.Of(v), formatNumeric)
}
