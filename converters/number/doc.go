// Package number has the converters of Kafka Connect for keys, values and headers that are nothing but one number or one
// boolean, in the big-endian form of the client library's serializers: ShortConverter, IntegerConverter, LongConverter,
// FloatConverter, DoubleConverter and BooleanConverter.
//
// Null is null bytes. All else must have exactly the size of the type: empty bytes are an error.
package number
