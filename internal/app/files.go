package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// ReadWorkerFile reads a worker's properties file.
func ReadWorkerFile(path string) (map[string]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the worker's configuration: %w", err)
	}
	p, err := config.ReadProperties(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the worker's configuration %s: %w", path, err)
	}
	return p.Map(), nil
}

// connectorFile is a connector as a file on the command line describes it.
type connectorFile struct {
	path   string
	name   string
	config store.Config
	target store.TargetState
}

// readConnectorFile reads a connector's configuration in any of the forms that Connect takes: properties, a JSON
// object of keys and values, or the JSON body of a create request.
func readConnectorFile(path string) (connectorFile, error) {
	f := connectorFile{path: path, target: store.Started}
	raw, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("read the connector's configuration: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		err = f.parseJSON(raw)
	} else {
		err = f.parseProperties(raw)
	}
	if err != nil {
		return f, fmt.Errorf("read the connector's configuration %s: %w", path, err)
	}
	if f.name = strings.TrimSpace(f.config.Value(worker.NameKey)); f.name == "" {
		return f, fmt.Errorf("the connector's configuration %s has no name: add a line such as name=my-connector", path)
	}
	return f, nil
}

func (f *connectorFile) parseProperties(raw []byte) error {
	p, err := config.ReadProperties(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	for _, k := range p.Keys() {
		v, _ := p.Get(k)
		f.config.Set(k, v)
	}
	return nil
}

func (f *connectorFile) parseJSON(raw []byte) error {
	var request struct {
		Name         string        `json:"name"`
		Config       *store.Config `json:"config"`
		InitialState string        `json:"initial_state"`
	}
	if err := json.Unmarshal(raw, &request); err != nil || request.Config == nil {
		return json.Unmarshal(raw, &f.config)
	}
	f.config = *request.Config
	if name, ok := f.config.Get(worker.NameKey); ok && name != request.Name {
		return fmt.Errorf("the name %q of the connector and the name %q in its config differ", request.Name, name)
	}
	f.config.Set(worker.NameKey, request.Name)
	if request.InitialState == "" {
		return nil
	}
	var err error
	f.target, err = store.ParseInitialState(strings.ToUpper(request.InitialState))
	return err
}
