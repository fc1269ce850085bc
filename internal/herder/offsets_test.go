package herder

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/store"
	"github.com/millrace-io/millrace/internal/worker"
)

// offset is one offset of the partition {"p": 1}; a negative position is a null offset.
func offset(position int64) []store.PartitionOffset {
	partition, at := data.NewMap(1), data.NewMap(1)
	partition.Put(data.String("p"), data.Int64(1))
	at.Put(data.String("position"), data.Int64(position))
	o := store.PartitionOffset{Partition: partition.Value(), Offset: at.Value()}
	if position < 0 {
		o.Offset = data.Null
	}
	return []store.PartitionOffset{o}
}

// position returns the only position of a connector, -1 if there is none.
func (r *rig) position(name string) int64 {
	r.t.Helper()
	offsets, err := r.Offsets(r.t.Context(), name)
	r.must(err)
	switch len(offsets) {
	case 0:
		return -1
	case 1:
		return offsets[0].Offset.Map().GetString("position").Int64()
	default:
		r.t.Fatalf("%d offsets", len(offsets))
		return 0
	}
}

const (
	alteredHere = "The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses."
	resetHere   = "The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages offsets externally, they will need to be manually reset in the system that the connector uses."
)

func TestOffsetsOfAStoppedConnector(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.create("c", store.Stopped)
		for _, step := range []struct {
			position int64 // below -1: reset
			want     int64
		}{{5, 5}, {7, 7}, {-1, -1}, {3, 3}, {-2, -1}, {-2, -1}} {
			message, err := "", error(nil)
			want := alteredHere
			if step.position < -1 {
				want = resetHere
				message, err = r.ResetOffsets(t.Context(), "c")
			} else {
				message, err = r.AlterOffsets(t.Context(), "c", offset(step.position))
			}
			if got := r.position("c"); err != nil || message != want || got != step.want {
				t.Errorf("%d: %q, %v, stored %d, want %d", step.position, message, err, got, step.want)
			}
		}
	})
}

func TestOffsetsThatMayNotBeChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.create("running", store.Started)
		r.create("paused", store.Paused)
		stopped := func(name string) string {
			return "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by " +
				"issuing a 'PUT' request to the '/connectors/" + name + "/stop' endpoint"
		}
		for name, want := range map[string]Error{
			"none":    {Kind: NotFound, Message: "Connector none not found"},
			"running": {Kind: BadRequest, Message: stopped("running")},
			"paused":  {Kind: BadRequest, Message: stopped("paused")},
		} {
			_, alterErr := r.AlterOffsets(t.Context(), name, offset(1))
			_, resetErr := r.ResetOffsets(t.Context(), name)
			for _, err := range []error{alterErr, resetErr} {
				if e, ok := errors.AsType[*Error](err); !ok || e.Kind != want.Kind || e.Message != want.Message {
					t.Errorf("%s: %v, want %s", name, err, want.Message)
				}
			}
		}
		if _, err := r.Offsets(t.Context(), "none"); err == nil || err.Error() != "Connector none not found" {
			t.Errorf("offsets of no connector: %v", err)
		}
		if got := r.position("running"); got != -1 {
			t.Errorf("position of a running connector: %d", got)
		}
		r.must(r.SetTarget(t.Context(), "running", store.Stopped))
		if _, err := r.AlterOffsets(t.Context(), "running", offset(1)); err != nil {
			t.Errorf("after the stop: %v", err)
		}
	})
}

func TestOffsetsWaitForOtherChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.create("c", store.Stopped)
		leave, err := r.lanes.Enter(t.Context(), "c")
		r.must(err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = r.AlterOffsets(ctx, "c", offset(1))
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Timeout {
			t.Errorf("while another request changes the connector: %v, want a timeout", err)
		}
		leave()
		if got := r.position("c"); got != -1 {
			t.Errorf("position: %d", got)
		}
	})
}

func TestErrorsOfOffsets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		expired, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		for _, tc := range []struct {
			ctx  context.Context
			err  error
			want Error
		}{
			{t.Context(), worker.BadOffsetsError("bad"), Error{Kind: BadRequest, Message: "bad"}},
			{expired, errors.New("gave up"), Error{Kind: Timeout, Message: "Request timed out. The worker is currently trying"}},
			{t.Context(), errors.New("broken"), Error{Kind: Internal, Message: "broken"}},
		} {
			got, ok := errors.AsType[*Error](offsetsError(tc.ctx, "trying", tc.err))
			if !ok || got.Kind != tc.want.Kind || got.Message != tc.want.Message {
				t.Errorf("%v: %+v, want %+v", tc.err, got, tc.want)
			}
		}
	})
}
