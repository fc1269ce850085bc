package main

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/internal/kafka"
)

// anyPartition leaves the choice of the partition to the client.
const anyPartition = kafka.AnyPartition

// bareClient is the client of a worker's task, taken out of what the worker has around it.
type bareClient struct {
	*kgo.Client
	close func()
}

// Close ends what the worker's wrapper started as well.
func (c bareClient) Close() { c.close() }

// sourceClient is the client that the worker makes for the task of a source connector.
func sourceClient(j job) (bareClient, error) {
	p, err := kafka.NewProducer(kafka.ProducerProps(workerProps(j.Bootstrap), kafka.ProducerID(j.Name, 0), nil), nil)
	if err != nil {
		return bareClient{}, err
	}
	return bareClient{p.Client(), p.Close}, nil
}

// sinkClient is the client that the worker makes for the task of a sink connector, with the number of records that the worker polls
// at a time.
func sinkClient(j job) (bareClient, int, error) {
	c, err := kafka.NewConsumer(kafka.ConsumerProps(workerProps(j.Bootstrap), j.Name, kafka.ConsumerID(j.Name, 0), nil),
		kafka.GroupOptions{Topics: []string{j.Topic}})
	if err != nil {
		return bareClient{}, 0, err
	}
	// The client is made by the first poll, which this one is without waiting for anything.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Poll(ctx)
	c.AllowRebalance()
	if c.Client() == nil {
		return bareClient{}, 0, fmt.Errorf("the worker's consumer has no client after a poll")
	}
	return bareClient{c.Client(), c.Close}, c.MaxPollRecords(), nil
}

// Options that decide about speed and memory, by franz-go's names.
var (
	sourceOptions = []any{
		kgo.RequiredAcks, kgo.DisableIdempotentWrite, kgo.MaxProduceRequestsInflightPerBroker, kgo.ProducerLinger,
		kgo.ProducerBatchMaxBytesFn, kgo.MaxBufferedRecords, kgo.MaxBufferedBytes, kgo.ProducerBatchCompression,
		kgo.RecordDeliveryTimeout, kgo.ProduceRequestTimeout, kgo.BrokerMaxWriteBytes, kgo.MetadataMaxAge,
	}
	sinkOptions = []any{
		kgo.FetchMinBytes, kgo.FetchMaxWait, kgo.FetchMaxBytes, kgo.FetchMaxPartitionBytes, kgo.MaxConcurrentFetches,
		kgo.FetchIsolationLevel, kgo.DisableFetchCRCValidation, kgo.Balancers, kgo.SessionTimeout, kgo.HeartbeatInterval,
		kgo.RebalanceTimeout, kgo.BlockRebalanceOnPoll, kgo.DisableAutoCommit, kgo.MetadataMaxAge,
	}
)

// isolation levels as franz-go keeps them.
var isolation = map[int8]string{0: "read uncommitted", 1: "read committed"}

// describe lists what options of a client come to.
func describe(client *kgo.Client, options []any) []fact {
	var out []fact
	for _, o := range options {
		out = append(out, fact{optionName(o), optionText(client.OptValue(o))})
	}
	return out
}

// optionName is the name of an option's constructor.
func optionName(option any) string {
	name := runtime.FuncForPC(reflect.ValueOf(option).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

func optionText(v any) string {
	switch v := v.(type) {
	case kgo.Acks:
		if v == kgo.AllISRAcks() {
			return "all"
		}
	case int8:
		if name, ok := isolation[v]; ok {
			return name
		}
	case func(string) int32:
		return fmt.Sprintf("%d for a topic with the standard limit", v(""))
	case []kgo.CompressionCodec:
		if len(v) == 1 && v[0] == kgo.NoCompression() {
			return "none"
		}
	case []kgo.GroupBalancer:
		var names []string
		for _, b := range v {
			names = append(names, b.ProtocolName())
		}
		return strings.Join(names, ", ")
	case time.Duration:
		if v == 0 {
			return "none"
		}
	}
	return fmt.Sprint(v)
}
