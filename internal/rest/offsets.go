package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/millrace-io/millrace/connect/data"
	values "github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/store"
)

// Offsetter reads and changes the offsets of connectors (KIP-875), within its context. The messages are what users are told about a
// success.
type Offsetter interface {
	Offsets(ctx context.Context, name string) ([]store.PartitionOffset, error)
	AlterOffsets(ctx context.Context, name string, offsets []store.PartitionOffset) (message string, err error)
	ResetOffsets(ctx context.Context, name string) (message string, err error)
}

// messageBody says what was done.
type messageBody struct {
	Message string `json:"message"`
}

// offsetsBody is the body of GET.
type offsetsBody struct {
	Offsets []offsetBody `json:"offsets"`
}

// offsetBody is an offset. Its parts are objects with their keys as they are stored.
type offsetBody struct {
	Partition json.RawMessage `json:"partition"`
	Offset    json.RawMessage `json:"offset"`
}

func (s *Server) getOffsets(r *request) (any, int, error) {
	offsets, err := s.Herder.Offsets(r.Context(), r.vars[0])
	if err != nil {
		return nil, 0, err
	}
	out := offsetsBody{make([]offsetBody, len(offsets))}
	for i, o := range offsets {
		if out.Offsets[i].Partition, err = values.AppendSchemaless(nil, o.Partition); err != nil {
			return nil, 0, err
		}
		if out.Offsets[i].Offset, err = values.AppendSchemaless(nil, o.Offset); err != nil {
			return nil, 0, err
		}
	}
	return out, http.StatusOK, nil
}

func (s *Server) alterOffsets(r *request) (any, int, error) {
	var body alterRequest
	if err := decode(r, &body); err != nil {
		return nil, 0, err
	}
	if len(body) == 0 {
		return nil, 0, &herder.Error{Kind: herder.BadRequest, Message: "Partitions / offsets need to be provided for an alter offsets request"}
	}
	text, err := s.Herder.AlterOffsets(r.Context(), r.vars[0], body)
	return messageBody{text}, http.StatusOK, err
}

func (s *Server) resetOffsets(r *request) (any, int, error) {
	text, err := s.Herder.ResetOffsets(r.Context(), r.vars[0])
	return messageBody{text}, http.StatusOK, err
}

// alterRequest is the body of PATCH. It is empty if that has none or null offsets.
type alterRequest []store.PartitionOffset

// UnmarshalJSON reads an object of which it knows all fields by their exact names. Integers become INT64, other numbers FLOAT64; what is
// nested is left for the herder to refuse.
func (a *alterRequest) UnmarshalJSON(raw []byte) error {
	fields, err := exactly(raw, "offsets")
	if err != nil || fields["offsets"] == nil {
		return err
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(fields["offsets"], &entries); err != nil {
		return err
	}
	for _, entry := range entries {
		fields, err := exactly(entry, "partition", "offset")
		if err != nil {
			return err
		}
		if fields == nil {
			return errors.New("an offset is null: expected {\"partition\": ..., \"offset\": ...}")
		}
		var o store.PartitionOffset
		if o.Partition, err = objectOrNull("partition", fields["partition"]); err != nil {
			return err
		}
		if o.Offset, err = objectOrNull("offset", fields["offset"]); err != nil {
			return err
		}
		*a = append(*a, o)
	}
	return nil
}

// exactly returns the fields of an object that may have no others, or nil for null.
func exactly(raw []byte, known ...string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	unknown := len(fields)
	for _, k := range known {
		if _, ok := fields[k]; ok {
			unknown--
		}
	}
	if unknown == 0 {
		return fields, nil
	}
	for _, k := range known {
		delete(fields, k)
	}
	for k := range fields {
		return nil, fmt.Errorf("Unrecognized field %q: expected %q", k, known)
	}
	return fields, nil
}

// objectOrNull reads an object with its keys in their order. What is missing is null.
func objectOrNull(field string, raw json.RawMessage) (data.Value, error) {
	if raw == nil {
		return data.Null, nil
	}
	v, err := values.ParseSchemaless(nil, raw)
	if err == nil && !v.IsNull() && v.Kind() != data.KindMap {
		err = fmt.Errorf("cannot read %q from %s: expected an object or null", field, raw)
	}
	return v, err
}
