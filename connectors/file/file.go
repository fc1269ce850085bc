// Package file has the connectors that come with every Kafka Connect: FileStreamSource turns the lines of a text file
// into records, FileStreamSink appends the text of records to a file.
//
// Configurations and stored offsets of the originals work unchanged. Positions count bytes, so that a restart goes on
// after exactly the last line delivered whatever the text; the originals count UTF-16 characters when they store a
// position and bytes when they return to it. Values of type BYTES are written as base64, where the original writes the
// identity of a Java object.
package file

import (
	"os"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
)

// Keys of the configuration.
const (
	keyFile      = "file"
	keyTopic     = "topic"
	keyBatchSize = "batch.size"
	keyTasksMax  = "tasks.max"
)

// Source is the FileStreamSource connector.
var Source = connect.Plugin{
	Class:     "org.apache.kafka.connect.file.FileStreamSourceConnector",
	TaskClass: "org.apache.kafka.connect.file.FileStreamSourceTask",
	Version:   connect.KafkaVersion,
	Def:       sourceDef,
	Source:    func() connect.SourceConnector { return &sourceConnector{stdin: os.Stdin} },
}

// Sink is the FileStreamSink connector.
var Sink = connect.Plugin{
	Class:     "org.apache.kafka.connect.file.FileStreamSinkConnector",
	TaskClass: "org.apache.kafka.connect.file.FileStreamSinkTask",
	Version:   connect.KafkaVersion,
	Def:       sinkDef,
	Sink:      func() connect.SinkConnector { return &sinkConnector{open: openSink} },
}

var (
	sourceDef  = config.New()
	sourceFile = sourceDef.String(keyFile, config.NullDefault, config.High,
		config.Doc("The file to read. Without it the connector reads the worker's standard input and stores no position."))
	sourceTopic = sourceDef.String(keyTopic, config.Required, config.NonEmpty, config.High,
		config.Doc("The topic that the lines are written to."))
	sourceBatch = sourceDef.Int(keyBatchSize, config.Default(2000), config.Low,
		config.Doc("The most lines that the task reads in one go."))

	sinkDef  = config.New()
	sinkFile = sinkDef.String(keyFile, config.NullDefault, config.High,
		config.Doc("The file to append to; it is created if it does not exist. Without it the connector writes to the worker's standard output."))
)
