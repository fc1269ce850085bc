package data_test

import (
	"math"
	"testing"

	"github.com/millrace-io/millrace/connect/data"
)

const day = 24 * 60 * 60 * 1000

var (
	plainDate      = data.NewDateBuilder().MustBuild()
	plainTime      = data.NewTimeBuilder().MustBuild()
	plainTimestamp = data.NewTimestampBuilder().MustBuild()
)

func TestDate(t *testing.T) {
	t.Parallel()
	for _, days := range []int32{0, 1, -1, 18500, math.MaxInt32, math.MinInt32} {
		v, err := data.FromDays(plainDate, days)
		if v.Int64() != int64(days)*day || v.Kind() != data.KindInstant || err != nil {
			t.Errorf("%d days: %d, %v", days, v.Int64(), err)
		}
		if got, err := data.ToDays(plainDate, v); got != days || err != nil {
			t.Errorf("%d days: read back as %d, %v", days, got, err)
		}
	}
	const midnight = "Kafka Connect Date type should not have any time fields set to non-zero values."
	for _, ms := range []int64{1, -1, day - 1, day + 1} {
		_, err := data.ToDays(plainDate, data.Instant(ms))
		wantData(t, "time of day", err, midnight)
	}
	_, err := data.ToDays(plainTime, data.Instant(0))
	wantData(t, "name", err, "Requested conversion of Date object but the schema does not match.")
	_, err = data.FromDays(data.Int32Schema, 0)
	wantData(t, "no name", err, "Requested conversion of Date object but the schema does not match.")
}

func TestTime(t *testing.T) {
	t.Parallel()
	for _, ms := range []int32{0, 1, day - 1, day} {
		v, err := data.FromMillisOfDay(plainTime, ms)
		if v.Int64() != int64(ms) || err != nil {
			t.Errorf("%d ms: %v, %v", ms, v, err)
		}
		if got, err := data.ToMillisOfDay(plainTime, v); got != ms || err != nil {
			t.Errorf("%d ms: read back as %d, %v", ms, got, err)
		}
	}
	for _, ms := range []int32{-1, day + 1, math.MaxInt32, math.MinInt32} {
		_, err := data.FromMillisOfDay(plainTime, ms)
		wantData(t, "from", err, "Time values must use number of milliseconds greater than 0 and less than 86400000")
		_, err = data.ToMillisOfDay(plainTime, data.Instant(int64(ms)))
		wantData(t, "to", err, "Kafka Connect Time type should not have any date fields set to non-zero values.")
	}
	_, err := data.FromMillisOfDay(plainDate, 0)
	wantData(t, "name", err, "Requested conversion of Time object but the schema does not match.")
	_, err = data.ToMillisOfDay(plainDate, data.Instant(0))
	wantData(t, "name", err, "Requested conversion of Time object but the schema does not match.")
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
		v, err := data.FromMillis(plainTimestamp, ms)
		if err != nil {
			t.Error(err)
		}
		if got, err := data.ToMillis(plainTimestamp, v); got != ms || err != nil {
			t.Errorf("%d ms: read back as %d, %v", ms, got, err)
		}
	}
	_, err := data.FromMillis(plainDate, 0)
	wantData(t, "name", err, "Requested conversion of Timestamp object but the schema does not match.")
}

func TestDecimalSchema(t *testing.T) {
	t.Parallel()
	bytesOf := func(scale string) *data.Schema {
		return data.NewBuilder(data.TypeBytes).Name(data.DecimalName).Parameter(data.ScaleParameter, scale).MustBuild()
	}
	for text, want := range map[string]int32{"0": 0, "-3": -3, "+2": 2, "2147483647": math.MaxInt32} {
		if scale, err := data.DecimalScale(bytesOf(text)); scale != want || err != nil {
			t.Errorf("scale %q: %d, %v", text, scale, err)
		}
	}
	for _, text := range []string{"", "x", "2147483648", "1.0", " 1"} {
		_, err := data.DecimalScale(bytesOf(text))
		wantData(t, text, err, "Invalid scale parameter found in Decimal schema: ")
	}
	_, err := data.DecimalScale(data.BytesSchema)
	wantData(t, "no scale", err, "Invalid Decimal schema: scale parameter not found.")

	schema := data.NewDecimalBuilder(2).MustBuild()
	v, err := data.FromUnscaled(schema, []byte{0, 0, 150})
	if v.String() != "1.50" || err != nil {
		t.Errorf("%v, %v, want 1.50", v, err)
	}
	if b, err := data.ToUnscaled(schema, v); string(b) != "\x00\x96" || err != nil {
		t.Errorf("% x, %v, want 00 96", b, err)
	}
	_, err = data.ToUnscaled(schema, data.DecimalBytes([]byte{1}, 3))
	wantData(t, "scale", err, "Decimal value has mismatching scale for given Decimal schema. Schema has scale 2, value has scale 3.")
	if _, err := data.FromUnscaled(schema, nil); err == nil {
		t.Error("no error for no bytes")
	}
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "007": "7", "-12.50": "-12.50", "+1": "1", "1.": "1", ".5": "0.5", "-.5": "-0.5",
		"1e3": "1E+3", "1E+3": "1E+3", "1e-3": "0.001", "1.5e3": "1.5E+3", "0.00": "0.00", "-0.00": "0.00", "0e5": "0E+5",
		"1e0000000000000000000000005":              "1E+5",
		"123456789012345678901234567890.123456789": "123456789012345678901234567890.123456789",
		"1e2147483647":                             "1E+2147483647",
		"0.1e-2147483646":                          "1E-2147483647",
	} {
		v, ok := data.ParseDecimal(text)
		if !ok || v.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, v, ok, want)
		}
	}
	for _, text := range []string{
		"", "-", "+", ".", "e5", "1e", "1e+", "1e+-5", "--1", "1-", "1.2.3", "1_000", "0x10", " 1", "1L", "NaN", "1e1.5",
		"1e2147483648", "0.1e2147483648", "1e-2147483648", "0.1e-2147483647", "1e99999999999999999999",
	} {
		if v, ok := data.ParseDecimal(text); ok {
			t.Errorf("%q is %v", text, v)
		}
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"1", "-1.5e-3", "00.10", "+.5E+9", "1e-2147483647"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := data.ParseDecimal(text)
		if !ok {
			return
		}
		if again, ok := data.ParseDecimal(v.String()); !ok || !again.Equal(v) {
			t.Errorf("%q is %v, which is read as %v, %v", text, v, again, ok)
		}
	})
}
