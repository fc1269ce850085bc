package herder

import (
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/javaregex"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
	"github.com/millrace-io/millrace/internal/worker"
)

// Groups of the keys that all connectors have.
const (
	groupCommon     = "Common"
	groupTransforms = "Transforms"
	groupPredicates = "Predicates"
	groupErrors     = "Error Handling"
	groupExactly    = "Exactly Once Support"
)

// Keys of parts of Connect that this version does not have. Setting them is refused by name, because ignoring them
// would change what arrives.
const (
	transformsKey = "transforms"
	predicatesKey = "predicates"
	dlqTopicKey   = "errors.deadletterqueue.topic.name"
	exactlyKey    = "exactly.once.support"
)

// Keys that the herder reads itself.
var (
	limits          = config.New()
	tasksMax        = limits.Int(worker.TasksMaxKey, config.Default(1), config.AtLeast(1), config.High, config.Group(groupCommon, 4), config.WidthShort, config.Display("Tasks max"), config.Doc("How many tasks the connector may have at most."))
	tasksMaxEnforce = limits.Boolean(worker.TasksMaxEnforceKey, config.Default(true), config.Low, config.Group(groupCommon, 5), config.WidthShort, config.Display("Enforce tasks max"), config.Doc("Whether a connector fails that makes more tasks than tasks.max. Deprecated; leave it on."))
)

// commonDef returns the keys that every connector has.
func commonDef(reg *plugin.Registry) *config.Def {
	d := config.New()
	d.String(worker.NameKey, config.ConnectorName, config.High, config.Group(groupCommon, 1), config.WidthMedium, config.Display("Connector name"), config.Doc("The connector's name, unique in the cluster."))
	d.String(worker.ConnectorClassKey, config.High, config.Group(groupCommon, 2), config.WidthLong, config.Display("Connector class"), config.Doc("The connector's class, by its full name or an alias."))
	converter(d, reg, pipeline.KeyConverterKey, "Key converter class", 6)
	converter(d, reg, pipeline.ValueConverterKey, "Value converter class", 8)
	converter(d, reg, pipeline.HeaderConverterKey, "Header converter class", 10)
	d.List(transformsKey, config.Default([]string{}), unsupported(), config.Low, config.Group(groupTransforms, 12), config.WidthLong, config.Display("Transforms"), config.Doc("Aliases of the transformations that records go through."))
	d.List(predicatesKey, config.Default([]string{}), unsupported(), config.Low, config.Group(groupPredicates, 13), config.WidthLong, config.Display("Predicates"), config.Doc("Aliases of the predicates that transformations refer to."))
	return config.MustMerge(d, limits, pipeline.ErrorDef)
}

func converter(d *config.Def, reg *plugin.Registry, key, display string, order int) {
	headers := key == pipeline.HeaderConverterKey
	resolve := func(name string) (string, bool) {
		p, err := reg.Converter(name, headers)
		if err != nil {
			return "", false
		}
		return p.Class, true
	}
	d.Class(key, config.NullDefault, config.Resolve(resolve), config.Low, config.Group(groupCommon, order), config.WidthShort, config.Display(display), config.Doc("Converter of this connector instead of the worker's."))
}

// unsupported refuses every value but the empty one.
func unsupported() config.Check {
	return config.NewCheck("empty", func(key string, v any) error {
		switch v := v.(type) {
		case []string:
			if len(v) == 0 {
				return nil
			}
		case string:
			if v == "" {
				return nil
			}
		case nil:
			return nil
		}
		return config.Invalid(key, v, "this version of Millrace does not have it; remove the key or use a Kafka Connect worker for this connector")
	})
}

func sourceDef() *config.Def {
	d := config.New()
	d.String(exactlyKey, config.Default("requested"), config.OneOfFold("requested", "required"), config.Medium, config.Group(groupExactly, 2), config.WidthShort, config.Display("Exactly once support"), config.Doc("Whether the connector may only run with exactly-once delivery."))
	return d
}

func sinkDef() *config.Def {
	d := config.New()
	d.List(worker.TopicsKey, config.Default([]string{}), config.UniqueList, config.High, config.Group(groupCommon, 4), config.WidthLong, config.Display("Topics"), config.Doc("Topics to consume, separated by commas."))
	d.String(worker.TopicsRegexKey, config.Default(""), config.Regex(func(p string) error { _, err := javaregex.Compile(p); return err }), config.High, config.Group(groupCommon, 4), config.WidthLong, config.Display("Topics regex"), config.Doc("Regular expression, in Java's syntax, that the whole name of each topic to consume matches."))
	d.String(dlqTopicKey, config.Default(""), unsupported(), config.Medium, config.Group(groupErrors, 6), config.WidthMedium, config.Display("Dead Letter Queue Topic Name"), config.Doc("Topic for records that could not be delivered."))
	return d
}
