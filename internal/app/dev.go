package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/millrace-io/millrace/converters"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/internal/devbroker"
	"github.com/millrace-io/millrace/internal/dirlock"
	"github.com/millrace-io/millrace/internal/event"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/run"
)

// Names inside the data folder.
const (
	brokerDir = "kafka"
	logFile   = "millrace.log"
)

// portTries is how many ports are tried, one after the other, when the wanted one is taken.
const portTries = 100

const lastPort = 65535

// devGroup is the group of the worker, and the beginning of the names of its topics.
const devGroup = "millrace-dev"

// Port is a wanted port.
type Port struct {
	Number int  // 0 is any
	Fixed  bool // a taken one is an error, instead of the next free one being used
}

// DevOptions configure the development mode.
type DevOptions struct {
	DataDir   string
	Bootstrap string // of a broker of one's own; empty runs the embedded one
	Port      Port   // of the REST interface
	KafkaPort Port   // of the embedded broker
	NoDemo    bool   // runs no demo, and removes the one of an earlier run
	// Ready is called once, when the connectors of earlier runs and the demo have been started.
	Ready func(DevGuide)
	Log   *slog.Logger // besides the log file in the data folder
}

// DevGuide is what a user should look at.
type DevGuide struct {
	Kafka, REST, DataDir, LogFile string
	Embedded                      bool     // whether the broker is the embedded one
	Notes                         []string // what is not as the user would expect, a sentence each
	Demo                          *Demo    // nil without
}

// DevConnector is how a connector is doing.
type DevConnector struct {
	herder.ConnectorStatus
	Records int64  // moved since the process began
	Failure string // messages of the first failure, the outermost first; empty if nothing has failed
}

// Dev is a distributed worker, the only one of its group, with an embedded broker and a demo.
type Dev struct {
	DevOptions
	lock     *dirlock.Lock
	logFile  *os.File
	broker   *devbroker.Broker // nil with a broker of one's own
	notes    []string
	worker   atomic.Pointer[Distributed] // nil until it has started
	restPort int
}

// NewDev locks and prepares the data folder and chooses the ports. Nothing runs before [Dev.Run], which must be called to
// release them.
func NewDev(o DevOptions) (*Dev, error) {
	d := &Dev{DevOptions: o}
	var err error
	if d.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, err
	}
	if d.lock, err = dirlock.Acquire(d.DataDir); err != nil {
		if _, used := errors.AsType[*dirlock.InUseError](err); used {
			return nil, fmt.Errorf("%w: stop that one, or choose another folder with --data-dir", err)
		}
		return nil, fmt.Errorf("%w: choose another folder with --data-dir", err)
	}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, d.release())
	}
	return d, nil
}

func (d *Dev) release() error {
	if d.logFile == nil {
		return d.lock.Release()
	}
	return errors.Join(d.logFile.Close(), d.lock.Release())
}

func (d *Dev) prepare() error {
	if err := d.openLog(); err != nil {
		return fmt.Errorf("write the log: %w: choose another folder with --data-dir", err)
	}
	return d.choosePorts()
}

func (d *Dev) choosePorts() error {
	rest, err := d.choose(d.Port, "--port", "the REST interface")
	if err != nil {
		return err
	}
	d.restPort = portOf(rest)
	if d.Bootstrap != "" {
		return rest.Close()
	}
	kafka, err := d.choose(d.KafkaPort, "--kafka-port", "the embedded broker") // while the other port is held
	if err != nil {
		return errors.Join(err, rest.Close())
	}
	if err := errors.Join(rest.Close(), kafka.Close()); err != nil {
		return err
	}
	d.broker, err = devbroker.New(devbroker.Options{Dir: d.path(brokerDir), Port: portOf(kafka), Log: d.Log})
	return err
}

func portOf(l net.Listener) int {
	addr, _ := l.Addr().(*net.TCPAddr)
	return addr.Port
}

func (d *Dev) path(name string) string { return filepath.Join(d.DataDir, name) }

// openLog begins a new log file, keeps the one before it, and lets the log write to both the file and where it wrote before.
func (d *Dev) openLog() (err error) {
	path := d.path(logFile)
	if err := os.Rename(path, path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if d.logFile, err = os.Create(path); err != nil {
		return err
	}
	d.Log = slog.New(slog.NewMultiHandler(d.Log.Handler(), NewLog(d.logFile, slog.LevelInfo).Handler()))
	return nil
}

// choose finds a free port and holds it. The flag is the one that wishes for another.
func (d *Dev) choose(p Port, flag, use string) (net.Listener, error) {
	if p.Number < 0 || p.Number > lastPort {
		return nil, fmt.Errorf("%s %d: a port is a number from 0 to %d", flag, p.Number, lastPort)
	}
	last := p.Number
	if !p.Fixed && p.Number > 0 {
		last = min(p.Number+portTries, lastPort)
	}
	for port := p.Number; port <= last; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			if port != p.Number {
				d.notes = append(d.notes, fmt.Sprintf("Port %d is taken, so %s is on %d.", p.Number, use, port))
			}
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s cannot use port %d (%w): choose another with %s", use, port, syscallError(err), flag)
		}
	}
	if p.Fixed {
		return nil, fmt.Errorf("port %d is taken: stop the program that uses it, or choose another port for %s with %s", p.Number, use, flag)
	}
	return nil, fmt.Errorf("the ports %d to %d are taken: choose one for %s with %s", p.Number, last, use, flag)
}

// syscallError returns the reason alone, without what was being done.
func syscallError(err error) error {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return err
}

// Run runs everything until ctx ends.
func (d *Dev) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.release()) }()
	g := run.NewGroup(d.Log)
	if d.broker != nil {
		g.AddReady("embedded broker", d.broker.Run, d.broker.Ready())
	}
	g.Add("worker", d.runWorker)
	return g.Run(ctx)
}

func (d *Dev) runWorker(ctx context.Context) error {
	guide := DevGuide{
		Kafka: d.Bootstrap, DataDir: d.DataDir, LogFile: d.logFile.Name(), Embedded: d.broker != nil, Notes: d.notes,
	}
	if guide.Embedded {
		guide.Kafka = d.broker.Bootstrap()
	}
	w, err := NewDistributed(d.props(guide.Kafka), d.Log)
	if err != nil {
		return err
	}
	guide.REST = w.URL()
	if d.NoDemo {
		w.loaded = func(ctx context.Context) error { return removeDemo(ctx, w.stores.config) }
	} else {
		guide.Demo = newDemo(d.DataDir)
	}
	w.started = func(ctx context.Context) error {
		if err := guide.Demo.create(ctx, w.herder); err != nil {
			return err
		}
		d.worker.Store(w)
		d.Ready(guide)
		return nil
	}
	return w.Run(ctx)
}

// props is the configuration of the worker.
func (d *Dev) props(bootstrap string) map[string]string {
	props := map[string]string{
		bootstrapKey:                     bootstrap,
		groupKey:                         devGroup,
		listenersKey:                     "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(d.restPort)),
		pipeline.KeyConverterKey:         converters.String.Class,
		pipeline.ValueConverterKey:       json.Class,
		"value.converter.schemas.enable": "false",
		"offset.flush.interval.ms":       "1000",
		offsetPartitionsKey:              "1",
		statusPartitionsKey:              "1",
	}
	if d.broker == nil {
		// Other folders may use the same broker, and must not share their connectors.
		host, _ := os.Hostname()
		h := fnv.New32a()
		_, _ = io.WriteString(h, host+":"+d.DataDir)
		props[groupKey] = fmt.Sprintf("%s-%08x", devGroup, h.Sum32())
	}
	for _, use := range []topicUse{configUse, offsetUse, statusUse} {
		props[use.nameKey()] = props[groupKey] + "-" + use.plural()
		props[use.replicationKey()] = "-1"
	}
	return props
}

// Connectors tells how the connectors are doing, sorted by name; nil before Ready was called. It may be called from any goroutine.
func (d *Dev) Connectors() []DevConnector {
	s := d.worker.Load()
	if s == nil {
		return nil
	}
	var out []DevConnector
	for _, name := range s.herder.Connectors() {
		status, err := s.herder.ConnectorStatus(name)
		if err != nil {
			continue // it is being created or deleted
		}
		out = append(out, DevConnector{ConnectorStatus: status, Records: s.herder.Worker.Records(name), Failure: failure(status)})
	}
	return out
}

func failure(s herder.ConnectorStatus) string {
	states := []herder.State{s.Connector}
	for _, t := range s.Tasks {
		states = append(states, t.State)
	}
	for _, st := range states {
		if st.State == string(event.Failed) {
			return reason(st.Trace)
		}
	}
	return ""
}

// reason returns the messages of a trace, the outermost first, without class names and stack lines.
func reason(trace string) string {
	var out []byte
	for line := range bytes.Lines([]byte(trace)) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || bytes.HasPrefix(line, []byte("at ")) {
			continue
		}
		line = bytes.TrimPrefix(line, []byte("Caused by: "))
		if _, message, ok := bytes.Cut(line, []byte(": ")); ok {
			line = message
		}
		if len(out) > 0 {
			out = append(out, ": "...)
		}
		out = append(out, line...)
	}
	return string(out)
}

// lastLine returns the last complete line of a file, empty if there is none within its last bytes.
func lastLine(path string) string {
	const most = 4096
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, max(st.Size()-most, 0), most))
	if err != nil {
		return ""
	}
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return string(raw[bytes.LastIndexByte(raw, '\n')+1:])
}
