package json

import (
	"math"
	"strconv"

	"github.com/millrace-io/millrace/connect/data"
)

// scanInteger reads an integer modulo 2^64, which is how the reference narrows numbers that do not fit. It fails at
// numbers with a fraction or an exponent and at ones too long to be allowed.
func scanInteger(raw []byte, i int) (n int64, digits, end int) {
	negative := i < len(raw) && raw[i] == '-'
	if negative {
		i++
	}
	start := i
	var u uint64
	for ; i < len(raw); i++ {
		c := raw[i] - '0'
		if c > 9 {
			break
		}
		u = u*10 + uint64(c)
	}
	if i == start || i-start > maxDigits || (i < len(raw) && (raw[i] == '.' || raw[i]|0x20 == 'e')) {
		return 0, 0, failed
	}
	if negative {
		u = -u
	}
	return int64(u), i - start, i
}

// exactDigits is how many decimal digits a float64 always holds.
const exactDigits = 15

// scanFloat reads any number as a float64. Numbers with few digits and no exponent, the usual ones, are the quotient of
// two numbers that are exact.
func scanFloat(raw []byte, i int) (f float64, end int) {
	start := i
	negative := i < len(raw) && raw[i] == '-'
	if negative {
		i++
	}
	first := i
	m, i := scanDigits(raw, i, 0)
	digits, fraction := i-first, 0
	if i < len(raw) && raw[i] == '.' && digits > 0 {
		point := i + 1
		m, i = scanDigits(raw, point, m)
		fraction = i - point
		digits += fraction
	}
	if m == 0 || raw[i-1] == '.' || digits > exactDigits || (i < len(raw) && raw[i]|0x20 == 'e') {
		return scanLongFloat(raw, start)
	}
	if f = float64(m) / powers64[fraction]; negative {
		f = -f
	}
	return f, i
}

func scanDigits(raw []byte, i int, m uint64) (uint64, int) {
	for ; i < len(raw) && raw[i]-'0' <= 9; i++ {
		m = m*10 + uint64(raw[i]-'0')
	}
	return m, i
}

func scanLongFloat(raw []byte, i int) (f float64, end int) {
	n := scanNumber(raw, i)
	if n.end == failed {
		return 0, failed
	}
	return n.float64(raw[i:n.end]), n.end
}

// number is a JSON number taken apart: digits * 10^exp.
type number struct {
	mantissa uint64 // of the first significant digits
	exact    bool   // mantissa holds all of them
	zero     bool
	negative bool
	integer  bool // neither a fraction nor an exponent
	exp      int64
	end      int // position behind the number, or failed
}

// significant is how many digits always fit the mantissa.
const significant = 19

// scanNumber reads a number in the grammar of JSON, with leading zeros allowed. It fails at everything that the
// reference cannot hold as a BigDecimal.
func scanNumber(raw []byte, i int) number {
	n := number{exact: true, zero: true, integer: true, end: failed}
	if i < len(raw) && raw[i] == '-' {
		n.negative = true
		i++
	}
	i, length, kept := n.whole(raw, i)
	if length == 0 {
		return n
	}
	point := 0
	if i < len(raw) && raw[i] == '.' {
		n.integer = false
		start := i + 1
		i, _ = n.digits(raw, start, kept)
		if point = i - start; point == 0 {
			return n
		}
	}
	if i < len(raw) && raw[i]|0x20 == 'e' {
		n.integer = false
		digits := 0
		if i, digits = n.exponent(raw, i+1); i == failed {
			return n
		}
		length += digits
	}
	n.exp -= int64(point)
	if length+point > maxDigits || n.exp < -math.MaxInt32 || n.exp > -math.MinInt32 {
		return n
	}
	n.end = i
	return n
}

// whole reads the digits in front of the point. Leading zeros do not count for the length, but zero has one digit.
func (n *number) whole(raw []byte, i int) (end, length, kept int) {
	start := i
	for i < len(raw) && raw[i] == '0' {
		i++
	}
	end, kept = n.digits(raw, i, 0)
	if length = end - i; length == 0 && i > start {
		length = 1
	}
	return end, length, kept
}

// digits reads digits into the mantissa, which holds kept significant ones already.
func (n *number) digits(raw []byte, i, kept int) (end, nowKept int) {
	for ; i < len(raw); i++ {
		c := raw[i] - '0'
		if c > 9 {
			break
		}
		if c != 0 {
			n.zero = false
		}
		if n.zero {
			continue
		}
		if kept == significant {
			n.exact = false
			continue
		}
		n.mantissa = n.mantissa*10 + uint64(c)
		kept++
	}
	return i, kept
}

// exponent reads the digits behind the letter e. It fails when a java.math.BigDecimal cannot hold the exponent.
func (n *number) exponent(raw []byte, i int) (end, digits int) {
	negative := false
	if i < len(raw) && (raw[i] == '-' || raw[i] == '+') {
		negative = raw[i] == '-'
		i++
	}
	start := i
	for ; i < len(raw) && raw[i]-'0' <= 9; i++ {
		if n.exp = n.exp*10 + int64(raw[i]-'0'); n.exp > math.MaxInt32 {
			return failed, 0
		}
	}
	if i == start {
		return failed, 0
	}
	if negative {
		n.exp = -n.exp
	}
	return i, i - start
}

// Powers of ten that the floating point types hold exactly.
var (
	powers64 = [...]float64{
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
	}
	powers32 = [...]float32{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10}
)

// float64 returns the nearest float64 of a number whose text is given. Zeros lose their sign, as they have none in a
// java.math.BigDecimal.
func (n *number) float64(text []byte) float64 {
	if n.zero {
		return 0
	}
	if n.exact && n.mantissa < 1<<53 && n.exp >= -22 && n.exp <= 22 {
		f := float64(n.mantissa)
		if n.exp < 0 {
			f /= powers64[-n.exp]
		} else {
			f *= powers64[n.exp]
		}
		if n.negative {
			return -f
		}
		return f
	}
	// The only possible error is a number out of range, for which f is an infinity.
	f, _ := strconv.ParseFloat(data.AliasString(text).Str(), 64)
	return f
}

// float32 is float64 for a float32, which must not be rounded twice.
func (n *number) float32(text []byte) float32 {
	if n.zero {
		return 0
	}
	if n.exact && n.mantissa < 1<<24 && n.exp >= -10 && n.exp <= 10 {
		f := float32(n.mantissa)
		if n.exp < 0 {
			f /= powers32[-n.exp]
		} else {
			f *= powers32[n.exp]
		}
		if n.negative {
			return -f
		}
		return f
	}
	f, _ := strconv.ParseFloat(data.AliasString(text).Str(), 32)
	return float32(f)
}

// truncate returns what a java.math.BigDecimal of that text becomes as a 64-bit integer: without its fraction, modulo
// 2^64.
func (n *number) truncate(text []byte) int64 {
	digits := make([]byte, 0, len(text))
	for _, c := range text {
		if c|0x20 == 'e' {
			break
		}
		if c-'0' <= 9 {
			digits = append(digits, c-'0')
		}
	}
	keep := int64(len(digits)) + min(n.exp, 0)
	var u uint64
	for i := range max(keep, 0) {
		u = u*10 + uint64(digits[i])
	}
	// 10^64 is a multiple of 2^64.
	for range min(max(n.exp, 0), 64) {
		u *= 10
	}
	if n.negative {
		u = -u
	}
	return int64(u)
}
