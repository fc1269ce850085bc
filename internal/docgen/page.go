package main

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/plugin"
)

const (
	extension = ".md"
	suffix    = extension + ".tmpl" // of templates: their links are right only from where the pages are
	index     = "README"
	folder    = "pages/" // of the templates of connectors
)

//go:embed pages
var written embed.FS

// page is one connector's.
type page struct {
	name, title string // FileStreamSource is on the page file-stream-source
	plugin      *connect.Plugin
	sink        bool
	alias       string // the title, unless it is no name of the class
}

// render returns the texts of all pages by the names of their files.
func render() (map[string]string, error) {
	templates, err := readTemplates()
	if err != nil {
		return nil, err
	}
	pages, err := pagesOf(plugin.Builtin())
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for _, p := range pages {
		text, ok := templates[p.name]
		if !ok {
			return nil, fmt.Errorf("%s has no page: write internal/docgen/pages/%s", p.plugin.Class, p.name+suffix)
		}
		if out[p.name+extension], err = p.render(text); err != nil {
			return nil, err
		}
		delete(templates, p.name)
	}
	list, err := expand(index, templates[index], template.FuncMap{"connectors": func() string { return listOf(pages) }})
	if err != nil {
		return nil, err
	}
	out[index+extension] = "# Connectors\n\n" + notice(folder+index+suffix) + list
	delete(templates, index)
	if len(templates) > 0 {
		return nil, fmt.Errorf("there are pages of connectors that do not exist: %s", strings.Join(slices.Sorted(maps.Keys(templates)), ", "))
	}
	return out, nil
}

func readTemplates() (map[string]string, error) {
	out := make(map[string]string)
	names, err := fs.Glob(written, "pages/*"+suffix)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		raw, err := written.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[strings.TrimSuffix(path.Base(name), suffix)] = string(raw)
	}
	return out, nil
}

// pagesOf returns the pages of all connectors, sources first.
func pagesOf(reg *plugin.Registry) ([]page, error) {
	var out []page
	seen := make(map[string]string)
	for _, info := range reg.List(true) {
		p, err := reg.Connector(info.Class)
		if err != nil {
			return nil, err
		}
		simple := info.Class[strings.LastIndexByte(info.Class, '.')+1:]
		pg := page{title: strings.TrimSuffix(simple, "Connector"), plugin: p, sink: info.Type == plugin.Sink}
		pg.name = dashed(pg.title)
		if named, err := reg.Connector(pg.title); err == nil && named.Class == p.Class {
			pg.alias = pg.title
		}
		if other, ok := seen[pg.name]; ok {
			return nil, fmt.Errorf("%s and %s would have the same page, %s", other, p.Class, pg.name+extension)
		}
		seen[pg.name] = p.Class
		out = append(out, pg)
	}
	slices.SortStableFunc(out, func(a, b page) int {
		switch {
		case a.sink == b.sink:
			return strings.Compare(a.name, b.name)
		case b.sink:
			return -1
		default:
			return 1
		}
	})
	return out, nil
}

// dashed turns FileStreamSource into file-stream-source.
func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// render puts the page together. A page without its keys is an error.
func (p *page) render(text string) (string, error) {
	keys := false
	body, err := expand(p.name, text, template.FuncMap{
		"configuration": func() string {
			keys = true
			return configuration(p.plugin.Def.Keys())
		},
		"quickstarts": quickstarts,
	})
	switch {
	case err != nil:
		return "", err
	case !keys:
		return "", fmt.Errorf("internal/docgen/pages/%s has no {{configuration}}", p.name+suffix)
	}
	return "# " + p.title + "\n\n" + notice(folder+p.name+suffix) + p.facts() + "\n" + body, nil
}

func (p *page) facts() string {
	kind := "source"
	if p.sink {
		kind = "sink"
	}
	short := ""
	if p.alias != "" {
		short = ", or " + code(p.alias) + " for short"
	}
	return fmt.Sprintf("A %s connector. Its `connector.class` is %s%s.\n", kind, code(p.plugin.Class), short)
}

// notice says from which file of this folder a page comes.
func notice(file string) string {
	return "<!-- Written by `make docs` from internal/docgen/" + file + ". Change it there. -->\n\n"
}

func expand(name, text string, funcs template.FuncMap) (string, error) {
	t, err := template.New(name + suffix).Funcs(funcs).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return "", err
	}
	return b.String(), nil
}
