package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// FileConfig is a config store that survives the process: every change is in its file, durably, before the call returns. It is
// safe for use by any number of goroutines of the one process that has the file.
type FileConfig struct {
	memory *MemoryConfig
	path   string
	mu     sync.Mutex // held while the file is written
}

// fileConnector is a connector in the file.
type fileConnector struct {
	Config Config      `json:"config"`
	Target TargetState `json:"target_state"`
	Tasks  []Config    `json:"tasks"`
}

// OpenFileConfig reads the file, which need not exist yet.
func OpenFileConfig(path string) (*FileConfig, error) {
	f := &FileConfig{memory: NewMemoryConfig(), path: path}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the connectors' configurations: %w", err)
	}
	var stored map[string]fileConnector
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, fmt.Errorf("read the connectors' configurations: %s is damaged (%w); repair it, or remove it to begin without connectors", path, err)
	}
	for name, c := range stored {
		f.memory.connectors[name] = ConnectorState(c)
	}
	return f, nil
}

// Names returns the names of all connectors, sorted and never nil.
func (f *FileConfig) Names() []string { return f.memory.Names() }

// Connector returns what is stored about a connector; false if it does not exist.
func (f *FileConfig) Connector(name string) (ConnectorState, bool) { return f.memory.Connector(name) }

// Put stores a connector, replacing what was there. After an error nothing has changed.
func (f *FileConfig) Put(name string, c ConnectorState) error {
	return f.change(func(all map[string]fileConnector) { all[name] = fileConnector(c) }, func() error { return f.memory.Put(name, c) })
}

// Remove forgets a connector. After an error nothing has changed.
func (f *FileConfig) Remove(name string) error {
	return f.change(func(all map[string]fileConnector) { delete(all, name) }, func() error { return f.memory.Remove(name) })
}

// change writes the file with the change in it and then does the same in memory.
func (f *FileConfig) change(edit func(map[string]fileConnector), apply func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[string]fileConnector)
	for _, name := range f.memory.Names() {
		c, _ := f.memory.Connector(name)
		all[name] = fileConnector(c)
	}
	edit(all)
	text, err := readable(all)
	if err == nil {
		err = replaceFile(f.path, text, 0o600) // there may be passwords in it
	}
	if err != nil {
		return fmt.Errorf("write the connectors' configurations: %w", err)
	}
	return apply()
}

// readable returns JSON that people can read.
func readable(all map[string]fileConnector) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(all)
	return b.Bytes(), err
}
