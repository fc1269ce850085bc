package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Config is a connector's configuration as it was submitted: keys in their order, placeholders unresolved, null values
// kept. The zero Config is empty and usable. Copies share their content; [Config.Clone] makes one that does not.
type Config struct {
	keys   []string
	values map[string]*string
}

// NewConfig returns a configuration with the entries of props, sorted by key.
func NewConfig(props map[string]string) Config {
	var c Config
	for _, k := range slices.Sorted(maps.Keys(props)) {
		c.Set(k, props[k])
	}
	return c
}

// Keys returns the keys in order, not to be changed.
func (c Config) Keys() []string { return c.keys }

// Get returns a value; false if the key is absent or null.
func (c Config) Get(key string) (string, bool) {
	if v := c.values[key]; v != nil {
		return *v, true
	}
	return "", false
}

// Value returns the value of a key, empty if it is absent or null.
func (c Config) Value(key string) string {
	v, _ := c.Get(key)
	return v
}

// IsNull tells whether the key is present with a null value.
func (c Config) IsNull(key string) bool {
	v, ok := c.values[key]
	return ok && v == nil
}

// Set sets a key; a new one goes to the end.
func (c *Config) Set(key, value string) { c.put(key, &value) }

// SetNull sets a key to null.
func (c *Config) SetNull(key string) { c.put(key, nil) }

func (c *Config) put(key string, value *string) {
	if c.values == nil {
		c.values = make(map[string]*string)
	}
	if _, ok := c.values[key]; !ok {
		c.keys = append(c.keys, key)
	}
	c.values[key] = value
}

// Clone returns a copy that can be changed.
func (c Config) Clone() Config {
	return Config{keys: slices.Clone(c.keys), values: maps.Clone(c.values)}
}

// Props returns the non-null entries as a new map.
func (c Config) Props() map[string]string {
	out := make(map[string]string, len(c.values))
	for k, v := range c.values {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

// Equal tells whether both have the same entries, in any order.
func (c Config) Equal(o Config) bool {
	return maps.EqualFunc(c.values, o.values, func(a, b *string) bool {
		return (a == nil) == (b == nil) && (a == nil || *a == *b)
	})
}

// MarshalJSON writes an object with the keys in order and without escaping of <, > and &.
func (c Config) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, k := range c.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(k); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // Encode ends with a newline
		b.WriteByte(':')
		if err := enc.Encode(c.values[k]); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads an object as Connect does: strings as they are, numbers and booleans as their text, nulls kept,
// of duplicate keys the last value at the first one's place. Objects and arrays as values are an error.
func (c *Config) UnmarshalJSON(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	open, err := dec.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("cannot read a configuration from %s: expected an object of strings", raw)
	}
	*c = Config{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		value, err := dec.Token()
		if err != nil {
			return err
		}
		if err := c.putToken(fmt.Sprint(key), value); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) putToken(key string, token json.Token) error {
	switch v := token.(type) {
	case nil:
		c.SetNull(key)
	case json.Delim:
		return fmt.Errorf("cannot read the value of %q: expected a string, found %s", key, v)
	default:
		c.Set(key, fmt.Sprint(v))
	}
	return nil
}
