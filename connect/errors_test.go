package connect_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/millrace-io/millrace/connect"
)

func TestIsRetriable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		err   error
		want  bool
		after time.Duration
	}{
		{"nil", nil, false, 0},
		{"plain", io.EOF, false, 0},
		{"Connect's", connect.NewError("no", nil), false, 0},
		{"retriable", connect.Retriable(io.EOF), true, 0},
		{"with a pause", connect.RetryAfter(time.Minute, io.EOF), true, time.Minute},
		{"wrapped", fmt.Errorf("put: %w", connect.RetryAfter(time.Minute, io.EOF)), true, time.Minute},
		{"joined", errors.Join(io.EOF, connect.Retriable(io.EOF)), true, 0},
		{"retriable nil", connect.Retriable(nil), false, 0},
		{"nil with a pause", connect.RetryAfter(time.Minute, nil), false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if after, ok := connect.IsRetriable(tc.err); ok != tc.want || after != tc.after {
				t.Errorf("IsRetriable(%v): %v, %v; want %v, %v", tc.err, after, ok, tc.after, tc.want)
			}
		})
	}
}

func TestRetriableKeepsTheError(t *testing.T) {
	t.Parallel()
	err := connect.Retriable(fmt.Errorf("read: %w", io.ErrUnexpectedEOF))
	if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "read: unexpected EOF" {
		t.Errorf("%v does not say what happened", err)
	}
	var classed interface{ ErrorClass() string }
	if !errors.As(err, &classed) || classed.ErrorClass() != connect.ClassRetriable {
		t.Errorf("%v has no class, want %s", err, connect.ClassRetriable)
	}
	if err := connect.Retriable(nil); err != nil {
		t.Errorf("Retriable(nil) is %v, want nil", err)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  *connect.Error
		want string
	}{
		{connect.NewError("no table", nil), "no table"},
		{connect.NewError("no table", io.EOF), "no table: EOF"},
		{connect.NewError("", io.EOF), "EOF"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("Error: %q, want %q", got, tc.want)
		}
		if tc.err.ErrorClass() != connect.ClassConnect || tc.err.ErrorMessage() != tc.err.Message {
			t.Errorf("%v: class %s, message %q", tc.err, tc.err.ErrorClass(), tc.err.ErrorMessage())
		}
		if tc.err.Cause != nil && !errors.Is(tc.err, tc.err.Cause) {
			t.Errorf("%v hides its cause", tc.err)
		}
	}
}

func TestTimestampTypeNames(t *testing.T) {
	t.Parallel()
	for tt, want := range map[connect.TimestampType]string{
		connect.NoTimestampType: "NoTimestampType", connect.CreateTime: "CreateTime", connect.LogAppendTime: "LogAppendTime",
	} {
		if got := tt.String(); got != want {
			t.Errorf("String: %s, want %s", got, want)
		}
	}
}
