package javatext

import (
	"math/big"
	"strconv"
)

// leastPlainExponent is the smallest exponent of the first digit that
// BigDecimal still writes without an exponent.
const leastPlainExponent = -6

// AppendDecimal appends the text of java.math.BigDecimal for
// unscaled × 10^-scale: 12.345, 1E-10, 0E+3. It does not change unscaled; nil
// counts as zero.
func AppendDecimal(dst []byte, unscaled *big.Int, scale int32) []byte {
	if unscaled == nil {
		return AppendDecimalInt64(dst, 0, scale)
	}
	if unscaled.IsInt64() {
		return AppendDecimalInt64(dst, unscaled.Int64(), scale)
	}
	var buf [64]byte
	return appendScaled(dst, unscaled.Append(buf[:0], 10), scale)
}

// AppendDecimalInt64 is [AppendDecimal] for an unscaled value that fits 64
// bits; it does not allocate when dst has room.
func AppendDecimalInt64(dst []byte, unscaled int64, scale int32) []byte {
	var buf [20]byte
	return appendScaled(dst, strconv.AppendInt(buf[:0], unscaled, 10), scale)
}

// appendScaled places the point in digits, which may begin with a minus sign.
func appendScaled(dst, digits []byte, scale int32) []byte {
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale == 0 {
		return append(dst, digits...)
	}
	adjusted := int64(len(digits)) - 1 - int64(scale)
	if scale > 0 && adjusted >= leastPlainExponent {
		return appendPoint(dst, digits, int(scale))
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	if adjusted == 0 {
		return dst
	}
	dst = append(dst, 'E')
	if adjusted > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, adjusted, 10)
}

func appendPoint(dst, digits []byte, scale int) []byte {
	if whole := len(digits) - scale; whole > 0 {
		dst = append(dst, digits[:whole]...)
		dst = append(dst, '.')
		return append(dst, digits[whole:]...)
	}
	dst = append(dst, '0', '.')
	for range scale - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}
