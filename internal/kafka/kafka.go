// Package kafka builds every franz-go client of the worker: producers, group consumers and admins, from the properties that
// users of Kafka's Java clients write.
//
// Keys are mapped by what they mean, not by what they are called. Where franz-go has nothing like a key, the key is accepted
// and reported as a [Note]; where ignoring it would change what the user gets, it is refused by name.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/connect/config"
)

// Note is a key that was given and has no effect here.
type Note struct {
	Key    string
	Reason string // a sentence without a full stop
}

// settings are the parsed properties of one client.
type settings struct {
	config.Values
	props   map[string]string // as given
	refused config.Errors
	notes   []Note
}

// parse reads props by def and notes the keys in inert that were given.
func parse(def *config.Def, props map[string]string, inert map[string]string) (*settings, error) {
	values, err := def.Parse(props)
	if err != nil {
		return nil, err
	}
	s := &settings{Values: values, props: props}
	for _, key := range slices.Sorted(maps.Keys(props)) {
		if reason, ok := inert[key]; ok {
			s.note(key, reason)
		}
	}
	return s, nil
}

func (s *settings) note(key, reason string) {
	s.notes = append(s.notes, Note{Key: key, Reason: reason})
}

// given says whether the user or a layer below set the key, as opposed to its default.
func (s *settings) given(key string) bool {
	_, ok := s.props[key]
	return ok
}

// refuse records that the value of a key cannot be honoured. The text says what is accepted.
func (s *settings) refuse(key, format string, args ...any) {
	s.refused = append(s.refused, &config.Error{
		Key: key, Value: s.props[key], Message: fmt.Sprintf("Configuration '%s' ", key) + fmt.Sprintf(format, args...),
	})
}

// violates records a violation in Kafka's own words.
func (s *settings) violates(key, message string) {
	s.refused = append(s.refused, &config.Error{Key: key, Value: s.props[key], Message: message})
}

// err returns what was refused, or nil.
func (s *settings) err() error {
	if len(s.refused) == 0 {
		return nil
	}
	return s.refused
}

// check lets franz-go look at the options before a client is built of them.
func check(opts []kgo.Opt) error {
	if err := kgo.ValidateOpts(opts...); err != nil {
		return fmt.Errorf("configure the Kafka client: %w", err)
	}
	return nil
}

// discard returns log, or a logger that drops everything for nil.
func discard(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}

// IsClientKey says whether a Kafka client of the worker understands the key, with or without one of the prefixes
// producer., consumer. and admin.
func IsClientKey(key string) bool {
	for prefix, def := range map[string]*config.Def{"producer.": producerDef, "consumer.": consumerDef, "admin.": adminDef} {
		if def.Has(key) || def.Has(strings.TrimPrefix(key, prefix)) {
			return true
		}
	}
	return false
}

// ProducerDef returns the definition of a producer's keys, for the validation of overrides. It is shared and must not be
// changed.
func ProducerDef() *config.Def { return producerDef }

// ConsumerDef is [ProducerDef] for consumers.
func ConsumerDef() *config.Def { return consumerDef }

// AdminDef is [ProducerDef] for admin clients.
func AdminDef() *config.Def { return adminDef }

// ended says whether err only tells that the caller gave up.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, kgo.ErrClientClosed)
}
