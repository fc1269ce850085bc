package main

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connectors/datagen/generator"
	"github.com/millrace-io/millrace/connectors/datagen/quickstart"
)

// table makes a table of Markdown.
func table(head []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		line(cells)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func code(s string) string { return "`" + s + "`" }

// configuration is the part of a connector's page about its keys.
func configuration(keys []config.KeyInfo) string {
	const common = "Besides there are the [keys that all connectors have](README.md#keys-that-all-connectors-have)."
	if len(keys) == 0 {
		return "The connector defines no keys of its own: values are looked at when a task starts, which fails if one is wrong.\n" + common
	}
	return keyTable(keys) + "\n\n" + common
}

// keyTable describes keys in their order.
func keyTable(keys []config.KeyInfo) string {
	var rows [][]string
	for _, k := range keys {
		rows = append(rows, []string{code(k.Name), k.Type.String(), standard(k), accepted(k), k.Importance.String(), k.Doc})
	}
	return table([]string{"key", "type", "default", "accepted", "importance", "meaning"}, rows)
}

func standard(k config.KeyInfo) string {
	switch {
	case k.Required:
		return "required"
	case k.Default == nil:
		return "none"
	case *k.Default == "":
		return "empty"
	default:
		return code(*k.Default)
	}
}

func accepted(k config.KeyInfo) string {
	if k.Allowed == nil {
		return k.Valid
	}
	return values(k.Allowed)
}

// values lists values of a key.
func values(list []string) string {
	words := make([]string, len(list))
	for i, a := range list {
		if words[i] = code(a); a == "" {
			words[i] = "empty"
		}
	}
	return strings.Join(words, ", ")
}

// quickstarts lists the bundled shapes of Datagen.
func quickstarts() (string, error) {
	var rows [][]string
	for _, q := range quickstart.All() {
		shape, err := generator.Parse(q.Schema())
		if err != nil {
			return "", fmt.Errorf("quickstart %s: %w", q.Name, err)
		}
		var fields []string
		for _, f := range shape.Schema().Fields() {
			if f.Name != q.KeyField {
				fields = append(fields, f.Name)
			}
		}
		rows = append(rows, []string{code(q.Name), q.Description, code(q.KeyField), strings.Join(fields, ", "), code(q.File)})
	}
	return table([]string{"quickstart", "what", "key", "other fields", "bundled schema"}, rows), nil
}

// listOf is the index of the pages.
func listOf(pages []page) string {
	var rows [][]string
	for _, p := range pages {
		kind := "source"
		if p.sink {
			kind = "sink"
		}
		rows = append(rows, []string{fmt.Sprintf("[%s](%s)", p.title, p.name+extension), kind, code(p.plugin.Class)})
	}
	return table([]string{"connector", "kind", "`connector.class`"}, rows)
}
