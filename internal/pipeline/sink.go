package pipeline

import (
	"context"
	"fmt"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Consumed is a record as it was consumed. Nil bytes are null.
type Consumed struct {
	connect.Original
	Timestamp     int64
	TimestampType connect.TimestampType
	Key, Value    []byte
	Headers       []connect.RawHeader
}

// Sink turns consumed bytes into sink records. It belongs to one task and is used from its goroutine.
type Sink struct {
	conv Converters
	tol  *Tolerance
}

// NewSink returns the pipeline of a sink task.
func NewSink(conv Converters, tol *Tolerance) *Sink { return &Sink{conv: conv, tol: tol} }

// Decode converts one record into out, with memory of the slab. It returns keep false if the record is to be
// dropped, and an error if the task is to fail.
func (s *Sink) Decode(ctx context.Context, slab *data.Slab, in *Consumed, out *connect.SinkRecord) (keep bool, err error) {
	// Field by field, because clearing and copying the whole record shows in profiles. The converters set the rest.
	out.Topic, out.Partition, out.Timestamp, out.Headers = in.Topic, in.Partition, in.Timestamp, nil
	out.Offset, out.TimestampType, out.Original = in.Offset, in.TimestampType, in.Original
	if in.Timestamp < connect.NoTimestamp {
		return false, connect.NewError(fmt.Sprintf("Invalid record timestamp %d", in.Timestamp), nil)
	}
	out.KeySchema, out.Key, err = s.conv.Key.Decode(slab, in.Topic, in.Headers, in.Key)
	if err != nil {
		if keep, err = s.handle(ctx, KeyConverterStage, s.conv.KeyClass, in, err, func() (err error) {
			out.KeySchema, out.Key, err = s.conv.Key.Decode(slab, in.Topic, in.Headers, in.Key)
			return err
		}); !keep {
			return false, err
		}
	}
	out.ValueSchema, out.Value, err = s.conv.Value.Decode(slab, in.Topic, in.Headers, in.Value)
	if err != nil {
		if keep, err = s.handle(ctx, ValueConverterStage, s.conv.ValueClass, in, err, func() (err error) {
			out.ValueSchema, out.Value, err = s.conv.Value.Decode(slab, in.Topic, in.Headers, in.Value)
			return err
		}); !keep {
			return false, err
		}
	}
	if len(in.Headers) > 0 {
		return s.decodeHeaders(ctx, slab, in, out)
	}
	return true, nil
}

func (s *Sink) decodeHeaders(ctx context.Context, slab *data.Slab, in *Consumed, out *connect.SinkRecord) (keep bool, err error) {
	out.Headers = make([]connect.Header, len(in.Headers))
	for i := range in.Headers {
		raw, h := &in.Headers[i], &out.Headers[i]
		h.Key = raw.Key
		h.Schema, h.Value, err = s.conv.Header.DecodeHeader(slab, in.Topic, raw.Key, raw.Value)
		if err != nil {
			if keep, err = s.handle(ctx, HeaderConverterStage, s.conv.HeaderClass, in, err, func() (err error) {
				h.Schema, h.Value, err = s.conv.Header.DecodeHeader(slab, in.Topic, raw.Key, raw.Value)
				return err
			}); !keep {
				return false, err
			}
		}
	}
	return true, nil
}

func (s *Sink) handle(ctx context.Context, stage Stage, class string, in *Consumed, err error, again func() error) (keep bool, fatal error) {
	skip, fatal := s.tol.handle(ctx, failure{stage, class, func() string { return in.String() }}, err, again)
	return !skip && fatal == nil, fatal
}

// String says where the record was consumed, in the form Connect logs it.
func (c *Consumed) String() string {
	text := fmt.Sprintf("topic='%s', partition=%d, offset=%d", c.Topic, c.Partition, c.Offset)
	if c.TimestampType != connect.NoTimestampType {
		text += fmt.Sprintf(", timestamp=%d, timestampType=%s", c.Timestamp, c.TimestampType)
	}
	return "{" + text + "}"
}
