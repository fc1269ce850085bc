package verifiable

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/connect"
)

// settings reads the configuration of a task and remembers the first thing wrong with it.
type settings struct {
	connect.Props
	problem error
}

// invalid returns the first problem as the error of the task with that class name, nil if there is none.
func (s *settings) invalid(task string) error {
	if s.problem == nil {
		return nil
	}
	return connect.NewError("Invalid "+task+" configuration", s.problem)
}

// text reads a value that must be there.
func (s *settings) text(key, meaning string) string {
	v := s.Props[key]
	if v == "" {
		s.fail("%s is not set, it must be %s", key, meaning)
	}
	return v
}

// number reads a whole number from lowest to highest.
func (s *settings) number(key, meaning string, lowest, highest int64) int64 {
	v := s.text(key, meaning)
	n, err := strconv.ParseInt(v, 10, 64)
	if v != "" && (err != nil || n < lowest || n > highest) {
		s.fail("%s=%s is wrong, it must be %s", key, v, meaning)
	}
	return n
}

// anyNumber reads a whole number.
func (s *settings) anyNumber(key, meaning string) int64 {
	return s.number(key, meaning, math.MinInt64, math.MaxInt64)
}

// numberOr is number with a default.
func (s *settings) numberOr(standard int64, key, meaning string, lowest, highest int64) int64 {
	if _, ok := s.Props[key]; !ok {
		return standard
	}
	return s.number(key, meaning, lowest, highest)
}

// flag reads a value that is false unless it says true.
func (s *settings) flag(key string) bool { return strings.EqualFold(s.Props[key], "true") }

func (s *settings) taskID() int32 {
	return int32(s.number(keyID, "the number of the task, which the connector sets", 0, math.MaxInt32))
}

func (s *settings) fail(format string, args ...any) {
	if s.problem == nil {
		s.problem = fmt.Errorf(format, args...)
	}
}
