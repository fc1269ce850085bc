package bed

import (
	"maps"
	"os"
	"slices"
	"strings"
)

// writeProperties writes a Java properties file, sorted by key.
func writeProperties(path string, props map[string]string) error {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(props)) {
		b.WriteString(escape(key, ` :=#!`) + "=" + escape(props[key], "") + "\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// escape protects what Java's reader would take for syntax: white space at the start, line ends, backslashes, and special.
func escape(text, special string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\\', i == 0 && r == ' ', strings.ContainsRune(special, r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// merge returns a new map; later maps win.
func merge(all ...map[string]string) map[string]string {
	merged := map[string]string{}
	for _, m := range all {
		maps.Copy(merged, m)
	}
	return merged
}
