package connect_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/connect"
)

func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		if !connect.Pause(t.Context(), time.Hour) || time.Since(begin) != time.Hour {
			t.Errorf("a pause of an hour took %v", time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin = time.Now()
		if connect.Pause(ctx, time.Hour) || time.Since(begin) != time.Minute {
			t.Errorf("a pause whose context ends after a minute took %v", time.Since(begin))
		}
	})
}
