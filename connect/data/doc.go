// Package data is Connect's data model: schemas, values, structs and logical types.
//
// A [Value] is a 24-byte tagged union that never allocates for scalars; strings, bytes and containers point at memory
// that usually comes from a [Slab], one per batch. Values and schemas are immutable once they are part of a record, so
// that transforms may share them. A [Schema] says what a value means; a nil *Schema means schemaless, as in Connect.
//
// Widths never convert by themselves: an INT32 field takes an int32 and nothing else. The logical types Decimal, Date,
// Time and Timestamp have in-memory kinds of their own ([KindDecimal] and [KindInstant]); which one a schema wants is
// decided by the schema's name alone, as in Connect.
package data
