// Package datagen has the Datagen source connector, which makes up records of a given shape: one of the bundled
// quickstarts, or an Avro schema with "arg.properties" that say how to make up the values.
//
// Configurations and stored offsets of the original work unchanged. Numbers come from the same generator, so that a
// random.seed gives the numbers that it gives there; strings that a regular expression describes match it, but are others.
package datagen

import (
	"errors"
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connectors/datagen/generator"
	"github.com/millrace-io/millrace/connectors/datagen/quickstart"
)

// Keys of the configuration.
const (
	keyTopic      = "kafka.topic"
	keyInterval   = "max.interval"
	keyIterations = "iterations"
	keySchema     = "schema.string"
	keyFile       = "schema.filename"
	keyField      = "schema.keyfield"
	keyQuickstart = "quickstart"
	keySeed       = "random.seed"
)

// keyTask is the key that the connector adds to its tasks' configurations, and the name of the source partition's field.
const keyTask = "task.id"

// Source is the Datagen connector.
var Source = newSource(randomPause)

func newSource(p pause) connect.Plugin {
	return connect.Plugin{
		Class:     "io.confluent.kafka.connect.datagen.DatagenConnector",
		TaskClass: "io.confluent.kafka.connect.datagen.DatagenTask",
		Version:   connect.Version,
		Def:       def,
		Source:    func() connect.SourceConnector { return &connector{pause: p} },
	}
}

var (
	def = config.New()

	topic = def.String(keyTopic, config.Required, config.NonEmpty, config.High,
		config.Doc("The topic that the records are written to."))
	interval = def.Long(keyInterval, config.Default(int64(500)), config.High,
		config.Doc("The longest pause before a record, in milliseconds; pauses are random, and half as long on average. 0 makes records as fast as possible."))
	iterations = def.Int(keyIterations, config.Default(-1), config.High,
		config.Doc("How many records each task makes; less than 1 for no end. A task that has made its records is FAILED, with a message that says so."))
	schemaText = def.String(keySchema, config.Default(""), config.High, config.NewCheck("an Avro schema as JSON", checkText),
		config.Doc("The shape of the records: an Avro schema with arg.properties."))
	schemaFile = def.String(keyFile, config.Default(""), config.High, config.NewCheck("a file with an Avro schema", checkFile),
		config.Doc("A file on the worker with the shape of the records, or the file name of a bundled schema, such as pageviews_schema.avro."))
	keyName = def.String(keyField, config.Default(""), config.High,
		config.Doc("The field of the value that becomes the record's key. Without it a quickstart has its own key, and other shapes none."))
	quick = def.String(keyQuickstart, config.Default(""), config.High, config.NewCheck("the name of a quickstart", checkQuickstart),
		config.Recommend(func(config.Values) ([]string, bool) { return quickstartNames(), true }),
		config.Doc("A bundled shape of records."))
	seed = def.Long(keySeed, config.NullDefault, config.Low,
		config.Doc("Where the random numbers begin. The same seed makes the same records again."))
)

func quickstartNames() []string {
	var names []string
	for _, q := range quickstart.All() {
		names = append(names, q.Name)
	}
	return names
}

func checkQuickstart(key string, v any) error {
	name, _ := v.(string)
	if name == "" {
		return nil
	}
	if _, ok := quickstart.Find(name); ok {
		return nil
	}
	text := "there is no such quickstart; "
	if near := config.Nearest(name, quickstartNames()); len(near) > 0 {
		text += "did you mean " + strings.Join(near, " or ") + "? "
	}
	return config.Invalid(key, name, text+"There are "+strings.Join(quickstartNames(), ", "))
}

func checkText(key string, v any) error {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	_, err := generator.Parse([]byte(text))
	return invalidSchema(key, "", err)
}

func checkFile(key string, v any) error {
	name, _ := v.(string)
	if name == "" {
		return nil
	}
	raw, err := readSchema(name)
	if err != nil {
		return config.Invalid(key, name, err.Error())
	}
	_, err = generator.Parse(raw)
	return invalidSchema(key, name, err)
}

// invalidSchema names the file, but does not repeat a whole schema.
func invalidSchema(key, name string, err error) error {
	if err == nil {
		return nil
	}
	if name != "" {
		name += " "
	}
	return &config.Error{Key: key, Message: fmt.Sprintf("Invalid value %sfor configuration %s: %s", name, key, err)}
}

// errExclusive says that the shape is not given exactly once.
var errExclusive = errors.New("Exactly one of " + keySchema + ", " + keyFile + " and " + keyQuickstart + " must be set: " +
	"quickstart=users, for example")
