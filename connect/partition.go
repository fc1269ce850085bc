package connect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// SourcePartition is an interned description of a part of a source, such as a file or a table. Two handles from one
// context are equal exactly if they are the same pointer.
type SourcePartition struct {
	fields map[string]any
}

// NewSourcePartition returns a handle that is not interned, for runtimes and tests.
func NewSourcePartition(p map[string]any) *SourcePartition {
	return &SourcePartition{fields: maps.Clone(p)}
}

// Fields returns the content, not to be changed.
func (p *SourcePartition) Fields() map[string]any { return p.fields }

// String returns the content as JSON, for messages.
func (p *SourcePartition) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p.fields); err != nil {
		return canonical(p.fields) // a number that JSON lacks
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// interner hands out one handle per content.
type interner struct {
	mu    sync.Mutex // guards known
	known map[string]*SourcePartition
}

func (in *interner) intern(p map[string]any) *SourcePartition {
	key := canonical(p)
	in.mu.Lock()
	defer in.mu.Unlock()
	if sp, ok := in.known[key]; ok {
		return sp
	}
	if in.known == nil {
		in.known = make(map[string]*SourcePartition)
	}
	sp := NewSourcePartition(p)
	in.known[key] = sp
	return sp
}

// canonical returns a text that is equal for equal contents and differs for values of different types.
func canonical(p map[string]any) string {
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(k))
		switch v := p[k].(type) {
		case string:
			b.WriteString(":" + strconv.Quote(v))
		default:
			fmt.Fprintf(&b, ":%T(%v)", v, v)
		}
	}
	return b.String()
}
