package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/converters/json"
	"github.com/millrace-io/millrace/test/bed"
)

const (
	jsonRole = "Millrace JSON converter"
	// jsonBatch is how many records share a slab and an output buffer, as they do in a worker, and how many different ones there are.
	jsonBatch = 500
	jsonWarm  = 3 // runs of each side that do not count, by which Java's compiler is done
	jsonBar   = 6
)

// jsonJob is what a child is told: the file with the records, one a line, and how many to convert at a time, in all.
type jsonJob struct {
	File    string
	Records int64
}

// Parts of the envelope of a record as change streams have them: ten fields, among them a struct, an array, a timestamp and a null.
const (
	recordSchema = `{"schema":{"type":"struct","fields":[` +
		`{"type":"int64","optional":false,"field":"customer_id"},` +
		`{"type":"string","optional":false,"field":"first_name"},` +
		`{"type":"string","optional":false,"field":"email"},` +
		`{"type":"boolean","optional":false,"field":"active"},` +
		`{"type":"double","optional":false,"field":"balance"},` +
		`{"type":"int32","optional":true,"field":"visits"},` +
		`{"type":"struct","fields":[{"type":"string","optional":false,"field":"street"},` +
		`{"type":"string","optional":false,"field":"city"},` +
		`{"type":"int32","optional":false,"field":"zip"}],"optional":false,"name":"shop.Address","field":"address"},` +
		`{"type":"array","items":{"type":"string","optional":false},"optional":false,"field":"labels"},` +
		`{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"updated_at"},` +
		`{"type":"string","optional":true,"field":"comment"}],"optional":false,"name":"shop.public.customers.Value"},`
	recordPayload = `"payload":{"customer_id":%d,"first_name":"Adelheid","email":"adelheid.muster@example.com",` +
		`"active":%t,"balance":%d.%02d,"visits":%d,"address":{"street":"Long Street %d","city":"Springfield","zip":%d},` +
		`"labels":["new","retail","vip"],"updated_at":%d,"comment":null}}`
)

// writeRecords writes records that differ in their numbers, one a line.
func writeRecords(path string) error {
	var b bytes.Buffer
	for i := range jsonBatch {
		b.WriteString(recordSchema)
		fmt.Fprintf(&b, recordPayload+"\n", 1_004_711+i, i%3 != 0, 1000+i, i%100, 10+i%90, 10+i%90, 10_000+7*i, 1_700_000_000_123+int64(i)*1009)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// measureJSON times the JsonConverter alone, bytes to value and back, in Millrace and in Java.
func measureJSON(ctx context.Context, r *rig) (section, error) {
	o := jsonJob{File: r.path("records.jsonl"), Records: r.jsonRecords() / jsonBatch * jsonBatch}
	if err := writeRecords(o.File); err != nil {
		return section{}, err
	}
	our, err := startSelf(ctx, jsonRole, o)
	if err != nil {
		return section{}, err
	}
	defer our.kill()
	their, err := startJavaJSON(ctx, o)
	if err != nil {
		return section{}, err
	}
	defer their.kill()
	if err := sameJSON(our, their); err != nil {
		return section{}, err
	}
	costs, err := jsonRounds(o, r.rounds, [sideCount]*child{ours: our, java: their})
	if err != nil {
		return section{}, err
	}
	if err := errors.Join(our.end(), their.end()); err != nil {
		return section{}, err
	}
	return section{
		title: "JSON converter alone",
		intro: fmt.Sprintf("JsonConverter with schemas: bytes to value and back, a record of ten fields with its schema (%d bytes), in batches of %d "+
			"different ones, %s a round. Both sides gave the same bytes for all of them. Java has the serial collector and 512 MB, which is where "+
			"it uses the least CPU.", len(firstLine(o.File)), jsonBatch, thousands(float64(o.Records))),
		tables: []table{
			{head: []string{"", "CPU, ns a record"}, rows: [][]string{
				{"Millrace", spread(costs[ours], thousands)},
				{"Java's JsonConverter", spread(costs[java], thousands)},
			}},
			verdicts(verdict{"CPU, Java : Millrace", ratio(costs[java], costs[ours]), atLeast, jsonBar, tenths}),
		},
	}, nil
}

// firstLine is the first record, or nothing if it cannot be read any more.
func firstLine(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	return line
}

// startJavaJSON starts the Java side, with the jars of the broker and the worker.
func startJavaJSON(ctx context.Context, o jsonJob) (*child, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	jars, err := bed.ResolveJars(ctx)
	if err != nil {
		return nil, err
	}
	root, err := bed.ModuleDir()
	if err != nil {
		return nil, err
	}
	return startChild(ctx, "Java JSON converter", java, "-XX:+UseSerialGC", "-Xms512m", "-Xmx512m", "-cp", jars.ToolClassPath(),
		filepath.Join(root, "bench", "java", "JsonBench.java"), o.File, strconv.FormatInt(o.Records, 10))
}

// sameJSON makes both sides print what they write and compares it.
func sameJSON(a, b *child) error {
	a.tell(printWord)
	x, err := a.read(doneWord)
	if err != nil {
		return err
	}
	b.tell(printWord)
	y, err := b.read(doneWord)
	if err != nil {
		return err
	}
	if len(x) != jsonBatch || len(y) != jsonBatch {
		return fmt.Errorf("%d and %d records instead of %d", len(x), len(y), jsonBatch)
	}
	for i := range x {
		if x[i] != y[i] {
			return fmt.Errorf("record %d comes out differently:\n%s\n%s", i, x[i], y[i])
		}
	}
	return nil
}

// jsonRounds returns the CPU nanoseconds a record of each round.
func jsonRounds(o jsonJob, rounds int, sides [sideCount]*child) (costs [sideCount][]float64, err error) {
	for round := -jsonWarm; round < rounds; round++ {
		for _, who := range []int{ours, java} {
			c := sides[who]
			before, err := cpuTime(c.pid())
			if err != nil {
				return costs, err
			}
			c.tell(goWord)
			if _, err := c.read(doneWord); err != nil {
				return costs, err
			}
			after, err := cpuTime(c.pid())
			if err != nil {
				return costs, err
			}
			cost := float64((after - before).Nanoseconds()) / float64(o.Records)
			if round < 0 {
				continue
			}
			costs[who] = append(costs[who], cost)
			note("JSON, round %d of %d, %s: %.0f ns", round+1, rounds, c.name, cost)
		}
	}
	return costs, nil
}

// runJSONChild is our side.
func runJSONChild(o jsonJob) error {
	text, err := os.ReadFile(o.File)
	if err != nil {
		return err
	}
	var raw [][]byte
	for line := range bytes.Lines(text) {
		raw = append(raw, bytes.TrimSuffix(line, []byte{'\n'}))
	}
	c, err := json.New(nil, connect.ForValue)
	if err != nil {
		return err
	}
	var buf []byte
	return obey(map[string]func(io.Writer) error{
		goWord: func(io.Writer) error {
			for n := int64(0); n < o.Records; n += int64(len(raw)) {
				if buf, err = convert(c, raw, buf[:0]); err != nil {
					return err
				}
			}
			return nil
		},
		printWord: func(w io.Writer) error { return printConverted(c, raw, w) },
	})
}

// convert reads and writes a batch of records with a slab of its own.
func convert(c *json.Converter, raw [][]byte, buf []byte) ([]byte, error) {
	var slab data.Slab
	for _, b := range raw {
		schema, value, err := c.Decode(&slab, "", nil, b)
		if err != nil {
			return nil, err
		}
		if buf, err = c.Encode(buf, "", nil, schema, value); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func printConverted(c *json.Converter, raw [][]byte, to io.Writer) error {
	w := bufio.NewWriter(to)
	for i := range raw {
		out, err := convert(c, raw[i:i+1], nil)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n", out)
	}
	return w.Flush()
}
