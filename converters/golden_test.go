package converters_test

import (
	"testing"

	"github.com/millrace-io/millrace/converters"
	"github.com/millrace-io/millrace/converters/convertertest"
	"github.com/millrace-io/millrace/converters/json"
)

func TestGoldenConverters(t *testing.T) {
	t.Parallel()
	convertertest.Golden(t, "converters.jsonl", converters.String, converters.ByteArray, json.Plugin)
}
