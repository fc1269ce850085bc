package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/millrace-io/millrace/internal/app"
)

const (
	portFlag      = "port"
	kafkaPortFlag = "kafka-port"
	bootstrapFlag = "bootstrap"
	logLevelFlag  = "log-level"
)

// devLogLevel is what the terminal shows unless --log-level says otherwise. The log file has more.
const devLogLevel = "warn"

func newDev(stderr io.Writer) *cobra.Command {
	var o app.DevOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a broker, a worker and a small demo in this process",
		Long: `Run an embedded Kafka broker, a worker and a demo in one process: a Datagen source that makes up users, and a
FileStream sink that writes them to a file. Nothing else has to be installed.

Everything is kept in one folder: the broker's data, the connectors with their offsets, the demo's output and the log,
millrace.log. The next start goes on where this one stopped. Connectors created over REST are kept, too. The terminal shows
warnings and errors only, unless --log-level says otherwise.

Without --port and --kafka-port, the next free port is used if the usual one is taken.

The embedded broker is for development, not for production.`,
		Example: `  millrace dev
  millrace dev --no-demo --data-dir ~/millrace
  millrace dev --bootstrap broker.example.com:9092`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%s takes no arguments, and got %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed(bootstrapFlag) && cmd.Flags().Changed(kafkaPortFlag) {
				return errors.New("--" + bootstrapFlag + " and --" + kafkaPortFlag + " exclude each other: the embedded broker does not run beside a broker of your own")
			}
			o.Port.Fixed, o.KafkaPort.Fixed = cmd.Flags().Changed(portFlag), cmd.Flags().Changed(kafkaPortFlag)
			return runDev(cmd, o, stderr)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.DataDir, "data-dir", "data", "folder that everything is kept in")
	f.IntVar(&o.Port.Number, portFlag, 8083, "port of the REST interface; 0 takes any")
	f.IntVar(&o.KafkaPort.Number, kafkaPortFlag, 9092, "port of the embedded broker; 0 takes any")
	f.StringVar(&o.Bootstrap, bootstrapFlag, "", "host:port of a Kafka broker to use instead of the embedded one")
	f.BoolVar(&o.NoDemo, "no-demo", false, "run without the demo, and forget the demo's connectors if they were here before")
	return cmd
}

func runDev(cmd *cobra.Command, o app.DevOptions, stderr io.Writer) error {
	level := cmd.Flag(logLevelFlag)
	text := level.Value.String()
	if !level.Changed {
		text = devLogLevel
	}
	var live *screen
	if out, width, ok := terminal(cmd.OutOrStdout()); ok {
		live = newScreen(out, width)
		stderr = live // the log must not tear the screen
	}
	var err error
	if o.Log, err = newLogger(stderr, text); err != nil {
		return err
	}
	ready := make(chan app.DevGuide, 1)
	o.Ready = func(g app.DevGuide) { ready <- g }
	d, err := app.NewDev(o)
	if err != nil {
		return err
	}
	return untilSignal(cmd.Context(), d.Log, func(ctx context.Context) error {
		ctx, stop := context.WithCancel(ctx)
		var shown sync.WaitGroup
		shown.Go(func() {
			select {
			case g := <-ready:
				show(ctx, cmd.OutOrStdout(), live, d, g)
			case <-ctx.Done():
			}
		})
		err := d.Run(ctx)
		stop()
		shown.Wait()
		return err
	})
}

// show says what runs, and on a terminal keeps showing how it is doing until ctx ends.
func show(ctx context.Context, out io.Writer, live *screen, d *app.Dev, g app.DevGuide) {
	if live == nil {
		fmt.Fprint(out, brief(g))
		return
	}
	fmt.Fprint(live, welcome(g))
	watch(ctx, live, d, g.Demo)
}

// terminal returns the terminal behind a writer and a function for its width; false if there is none.
func terminal(w io.Writer) (io.Writer, func() int, bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil, nil, false
	}
	return f, func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width < 1 {
			return 80
		}
		return width
	}, true
}

// brief is the start as scripts want it: what runs where, a line each.
func brief(g app.DevGuide) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Millrace is running.\nKafka: %s\nREST: %s\ndata: %s\nlog: %s\n", g.Kafka, g.REST, g.DataDir, g.LogFile)
	if g.Demo != nil {
		fmt.Fprintf(&b, "demo: %s\n", g.Demo.Output)
	}
	for _, n := range g.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	return b.String()
}

// welcome tells a person who has never seen Kafka Connect what there is and what to try.
func welcome(g app.DevGuide) string {
	var b strings.Builder
	kind := ""
	if g.Embedded {
		kind = "   embedded, for development"
	}
	fmt.Fprintf(&b, "\n%s %s\n\n  Kafka  %s%s\n  REST   %s\n  data   %s\n", bold("Millrace is running."), app.Version(), g.Kafka, dim(kind), g.REST, g.DataDir)
	for _, n := range g.Notes {
		fmt.Fprintf(&b, "\n  %s\n", n)
	}
	if g.Demo != nil {
		fmt.Fprintf(&b, `
A connector moves records into Kafka, or out of it. Two are running: %s makes up users and writes them
to the topic %s; %s reads that topic and appends each record to a file.
`, bold(g.Demo.Source), bold(g.Demo.Topic), bold(g.Demo.Sink))
	}
	fmt.Fprintf(&b, "\nTry it in a second terminal:\n\n%s\nCtrl-C stops everything; the next start goes on where this one stopped.\n\n", suggestions(g))
	return b.String()
}

func suggestions(g app.DevGuide) string {
	var b strings.Builder
	say := func(what, command string) { fmt.Fprintf(&b, "  %s\n    %s\n", dim("# "+what), command) }
	if g.Demo != nil {
		say("watch the records arrive", "tail -f "+quote(g.Demo.Output))
	}
	say("ask how the connectors are", fmt.Sprintf("curl '%s/connectors?expand=status'", g.REST))
	if g.Demo != nil {
		say("stop the source for a while, and let it go on", fmt.Sprintf("curl -X PUT %s/connectors/%s/pause", g.REST, g.Demo.Source))
		say("", fmt.Sprintf("curl -X PUT %s/connectors/%s/resume", g.REST, g.Demo.Source))
	}
	say("create one of your own: orders, into a topic", fmt.Sprintf(`curl -X PUT -H 'Content-Type: application/json' %s/connectors/orders/config \
      -d '{"connector.class":"Datagen","kafka.topic":"orders","quickstart":"orders"}'`, g.REST))
	return strings.ReplaceAll(b.String(), "  "+dim("# ")+"\n", "")
}

// quote makes a path one word for a shell.
func quote(path string) string {
	if strings.ContainsAny(path, " '\"$\\&;()<>|*?[]!`") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

func bold(s string) string { return "\x1b[1m" + s + "\x1b[0m" }
func dim(s string) string  { return "\x1b[2m" + s + "\x1b[0m" }
