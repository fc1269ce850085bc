package data

import "strings"

// The functions of this file convert a value to another type as the methods of org.apache.kafka.connect.data.Values
// do. The schema is that of the value and may be nil: it matters for instants, and for the words of errors.

var errNullRequired = Errorf("Unable to convert a null value to a schema that requires a value")

// Schemas that errors name as what a value cannot become.
var (
	arrayTarget   = UnknownElements(TypeArray, nil, nil)
	mapTarget     = UnknownElements(TypeMap, nil, nil)
	structTarget  = UnknownElements(TypeStruct, nil, nil)
	decimalTarget = NewDecimalBuilder(0).MustBuild()
)

// unable is the error for a value that cannot become what target says; nil stands for a number.
func unable(cause error, v Value, target *Schema) *Error {
	to := "a number"
	if target != nil {
		to = target.String()
	}
	return Wrap(cause, "Unable to convert %s (class %s) to %s", v, v.kind.JavaClass(), to)
}

// ConvertToBoolean returns true for numbers that are not zero once their fraction is cut off, and for the texts of such
// numbers and of true. Null stays null.
func ConvertToBoolean(s *Schema, v Value) (Value, error) {
	switch v.kind {
	case KindNull, KindBoolean:
		return v, nil
	case KindString:
		parsed, err := parseNotNull(v)
		if err != nil || parsed.kind == KindBoolean {
			return parsed, err
		}
	default:
	}
	n, err := asInt64(s, v)
	if err != nil {
		return Null, err
	}
	return Bool(n != 0), nil
}

// ConvertToInt8 returns a number as INT8: the fraction is cut off and the bits that do not fit are lost. Strings are
// read as numbers, instants become days or milliseconds as their schema says. Null stays null.
func ConvertToInt8(s *Schema, v Value) (Value, error) { return convertToNumber(TypeInt8, s, v) }

// ConvertToInt16 is [ConvertToInt8] for INT16.
func ConvertToInt16(s *Schema, v Value) (Value, error) { return convertToNumber(TypeInt16, s, v) }

// ConvertToInt32 is [ConvertToInt8] for INT32.
func ConvertToInt32(s *Schema, v Value) (Value, error) { return convertToNumber(TypeInt32, s, v) }

// ConvertToInt64 is [ConvertToInt8] for INT64. Floats beyond its range become the nearest limit.
func ConvertToInt64(s *Schema, v Value) (Value, error) { return convertToNumber(TypeInt64, s, v) }

// ConvertToFloat32 is [ConvertToInt8] for FLOAT32. What is too large becomes an infinity.
func ConvertToFloat32(s *Schema, v Value) (Value, error) { return convertToNumber(TypeFloat32, s, v) }

// ConvertToFloat64 is [ConvertToFloat32] for FLOAT64.
func ConvertToFloat64(s *Schema, v Value) (Value, error) { return convertToNumber(TypeFloat64, s, v) }

func convertToNumber(to Type, s *Schema, v Value) (Value, error) {
	if v.kind == KindNull || v.kind == Kind(to) {
		return v, nil
	}
	if to == TypeFloat32 || to == TypeFloat64 {
		f, err := asFloat64(s, v)
		if err != nil {
			return Null, err
		}
		return floatOf(to, f), nil
	}
	n, err := asInt64(s, v)
	if err != nil {
		return Null, err
	}
	return integerOf(to, n), nil
}

func floatOf(t Type, f float64) Value {
	if t == TypeFloat32 {
		return Float32(float32(f))
	}
	return Float64(f)
}

func integerOf(t Type, n int64) Value {
	switch t {
	case TypeInt8:
		return Int8(int8(n))
	case TypeInt16:
		return Int16(int16(n))
	case TypeInt32:
		return Int32(int32(n))
	default:
		return Int64(n)
	}
}

func asInt64(s *Schema, v Value) (int64, error) {
	switch v.kind {
	case KindInt8, KindInt16, KindInt32, KindInt64:
		return v.Int64(), nil
	case KindFloat32, KindFloat64:
		return truncate64(v.Float64()), nil
	case KindDecimal:
		return v.lowBits(), nil
	case KindString:
		d, err := parseDecimalText(v.Str())
		if err != nil {
			return 0, unable(err, v, s)
		}
		return d.lowBits(), nil
	case KindInstant:
		return wireOf(s, v)
	default:
		return 0, unable(nil, v, s)
	}
}

func asFloat64(s *Schema, v Value) (float64, error) {
	switch v.kind {
	case KindFloat32, KindFloat64:
		return v.Float64(), nil
	case KindDecimal:
		return v.nearestFloat64(), nil
	case KindString:
		d, err := parseDecimalText(v.Str())
		if err != nil {
			return 0, unable(err, v, s)
		}
		return d.nearestFloat64(), nil
	default:
		n, err := asInt64(s, v)
		return float64(n), err
	}
}

// wireOf returns the integer that stands for an instant of that schema.
func wireOf(s *Schema, v Value) (int64, error) {
	if s == nil {
		return 0, unable(nil, v, s)
	}
	switch s.logical {
	case LogicalDate:
		days, err := ToDays(s, v)
		return int64(days), err
	case LogicalTime:
		ms, err := ToMillisOfDay(s, v)
		return int64(ms), err
	case LogicalTimestamp:
		return ToMillis(s, v)
	default:
		return 0, unable(nil, v, s)
	}
}

// parseNotNull is [ParseText] for a STRING. It fails where the text stands for null, as the reference does.
func parseNotNull(v Value) (Value, error) {
	_, parsed, err := ParseText(v.Str())
	if err == nil && parsed.kind == KindNull {
		return Null, Errorf("The text %s stands for no value", strings.TrimSpace(v.Str()))
	}
	return parsed, err
}

// parsedOr returns what a STRING stands for, and other values as they are.
func parsedOr(v Value) (Value, error) {
	switch v.kind {
	case KindNull:
		return Null, errNullRequired
	case KindString:
		return parseNotNull(v)
	default:
		return v, nil
	}
}

// ConvertToString returns strings as they are and other values as [Value.AppendHeaderText] writes them. Null stays
// null.
func ConvertToString(v Value) Value {
	if v.kind == KindNull || v.kind == KindString {
		return v
	}
	return AliasString(v.AppendHeaderText(nil))
}

// ConvertToArray returns lists, and what the texts of lists stand for. It fails for null.
func ConvertToArray(v Value) (Value, error) { return convertToKind(KindArray, arrayTarget, v) }

// ConvertToMap returns maps, and what the texts of maps stand for. It fails for null.
func ConvertToMap(v Value) (Value, error) { return convertToKind(KindMap, mapTarget, v) }

func convertToKind(k Kind, target *Schema, v Value) (Value, error) {
	parsed, err := parsedOr(v)
	if err != nil {
		return Null, err
	}
	if parsed.kind != k {
		return Null, unable(nil, parsed, target)
	}
	return parsed, nil
}

// ConvertToStruct returns structs. It fails for everything else, as no text stands for a struct.
func ConvertToStruct(v Value) (Value, error) {
	switch v.kind {
	case KindNull:
		return Null, errNullRequired
	case KindStruct:
		return v, nil
	default:
		return Null, unable(nil, v, structTarget)
	}
}

// ConvertToDate returns instants of a Date, and those of unknown schema, as they are, a Timestamp's day, and numbers
// as days since the epoch. Strings count as what their text stands for. It fails for null. Before the epoch a
// Timestamp's day is the next midnight, as Java's division rounds.
func ConvertToDate(s *Schema, v Value) (Value, error) {
	v, err := parsedOr(v)
	if err != nil {
		return Null, err
	}
	if v.kind == KindInstant {
		switch logicalOr(s, LogicalDate) {
		case LogicalDate:
			return v, nil
		case LogicalTimestamp:
			return FromDays(dateSchema, int32(v.Int64()/dayMillis))
		default:
		}
	}
	days, err := asInt64(s, v)
	if err != nil {
		return Null, err
	}
	return FromDays(dateSchema, int32(days))
}

// ConvertToTime returns instants of a Time, and those of unknown schema, as they are, a Timestamp's time of day, and
// numbers as milliseconds since midnight, of which a day has 86,400,000. Strings count as what their text stands for.
// It fails for null.
func ConvertToTime(s *Schema, v Value) (Value, error) {
	v, err := parsedOr(v)
	if err != nil {
		return Null, err
	}
	if v.kind == KindInstant {
		switch logicalOr(s, LogicalTime) {
		case LogicalTime:
			return v, nil
		case LogicalTimestamp:
			return timeOfTimestamp(v.Int64())
		default:
		}
	}
	ms, err := asInt64(s, v)
	if err != nil {
		return Null, err
	}
	return FromMillisOfDay(timeSchema, int32(ms))
}

// firstYear is the beginning of the year 1.
const firstYear = -62135769600000

// timeOfTimestamp returns the time of day of a moment. There is none before Christ, because the reference takes the
// time from a calendar whose year it sets, but not the era.
func timeOfTimestamp(ms int64) (Value, error) {
	if ms < firstYear {
		return FromMillisOfDay(timeSchema, -1)
	}
	return Instant(ms - floorDiv(ms, dayMillis)*dayMillis), nil
}

// ConvertToTimestamp returns instants as they are, if they fit their schema, and numbers as milliseconds since the
// epoch. Strings count as what their text stands for. It fails for null.
func ConvertToTimestamp(s *Schema, v Value) (Value, error) {
	v, err := parsedOr(v)
	if err != nil {
		return Null, err
	}
	if v.kind == KindInstant && s == nil {
		return v, nil
	}
	n, err := asInt64(s, v)
	switch {
	case err != nil:
		return Null, err
	case v.kind == KindInstant:
		return v, nil
	default:
		return Instant(n), nil
	}
}

// logicalOr returns the logical type of a schema, or another one for no schema.
func logicalOr(s *Schema, other Logical) Logical {
	if s == nil {
		return other
	}
	return s.logical
}

// ConvertToDecimal returns decimals as they are, BYTES as the unscaled value of a decimal of that scale, and numbers and
// strings as the decimal with the digits of their text: the scale does not count for them. It fails for null.
func ConvertToDecimal(v Value, scale int32) (Value, error) {
	switch v.kind {
	case KindNull:
		return Null, errNullRequired
	case KindDecimal:
		return v, nil
	case KindBytes:
		if v.num == 0 {
			return Null, &Error{Class: classNumberFormat, Message: "Zero length BigInteger"}
		}
		return DecimalBytes(v.Bytes(), scale), nil
	case KindString:
		return parseDecimalText(v.Str())
	case KindInt8, KindInt16, KindInt32, KindInt64, KindFloat32, KindFloat64:
		f, err := asFloat64(nil, v)
		if err != nil {
			return Null, err
		}
		return parseDecimalText(Float64(f).String())
	default:
		return Null, unable(nil, v, decimalTarget)
	}
}
