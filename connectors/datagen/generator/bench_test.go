package generator

import (
	"testing"

	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen/random"
)

const usersSchema = `{
	"namespace": "ksql", "name": "users", "type": "record",
	"fields": [
		{"name": "registertime", "type": {"type": "long", "arg.properties": {"range": {"min": 1487715775521, "max": 1519273364600}}}},
		{"name": "userid", "type": {"type": "string", "arg.properties": {"regex": "User_[1-9]"}}},
		{"name": "regionid", "type": {"type": "string", "arg.properties": {"regex": "Region_[1-9]"}}},
		{"name": "gender", "type": {"type": "string", "arg.properties": {"options": ["MALE", "FEMALE", "OTHER"]}}}
	]
}`

// ordersSchema has a record, a sequence, text that is made anew each time, a map and an array.
const ordersSchema = `{
	"namespace": "ksql", "name": "orders", "type": "record",
	"fields": [
		{"name": "orderid", "type": {"type": "int", "arg.properties": {"iteration": {"start": 0}}}},
		{"name": "itemid", "type": {"type": "string", "arg.properties": {"regex": "Item_[1-9]\\d{2,8}"}}},
		{"name": "note", "type": ["null", {"type": "string", "arg.properties": {"length": {"min": 10, "max": 40}}}]},
		{"name": "units", "type": {"type": "array", "items": "double", "arg.properties": {"length": 3}}},
		{"name": "info", "type": {"type": "map", "values": "string", "arg.properties": {"keys": {"options": ["city", "zip", "phone"]}}}},
		{"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}
	]
}`

// BenchmarkUsers makes the record of the quickstart of that name, with a seed of its own as the connector's records have.
func BenchmarkUsers(b *testing.B) { benchmark(b, usersSchema) }

func BenchmarkOrders(b *testing.B) { benchmark(b, ordersSchema) }

func benchmark(b *testing.B, schema string) {
	r := random.New(1)
	g := mustParse(b, schema).New(r)
	slab, n := &data.Slab{}, 0
	b.ReportAllocs()
	for b.Loop() {
		if n++; n%500 == 0 {
			slab.Reset()
		}
		if v := g.Next(slab); v.Kind() != data.KindStruct {
			b.Fatal(v)
		}
		r.Seed(r.NextInt64())
	}
}

func mustParse(tb testing.TB, schema string) *Shape {
	tb.Helper()
	shape, err := Parse([]byte(schema))
	if err != nil {
		tb.Fatalf("%s: %v", schema, err)
	}
	return shape
}
