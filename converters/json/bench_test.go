package json

import (
	"testing"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// customer is a record as a change stream has them: ten fields, among them a struct, an array, a timestamp and a null.
const (
	customerSchema = `{"type":"struct","fields":[` +
		`{"type":"int64","optional":false,"field":"id"},` +
		`{"type":"string","optional":false,"field":"name"},` +
		`{"type":"string","optional":false,"field":"email"},` +
		`{"type":"boolean","optional":false,"field":"active"},` +
		`{"type":"double","optional":false,"field":"balance"},` +
		`{"type":"int32","optional":true,"field":"visits"},` +
		`{"type":"struct","fields":[{"type":"string","optional":false,"field":"street"},` +
		`{"type":"string","optional":false,"field":"city"},` +
		`{"type":"int32","optional":false,"field":"zip"}],"optional":false,"name":"shop.Address","field":"address"},` +
		`{"type":"array","items":{"type":"string","optional":false},"optional":false,"field":"labels"},` +
		`{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"updated_at"},` +
		`{"type":"string","optional":true,"field":"comment"}],"optional":false,"name":"shop.customers.Value"}`
	customerPayload = `{"id":1004711,"name":"Adelheid","email":"adelheid@example.com",` +
		`"active":true,"balance":1234.56,"visits":42,"address":{"street":"Long Street 12","city":"Springfield",` +
		`"zip":12345},"labels":["new","retail","vip"],"updated_at":1700000000123,"comment":null}`
	customerText = `{"schema":` + customerSchema + `,"payload":` + customerPayload + `}`
)

// batchSize is how many records share a slab and an output buffer, as they do in a worker.
const batchSize = 500

func newConverter(tb testing.TB, props connect.Props) *Converter {
	tb.Helper()
	c, err := New(props, connect.ForValue)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// BenchmarkConverter measures one record per operation.
func BenchmarkConverter(b *testing.B) {
	raw := []byte(customerText)
	for _, bm := range []struct {
		name           string
		decode, encode bool
		props          connect.Props
		raw            []byte
	}{
		{"decode+encode", true, true, nil, raw},
		{"decode", true, false, nil, raw},
		{"encode", false, true, nil, raw},
		{"schemaless", true, true, connect.Props{SchemasEnableKey: "false"}, []byte(customerPayload)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			c := newConverter(b, bm.props)
			var slab data.Slab
			s, v, err := c.Decode(nil, "t", nil, bm.raw)
			if err != nil {
				b.Fatal(err)
			}
			var out []byte
			b.SetBytes(int64(len(bm.raw)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n++; n%batchSize == 0 {
					slab.Reset()
					out = out[:0]
				}
				if bm.decode {
					s, v, err = c.Decode(&slab, "t", nil, bm.raw)
				}
				if bm.encode && err == nil {
					out, err = c.Encode(out, "t", nil, s, v)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
