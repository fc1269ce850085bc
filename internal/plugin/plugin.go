// Package plugin finds plugins by class name or alias.
//
// A registry is a list made at start; builtin.go has the list of what is compiled in. Nothing registers itself.
package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// Type is a kind of plugin in the words of GET /connector-plugins.
type Type string

// The kinds of plugins, in the order in which the reference lists them.
const (
	Sink            Type = "sink"
	Source          Type = "source"
	Transformation  Type = "transformation"
	Predicate       Type = "predicate"
	Converter       Type = "converter"
	HeaderConverter Type = "header_converter"
)

// Info is one line of the list of plugins.
type Info struct {
	Class   string `json:"class"`
	Type    Type   `json:"type"`
	Version string `json:"version"`
}

// Registry holds all plugins of a worker. It does not change after it was made.
type Registry struct {
	connectors []connect.Plugin
	converters []connect.ConverterPlugin
}

// New returns a registry of these plugins.
func New(connectors []connect.Plugin, converters []connect.ConverterPlugin) *Registry {
	return &Registry{connectors: connectors, converters: converters}
}

// Connector returns the connector of that class or alias. The error begins with the words by which clients recognise
// an unknown class, and names what the user may have meant.
func (r *Registry) Connector(name string) (*connect.Plugin, error) {
	name = strings.TrimSpace(name)
	i := find(r.connectors, name, func(p connect.Plugin) string { return p.Class }, "Connector")
	if i >= 0 {
		return &r.connectors[i], nil
	}
	classes := make([]string, len(r.connectors))
	for i, p := range r.connectors {
		classes[i] = p.Class
	}
	slices.Sort(classes)
	return nil, fmt.Errorf("Failed to find any class that implements Connector and which name matches %s, available connectors are: %s%s",
		name, strings.Join(classes, ", "), didYouMean(name, classes, "Connector"))
}

// Converter returns the converter of that class or alias for keys and values, or, with headers, for headers.
func (r *Registry) Converter(name string, headers bool) (*connect.ConverterPlugin, error) {
	name = strings.TrimSpace(name)
	suffixes := []string{"Converter"}
	if headers {
		suffixes = []string{"HeaderConverter", "Converter"}
	}
	var classes []string
	usable := slices.DeleteFunc(slices.Clone(r.converters), func(p connect.ConverterPlugin) bool {
		return headers && p.NewHeader == nil || !headers && p.New == nil
	})
	for _, p := range usable {
		classes = append(classes, p.Class)
	}
	if i := find(usable, name, func(p connect.ConverterPlugin) string { return p.Class }, suffixes...); i >= 0 {
		return &usable[i], nil
	}
	return nil, fmt.Errorf("Class %s could not be found%s", name, didYouMean(name, classes, suffixes...))
}

// List returns all plugins as GET /connector-plugins shows them: by type, then by class.
func (r *Registry) List(connectorsOnly bool) []Info {
	out := []Info{}
	for _, t := range []Type{Sink, Source} {
		for _, p := range r.connectors {
			if (p.Sink != nil) == (t == Sink) {
				out = append(out, Info{p.Class, t, p.Version})
			}
		}
	}
	if !connectorsOnly {
		out = append(out, r.listConverters()...)
	}
	order := []Type{Sink, Source, Transformation, Predicate, Converter, HeaderConverter}
	slices.SortStableFunc(out, func(a, b Info) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Type), slices.Index(order, b.Type)), strings.Compare(a.Class, b.Class))
	})
	return out
}

func (r *Registry) listConverters() []Info {
	var out []Info
	for _, p := range r.converters {
		if p.New != nil {
			out = append(out, Info{p.Class, Converter, p.Version})
		}
		if p.NewHeader != nil {
			out = append(out, Info{p.Class, HeaderConverter, p.Version})
		}
	}
	return out
}

// find returns the position of the plugin that name stands for: its full class, or an alias that no other class has.
func find[P any](plugins []P, name string, class func(P) string, suffixes ...string) int {
	if i := slices.IndexFunc(plugins, func(p P) bool { return class(p) == name }); i >= 0 {
		return i
	}
	found := -1
	for i, p := range plugins {
		if slices.Contains(aliases(class(p), suffixes...), name) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// aliases returns the simple name of a class, and the simple name cut at the last occurrence of each suffix. Inner
// classes have none: their simple names are not distinctive.
func aliases(class string, suffixes ...string) []string {
	simple := class[strings.LastIndexByte(class, '.')+1:]
	if strings.Contains(simple, "$") {
		return nil
	}
	out := []string{simple}
	for _, suffix := range suffixes {
		if i := strings.LastIndex(simple, suffix); i > 0 {
			out = append(out, simple[:i])
		}
	}
	return out
}

// didYouMean returns a sentence with the classes whose names or aliases are near to what was asked for.
func didYouMean(name string, classes []string, suffixes ...string) string {
	var words []string
	byWord := make(map[string]string)
	for _, c := range classes {
		for _, w := range append(aliases(c, suffixes...), c) {
			words = append(words, w)
			byWord[w] = c
		}
	}
	var near []string
	for _, w := range config.Nearest(name, words) {
		if !slices.Contains(near, byWord[w]) {
			near = append(near, byWord[w])
		}
	}
	if len(near) == 0 {
		return ""
	}
	return ". Did you mean " + strings.Join(near, " or ") + "?"
}
