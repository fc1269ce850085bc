package converters_test

import (
	"testing"

	"github.com/millrace-io/millrace/converters"
	"github.com/millrace-io/millrace/converters/convertertest"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/converters/number"
)

func TestGoldenConverters(t *testing.T) {
	t.Parallel()
	convertertest.Golden(t, "converters.jsonl", converters.String, converters.ByteArray, json.Plugin,
		number.Short, number.Integer, number.Long, number.Float, number.Double, number.Boolean)
}
