package herder

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// ErrFailed marks the error of a connector that is FAILED by it and makes no task configurations until it is restarted.
var ErrFailed = errors.New("the connector has failed")

// failedError is an error with ErrFailed behind it.
type failedError struct{ error }

func (e failedError) Unwrap() error        { return e.error }
func (e failedError) Is(target error) bool { return target == ErrFailed }

// TaskConfigs asks a connector that runs on a worker what its tasks are to do, and adds the keys of the runtime. One that makes more
// tasks than tasks.max fails for it, unless tasks.max.enforce is off; the error is an [ErrFailed] then.
func TaskConfigs(ctx context.Context, w *worker.Worker, name string, cfg store.Config) ([]store.Config, error) {
	props := cfg.Props()
	v, err := limits.Parse(props)
	if err != nil {
		return nil, err
	}
	limit := int(tasksMax.Of(v))
	configs, err := w.TaskConfigs(ctx, name, limit)
	if err != nil {
		return nil, err
	}
	if len(configs) > limit {
		if tasksMaxEnforce.Of(v) {
			err := connect.NewError(tooManyTasks(name, len(configs), limit), nil)
			w.FailConnector(name, err)
			return nil, failedError{err}
		}
		w.Log.Warn("the connector makes more tasks than it may", "connector", name, "tasks", len(configs), worker.TasksMaxKey, limit)
	}
	p, err := w.Plugins.Connector(props[worker.ConnectorClassKey])
	if err != nil {
		return nil, err
	}
	out := make([]store.Config, len(configs))
	for i, c := range configs {
		task := maps.Clone(c)
		task[worker.TaskClassKey] = p.TaskClass
		for _, k := range []string{worker.TopicsKey, worker.TopicsRegexKey} {
			if topics, ok := props[k]; ok {
				task[k] = topics
			}
		}
		out[i] = store.NewConfig(task)
	}
	return out, nil
}

func tooManyTasks(name string, made, limit int) string {
	return fmt.Sprintf("The connector %s has generated %d tasks, which is greater than %d, the maximum number of tasks it is configured to create. "+
		"This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted by reconfiguring the connector with "+
		"'tasks.max.enforce' set to false; however, this option will be removed in a future release of Kafka Connect.", name, made, limit)
}
