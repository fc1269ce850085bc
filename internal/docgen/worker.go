package main

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/millrace-io/millrace/internal/app"
)

const workerFile = "worker" + extension

//go:embed worker.md.tmpl
var workerTemplate string

// workerPage returns the page about workers. Each of the tables has to be in it.
func workerPage(keys app.Keys) (string, error) {
	return fillWorker(workerTemplate, keys)
}

func fillWorker(text string, keys app.Keys) (string, error) {
	tables := map[string]string{
		"common":      keyTable(keys.Common),
		"distributed": keyTable(keys.Distributed),
		"standalone":  keyTable(keys.Standalone),
		"clients":     keyTable(keys.Clients),
		"inert":       inertTable(keys.Inert),
		"ignored":     ignoredTable(keys.Ignored),
		"refused":     refusedTable(keys.Refused),
	}
	funcs := template.FuncMap{}
	for name, table := range tables {
		if !strings.Contains(text, "{{"+name+"}}") {
			return "", fmt.Errorf("internal/docgen/worker%s has no {{%s}}", suffix, name)
		}
		funcs[name] = func() string { return table }
	}
	body, err := expand("worker", text, funcs)
	if err != nil {
		return "", err
	}
	return "# Worker configuration\n\n" + notice("worker"+suffix) + body, nil
}

// inertTable describes keys that are accepted and have no effect.
func inertTable(notes []app.KeyNote) string {
	var rows [][]string
	for _, n := range notes {
		meaning := strings.TrimSpace(n.Doc + " No effect" + where(n) + ": " + n.Reason + ".")
		rows = append(rows, []string{code(n.Name), n.Type.String(), standard(n.KeyInfo), accepted(n.KeyInfo), n.Importance.String(), meaning})
	}
	return table([]string{"key", "type", "default", "accepted", "importance", "meaning, and why it has no effect"}, rows)
}

// ignoredTable describes keys, and prefixes of keys, that are not looked at.
func ignoredTable(notes []app.KeyNote) string {
	var rows [][]string
	for _, n := range notes {
		name := n.Name
		if strings.HasSuffix(name, ".") {
			name += "*"
		}
		rows = append(rows, []string{code(name), ignoredWhy(n)})
	}
	return table([]string{"key", "why"}, rows)
}

// refusedTable describes keys that keep a worker from starting.
func refusedTable(notes []app.KeyNote) string {
	var rows [][]string
	for _, n := range notes {
		rows = append(rows, []string{code(n.Name), n.Type.String(), standard(n.KeyInfo), values(n.Accepted), n.Importance.String(), n.Doc + " Refused" + where(n) + ": " + n.Reason + "."})
	}
	return table([]string{"key", "type", "default", "not refused", "importance", "meaning, and why it is refused"}, rows)
}

// where says for which kind of worker a note is.
func where(n app.KeyNote) string {
	if n.In == "" {
		return ""
	}
	return " in `" + n.In + "`"
}

func ignoredWhy(n app.KeyNote) string {
	if n.In != "" {
		return "In `" + n.In + "`: " + n.Reason + "."
	}
	return strings.ToUpper(n.Reason[:1]) + n.Reason[1:] + "."
}
