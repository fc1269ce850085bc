package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The bare loops are the bar: what a program costs that does nothing but the work itself, with the very client that the worker would
// use, and with room on the heap as the worker has it. They have no batches to track, no offsets to store, no converters and no error handling beyond giving up. CHANGING THEM IS
// CHANGING THE BAR, and every figure that was published before loses its meaning.

const (
	bareSourceRole = "bare source"
	bareSinkRole   = "bare sink"

	// chunkBytes are read from the file at a time, as the worker's file source does.
	chunkBytes = 256 << 10
	// slabRecords are allocated at a time.
	slabRecords = 2048
)

// runBare runs a loop and then says which options its client had.
func runBare(ctx context.Context, j job, say io.Writer) error {
	loop := bareSource
	if j.Sink {
		loop = bareSink
	}
	var options []fact
	err := withRoom(func() (err error) {
		options, err = loop(ctx, j)
		return err
	})
	for _, o := range options {
		fmt.Fprintf(say, "%s=%s\n", o.name, o.value)
	}
	return err
}

// The collector's settings leave a small heap room for 24 MB of garbage.
const (
	heapFloor  = 48 << 20
	heapGrowth = 50
)

// withRoom calls f with a heap that does not have to be collected all the time for being small. The worker is no different; without
// this its loops would win over the bare ones by their collector alone.
func withRoom(f func() error) error {
	debug.SetGCPercent(heapGrowth)
	floor := make([]byte, heapFloor) // never touched, so that it takes no memory
	err := f()
	runtime.KeepAlive(floor)
	return err
}

// bareSource produces the lines of a file. Values are parts of the chunks that were read.
func bareSource(ctx context.Context, j job) ([]fact, error) {
	client, err := sourceClient(j)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	file, err := os.Open(j.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	var failed atomic.Pointer[error]
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.CompareAndSwap(nil, &err)
		}
	}
	var rest []byte
	var slab []kgo.Record
	for {
		chunk := make([]byte, chunkBytes)
		kept := copy(chunk, rest)
		n, err := file.Read(chunk[kept:])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		rest = chunk[:kept+n]
		now := time.Now() // one for all of them, which saves the client a look at the clock for each
		for {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				break
			}
			if len(slab) == 0 {
				slab = make([]kgo.Record, slabRecords)
			}
			r := &slab[0]
			slab = slab[1:]
			r.Topic, r.Partition, r.Timestamp, r.Value = j.Topic, anyPartition, now, rest[:end:end]
			rest = rest[end+1:]
			client.Produce(ctx, r, promise)
		}
	}
	if err := client.Flush(ctx); err != nil {
		return nil, err
	}
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return describe(client.Client, sourceOptions), nil
}

// bareSink writes the records of a topic to a file, a line each and all lines of a poll in one call.
func bareSink(ctx context.Context, j job) ([]fact, error) {
	client, poll, err := sinkClient(j)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	file, err := os.Create(j.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()

	var lines []byte
	for left := j.Lines; left > 0; {
		fetches := client.PollRecords(ctx, poll)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		lines = lines[:0]
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				lines = append(append(lines, r.Value...), '\n')
			}
			left -= int64(len(p.Records))
		})
		if _, err := file.Write(lines); err != nil {
			return nil, err
		}
		client.AllowRebalance()
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		return nil, err
	}
	return append(describe(client.Client, sinkOptions), fact{"records a poll", strconv.Itoa(poll)}), nil
}
