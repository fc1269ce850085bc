package conntest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Store holds source offsets in the JSON form in which a worker stores them, so that what is read back has
// the types that a worker gives back: integers are INT64, floats FLOAT64, bytes STRING. It outlives the tasks that use
// it. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex // guards offsets
	offsets map[string]string
}

// NewStore returns an empty store.
func NewStore() *Store { return &Store{offsets: make(map[string]string)} }

// Set stores the offset of a partition, as a commit would. A nil offset removes the partition. Values are scalars.
func (s *Store) Set(partition, offset map[string]any) error {
	key, err := encode(partition)
	if err != nil {
		return err
	}
	if offset == nil {
		s.put(key, "")
		return nil
	}
	text, err := encode(offset)
	if err != nil {
		return err
	}
	s.put(key, text)
	return nil
}

// Offsets returns all stored offsets, sorted by the text of their partitions.
func (s *Store) Offsets() ([]connect.SourceOffset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.offsets))
	all := make([]connect.SourceOffset, len(keys))
	for i, k := range keys {
		var err error
		if all[i].Partition, err = decode(k); err != nil {
			return nil, err
		}
		if all[i].Offset, err = decode(s.offsets[k]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// put stores the text of an offset; an empty text removes it.
func (s *Store) put(partition, offset string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if offset == "" {
		delete(s.offsets, partition)
		return
	}
	s.offsets[partition] = offset
}

// get returns the offset of each partition, null where there is none.
func (s *Store) get(partitions []*connect.SourcePartition) ([]data.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]data.Value, len(partitions))
	for i, p := range partitions {
		key, err := encode(p.Fields())
		if err != nil {
			return nil, err
		}
		text, ok := s.offsets[key]
		if !ok {
			continue
		}
		if out[i], err = decode(text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// offsetFields returns the content of a source offset, nil for null.
func offsetFields(v data.Value) (map[string]any, error) {
	fields := make(map[string]any)
	switch v.Kind() {
	case data.KindNull:
		return nil, nil
	case data.KindStruct:
		st := v.Struct()
		for i, f := range st.Schema().Fields() {
			x, err := scalar(f.Name, st.At(i))
			if err != nil {
				return nil, err
			}
			fields[f.Name] = x
		}
	case data.KindMap:
		for _, e := range v.Map().Entries() {
			if e.Key.Kind() != data.KindString {
				return nil, connect.NewError("Offsets may only use String keys", nil)
			}
			x, err := scalar(e.Key.Str(), e.Value)
			if err != nil {
				return nil, err
			}
			fields[e.Key.Str()] = x
		}
	default:
		return nil, connect.NewError("Offsets must be specified as a Map", nil)
	}
	return fields, nil
}

func scalar(name string, v data.Value) (any, error) {
	switch v.Kind() {
	case data.KindNull:
		return nil, nil
	case data.KindBoolean:
		return v.Bool(), nil
	case data.KindString:
		return strings.Clone(v.Str()), nil
	case data.KindBytes:
		return slices.Clone(v.Bytes()), nil
	case data.KindFloat32, data.KindFloat64:
		return v.Float64(), nil
	}
	if v.IsInteger() {
		return v.Int64(), nil
	}
	return nil, connect.NewError(fmt.Sprintf("Offsets may only contain primitive types as values, but field %s contains %s", name, v.Kind()), nil)
}

// encode returns the JSON text of an object of scalars, with sorted keys.
func encode(fields map[string]any) (string, error) {
	if fields == nil {
		return "null", nil
	}
	out := make(map[string]any, len(fields))
	for k, v := range fields {
		x, err := encodable(v)
		if err != nil {
			return "", fmt.Errorf("field %s: %w", k, err)
		}
		out[k] = x
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// encodable returns what encoding/json writes as a worker writes v.
func encodable(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int, int8, int16, int32, int64, []byte:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("%q is not UTF-8", v)
		}
		return v, nil
	case float32:
		return encodable(float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v has no JSON form", v)
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return json.Number(text), nil
	default:
		return nil, fmt.Errorf("%T is no scalar", v)
	}
}

// decode returns the MAP that an object of scalars stands for, null for null.
func decode(text string) (data.Value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return data.Null, fmt.Errorf("decode %s: %w", text, err)
	}
	if fields == nil {
		return data.Null, nil
	}
	m := data.NewMap(len(fields))
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		x, err := decodable(fields[k])
		if err != nil {
			return data.Null, fmt.Errorf("decode %s: %w", text, err)
		}
		m.Put(data.String(k), x)
	}
	return m.Value(), nil
}

func decodable(v any) (data.Value, error) {
	switch v := v.(type) {
	case nil:
		return data.Null, nil
	case bool:
		return data.Bool(v), nil
	case string:
		return data.String(v), nil
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return data.Int64(n), nil
		}
		f, err := v.Float64()
		return data.Float64(f), err
	default:
		return data.Null, fmt.Errorf("%T is no scalar", v)
	}
}
