package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/config"
)

var (
	adminDef    = config.New()
	adminCommon = defineCommon(adminDef, 300_000, 65_536, false)
	adminAPI    = adminDef.Int(apiTimeoutKey, config.Default(60_000), nonNegative)

	_ = adminDef.Int("retries", config.Default(math.MaxInt32), config.Between(0, math.MaxInt32))
	_ = adminDef.List("bootstrap.controllers", config.Default([]string{}))
)

const apiTimeoutKey = "default.api.timeout.ms"

var inertAdmin = merge(inertCommon, map[string]string{
	"retries":               "requests are repeated until default.api.timeout.ms",
	"bootstrap.controllers": "the worker talks to brokers",
})

// Admin is an admin client. It opens no connection before its first use, and can be shared by any number of goroutines: unlike
// producers, there is no need for one a task.
type Admin struct {
	opts    []kgo.Opt
	notes   []Note
	log     *slog.Logger
	backoff func(int) time.Duration
	timeout time.Duration // of a method, with its retries
	once    sync.Once
	client  *kadm.Client
}

// NewAdmin checks the properties and makes a client that is not connected yet. log may be nil.
func NewAdmin(props map[string]string, log *slog.Logger) (*Admin, error) {
	s, err := parse(adminDef, props, inertAdmin)
	if err != nil {
		return nil, err
	}
	log = discard(log)
	timeout := max(time.Duration(adminAPI.Of(s.Values))*time.Millisecond, time.Millisecond)
	opts := append(adminCommon.options(s, log), kgo.RetryTimeout(timeout))
	if err := s.err(); err != nil {
		return nil, err
	}
	if err := check(opts); err != nil {
		return nil, err
	}
	return &Admin{opts: opts, notes: s.notes, log: log, backoff: adminCommon.backoff(s), timeout: timeout}, nil
}

// Notes lists the given keys that have no effect.
func (a *Admin) Notes() []Note { return a.notes }

// Client returns the client for everything that Admin has no method for. Do not close it.
func (a *Admin) Client() *kadm.Client {
	a.once.Do(func() {
		client, err := kgo.NewClient(a.opts...)
		if err != nil {
			panic(fmt.Sprintf("kafka: options that were checked are refused: %v", err))
		}
		a.client = kadm.NewClient(client)
	})
	return a.client
}

// ClusterID asks for the id of the cluster.
func (a *Admin) ClusterID(ctx context.Context) (string, error) {
	m, err := a.Client().BrokerMetadata(ctx)
	if err != nil {
		return "", fmt.Errorf("ask Kafka for the cluster's id: %w", err)
	}
	if m.Cluster == "" {
		return "", errors.New("the Kafka cluster has no id")
	}
	return m.Cluster, nil
}

// Close ends all connections.
func (a *Admin) Close() { a.Client().Close() }
