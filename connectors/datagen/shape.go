package datagen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/generator"
	"github.com/millrace-io/millrace/connectors/datagen/quickstart"
)

// noKey is the position of a key field that is not there.
const noKey = -1

// shape is what a configuration says of the records.
type shape struct {
	*generator.Shape
	key int // position of the key's field in the value, or noKey
}

// readSchema reads a file of the worker, or else the bundled one of that name.
func readSchema(name string) ([]byte, error) {
	raw, err := os.ReadFile(name)
	if err == nil {
		return raw, nil
	}
	if bundled, ok := quickstart.File(name); ok {
		return bundled, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such file on the worker, and no bundled schema of that name")
	}
	return nil, err
}

// loadShape reads the schema and finds the key. The configuration is one that def accepts.
func loadShape(v config.Values) (*shape, error) {
	if len(chosen(v)) != 1 {
		return nil, connect.NewError(errExclusive.Error(), nil)
	}
	raw, field, err := source(v)
	if err != nil {
		return nil, err
	}
	parsed, err := generator.Parse(raw)
	if err != nil {
		return nil, connect.NewError("the schema cannot be used", err)
	}
	s := &shape{Shape: parsed, key: noKey}
	if parsed.Schema().Type() != data.TypeStruct {
		return nil, connect.NewError(fmt.Sprintf("the schema must be a record, and is of type %s: put it into a field of a record", parsed.Schema().Type()), nil)
	}
	if field == "" {
		return s, nil
	}
	s.key, err = position(parsed.Schema(), field)
	return s, err
}

// chosen returns the keys by which a shape is given.
func chosen(v config.Values) []string {
	var out []string
	for _, k := range []config.Key[string]{schemaText, schemaFile, quick} {
		if k.Of(v) != "" {
			out = append(out, k.Name())
		}
	}
	return out
}

// source returns the text of the schema and the name of the key's field, empty for none.
func source(v config.Values) (raw []byte, field string, err error) {
	field = keyName.Of(v)
	switch {
	case schemaText.Of(v) != "":
		return []byte(schemaText.Of(v)), field, nil
	case schemaFile.Of(v) != "":
		raw, err = readSchema(schemaFile.Of(v))
		if err != nil {
			return nil, "", connect.NewError("the schema file "+schemaFile.Of(v)+" cannot be used", err)
		}
		return raw, field, nil
	default:
		q, _ := quickstart.Find(quick.Of(v))
		if field == "" {
			field = q.KeyField
		}
		return q.Schema(), field, nil
	}
}

// position returns where a field is in a record.
func position(s *data.Schema, field string) (int, error) {
	var names []string
	for i, f := range s.Fields() {
		if f.Name == field {
			return i, nil
		}
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return noKey, config.Invalid(keyField, field, "the records have no such field at their top level; there are "+strings.Join(names, ", "))
}
