package cli

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/internal/app"
)

func newDistributed(logger func() (*slog.Logger, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "distributed worker.properties",
		Short: "Run a worker that shares connectors with others, with everything in Kafka topics",
		Long: `Run a worker of a group that shares its connectors, with the properties file made for Kafka Connect's distributed mode.

The worker's file must have bootstrap.servers, group.id, key.converter, value.converter, config.storage.topic,
offset.storage.topic and status.storage.topic. Workers with the same group.id form a group, and must name the same topics;
they can run on any number of machines, and beside workers of Kafka Connect. Topics that do not exist are created.
Connectors are created over REST, from any of the workers, and stay until they are deleted.`,
		Example: "  millrace distributed worker.properties",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return errors.New(args[1] + " is one argument too many: " + cmd.CommandPath() +
					" takes the worker's properties file alone, connectors are created over REST; see " + cmd.CommandPath() + " --help")
			}
			return needWorkerFile(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := logger()
			if err != nil {
				return err
			}
			props, err := app.ReadWorkerFile(args[0])
			if err != nil {
				return err
			}
			w, err := app.NewDistributed(props, log)
			if err != nil {
				return err
			}
			return untilSignal(cmd.Context(), log, w.Run)
		},
	}
}
