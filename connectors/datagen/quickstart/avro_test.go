package quickstart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// avroType is an Avro type as the bundled schemas write it. Attributes it does not know are errors, so that a misspelt
// one does not go unnoticed.
type avroType struct {
	Type      string      `json:"type"`
	Namespace string      `json:"namespace"`
	Name      string      `json:"name"`
	Fields    []avroField `json:"fields"`
	Items     *avroType   `json:"items"`
	Values    *avroType   `json:"values"`
	Logical   string      `json:"logicalType"`
	Precision int         `json:"precision"`
	Scale     int         `json:"scale"`
	Args      *args       `json:"arg.properties"`
}

type avroField struct {
	Name string   `json:"name"`
	Type avroType `json:"type"`
}

type args struct {
	Options   []any      `json:"options"`
	Range     *bounds    `json:"range"`
	Iteration *iteration `json:"iteration"`
	Length    *bounds    `json:"length"`
	Regex     string     `json:"regex"`
	Prefix    string     `json:"prefix"`
}

type bounds struct {
	Min json.Number `json:"min"`
	Max json.Number `json:"max"`
}

type iteration struct {
	Start   json.Number `json:"start"`
	Restart json.Number `json:"restart"`
	Step    json.Number `json:"step"`
}

// UnmarshalJSON reads the long form, an object, and the short form, a name.
func (t *avroType) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, &t.Type)
	}
	type plain avroType
	return strict(text, (*plain)(t))
}

func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the end")
	}
	return nil
}

// parse returns the schema of a quickstart.
func parse(t *testing.T, name string) avroType {
	t.Helper()
	q, ok := Find(name)
	if !ok {
		t.Fatalf("no quickstart %q", name)
	}
	var s avroType
	if err := strict(q.Schema(), &s); err != nil {
		t.Fatalf("%s: %v", q.File, err)
	}
	return s
}

// String describes a type and how its values are made, in the notation of the table of shapes.
func (t avroType) String() string {
	s := t.Type
	switch {
	case t.Logical == "decimal":
		s += fmt.Sprintf("(decimal %d.%d)", t.Precision, t.Scale)
	case t.Logical != "":
		s += "(" + t.Logical + ")"
	case t.Items != nil:
		s += "<" + t.Items.String() + ">"
	case t.Values != nil:
		s += "<" + t.Values.String() + ">"
	case t.Type == "record":
		var fields []string
		for _, f := range t.Fields {
			fields = append(fields, f.Name+" "+f.Type.String())
		}
		s = t.Name + "{" + strings.Join(fields, "; ") + "}"
	}
	return s + t.Args.String()
}

func (a *args) String() string {
	if a == nil {
		return ""
	}
	s := ""
	if a.Options != nil {
		s += fmt.Sprintf(" of %d", len(a.Options))
	}
	if a.Range != nil {
		s += " " + a.Range.String()
	}
	if a.Length != nil {
		s += " length " + a.Length.String()
	}
	if i := a.Iteration; i != nil {
		s += " from " + i.Start.String()
		if i.Step != "" {
			s += " by " + i.Step.String()
		}
		if i.Restart != "" {
			s += " to " + i.Restart.String()
		}
	}
	if a.Prefix != "" {
		s += " " + strconv.Quote(a.Prefix)
	}
	if a.Regex != "" {
		s += " /" + a.Regex + "/"
	}
	return s
}

func (b bounds) String() string { return "[" + b.Min.String() + "," + b.Max.String() + ")" }

// walk calls f for a type and all types within it, with the path of fields that leads there.
func (t avroType) walk(path string, f func(path string, t avroType)) {
	f(path, t)
	for _, field := range t.Fields {
		field.Type.walk(path+"."+field.Name, f)
	}
	if t.Items != nil {
		t.Items.walk(path+"[]", f)
	}
	if t.Values != nil {
		t.Values.walk(path+"{}", f)
	}
}

// conforms says what keeps an option from being a value of the type, or nothing.
func (t avroType) conforms(v any) error {
	switch v := v.(type) {
	case string:
		if t.Type == "string" {
			return nil
		}
	case json.Number:
		return t.conformsNumber(v)
	case []any:
		if t.Type == "array" {
			return t.conformsEach(v)
		}
	case map[string]any:
		if t.Type == "map" {
			for _, e := range v {
				if err := t.Values.conforms(e); err != nil {
					return err
				}
			}
			return nil
		}
		if t.Type == "record" {
			return t.conformsRecord(v)
		}
	}
	return fmt.Errorf("%v (%T) is not a %s", v, v, t.Type)
}

func (t avroType) conformsNumber(n json.Number) error {
	var err error
	switch t.Type {
	case "int":
		_, err = strconv.ParseInt(n.String(), 10, 32)
	case "long":
		_, err = n.Int64()
	case "double":
		_, err = n.Float64()
	default:
		err = fmt.Errorf("the number %s is not a %s", n, t.Type)
	}
	return err
}

func (t avroType) conformsEach(list []any) error {
	for _, e := range list {
		if err := t.Items.conforms(e); err != nil {
			return err
		}
	}
	return nil
}

func (t avroType) conformsRecord(row map[string]any) error {
	for _, f := range t.Fields {
		v, ok := row[f.Name]
		if !ok {
			return fmt.Errorf("%v has no %s", row, f.Name)
		}
		if err := f.Type.conforms(v); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if len(row) != len(t.Fields) {
		return fmt.Errorf("%v has more fields than the record", row)
	}
	return nil
}

func TestArgPropertiesFitTheirTypes(t *testing.T) {
	t.Parallel()
	for _, q := range All() {
		parse(t, q.Name).walk(q.Name, func(path string, typ avroType) {
			if typ.Args != nil {
				checkArgs(t, path, typ)
			}
		})
	}
}

func checkArgs(t *testing.T, path string, typ avroType) {
	t.Helper()
	a := *typ.Args
	ways := 0
	for _, used := range []bool{a.Options != nil, a.Range != nil, a.Iteration != nil, a.Regex != "", a.Length != nil} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		t.Errorf("%s: %d ways to make a value, want one", path, ways)
	}
	if a.Prefix != "" && typ.Type != "string" {
		t.Errorf("%s: a prefix of type %s", path, typ.Type)
	}
	checkOptions(t, path, typ)
	for what, b := range map[string]*bounds{"range": a.Range, "length": a.Length} {
		if b == nil {
			continue
		}
		of := typ
		if what == "length" {
			of = avroType{Type: "int"}
		}
		if err := errors.Join(of.conforms(b.Min), of.conforms(b.Max)); err != nil || !below(b.Min, b.Max) {
			t.Errorf("%s: %s %v is empty or does not fit: %v", path, what, b, err)
		}
	}
	if i := a.Iteration; i != nil && (!below("-1", i.Start) || i.Step != "" && !below("0", i.Step) || i.Restart != "" && !below(i.Start, i.Restart)) {
		t.Errorf("%s: the iteration %s does not go up", path, typ)
	}
	if _, err := regexp.Compile(a.Regex); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

// checkOptions checks that options are values of their type, and that none is there twice, which would make it likelier
// than the others.
func checkOptions(t *testing.T, path string, typ avroType) {
	t.Helper()
	if typ.Args.Options != nil && len(typ.Args.Options) == 0 {
		t.Errorf("%s: no options", path)
	}
	seen := map[string]bool{}
	for _, o := range typ.Args.Options {
		if err := typ.conforms(o); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		text := fmt.Sprint(o)
		if seen[text] {
			t.Errorf("%s: %s twice", path, text)
		}
		seen[text] = true
	}
}

// below says whether both are numbers and a is the smaller one.
func below(a, b json.Number) bool {
	x, errA := a.Float64()
	y, errB := b.Float64()
	return errA == nil && errB == nil && x < y
}
