package config

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden stands for a password wherever it is printed.
const hidden = "[hidden]"

// Password is a secret text. Printing, logging or marshalling it in any way
// gives [hidden]; only Reveal gives the text. The zero value is the empty
// password.
type Password struct {
	// text is a pointer so that package fmt, which calls no methods of values
	// in unexported fields, prints an address for a Password in one.
	text *string
}

// NewPassword returns the password with the given text.
func NewPassword(text string) Password { return Password{text: &text} }

// Reveal returns the secret text.
func (p Password) Reveal() string {
	if p.text == nil {
		return ""
	}
	return *p.text
}

// Equal reports whether both texts are the same.
func (p Password) Equal(other Password) bool { return p.Reveal() == other.Reveal() }

// String returns [hidden].
func (p Password) String() string { return hidden }

// GoString returns [hidden].
func (p Password) GoString() string { return hidden }

// Format writes [hidden] for every verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText returns [hidden]; it serves package encoding/json, too.
func (p Password) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns [hidden].
func (p Password) LogValue() slog.Value { return slog.StringValue(hidden) }
