package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace-io/millrace/internal/kafka"
)

// clusterIDWait is how long a request waits for the cluster's id while Kafka is not reachable.
const clusterIDWait = 2 * time.Second

// clusterID finds out the id of the Kafka cluster in the background, so that the worker starts and answers without it.
type clusterID struct {
	admin *kafka.Admin
	log   *slog.Logger
	found chan struct{} // closed when id is set
	id    string

	mu  sync.Mutex // guards why
	why error      // of the last attempt
}

func newClusterID(props map[string]string, log *slog.Logger) (*clusterID, error) {
	admin, err := kafka.NewAdmin(kafka.AdminProps(props, "", nil), log)
	if err != nil {
		return nil, fmt.Errorf("the worker's configuration is not valid: %w", err)
	}
	return &clusterID{admin: admin, log: log, found: make(chan struct{})}, nil
}

// Run asks until there is an answer.
func (c *clusterID) Run(ctx context.Context) error {
	defer c.admin.Close()
	for ctx.Err() == nil {
		id, err := c.admin.ClusterID(ctx)
		if err == nil {
			c.id = id
			close(c.found)
			break
		}
		c.log.Debug("the id of the Kafka cluster is not known yet", "error", err)
		c.mu.Lock()
		c.why = err
		c.mu.Unlock()
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	return nil
}

// get returns the id, empty if it cannot be found out soon.
func (c *clusterID) get(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, clusterIDWait)
	defer cancel()
	select {
	case <-c.found:
		return c.id
	case <-ctx.Done():
		return ""
	}
}

// await waits until the id is known. The error is that of the last attempt.
func (c *clusterID) await(ctx context.Context) error {
	select {
	case <-c.found:
		return nil
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return c.why
	}
	return ctx.Err()
}
