// Package converters has the converters of Kafka Connect that need no schema registry: StringConverter and
// ByteArrayConverter among them. Each is a [connect.ConverterPlugin] and serves for keys, values and headers alike.
package converters
