// Package cli is the command line of millrace.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/app"
)

// Exit codes, those of Kafka Connect.
const (
	exitOK        = 0
	exitFailed    = 1 // while running
	exitStart     = 2 // configuration, port, offset file, no broker
	exitConnector = 3 // a connector of the command line
)

// Run executes the command line and returns the exit code of the process.
func Run(args []string, stdout, stderr io.Writer) int {
	return withTunedHeap(func() int { return execute(context.Background(), args, stdout, stderr) })
}

// execute is Run without what belongs to the process as a whole. The command ends with ctx as with a signal.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot(stderr)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "millrace: "+err.Error())
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitStart
}

// exitError is an error with the exit code it ends the process with.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

func newRoot(stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "millrace",
		Short:         "A Kafka Connect worker",
		Long:          "Millrace runs Kafka Connect's connectors: the same configurations, the same REST interface, one small process.",
		Args:          cobra.ArbitraryArgs,
		RunE:          helpOrUnknown,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       app.Version() + " (Kafka Connect " + connect.KafkaVersion + ")",
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.")
		return fmt.Errorf("%s; see %s --help", text, cmd.CommandPath())
	})
	var level string
	root.PersistentFlags().StringVar(&level, logLevelFlag, "info", "what is logged: debug, info, warn or error")
	logger := func() (*slog.Logger, error) { return newLogger(stderr, level) }
	root.AddCommand(newStandalone(logger), newDistributed(logger), newDev(stderr))
	return root
}

// helpOrUnknown is what millrace does when the first word is none of its commands.
func helpOrUnknown(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	if near := config.Nearest(args[0], names); len(near) > 0 {
		text += " (did you mean " + strings.Join(near, " or ") + "?)"
	}
	return errors.New(text + "; see " + cmd.CommandPath() + " --help")
}

func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, fmt.Errorf("--log-level %s: expected debug, info, warn or error", level)
	}
	return app.NewLog(w, l), nil
}

// untilSignal runs a part of the program until SIGINT or SIGTERM. A second signal ends the process at once.
func untilSignal(parent context.Context, log *slog.Logger, part func(context.Context) error) error {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	defer stop()
	quiet := context.AfterFunc(ctx, func() {
		log.Info("Kafka Connect stopping; a second signal ends it at once")
		stop()
	})
	err := part(ctx)
	quiet()
	switch {
	case err == nil:
		log.Info("Kafka Connect stopped")
		return nil
	case errors.Is(err, app.ErrConnector):
		return &exitError{err, exitConnector}
	case errors.Is(err, app.ErrUnreachable):
		return &exitError{err, exitStart}
	default:
		return &exitError{err, exitFailed}
	}
}
