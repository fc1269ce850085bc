package kafka

import (
	"errors"
	"fmt"
	"strings"
)

// login is what a JAAS entry says about the client.
type login struct {
	user, password string
	token          bool // the password is that of a delegation token
}

// parseJAAS reads the value of sasl.jaas.config: one entry of the form
//
//	class flag name="value" ... ;
//
// The errors never show the text, which holds the password.
func parseJAAS(text, module string) (login, error) {
	words, err := jaasWords(text)
	if err != nil {
		return login{}, err
	}
	const classAndFlag = 2
	if len(words) < classAndFlag {
		return login{}, fmt.Errorf("must be set to an entry of the form %s required username=\"...\" password=\"...\";", module)
	}
	if words[0] != module {
		return login{}, fmt.Errorf("names the login module %s; the mechanism needs %s", words[0], module)
	}
	switch strings.ToLower(words[1]) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return login{}, errors.New("has no control flag (required, requisite, sufficient or optional) behind the login module")
	}
	return jaasOptions(words[classAndFlag:])
}

// jaasOptions reads name, "=", value, name, "=", value and so on.
func jaasOptions(words []string) (login, error) {
	var l login
	const nameEqualsValue = 3
	for ; len(words) > 0; words = words[nameEqualsValue:] {
		if len(words) < nameEqualsValue || words[1] != "=" {
			return login{}, errors.New("holds an option that is not of the form name=\"value\"")
		}
		switch value := words[2]; words[0] {
		case "username":
			l.user = value
		case "password":
			l.password = value
		case "tokenauth":
			l.token = strings.EqualFold(value, "true")
		}
	}
	if l.user == "" {
		return login{}, errors.New("holds no username")
	}
	return l, nil
}

// jaasWords splits the entry into words; "=" is one, quotes keep blanks together and a backslash keeps the next character. The
// entry ends with a semicolon, behind which nothing but blanks and comments may follow.
func jaasWords(text string) ([]string, error) {
	var words []string
	rest := text
	for {
		rest = skipBlank(rest)
		switch {
		case rest == "":
			if words == nil {
				return nil, nil
			}
			return nil, errors.New("does not end with a semicolon")
		case rest[0] == ';':
			if skipBlank(rest[1:]) != "" {
				return nil, errors.New("holds more than one login module")
			}
			return words, nil
		case rest[0] == '=':
			words, rest = append(words, "="), rest[1:]
		case rest[0] == '"' || rest[0] == '\'':
			word, tail, ok := jaasQuoted(rest)
			if !ok {
				return nil, errors.New("holds a quote that is not closed")
			}
			words, rest = append(words, word), tail
		default:
			end := strings.IndexAny(rest, " \t\r\n=;\"'")
			if end < 0 {
				end = len(rest)
			}
			words, rest = append(words, rest[:end]), rest[end:]
		}
	}
}

// skipBlank skips blanks and the comments of Java.
func skipBlank(s string) string {
	for {
		s = strings.TrimLeft(s, " \t\r\n\f")
		switch {
		case strings.HasPrefix(s, "//"):
			_, s, _ = strings.Cut(s, "\n")
		case strings.HasPrefix(s, "/*"):
			_, s, _ = strings.Cut(s, "*/")
		default:
			return s
		}
	}
}

var jaasEscapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f'}

func jaasQuoted(s string) (word, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == s[0]:
			return b.String(), s[i+1:], true
		case ch == '\\' && i+1 < len(s):
			i++
			if e, ok := jaasEscapes[s[i]]; ok {
				b.WriteByte(e)
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(ch)
		}
	}
	return "", "", false
}
