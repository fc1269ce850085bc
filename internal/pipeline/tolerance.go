package pipeline

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// Stage says where on its way a record failed, in the words of Connect's logs and headers.
type Stage string

// The stages a record goes through.
const (
	HeaderConverterStage Stage = "HEADER_CONVERTER"
	KeyConverterStage    Stage = "KEY_CONVERTER"
	ValueConverterStage  Stage = "VALUE_CONVERTER"
	ProduceStage         Stage = "KAFKA_PRODUCE"
)

// Values of errors.tolerance.
const (
	tolerateNone = "none"
	tolerateAll  = "all"
)

// Keys of a connector's error handling (KIP-298).
var (
	ErrorDef = config.New()

	retryTimeout = ErrorDef.Long("errors.retry.timeout", config.Default(int64(0)), config.Medium,
		config.Doc("How long a failing operation is tried again, in milliseconds; 0 for not at all, -1 for ever."))
	retryDelayMax = ErrorDef.Long("errors.retry.delay.max.ms", config.Default(int64(60000)), config.Medium,
		config.Doc("The longest pause between two tries, in milliseconds."))
	tolerance = ErrorDef.String("errors.tolerance", config.Default(tolerateNone), config.OneOf(tolerateNone, tolerateAll), config.Medium,
		config.Doc("What becomes of a record that fails: with none the task fails, with all the record is skipped."))
	logEnable = ErrorDef.Boolean("errors.log.enable", config.Default(false), config.Medium,
		config.Doc("Whether each failure is written to the log."))
	logMessages = ErrorDef.Boolean("errors.log.include.messages", config.Default(false), config.Medium,
		config.Doc("Whether the log says which record failed."))
)

// Pause before the second try; it doubles with each further one.
const firstRetryDelay = 300 * time.Millisecond

// Tolerance is the operator that decides what becomes of a failing record: tried again, skipped, or the end of the
// task. One belongs to one task.
type Tolerance struct {
	log      *slog.Logger
	timeout  time.Duration // of retries; negative for ever
	maxDelay time.Duration
	all      bool
	logging  bool
	details  bool
}

// NewTolerance reads the operator's keys from a connector's configuration.
func NewTolerance(log *slog.Logger, connector map[string]string) (*Tolerance, error) {
	v, err := ErrorDef.Parse(connector)
	if err != nil {
		return nil, err
	}
	return &Tolerance{
		log:      log,
		timeout:  millis(retryTimeout.Of(v)),
		maxDelay: millis(retryDelayMax.Of(v)),
		all:      tolerance.Of(v) == tolerateAll,
		logging:  logEnable.Of(v),
		details:  logMessages.Of(v),
	}, nil
}

// millis returns n milliseconds, but not more than the longest time there is, and for anything negative the same.
func millis(n int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(max(min(n, most), -1)) * time.Millisecond
}

// All tells whether failing records are skipped.
func (t *Tolerance) All() bool { return t.all }

// failure is a failed step of one record.
type failure struct {
	stage  Stage
	class  string        // of the plugin that failed
	record func() string // says which record, for the log
}

// handle decides about a step that failed with err. It tries again while that is allowed and returns nil once it went
// well; skip means that the record is to be dropped; an error ends the task.
func (t *Tolerance) handle(ctx context.Context, f failure, err error, again func() error) (skip bool, fatal error) {
	if err = t.retry(ctx, err, again); err == nil {
		return false, nil
	}
	t.report(f, err)
	if t.all && ctx.Err() == nil {
		return true, nil
	}
	return false, connect.NewError("Tolerance exceeded in error handler", err)
}

func (t *Tolerance) retry(ctx context.Context, err error, again func() error) error {
	deadline := time.Now().Add(t.timeout)
	for delay := firstRetryDelay; ; delay *= 2 {
		if _, retriable := connect.IsRetriable(err); !retriable {
			return err
		}
		left := time.Until(deadline)
		if t.timeout >= 0 && left <= 0 {
			return err
		}
		wait := delay
		if delay > t.maxDelay {
			delay = t.maxDelay
			wait = rand.N(max(delay, 1))
		}
		if t.timeout >= 0 {
			wait = min(wait, left)
		}
		if !connect.Pause(ctx, wait) {
			return err
		}
		if err = again(); err == nil {
			return nil
		}
	}
}

func (t *Tolerance) report(f failure, err error) {
	if !t.logging {
		return
	}
	attrs := []any{"stage", string(f.stage), "class", f.class, "error", err}
	if t.details {
		attrs = append(attrs, "record", f.record())
	}
	t.log.Error("a record failed", attrs...)
}

// Report logs a failure that happened outside of the pipeline's own steps and tells whether the record is skipped.
func (t *Tolerance) Report(stage Stage, class string, err error, record func() string) (skip bool) {
	t.report(failure{stage, class, record}, err)
	return t.all
}
