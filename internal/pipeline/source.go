package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/connect"
)

// Encoded is a source record as Kafka takes it. Nil bytes are null. One that is used again keeps the memory of its headers.
type Encoded struct {
	Key, Value []byte
	Headers    []connect.RawHeader
}

// Source turns source records into bytes. It belongs to one task and is used from its goroutine.
type Source struct {
	conv Converters
	tol  *Tolerance
}

// NewSource returns the pipeline of a source task.
func NewSource(conv Converters, tol *Tolerance) *Source { return &Source{conv: conv, tol: tol} }

// Encode converts one record, appending its bytes to buf, which it returns. It returns keep false if the record is to
// be dropped, and an error if the task is to fail.
func (s *Source) Encode(ctx context.Context, buf []byte, r *connect.SourceRecord, out *Encoded) (_ []byte, keep bool, err error) {
	if r.Timestamp < connect.NoTimestamp {
		return buf, false, connect.NewError(fmt.Sprintf("Invalid record timestamp %d", r.Timestamp), nil)
	}
	out.Headers = out.Headers[:0]
	if len(r.Headers) > 0 {
		if buf, keep, err = s.encodeHeaders(ctx, buf, r, out); !keep {
			return buf, false, err
		}
	}
	start := len(buf)
	b, err := s.conv.Key.Encode(buf, r.Topic, out.Headers, r.KeySchema, r.Key)
	if err != nil {
		if keep, err = s.handle(ctx, KeyConverterStage, s.conv.KeyClass, r, err, func() (err error) {
			b, err = s.conv.Key.Encode(buf, r.Topic, out.Headers, r.KeySchema, r.Key)
			return err
		}); !keep {
			return buf, false, err
		}
	}
	out.Key, buf = appended(buf, b, start)
	start = len(buf)
	b, err = s.conv.Value.Encode(buf, r.Topic, out.Headers, r.ValueSchema, r.Value)
	if err != nil {
		if keep, err = s.handle(ctx, ValueConverterStage, s.conv.ValueClass, r, err, func() (err error) {
			b, err = s.conv.Value.Encode(buf, r.Topic, out.Headers, r.ValueSchema, r.Value)
			return err
		}); !keep {
			return buf, false, err
		}
	}
	out.Value, buf = appended(buf, b, start)
	return buf, true, nil
}

// appended returns what a converter added to buf and the buffer to go on with; nil if it gave null bytes.
func appended(buf, b []byte, start int) (part, rest []byte) {
	if b == nil {
		return nil, buf
	}
	return b[start:len(b):len(b)], b
}

func (s *Source) encodeHeaders(ctx context.Context, buf []byte, r *connect.SourceRecord, out *Encoded) (_ []byte, keep bool, err error) {
	out.Headers = slices.Grow(out.Headers, len(r.Headers))[:len(r.Headers)]
	for i := range r.Headers {
		h := &r.Headers[i]
		start := len(buf)
		b, err := s.conv.Header.EncodeHeader(buf, r.Topic, h.Key, h.Schema, h.Value)
		if err != nil {
			if keep, err = s.handle(ctx, HeaderConverterStage, s.conv.HeaderClass, r, err, func() (err error) {
				b, err = s.conv.Header.EncodeHeader(buf, r.Topic, h.Key, h.Schema, h.Value)
				return err
			}); !keep {
				return buf, false, err
			}
		}
		out.Headers[i].Key = h.Key
		out.Headers[i].Value, buf = appended(buf, b, start)
	}
	return buf, true, nil
}

func (s *Source) handle(ctx context.Context, stage Stage, class string, r *connect.SourceRecord, err error, again func() error) (keep bool, fatal error) {
	skip, fatal := s.tol.handle(ctx, failure{stage, class, func() string { return sourceText(r) }}, err, again)
	return !skip && fatal == nil, fatal
}

func sourceText(r *connect.SourceRecord) string {
	return fmt.Sprintf("source record of partition %s for topic %s", r.SourcePartition, r.Topic)
}
