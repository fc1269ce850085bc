package javatext

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppendFloat(t *testing.T) {
	t.Parallel()
	for _, c := range float64Texts {
		f := math.Float64frombits(c.bits)
		if got := string(AppendFloat64([]byte("x"), f)); got != "x"+c.want {
			t.Errorf("AppendFloat64(%x) = %s, want x%s", c.bits, got, c.want)
		}
		if got := Float64(f); got != c.want {
			t.Errorf("Float64(%x) = %s, want %s", c.bits, got, c.want)
		}
	}
	for _, c := range float32Texts {
		f := math.Float32frombits(c.bits)
		if got := string(AppendFloat32([]byte("x"), f)); got != "x"+c.want {
			t.Errorf("AppendFloat32(%x) = %s, want x%s", c.bits, got, c.want)
		}
		if got := Float32(f); got != c.want {
			t.Errorf("Float32(%x) = %s, want %s", c.bits, got, c.want)
		}
	}
}

// Values that Java 17 writes with more digits than needed; the wanted texts
// follow the rule of Java 19.
func TestShortestDigits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value float64
		want  string
	}{
		{2e-3, "0.002"},
		{2e23, "2.0E23"},
		{8.41e21, "8.41E21"},
		{2.0e-323, "2.0E-323"},
		{1e-323, "9.9E-324"},
		{1e23, "1.0E23"},
	} {
		if got := Float64(c.value); got != c.want {
			t.Errorf("Float64(%g) = %s, want %s", c.value, got, c.want)
		}
	}
	if got := Float32(0x1p-126); got != "1.1754944E-38" {
		t.Errorf("Float32(0x1p-126) = %s, want 1.1754944E-38", got)
	}
}

func FuzzFloat64(f *testing.F) {
	f.Add(uint64(1))
	f.Add(math.Float64bits(1e7))
	f.Fuzz(func(t *testing.T, bits uint64) {
		value := math.Float64frombits(bits)
		text := Float64(value)
		back, ok := ParseFloat(text, 64)
		if !ok || math.Float64bits(back) != bits && !math.IsNaN(value) {
			t.Fatalf("%x is written %s and read %g, %v", bits, text, back, ok)
		}
		small := float32(value)
		again, ok := ParseFloat(Float32(small), 32)
		if !ok || float32(again) != small && small == small {
			t.Fatalf("%g is written %s and read %g, %v", small, Float32(small), again, ok)
		}
	})
}

func TestParseFloat(t *testing.T) {
	t.Parallel()
	for _, c := range parsedDoubles {
		f, ok := ParseFloat(c.text, 64)
		got := "-"
		if ok {
			got = Float64(f)
		}
		if got != c.want {
			t.Errorf("ParseFloat(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestParseInt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		bits int
		want int64
		ok   bool
	}{
		{"+3", 32, 3, true},
		{"-0", 32, 0, true},
		{"\u0663\uff14", 32, 34, true},
		{"\U0001d7d8\U0001d7e3\U0001d7ff", 32, 19, true},
		{"\U0001d7d8\U0001d7e3", 32, 1, true},
		{"2147483647", 32, 2147483647, true},
		{"2147483648", 32, 0, false},
		{"-32768", 16, -32768, true},
		{"40000", 16, 0, false},
		{"128", 8, 0, false},
		{"9223372036854775807", 64, math.MaxInt64, true},
		{"9223372036854775808", 64, 0, false},
		{"", 32, 0, false},
		{"+", 32, 0, false},
		{"--1", 32, 0, false},
		{" 1", 32, 0, false},
		{"1_0", 32, 0, false},
		{"0x10", 32, 0, false},
		{"1.0", 32, 0, false},
		{"\u00b2", 32, 0, false},
	} {
		n, ok := ParseInt(c.text, c.bits)
		if ok != c.ok || ok && n != c.want {
			t.Errorf("ParseInt(%q, %d) = %d, %v, want %d, %v", c.text, c.bits, n, ok, c.want, c.ok)
		}
	}
}

func TestAppendDecimal(t *testing.T) {
	t.Parallel()
	for _, c := range decimalTexts {
		unscaled, ok := new(big.Int).SetString(c.unscaled, 10)
		if !ok {
			t.Fatalf("bad unscaled value %q", c.unscaled)
		}
		if got := string(AppendDecimal([]byte("x"), unscaled, c.scale)); got != "x"+c.want {
			t.Errorf("AppendDecimal(%s, %d) = %s, want x%s", c.unscaled, c.scale, got, c.want)
		}
		small, err := strconv.ParseInt(c.unscaled, 10, 64)
		if err != nil {
			continue
		}
		if got := string(AppendDecimalInt64(nil, small, c.scale)); got != c.want {
			t.Errorf("AppendDecimalInt64(%s, %d) = %s, want %s", c.unscaled, c.scale, got, c.want)
		}
	}
	if got := string(AppendDecimal(nil, nil, 2)); got != "0.00" {
		t.Errorf("AppendDecimal(nil, 2) = %s, want 0.00", got)
	}
	if got, want := string(AppendDecimalInt64(nil, math.MinInt64, 1)), "-922337203685477580.8"; got != want {
		t.Errorf("AppendDecimalInt64(MinInt64, 1) = %s, want %s", got, want)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 128)
	if n := testing.AllocsPerRun(100, func() {
		dst = AppendDecimalInt64(dst[:0], -1234567890123, 4)
		dst = AppendFloat64(dst, 12345.678)
		dst = AppendFloat64(dst, 3e100)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestTrim(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{" a b ", "a b"},
		{"\x00\t\n\r\x1f a\x7f\x20", "a\x7f"},
		{"\u00a0a\u2003", "\u00a0a\u2003"},
		{" \u3000 ", "\u3000"},
	} {
		if got := Trim(c.text); got != c.want {
			t.Errorf("Trim(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestHashCode(t *testing.T) {
	t.Parallel()
	for _, c := range hashCodes {
		if got := HashCode(c.text); got != c.want {
			t.Errorf("HashCode(%q) = %d, want %d", c.text, got, c.want)
		}
	}
}

func TestHashOrder(t *testing.T) {
	t.Parallel()
	for _, c := range hashOrders {
		keys := strings.Fields(c.keys)
		if diff := cmp.Diff(strings.Fields(c.want), HashOrder(keys)); diff != "" {
			t.Errorf("HashOrder(%q) (-want +got):\n%s", c.keys, diff)
		}
		if got := strings.Join(keys, " "); got != strings.Join(strings.Fields(c.keys), " ") {
			t.Errorf("HashOrder(%q) changed its argument to %q", c.keys, got)
		}
	}
}

func BenchmarkAppendFloat64(b *testing.B) {
	b.ReportAllocs()
	dst := make([]byte, 0, 32)
	for b.Loop() {
		dst = AppendFloat64(dst[:0], 12345.678)
	}
}
