package store

import (
	"encoding/json"
	"testing"
)

func TestConfigJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"b":"1","a":"2"}`:                      `{"b":"1","a":"2"}`,
		`{"n":1.50,"big":12345678901234567890}`:  `{"n":"1.50","big":"12345678901234567890"}`,
		`{"e":1e10,"t":true,"f":false,"z":null}`: `{"e":"1e10","t":"true","f":"false","z":null}`,
		`{"a":"1","b":"2","a":"3"}`:              `{"a":"3","b":"2"}`,
		`{"é<&>":"ü\n"}`:                         `{"é<&>":"ü\n"}`,
		`{}`:                                     `{}`,
	} {
		var c Config
		if err := json.Unmarshal([]byte(in), &c); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, err := c.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%s came back as %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{`{"a":{}}`, `{"a":["x"]}`, `[]`, `"x"`, `{"a"`} {
		var c Config
		if err := json.Unmarshal([]byte(in), &c); err == nil {
			t.Errorf("%s was accepted as a configuration", in)
		}
	}
}

func TestConfigEntries(t *testing.T) {
	t.Parallel()
	c := NewConfig(map[string]string{"b": "2", "a": "1"})
	d := c.Clone()
	d.SetNull("a")
	d.Set("c", "3")
	if v, ok := c.Get("a"); !ok || v != "1" {
		t.Errorf("changing a clone changed the original: a=%q, %v", v, ok)
	}
	if _, ok := d.Get("a"); ok || !d.IsNull("a") || d.IsNull("b") {
		t.Error("a null value is not told from others")
	}
	if got := len(d.Props()); got != 2 {
		t.Errorf("%d non-null entries, want 2", got)
	}
	if c.Equal(d) || !c.Equal(NewConfig(map[string]string{"a": "1", "b": "2"})) {
		t.Error("equality does not follow the entries")
	}
}
