package cli

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/internal/app"
)

func newDev(logger func() (*slog.Logger, error)) *cobra.Command {
	var o app.DevOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a broker, a worker and a small demo in this process",
		Long: `Run an embedded Kafka broker, a standalone worker and a demo that moves the lines of one file through a topic into
another. Nothing else has to be installed. Data is kept in one folder and found again at the next start.

The embedded broker is for development, not for production.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logger()
			if err != nil {
				return err
			}
			o.Log = log
			o.Ready = func(g app.DevGuide) { welcome(cmd.OutOrStdout(), g) }
			d, err := app.NewDev(o)
			if err != nil {
				return err
			}
			return untilSignal(cmd.Context(), log, d.Run)
		},
	}
	cmd.Flags().StringVar(&o.DataDir, "data-dir", "data", "folder for the broker's data, offsets and the demo's files")
	cmd.Flags().IntVar(&o.Port, "port", 8083, "port of the REST interface")
	cmd.Flags().IntVar(&o.KafkaPort, "kafka-port", 9092, "port of the embedded broker")
	return cmd
}

func welcome(w io.Writer, g app.DevGuide) {
	fmt.Fprintf(w, `
Millrace is running.

  Kafka   %s
  REST    %s
  data    %s

A demo moves lines from one file through the topic %q into another. Try it in a second terminal:

  tail -f %s
  echo "hello, millrace" >> %s
  curl '%s/connectors?expand=status'

Ctrl-C stops it; the next start goes on where this one stopped.

`, g.Kafka, g.REST, g.DataDir, g.Topic, g.Output, g.Input, g.REST)
}
