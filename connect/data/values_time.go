package data

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	dateSchema      = NewDateBuilder().MustBuild()
	timeSchema      = NewTimeBuilder().MustBuild()
	timestampSchema = NewTimestampBuilder().MustBuild()
)

// Lengths of the three formats in UTF-16 units. A text of another length is none of them.
const (
	dateLen      = len("2006-01-02")
	timeLen      = len("15:04:05.000Z")
	timestampLen = len("2006-01-02T15:04:05.000Z")

	// maxTemporalBytes is what the longest text can take with three bytes a unit, and each unit a colon with a backslash.
	maxTemporalBytes = 3 * timestampLen
)

// parseTemporal reads a date, a time or a timestamp; the length tells which. Reading is as lenient as
// java.text.SimpleDateFormat is: fields may have any number of digits, a sign, blanks before them, and values out of
// range, which carry over; what follows the last field does not count. Colons may have backslashes before them. The zone
// is UTC.
func parseTemporal(text string) (*Schema, Value, bool) {
	if len(text) < dateLen || len(text) > maxTemporalBytes {
		return nil, Null, false
	}
	if strings.Contains(text, `\:`) {
		text = strings.ReplaceAll(text, `\:`, ":")
	}
	f := fieldReader{rest: text}
	switch utf16Len(text) {
	case dateLen:
		year, month, day := f.date()
		return dateSchema, Instant(epochMillis(year, month, day, 0)), !f.failed
	case timeLen:
		ms := f.timeOfDay()
		return timeSchema, Instant(ms), !f.failed
	case timestampLen:
		year, month, day := f.date()
		f.literal('T')
		ms := f.timeOfDay()
		return timestampSchema, Instant(epochMillis(year, month, day, ms)), !f.failed
	default:
		return nil, Null, false
	}
}

func utf16Len(text string) int {
	n := 0
	for _, r := range text {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// fieldReader reads the parts of a date or time one after the other.
type fieldReader struct {
	rest   string
	failed bool
}

func (f *fieldReader) date() (year, month, day int32) {
	year = f.number()
	f.literal('-')
	month = f.number()
	f.literal('-')
	return year, month, f.number()
}

// timeOfDay reads a time, in milliseconds. It may be negative or more than a day.
func (f *fieldReader) timeOfDay() int64 {
	ms := int64(f.number()) * (60 * 60 * 1000)
	f.literal(':')
	ms += int64(f.number()) * (60 * 1000)
	f.literal(':')
	ms += int64(f.number()) * 1000
	f.literal('.')
	ms += int64(f.number())
	f.literal('Z')
	return ms
}

func (f *fieldReader) literal(c byte) {
	if f.rest == "" || f.rest[0] != c {
		f.failed = true
		return
	}
	f.rest = f.rest[1:]
}

// number reads what java.text.DecimalFormat takes for an integer: digits of any script, a minus before them, and an
// exponent behind an upper case E; or one of its words for what is no number.
func (f *fieldReader) number() int32 {
	f.rest = strings.TrimLeft(f.rest, " \t")
	for _, w := range numberWords {
		if after, ok := strings.CutPrefix(f.rest, w.word); ok {
			f.rest = after
			return w.value
		}
	}
	var buf [timestampLen]byte
	number := f.digits(buf[:0])
	if len(number) == 0 {
		f.failed = true
		return 0
	}
	if after, ok := strings.CutPrefix(f.rest, "E"); ok {
		e := fieldReader{rest: after}
		if exponent := e.digits(nil); len(exponent) > 0 {
			number = append(append(number, 'E'), exponent...)
			f.rest = e.rest
		}
	}
	return javaInt(string(number))
}

var numberWords = [...]struct {
	word  string
	value int32
}{{"NaN", 0}, {"∞", math.MaxInt32}, {"-∞", math.MinInt32}}

// digits consumes a minus and digits, and appends them in ASCII. It appends and consumes nothing if there is no digit.
func (f *fieldReader) digits(dst []byte) []byte {
	rest, before := f.rest, len(dst)
	if after, ok := strings.CutPrefix(rest, "-"); ok {
		dst, rest = append(dst, '-'), after
	}
	first := len(dst)
	for {
		r, size := utf8.DecodeRuneInString(rest)
		d, ok := digit(r)
		if !ok {
			break
		}
		dst, rest = append(dst, byte('0'+d)), rest[size:]
	}
	if len(dst) == first {
		return dst[:before]
	}
	f.rest = rest
	return dst
}

// javaInt returns the value of a number as Java's intValue does: the lowest bits of one that fits 64 bits, else the
// nearest limit.
func javaInt(number string) int32 {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return int32(n)
	}
	if d, ok := ParseDecimal(number); ok {
		if n, ok := d.wholeInt64(); ok {
			return int32(n)
		}
	}
	f, _ := strconv.ParseFloat(number, 64)
	return truncate32(f)
}

// The Gregorian calendar begins with the day after 4 October 1582 of the Julian one.
const (
	gregorianYear = 1582
	gregorianDay  = -141427 // in days since the epoch
)

// epochMillis returns the moment of a time on a day of the calendar that was in use then: Julian dates before
// 15 October 1582, as java.util.GregorianCalendar has them. Months and days out of range carry over.
func epochMillis(year, month, day int32, timeOfDay int64) int64 {
	const carry = 2 // days before March are days of the year before
	months := int64(month) - 1 - carry
	y := int64(year) + floorDiv(months, 12)
	m := months - 12*floorDiv(months, 12) // months since March
	days := 365*y + floorDiv(y, 4) + (153*m+2)/5 + int64(day) - 1
	julian := days - 719470
	gregorian := days - floorDiv(y, 100) + floorDiv(y, 400) - 719468
	if year >= gregorianYear && gregorian+floorDiv(timeOfDay, dayMillis) >= gregorianDay {
		return gregorian*dayMillis + timeOfDay
	}
	return julian*dayMillis + timeOfDay
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
