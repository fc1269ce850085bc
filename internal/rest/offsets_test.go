package rest_test

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/internal/herder"
	"github.com/millrace-io/millrace/internal/rest"
	"github.com/millrace-io/millrace/internal/store"
)

// keeper is a herder of offsets that remembers what it was asked to change.
type keeper struct {
	rest.Herder
	offsets []store.PartitionOffset
	altered []string // of the last request
}

func (k *keeper) Offsets(_ context.Context, name string) ([]store.PartitionOffset, error) {
	if name != "c" {
		return nil, &herder.Error{Kind: herder.NotFound, Message: "Connector " + name + " not found"}
	}
	return k.offsets, nil
}

func (k *keeper) AlterOffsets(_ context.Context, _ string, offsets []store.PartitionOffset) (string, error) {
	k.altered = nil
	for _, o := range offsets {
		k.altered = append(k.altered, describe(o.Partition)+" = "+describe(o.Offset))
	}
	return "changed", nil
}

func (k *keeper) ResetOffsets(context.Context, string) (string, error) { return "forgotten", nil }

// describe shows a value with the kinds of its parts.
func describe(v data.Value) string {
	if v.Kind() != data.KindMap {
		return v.Kind().String()
	}
	var parts []string
	for _, e := range v.Map().Entries() {
		text := data.ConvertToString(e.Value).Str()
		parts = append(parts, e.Key.Str()+" "+e.Value.Kind().String()+" "+text)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func startKeeper(t *testing.T, k *keeper) *service {
	t.Helper()
	return startServer(t, rest.Options{Listeners: []string{"http://127.0.0.1:0"}, Herder: k, Log: slog.New(slog.DiscardHandler)})
}

func mapOf(pairs ...any) data.Value {
	m := data.NewMap(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		value, _ := pairs[i+1].(data.Value)
		m.Put(data.String(key), value)
	}
	return m.Value()
}

func TestOffsetsAreShownAsStored(t *testing.T) {
	t.Parallel()
	k := new(keeper)
	s := startKeeper(t, k)
	s.expect(http.MethodGet, "/connectors/c/offsets", "", 200, `{"offsets":[]}`)
	k.offsets = []store.PartitionOffset{
		{Partition: mapOf("z", data.String("<ü\u2028>"), "a", data.Int64(9007199254740993)), Offset: mapOf("f", data.Float64(1e10), "b", data.Bool(true), "n", data.Null)},
		{Partition: mapOf("kafka_partition", data.Int32(0), "kafka_topic", data.String("t")), Offset: mapOf("kafka_offset", data.Int64(3))},
	}
	s.expect(http.MethodGet, "/connectors/c/offsets", "", 200, `{"offsets":[`+
		`{"partition":{"z":"<ü`+"\u2028"+`>","a":9007199254740993},"offset":{"f":1.0E10,"b":true,"n":null}},`+
		`{"partition":{"kafka_partition":0,"kafka_topic":"t"},"offset":{"kafka_offset":3}}]}`)
	s.expect(http.MethodGet, "/connectors/x/offsets", "", 404, errorBody("404", "Connector x not found"))
	s.expect(http.MethodDelete, "/connectors/c/offsets", "", 200, `{"message":"forgotten"}`)
	s.expect(http.MethodPost, "/connectors/c/offsets", "", 405, errorBody("405", "HTTP 405 Method Not Allowed"))
	a := s.do(http.MethodOptions, "/connectors/c/offsets", "")
	if a.status != 200 || a.body != "HEAD, GET, PATCH, DELETE, OPTIONS" {
		t.Errorf("OPTIONS: %d %s", a.status, a.body)
	}
}

func TestOffsetsOfARequest(t *testing.T) {
	t.Parallel()
	const (
		nothing = "Partitions / offsets need to be provided for an alter offsets request"
		list    = "read the request's body: json: cannot unmarshal "
	)
	k := new(keeper)
	s := startKeeper(t, k)
	for _, tc := range []struct {
		body   string
		status int
		want   string // what is altered, or the message; with a final … its beginning
	}{
		{`{"offsets":[{"partition":{"b":"x","a":1},"offset":{"p":2}}]}`, 200, "{b STRING x, a INT64 1} = {p INT64 2}"},
		{`{"offsets":[{"offset":{"p":2.0},"partition":{"b":1e2}}]}`, 200, "{b FLOAT64 100.0} = {p FLOAT64 2.0}"},
		{`{"offsets":[{"partition":{"a":null,"b":true},"offset":null}]}`, 200, "{a NULL , b BOOLEAN true} = NULL"},
		{`{"offsets":[{"partition":{"a":9223372036854775807},"offset":{"a":1,"a":2}}]}`, 200, "{a INT64 9223372036854775807} = {a INT64 2}"},
		{`{"offsets":[{}]}`, 200, "NULL = NULL"},
		{`{"offsets":[{"partition":{},"offset":{}},{"partition":{"a":{"b":[1]}}}]}`, 200, "{} = {}; {a MAP {\"b\":[1]}} = NULL"},
		{`{"offsets":[{"partition":{"a":1},"partition":{"a":2}}]}`, 200, "{a INT64 2} = NULL"},
		{"\xef\xbb\xbf" + `{"offsets":[{}]}`, 200, "NULL = NULL"},
		{`{}`, 400, nothing},
		{`{"offsets":null}`, 400, nothing},
		{`{"offsets":[]}`, 400, nothing},
		{`{"offsets":"x"}`, 500, list + "string …"},
		{`{"offsets":{}}`, 500, list + "object …"},
		{`{"offsets":[null]}`, 500, "…"},
		{`{"offsets":[1]}`, 500, "…"},
		{`{"offsets":[{"partition":1}]}`, 500, `read the request's body: cannot read "partition" from 1: expected an object or null`},
		{`{"offsets":[{"offset":"x"}]}`, 500, `read the request's body: cannot read "offset" from "x": expected an object or null`},
		{`{"offsets":[{"partition":{"a":1},"offset":{"p":1},"x":1}]}`, 500, `read the request's body: Unrecognized field "x": expected ["partition" "offset"]`},
		{`{"offsets":[{}],"x":1}`, 500, `read the request's body: Unrecognized field "x": expected ["offsets"]`},
		{`{"Offsets":[{}]}`, 500, `read the request's body: Unrecognized field "Offsets": expected ["offsets"]`},
		{`[]`, 500, "…"},
		{`{"offsets":[{}]} x`, 500, "…"},
		{"null", 500, "…"},
		{"", 500, "…"},
	} {
		k.altered = nil
		a := s.do(http.MethodPatch, "/connectors/c/offsets", tc.body, "Content-Type", jsonType)
		if tc.status == 200 {
			if a.status != 200 || a.body != `{"message":"changed"}` {
				t.Errorf("%s: %d %s", tc.body, a.status, a.body)
			}
			if diff := cmp.Diff(tc.want, strings.Join(k.altered, "; ")); diff != "" {
				t.Errorf("%s\n%s", tc.body, diff)
			}
			continue
		}
		checkError(t, tc.body, a, tc.status, tc.want)
		if k.altered != nil {
			t.Errorf("%s: altered %v", tc.body, k.altered)
		}
	}
	if a := s.do(http.MethodPatch, "/connectors/c/offsets", `{"offsets":[{}]}`, "Accept", jsonType); a.status != 415 {
		t.Errorf("without a type: %d %s", a.status, a.body)
	}
}

// checkError compares an error; with a final … only the beginning of its message.
func checkError(t *testing.T, what string, a answer, status int, want string) {
	t.Helper()
	begin, open := strings.CutSuffix(want, "…")
	full := errorBody(strconv.Itoa(status), begin)
	ok := a.body == full || open && strings.HasPrefix(a.body, strings.TrimSuffix(full, `"}`))
	if a.status != status || !ok || a.header.Get("Content-Type") != jsonType {
		t.Errorf("%s: %d %s\nwant %d %q", what, a.status, a.body, status, want)
	}
}

func TestOffsetsOnAWorker(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	s.create("c")
	const path, one = "/connectors/c/offsets", `{"partition":{"filename":"f"},"offset":{"position":4}}`
	const stop = "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing " +
		"a 'PUT' request to the '/connectors/c/stop' endpoint"
	s.expect(http.MethodGet, path, "", 200, `{"offsets":[]}`)
	s.expect(http.MethodPatch, path, `{"offsets":[`+one+`]}`, 400, errorBody("400", stop))
	s.expect(http.MethodDelete, path, "", 400, errorBody("400", stop))
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		s.expect(method, "/connectors/x/offsets", "", 404, errorBody("404", "Connector x not found"))
	}
	s.expect(http.MethodPatch, "/connectors/x/offsets", `{"offsets":[{}]}`, 404, errorBody("404", "Connector x not found"))
	s.expect(http.MethodPatch, "/connectors/x/offsets", `{}`, 400, errorBody("400", "Partitions / offsets need to be provided for an alter offsets request"))
	s.expect(http.MethodPut, "/connectors/c/stop", "", 204, "")
	if a := s.do(http.MethodPatch, path, `{"offsets":[`+one+`]}`); a.status != 200 || !strings.Contains(a.body, "have been altered successfully") {
		t.Errorf("alter: %d %s", a.status, a.body)
	}
	s.expect(http.MethodGet, path, "", 200, `{"offsets":[`+one+`]}`)
	checkError(t, "nested", s.do(http.MethodPatch, path, `{"offsets":[{"partition":{"filename":"f"},"offset":{"position":{"a":1}}}]}`), 500,
		"Offsets may only contain primitive types as values, but field position contains MAP")
	if a := s.do(http.MethodDelete, path, ""); a.status != 200 || !strings.Contains(a.body, "have been reset successfully") {
		t.Errorf("reset: %d %s", a.status, a.body)
	}
	s.expect(http.MethodGet, path, "", 200, `{"offsets":[]}`)
}

func TestOffsetsOfASinkOnAWorker(t *testing.T) {
	t.Parallel()
	s := startWorker(t)
	a := s.do(http.MethodPost, "/connectors", `{"name":"c","initial_state":"STOPPED","config":{"connector.class":"FileStreamSink","topics":"t","file":"`+s.dir+`/out"}}`)
	if a.status != http.StatusCreated {
		t.Fatalf("create: %d %s", a.status, a.body)
	}
	const path = "/connectors/c/offsets"
	checkError(t, "no partition", s.do(http.MethodPatch, path, `{"offsets":[{"offset":{"kafka_offset":1}}]}`), 400,
		"The partition for a sink connector offset cannot be null or missing")
	checkError(t, "unknown topic", s.do(http.MethodPatch, path, `{"offsets":[{"partition":{"kafka_topic":"t","kafka_partition":0},"offset":{"kafka_offset":1}}]}`), 500,
		"Failed to alter consumer group offsets for connector c…")
	s.expect(http.MethodGet, path, "", 200, `{"offsets":[]}`)
	if a := s.do(http.MethodDelete, path, ""); a.status != 200 || !strings.Contains(a.body, "have been reset successfully") {
		t.Errorf("reset: %d %s", a.status, a.body)
	}
}
