package data

import (
	"math/big"
	"strconv"
)

const dayMillis = 24 * 60 * 60 * 1000

// ToDays returns the wire form of a Date: days since the epoch.
func ToDays(s *Schema, v Value) (int32, error) {
	if err := wantLogical(s, LogicalDate, "Date"); err != nil {
		return 0, err
	}
	if v.Int64()%dayMillis != 0 {
		return 0, Errorf("Kafka Connect Date type should not have any time fields set to non-zero values.")
	}
	return int32(v.Int64() / dayMillis), nil
}

// FromDays returns the Date of a number of days since the epoch.
func FromDays(s *Schema, days int32) (Value, error) {
	return Instant(int64(days) * dayMillis), wantLogical(s, LogicalDate, "Date")
}

// ToMillisOfDay returns the wire form of a Time: milliseconds since midnight, at most 24 hours.
func ToMillisOfDay(s *Schema, v Value) (int32, error) {
	if err := wantLogical(s, LogicalTime, "Time"); err != nil {
		return 0, err
	}
	if ms := v.Int64(); ms < 0 || ms > dayMillis {
		return 0, Errorf("Kafka Connect Time type should not have any date fields set to non-zero values.")
	}
	return int32(v.Int64()), nil
}

// FromMillisOfDay returns the Time of a number of milliseconds since midnight, from 0 to 24 hours inclusive.
func FromMillisOfDay(s *Schema, ms int32) (Value, error) {
	if err := wantLogical(s, LogicalTime, "Time"); err != nil {
		return Null, err
	}
	if ms < 0 || ms > dayMillis {
		return Null, Errorf("Time values must use number of milliseconds greater than 0 and less than 86400000")
	}
	return Instant(int64(ms)), nil
}

// ToMillis returns the wire form of a Timestamp: milliseconds since the epoch.
func ToMillis(s *Schema, v Value) (int64, error) {
	return v.Int64(), wantLogical(s, LogicalTimestamp, "Timestamp")
}

// FromMillis returns the Timestamp of a number of milliseconds since the epoch.
func FromMillis(s *Schema, ms int64) (Value, error) {
	return Instant(ms), wantLogical(s, LogicalTimestamp, "Timestamp")
}

func wantLogical(s *Schema, want Logical, name string) error {
	if s.logical == want {
		return nil
	}
	return Errorf("Requested conversion of %s object but the schema does not match.", name)
}

// DecimalScale returns the scale that a Decimal schema declares.
func DecimalScale(s *Schema) (int32, error) {
	text, ok := s.Parameter(ScaleParameter)
	if !ok {
		return 0, Errorf("Invalid Decimal schema: scale parameter not found.")
	}
	scale, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, Wrap(err, "Invalid scale parameter found in Decimal schema: ")
	}
	return int32(scale), nil
}

// ToUnscaled returns the wire form of a Decimal: the shortest two's complement of the unscaled value. The value's
// scale must be the schema's.
func ToUnscaled(s *Schema, v Value) ([]byte, error) {
	scale, err := DecimalScale(s)
	if err != nil {
		return nil, err
	}
	if v.aux != scale {
		return nil, Errorf("Decimal value has mismatching scale for given Decimal schema. Schema has scale %d, value has scale %d.", scale, v.aux)
	}
	return minimal(v.UnscaledBytes()), nil
}

// FromUnscaled returns the Decimal with that unscaled value and the schema's scale. An empty b is refused, as by
// java.math.BigInteger.
func FromUnscaled(s *Schema, b []byte) (Value, error) {
	scale, err := DecimalScale(s)
	if err != nil {
		return Null, err
	}
	if len(b) == 0 {
		return Null, &Error{Class: "java.lang.NumberFormatException", Message: "Zero length BigInteger"}
	}
	return DecimalBytes(b, scale), nil
}

// MinimalUnscaled returns the unscaled value of a decimal in as few bytes of two's complement as possible, not to be
// changed. It does not look at any schema.
func MinimalUnscaled(v Value) []byte { return minimal(v.UnscaledBytes()) }

// minimal drops leading bytes that only repeat the sign.
func minimal(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1]&0x80 == 0 || b[0] == 0xff && b[1]&0x80 != 0) {
		b = b[1:]
	}
	return b
}

// SmallUnscaled returns the unscaled value of a decimal that fits 64 bits; false if it does not. It does not allocate.
func (v Value) SmallUnscaled() (int64, bool) {
	b := minimal(v.UnscaledBytes())
	if len(b) == 0 || len(b) > 8 {
		return 0, len(b) == 0
	}
	x := int64(int8(b[0]))
	for _, c := range b[1:] {
		x = x<<8 | int64(c)
	}
	return x, true
}

// ParseDecimal reads the text of a number in the syntax of java.math.BigDecimal, such as -12.50 or 1E+3. The scale is
// the number of digits after the point minus the exponent.
func ParseDecimal(text string) (Value, bool) {
	mantissa, exponent, ok := splitExponent(text)
	if !ok {
		return Null, false
	}
	digits, scale, ok := splitPoint(mantissa)
	if !ok {
		return Null, false
	}
	unscaled, ok := new(big.Int).SetString(digits, 10)
	s := scale - exponent
	if !ok || s < -1<<31 || s > 1<<31-1 {
		return Null, false
	}
	return Decimal(unscaled, int32(s)), true
}

func splitExponent(text string) (mantissa string, exponent int64, ok bool) {
	for i := range len(text) {
		if text[i] == 'e' || text[i] == 'E' {
			e, err := strconv.ParseInt(text[i+1:], 10, 64)
			return text[:i], e, err == nil && e > -1<<31 && e < 1<<31
		}
	}
	return text, 0, true
}

// splitPoint removes the decimal point and counts the digits behind it.
func splitPoint(text string) (digits string, scale int64, ok bool) {
	buf := make([]byte, 0, len(text))
	seenDigit, point := false, -1
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			seenDigit = true
			buf = append(buf, c)
		case c == '.' && point < 0:
			point = len(buf)
		case (c == '-' || c == '+') && i == 0:
			if c == '-' {
				buf = append(buf, c)
			}
		default:
			return "", 0, false
		}
	}
	if point >= 0 {
		scale = int64(len(buf) - point)
	}
	return string(buf), scale, seenDigit
}
