package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/pipeline"
)

// failing returns a script whose values fail n times with a retriable error.
func failing(n int) *script {
	return &script{fail: map[connect.ConverterUse][]error{connect.ForValue: slices.Repeat([]error{connect.Retriable(errBad)}, n)}}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	const forEver = 1 << 20
	for _, tc := range []struct {
		name              string
		timeout, maxDelay string
		failures          int
		kept              bool
		calls             int // of the value converter
		took, atMost      time.Duration
	}{
		{"off by default", "", "", 1, false, 1, 0, 0},
		{"zero is off", "0", "", 1, false, 1, 0, 0},
		{"first pause", "10000", "", 1, true, 2, 300 * time.Millisecond, 300 * time.Millisecond},
		{"pauses double", "100000", "", 4, true, 5, 4500 * time.Millisecond, 4500 * time.Millisecond},
		{"the last pause ends with the timeout", "1000", "", forEver, false, 4, time.Second, time.Second},
		{"the timeout is before the first pause", "100", "", forEver, false, 2, 100 * time.Millisecond, 100 * time.Millisecond},
		{"random below the maximum", "-1", "500", 20, true, 21, 300 * time.Millisecond, 300*time.Millisecond + 19*500*time.Millisecond},
		{"no pauses", "-1", "0", 50, true, 51, 0, time.Microsecond},
		{"negative maximum", "-1", "-7", 50, true, 51, 0, time.Microsecond},
		{"for ever", "-1", "", 12, true, 13, 76500 * time.Millisecond, 76500*time.Millisecond + 4*time.Minute},
		{"longer than there is time", "9223372036854775807", "9223372036854775807", 3, true, 4, 2100 * time.Millisecond, 2100 * time.Millisecond},
		{"more than a duration holds", "10000000000000", "10000000000000", 3, true, 4, 2100 * time.Millisecond, 2100 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				props := map[string]string{"errors.tolerance": "all"}
				if tc.timeout != "" {
					props["errors.retry.timeout"] = tc.timeout
				}
				if tc.maxDelay != "" {
					props["errors.retry.delay.max.ms"] = tc.maxDelay
				}
				tol, _ := tolerance(t, props)
				s := failing(tc.failures)
				var enc pipeline.Encoded
				begin := time.Now()
				_, keep, err := pipeline.NewSource(s.converters(), tol).Encode(t.Context(), nil, sourceRecord(data.String("k"), data.String("v")), &enc)
				took := time.Since(begin)
				if err != nil || keep != tc.kept {
					t.Errorf("kept %t, %v; want %t", keep, err, tc.kept)
				}
				if calls := len(s.calls) - 1; calls != tc.calls {
					t.Errorf("%d tries, want %d", calls, tc.calls)
				}
				if took < tc.took || took > tc.atMost {
					t.Errorf("took %v, want %v to %v", took, tc.took, tc.atMost)
				}
				if keep && string(enc.Value) != "v" {
					t.Errorf("value %q, want only what the last try wrote", enc.Value)
				}
			})
		})
	}
}

func TestRetriesOfASink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tol, _ := tolerance(t, map[string]string{"errors.retry.timeout": "5000"})
		retriable := connect.Retriable(errBad)
		s := &script{fail: map[connect.ConverterUse][]error{
			connect.ForKey: {retriable}, connect.ForValue: {retriable, retriable}, connect.ForHeader: {nil, retriable},
		}}
		var out connect.SinkRecord
		begin := time.Now()
		keep, err := pipeline.NewSink(s.converters(), tol).Decode(t.Context(), nil,
			consumed([]byte("k"), []byte("v"), connect.RawHeader{Key: "a", Value: []byte("1")}, connect.RawHeader{Key: "b", Value: []byte("2")}), &out)
		if !keep || err != nil {
			t.Fatalf("Decode: %t, %v", keep, err)
		}
		if took := time.Since(begin); took != (300+900+300)*time.Millisecond {
			t.Errorf("took %v, want each stage to begin with the first pause", took)
		}
		if out.Key.Str() != "k" || out.Value.Str() != "v" || out.Headers[0].Value.Str() != "1" || out.Headers[1].Value.Str() != "2" {
			t.Errorf("decoded %+v, want what the last tries gave", out)
		}
	})
}

func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		next  error // after two retriable failures
		after time.Duration
	}{
		{"with another error", errors.New("final"), 900 * time.Millisecond},
		{"with the task", nil, 20 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tol, _ := tolerance(t, map[string]string{"errors.retry.timeout": "-1"})
				s := failing(1000)
				if tc.next != nil {
					s = failing(2)
					s.fail[connect.ForValue] = append(s.fail[connect.ForValue], tc.next)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				begin := time.Now()
				var enc pipeline.Encoded
				_, keep, err := pipeline.NewSource(s.converters(), tol).Encode(ctx, nil, sourceRecord(data.Null, data.String("v")), &enc)
				if keep || err == nil || tc.next != nil && !errors.Is(err, tc.next) {
					t.Errorf("kept %t, %v; want the last error", keep, err)
				}
				if took := time.Since(begin); took != tc.after {
					t.Errorf("took %v, want %v", took, tc.after)
				}
			})
		})
	}
}

func TestNothingIsSkippedWhenTheTaskEnds(t *testing.T) {
	t.Parallel()
	tol, _ := tolerance(t, map[string]string{"errors.tolerance": "all", "errors.retry.timeout": "-1"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var enc pipeline.Encoded
	_, keep, err := pipeline.NewSource(failing(5).converters(), tol).Encode(ctx, nil, sourceRecord(data.Null, data.String("v")), &enc)
	if keep || err == nil {
		t.Errorf("kept %t, %v; want an error, because the record is neither sent nor bad", keep, err)
	}
}

func TestLogOfFailures(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		props map[string]string
		sink  bool
		want  []string
		never []string
	}{
		{"off", map[string]string{"errors.log.include.messages": "true"}, true, nil, nil},
		{
			"without the record",
			map[string]string{"errors.log.enable": "true"},
			true,
			[]string{"level=ERROR ", "VALUE_CONVERTER", "test.Value", "bad"},
			[]string{"offset"},
		},
		{
			"with the consumed record",
			map[string]string{"errors.log.enable": "true", "errors.log.include.messages": "true"},
			true,
			[]string{"level=ERROR ", "VALUE_CONVERTER", "test.Value", "bad", "{topic='t', partition=3, offset=7, timestamp=5, timestampType=CreateTime}"},
			[]string{"secret"},
		},
		{
			"with the source record",
			map[string]string{"errors.log.enable": "true", "errors.log.include.messages": "true"},
			false,
			[]string{"level=ERROR ", "VALUE_CONVERTER", "test.Value", "bad", "topic t"},
			[]string{"secret"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tol, log := tolerance(t, tc.props)
			s := script{fail: map[connect.ConverterUse][]error{connect.ForValue: {errBad}}}
			if tc.sink {
				var out connect.SinkRecord
				_, _ = pipeline.NewSink(s.converters(), tol).Decode(t.Context(), nil, consumed(nil, []byte("secret")), &out)
			} else {
				var enc pipeline.Encoded
				_, _, _ = pipeline.NewSource(s.converters(), tol).Encode(t.Context(), nil, sourceRecord(data.Null, data.String("secret")), &enc)
			}
			if got, want := strings.Count(log.String(), "\n"), min(len(tc.want), 1); got != want {
				t.Errorf("%d log lines, want %d:\n%s", got, want, log)
			}
			for _, want := range tc.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %q: %s", want, log)
				}
			}
			for _, never := range tc.never {
				if strings.Contains(log.String(), never) {
					t.Errorf("the log has %q: %s", never, log)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]bool{"none": false, "all": true} {
		tol, log := tolerance(t, map[string]string{"errors.tolerance": mode, "errors.log.enable": "true", "errors.log.include.messages": "true"})
		if skip := tol.Report(pipeline.ProduceStage, "test.Task", errBad, func() string { return "number 9" }); skip != want {
			t.Errorf("%s: skip is %t", mode, skip)
		}
		for _, part := range []string{"KAFKA_PRODUCE", "test.Task", "bad", "number 9"} {
			if !strings.Contains(log.String(), part) {
				t.Errorf("the log lacks %q: %s", part, log)
			}
		}
	}
}

func TestToleranceRefusesSettings(t *testing.T) {
	t.Parallel()
	for _, props := range []map[string]string{{"errors.tolerance": "ALL"}, {"errors.retry.timeout": "soon"}, {"errors.log.enable": "yes"}} {
		if _, err := pipeline.NewTolerance(nil, props); err == nil {
			t.Errorf("%v is accepted", props)
		}
	}
}

func TestConsumedText(t *testing.T) {
	t.Parallel()
	c := consumed(nil, nil)
	c.TimestampType = connect.NoTimestampType
	if got, want := c.String(), "{topic='t', partition=3, offset=7}"; got != want {
		t.Errorf("String: %s, want %s", got, want)
	}
}
