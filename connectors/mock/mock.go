// Package mock has the connectors with which Kafka's system tests see what becomes of failures: MockSource and MockSink
// move no records, and fail after a while where mock_mode says so, in the connector or in its task.
//
// Configurations of the originals work unchanged. Like them the connectors define no keys, so that a bad value is not
// found by validation but fails what is started with it.
package mock

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// Keys of the configuration.
const (
	keyMode  = "mock_mode"
	keyDelay = "delay_ms"
)

// Values of mock_mode. With any other one nothing fails.
const (
	connectorFailure = "connector-failure"
	taskFailure      = "task-failure"
)

const (
	defaultDelay = 15 * time.Second
	// maxDelay is more than anybody waits for, and fits a duration.
	maxDelay = 100 * 365 * 24 * time.Hour
	// lookEvery bounds how late a task sees that it is to fail.
	lookEvery = 250 * time.Millisecond

	// classRuntime is what a failure is reported as.
	classRuntime = "java.lang.RuntimeException"
	tools        = "org.apache.kafka.connect.tools."
)

// Source is the MockSource connector.
var Source = connect.Plugin{
	Class:     tools + "MockSourceConnector",
	TaskClass: tools + "MockSourceTask",
	Version:   connect.KafkaVersion,
	Def:       config.New(),
	Source:    func() connect.SourceConnector { return &sourceConnector{} },
}

// Sink is the MockSink connector.
var Sink = connect.Plugin{
	Class:     tools + "MockSinkConnector",
	TaskClass: tools + "MockSinkTask",
	Version:   connect.KafkaVersion,
	Def:       config.New(),
	Sink:      func() connect.SinkConnector { return &sinkConnector{} },
}

// failure says when something fails; the zero failure never happens.
type failure struct {
	mode  string
	delay time.Duration
	at    time.Time
}

// failureOf reads the configuration. The delay counts from now, and only if it is this mode's turn to fail: a bad
// delay that nobody needs is no error.
func failureOf(p connect.Props, mode string) (failure, error) {
	if p[keyMode] != mode {
		return failure{}, nil
	}
	delay := defaultDelay
	if text, ok := p[keyDelay]; ok {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms > maxDelay.Milliseconds() {
			return failure{}, connect.NewError(fmt.Sprintf("%s=%s is wrong, it must be a number of milliseconds", keyDelay, text), nil)
		}
		delay = max(time.Duration(ms)*time.Millisecond, 0)
	}
	return failure{mode: mode, delay: delay, at: time.Now().Add(delay)}, nil
}

// left returns how long it is until the failure; false if there is none.
func (f failure) left() (time.Duration, bool) { return time.Until(f.at), f.mode != "" }

// check fails when it is time.
func (f failure) check() error {
	if left, ok := f.left(); ok && left <= 0 {
		return f.err()
	}
	return nil
}

func (f failure) err() error {
	return &connect.Error{
		Class:   classRuntime,
		Message: fmt.Sprintf("failing %d ms after the start, as %s=%s asks for", f.delay.Milliseconds(), keyMode, f.mode),
	}
}

// connector has one task, with its own configuration.
type connector struct {
	props connect.Props
	failure
}

type (
	sourceConnector struct{ connector }
	sinkConnector   struct{ connector }
)

var (
	_ connect.Monitor = (*sourceConnector)(nil)
	_ connect.Monitor = (*sinkConnector)(nil)
)

func (c *connector) Start(_ context.Context, _ *connect.ConnectorContext, p connect.Props) (err error) {
	c.props = p
	c.failure, err = failureOf(p, connectorFailure)
	return err
}

func (c *connector) TaskConfigs(context.Context, int) ([]connect.Props, error) {
	return []connect.Props{maps.Clone(c.props)}, nil
}

// Run fails the connector when it is time.
func (c *connector) Run(ctx context.Context) error {
	left, ok := c.left()
	if !ok {
		return nil
	}
	if !connect.Pause(ctx, left) {
		return nil
	}
	return c.err()
}

func (c *connector) Stop(context.Context) error { return nil }

func (c *sourceConnector) NewTask() connect.SourceTask { return &sourceTask{} }

func (c *sinkConnector) NewTask() connect.SinkTask { return &sinkTask{} }
