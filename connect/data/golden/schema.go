package golden

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/millrace-io/millrace/connect/data"
)

// schema is the notation of schemas.
type schema struct {
	Type       string            `json:"type"`
	Items      json.RawMessage   `json:"items"`
	Keys       json.RawMessage   `json:"keys"`
	Values     json.RawMessage   `json:"values"`
	Fields     []json.RawMessage `json:"fields"`
	Optional   bool              `json:"optional"`
	Name       *string           `json:"name"`
	Version    *int32            `json:"version"`
	Doc        *string           `json:"doc"`
	Parameters json.RawMessage   `json:"parameters"`
	Default    json.RawMessage   `json:"default"`
	Field      string            `json:"field"`
}

// Schema reads a schema; it is nil for null and for nothing.
func Schema(raw json.RawMessage) (*data.Schema, error) {
	if isNull(raw) {
		return nil, nil
	}
	var n schema
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, fmt.Errorf("schema %s: %w", raw, err)
	}
	s, err := n.build()
	if err != nil {
		return nil, fmt.Errorf("schema %s: %w", raw, err)
	}
	return s, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

func (n *schema) build() (*data.Schema, error) {
	t, ok := data.TypeOfJSONName(n.Type)
	if !ok {
		return nil, fmt.Errorf("unknown type %q", n.Type)
	}
	b := data.NewBuilder(t)
	switch t {
	case data.TypeArray:
		elem, err := Schema(n.Items)
		if elem == nil {
			return data.UnknownElements(t, nil, nil), err
		}
		b = data.NewArrayBuilder(elem)
	case data.TypeMap:
		key, err := Schema(n.Keys)
		if err != nil {
			return nil, err
		}
		elem, err := Schema(n.Values)
		if err != nil {
			return nil, err
		}
		if key == nil || elem == nil {
			return data.UnknownElements(t, key, elem), nil
		}
		b = data.NewMapBuilder(key, elem)
	case data.TypeStruct:
		if err := n.addFields(b); err != nil {
			return nil, err
		}
	}
	return n.addAttributes(b)
}

func (n *schema) addFields(b *data.Builder) error {
	for _, raw := range n.Fields {
		var f schema
		if err := json.Unmarshal(raw, &f); err != nil {
			return err
		}
		s, err := f.build()
		if err != nil {
			return err
		}
		b.Field(f.Field, s)
	}
	return nil
}

func (n *schema) addAttributes(b *data.Builder) (*data.Schema, error) {
	if n.Optional {
		b.Optional()
	}
	if n.Name != nil {
		b.Name(*n.Name)
	}
	if n.Version != nil {
		b.Version(*n.Version)
	}
	if n.Doc != nil {
		b.Doc(*n.Doc)
	}
	if err := addParameters(b, n.Parameters); err != nil {
		return nil, err
	}
	if isNull(n.Default) {
		return b.Build()
	}
	s, err := b.Build()
	if err != nil {
		return nil, err
	}
	def, err := Payload(s, n.Default)
	if err != nil {
		return nil, err
	}
	return b.Default(def).Build()
}

// addParameters keeps the order of the parameters, which some recorded outputs show.
func addParameters(b *data.Builder, raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	members, err := membersOf(raw)
	for _, m := range members {
		var value string
		if err := json.Unmarshal(m.value, &value); err != nil {
			return err
		}
		b.Parameter(m.name, value)
	}
	return err
}

type member struct {
	name  string
	value json.RawMessage
}

// membersOf returns the members of an object in their order.
func membersOf(raw json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		members = append(members, member{name.(string), value})
	}
	return members, nil
}
