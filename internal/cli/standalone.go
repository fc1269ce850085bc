package cli

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/internal/app"
)

func newStandalone(logger func() (*slog.Logger, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "standalone worker.properties [connector.properties or .json ...]",
		Short: "Run a worker of one process, with offsets in a file",
		Long: `Run a worker of one process, with the properties files made for Kafka Connect's standalone mode.

The worker's file must have bootstrap.servers, key.converter, value.converter and offset.storage.file.filename.
Each further file is a connector: properties, a JSON object of keys and values, or the JSON of a create request.
More connectors can be created over REST; they live until the process ends.`,
		Example: "  millrace standalone worker.properties source.properties sink.json",
		Args:    needWorkerFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := logger()
			if err != nil {
				return err
			}
			props, err := app.ReadWorkerFile(args[0])
			if err != nil {
				return err
			}
			w, err := app.NewStandalone(props, args[1:], log)
			if err != nil {
				return err
			}
			return untilSignal(cmd.Context(), log, w.Run)
		},
	}
}

// needWorkerFile is the check of a command's arguments, of which the first is the worker's file.
func needWorkerFile(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("the worker's properties file is missing: " + cmd.CommandPath() + " worker.properties; see " + cmd.CommandPath() + " --help")
	}
	return nil
}
