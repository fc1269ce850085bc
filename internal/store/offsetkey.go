package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/javatext"
	"github.com/millrace-io/millrace/converters/json"
)

// offsetKey is a parsed key: the JSON array of connector name and partition object.
type offsetKey struct {
	connector string
	partition data.Value // MAP or null
}

// encodeKey returns the JSON of a key. The partition's fields come in the order in which Java's HashMap gives them
// back: the reference finds offsets by the bytes of their keys, and its connectors mostly use that map.
func encodeKey(connector string, partition map[string]any) ([]byte, error) {
	p, err := partitionValue(partition)
	if err != nil {
		return nil, err
	}
	return json.AppendSchemaless(nil, data.Array([]data.Value{data.String(connector), p}))
}

func partitionValue(partition map[string]any) (data.Value, error) {
	if partition == nil {
		return data.Null, nil
	}
	m := data.NewMap(len(partition))
	for _, k := range javatext.HashOrder(slices.Sorted(maps.Keys(partition))) {
		v, err := scalarValue(partition[k])
		if err != nil {
			return data.Null, fmt.Errorf("source partition field %q: %w", k, err)
		}
		m.Put(data.String(k), v)
	}
	return m.Value(), nil
}

func scalarValue(v any) (data.Value, error) {
	switch v := v.(type) {
	case nil:
		return data.Null, nil
	case bool:
		return data.Bool(v), nil
	case int:
		return data.Int64(int64(v)), nil
	case int8:
		return data.Int8(v), nil
	case int16:
		return data.Int16(v), nil
	case int32:
		return data.Int32(v), nil
	case int64:
		return data.Int64(v), nil
	case float32:
		return data.Float32(v), nil
	case float64:
		return data.Float64(v), nil
	case string:
		return data.String(v), nil
	case []byte:
		return data.Bytes(v), nil
	default:
		return data.Null, data.Errorf("Offsets may only contain primitive types as values, but found a %T", v)
	}
}

var errNotAnOffsetKey = errors.New("not an offset key: expected a JSON array of a connector name and a partition object")

func parseKey(raw []byte) (offsetKey, error) {
	v, err := json.ParseSchemaless(nil, raw)
	if err != nil {
		return offsetKey{}, err
	}
	parts := v.Array()
	if len(parts) != 2 || parts[0].Kind() != data.KindString {
		return offsetKey{}, errNotAnOffsetKey
	}
	if k := parts[1].Kind(); k != data.KindMap && k != data.KindNull {
		return offsetKey{}, errNotAnOffsetKey
	}
	return offsetKey{parts[0].Str(), parts[1]}, nil
}

// idPrefix is what the ids of all keys of a connector begin with.
func idPrefix(connector string) string {
	return string(append(appendText([]byte{'['}, connector), ','))
}

// id returns a text that is equal for keys that mean the same, whatever the order of their fields.
func (k offsetKey) id() string {
	// What was parsed from JSON can be written as JSON.
	id, _ := json.AppendSchemaless(nil, data.Array([]data.Value{data.String(k.connector), sorted(k.partition)}))
	return string(id)
}

// ID returns a text that is equal for equal partitions of a connector, whatever the order of their fields.
func (p PartitionOffset) ID() string { return offsetKey{partition: p.Partition}.id() }

// sorted returns a partition with its fields in alphabetical order.
func sorted(partition data.Value) data.Value {
	m := partition.Map()
	if m == nil {
		return data.Null
	}
	entries := slices.SortedFunc(slices.Values(m.Entries()), func(a, b data.MapEntry) int {
		return slices.Compare(a.Key.Bytes(), b.Key.Bytes())
	})
	out := data.NewMap(len(entries))
	for _, e := range entries {
		out.Put(e.Key, e.Value)
	}
	return out.Value()
}

// encodeOffset returns the JSON of an offset, nil for null, after checking that it holds scalars under string keys.
func encodeOffset(v data.Value) ([]byte, error) {
	switch v.Kind() {
	case data.KindNull:
		return nil, nil
	case data.KindStruct:
		v = asMap(v.Struct())
	case data.KindMap:
	default:
		return nil, data.Errorf("Offsets must be specified as a Map")
	}
	for _, e := range v.Map().Entries() {
		if e.Key.Kind() != data.KindString {
			return nil, data.Errorf("Offsets may only use String keys")
		}
		if k := e.Value.Kind(); k > data.KindBytes {
			return nil, data.Errorf("Offsets may only contain primitive types as values, but field %s contains %s", e.Key.Str(), k)
		}
	}
	return json.AppendSchemaless(nil, v)
}

// asMap returns the fields of a struct as a map, which is what an offset is without its schema.
func asMap(s *data.Struct) data.Value {
	m := data.NewMap(len(s.Values()))
	for i, f := range s.Schema().Fields() {
		m.Put(data.String(f.Name), s.At(i))
	}
	return m.Value()
}

func parseOffset(raw []byte) (data.Value, error) {
	v, err := json.ParseSchemaless(nil, raw)
	if err == nil && v.Kind() != data.KindMap {
		err = fmt.Errorf("stored offset %q is not an object", raw)
	}
	return v, err
}
