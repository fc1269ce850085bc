// Package verifiable has the connectors with which Kafka's system tests find out what a worker lost and what it delivered
// twice: VerifiableSource and SchemaSource number the records they make, VerifiableSink says which numbers arrived.
//
// Each prints a line of JSON for what happens to a record to the worker's standard output, where a test reads it. All
// tasks of a process share one lock for that, and write the lines of a batch in one piece.
//
// Configurations and stored offsets of the originals work unchanged. Like them the connectors define no keys, so that a
// bad value is not found by validation but fails the task that is started with it.
package verifiable

import (
	"os"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// Keys of the configuration.
const (
	keyName               = "name"
	keyID                 = "id" // which task it is, from 0; the connector sets it
	keyTopic              = "topic"
	keyThroughput         = "throughput"
	keyCompleteRecordData = "complete.record.data"
	keyNumMessages        = "num.messages"
	keyMultipleSchema     = "multiple.schema"
	keyPartitionCount     = "partition.count"
)

const tools = "org.apache.kafka.connect.tools."

// The connectors. All tasks of a process print through the same printer.
var (
	// Source is the VerifiableSource connector. Each task counts from 0, or from where its offset says.
	Source = newSource(stdout, atThroughput)
	// Sink is the VerifiableSink connector. It prints records when they are put and again when they are flushed.
	Sink = newSink(stdout)
	// SchemaSource is the SchemaSource connector: structs of one schema, or of two versions of it in turn.
	SchemaSource = newSchemaSource(stdout, atThroughput)

	stdout = &printer{w: os.Stdout}
)

func newSource(out *printer, pace newPace) connect.Plugin {
	return source("VerifiableSource", func() connect.SourceTask {
		return &sourceTask{sequence: sequence{out: out, newPace: pace}}
	})
}

func newSchemaSource(out *printer, pace newPace) connect.Plugin {
	return source("SchemaSource", func() connect.SourceTask {
		return &schemaTask{sequence: sequence{out: out, newPace: pace}}
	})
}

func source(name string, newTask func() connect.SourceTask) connect.Plugin {
	return connect.Plugin{
		Class:     tools + name + "Connector",
		TaskClass: tools + name + "Task",
		Version:   connect.KafkaVersion,
		Def:       config.New(),
		Source:    func() connect.SourceConnector { return &sourceConnector{newTask: newTask} },
	}
}

func newSink(out *printer) connect.Plugin {
	return connect.Plugin{
		Class:     tools + "VerifiableSinkConnector",
		TaskClass: tools + "VerifiableSinkTask",
		Version:   connect.KafkaVersion,
		Def:       config.New(),
		Sink: func() connect.SinkConnector {
			return &sinkConnector{newTask: func() connect.SinkTask { return &sinkTask{out: out} }}
		},
	}
}
