package plugin_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/plugin"
)

func source(class string) connect.Plugin {
	return connect.Plugin{Class: class, Version: "1", Source: func() connect.SourceConnector { return nil }}
}

func sink(class string) connect.Plugin {
	return connect.Plugin{Class: class, Version: "2", Sink: func() connect.SinkConnector { return nil }}
}

func converter(class string, values, headers bool) connect.ConverterPlugin {
	p := connect.ConverterPlugin{Class: class, Version: "3"}
	if values {
		p.New = func(connect.Props, connect.ConverterUse) (connect.Converter, error) { return nil, nil }
	}
	if headers {
		p.NewHeader = func(connect.Props) (connect.HeaderConverter, error) { return nil, nil }
	}
	return p
}

func registry() *plugin.Registry {
	return plugin.New(
		[]connect.Plugin{
			source("b.TwinConnector"), sink("a.TwinConnector"), source("a.PipeSourceConnector"), sink("a.PipeSinkConnector"),
			sink("a.Outer$InnerConnector"), source("a.Plain"), source("Bare"), sink("x.Bare"), sink("y.Bare"),
			source("a.ConnectorConnector"), sink("a.Connector"),
		},
		[]connect.ConverterPlugin{
			converter("c.TextConverter", true, true), converter("c.PlainHeaderConverter", false, true), converter("c.AvroConverter", true, false),
		},
	)
}

func TestConnectorByName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, want string }{
		{"a.PipeSourceConnector", "a.PipeSourceConnector"},
		{"PipeSourceConnector", "a.PipeSourceConnector"},
		{"PipeSource", "a.PipeSourceConnector"},
		{" PipeSink ", "a.PipeSinkConnector"},
		{"Plain", "a.Plain"},
		{"a.TwinConnector", "a.TwinConnector"},
		{"b.TwinConnector", "b.TwinConnector"},
		{"TwinConnector", ""},
		{"Twin", ""},
		{"a.Outer$InnerConnector", "a.Outer$InnerConnector"},
		{"Outer$InnerConnector", ""},
		{"InnerConnector", ""},
		{"Inner", ""},
		{"Bare", "Bare"}, // a full name counts more than ambiguous aliases
		{"ConnectorConnector", "a.ConnectorConnector"},
		{"Connector", ""}, // the simple name of one and the alias of another
		{"pipesource", ""},
		{"a.PipeSource", ""},
		{"", ""},
	} {
		got := ""
		p, err := registry().Connector(tc.name)
		if err == nil {
			got = p.Class
		}
		if got != tc.want {
			t.Errorf("Connector(%q): %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestUnknownConnector(t *testing.T) {
	t.Parallel()
	r := plugin.New([]connect.Plugin{sink("z.PipeSinkConnector"), source("a.PipeSourceConnector")}, nil)
	const begin = "Failed to find any class that implements Connector and which name matches "
	const available = ", available connectors are: a.PipeSourceConnector, z.PipeSinkConnector"
	for _, tc := range []struct{ name, want string }{
		{"no.such.Thing", begin + "no.such.Thing" + available},
		{"PipeSorce", begin + "PipeSorce" + available + ". Did you mean a.PipeSourceConnector"},
		{"z.PipeSinkConector", begin + "z.PipeSinkConector" + available + ". Did you mean z.PipeSinkConnector"},
	} {
		_, err := r.Connector(tc.name)
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("Connector(%q): %v, want %q", tc.name, err, tc.want)
		}
		if hint := strings.Contains(tc.want, "Did you mean"); err != nil && hint != strings.HasSuffix(err.Error(), "?") {
			t.Errorf("Connector(%q): %v", tc.name, err)
		}
	}
}

func TestConverterByName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, values, headers string }{
		{"c.TextConverter", "c.TextConverter", "c.TextConverter"},
		{"TextConverter", "c.TextConverter", "c.TextConverter"},
		{" Text", "c.TextConverter", "c.TextConverter"},
		{"c.AvroConverter", "c.AvroConverter", ""},
		{"Avro", "c.AvroConverter", ""},
		{"c.PlainHeaderConverter", "", "c.PlainHeaderConverter"},
		{"Plain", "", "c.PlainHeaderConverter"},
		{"PlainHeader", "", "c.PlainHeaderConverter"},
		{"d.TextConverter", "", ""},
	} {
		for headers, want := range map[bool]string{false: tc.values, true: tc.headers} {
			got := ""
			p, err := registry().Converter(tc.name, headers)
			if err == nil {
				got = p.Class
			}
			if got != want {
				t.Errorf("Converter(%q, headers=%t): %q, %v; want %q", tc.name, headers, got, err, want)
			}
		}
	}
}

func TestUnknownConverter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		headers bool
		want    string
	}{
		{"x.Thing", false, "Class x.Thing could not be found"},
		{"c.TexConverter", false, "Class c.TexConverter could not be found. Did you mean c.TextConverter or c.AvroConverter?"},
		{"PlainHeadrConverter", true, "Class PlainHeadrConverter could not be found. Did you mean c.PlainHeaderConverter?"},
		{"c.AvroConverter", true, "Class c.AvroConverter could not be found. Did you mean c.TextConverter?"},
	} {
		if _, err := registry().Converter(tc.name, tc.headers); err == nil || err.Error() != tc.want {
			t.Errorf("Converter(%q, headers=%t): %v, want %s", tc.name, tc.headers, err, tc.want)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	r := plugin.New(
		[]connect.Plugin{source("b.S"), sink("z.K"), source("a.S"), sink("c.K")},
		[]connect.ConverterPlugin{converter("d.TextConverter", true, true), converter("b.PlainHeaderConverter", false, true), converter("c.AvroConverter", true, false)},
	)
	connectors := []plugin.Info{{"c.K", "sink", "2"}, {"z.K", "sink", "2"}, {"a.S", "source", "1"}, {"b.S", "source", "1"}}
	if diff := cmp.Diff(connectors, r.List(true)); diff != "" {
		t.Errorf("connectors (-want +got):\n%s", diff)
	}
	all := append(connectors, plugin.Info{"c.AvroConverter", "converter", "3"}, plugin.Info{"d.TextConverter", "converter", "3"},
		plugin.Info{"b.PlainHeaderConverter", "header_converter", "3"}, plugin.Info{"d.TextConverter", "header_converter", "3"})
	if diff := cmp.Diff(all, r.List(false)); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if got := plugin.New(nil, nil).List(false); got == nil || len(got) != 0 {
		t.Errorf("the list of no plugins is %#v, want an empty one", got)
	}
}

func TestBuiltin(t *testing.T) {
	t.Parallel()
	r := plugin.Builtin()
	for _, name := range []string{
		"FileStreamSource", "FileStreamSink", "org.apache.kafka.connect.file.FileStreamSinkConnector",
		"VerifiableSource", "VerifiableSink", "SchemaSource", "MockSource", "MockSink",
		"org.apache.kafka.connect.tools.SchemaSourceConnector",
	} {
		if p, err := r.Connector(name); err != nil || p.Def == nil || p.TaskClass == "" || (p.Source == nil) == (p.Sink == nil) {
			t.Errorf("Connector(%s): %+v, %v", name, p, err)
		}
	}
	for _, name := range []string{
		"org.apache.kafka.connect.json.JsonConverter", "org.apache.kafka.connect.storage.StringConverter",
		"org.apache.kafka.connect.converters.ByteArrayConverter", "org.apache.kafka.connect.converters.IntegerConverter",
		"Short", "Long", "Float", "Double", "BooleanConverter",
	} {
		for _, headers := range []bool{false, true} {
			if _, err := r.Converter(name, headers); err != nil {
				t.Errorf("Converter(%s, headers=%t): %v", name, headers, err)
			}
		}
	}
	if _, err := r.Converter("org.apache.kafka.connect.storage.SimpleHeaderConverter", true); err != nil {
		t.Error(err)
	}
}
