// Package json is the JsonConverter of Kafka Connect: values as JSON text, with their schema in an envelope around each
// of them, with one schema for all of them (KIP-1054), or without any.
//
// Reading takes one of two ways. The fast one goes through the text once and makes values as it goes; it gives up at
// the first thing it is not sure about. Then the exact one builds a tree of the whole text first and converts that, as
// the reference does, so that errors come in the reference's order and a repeated member counts with its last value. The
// fast way must never succeed where the exact one would fail or give something else; a fuzz test holds it to that.
//
// The lenient corners of the reference's JSON library are kept: leading zeros, text behind the first value, repeated
// members, UTF-16 and UTF-32, overlong UTF-8, at most 1,000 levels and 1,000 digits.
package json
