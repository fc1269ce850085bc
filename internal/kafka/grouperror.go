package kafka

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// FatalGroupError is an answer of a group coordinator after which the worker cannot go on. Its text says why and what to change.
type FatalGroupError struct {
	Group string
	Err   error // of the broker
	text  string
}

// Error implements error.
func (e *FatalGroupError) Error() string { return e.text + ": " + e.Err.Error() }

// Unwrap returns the broker's error.
func (e *FatalGroupError) Unwrap() error { return e.Err }

// fatal explains an answer that trying again does not change.
func (m *Member) fatal(err error) *FatalGroupError {
	text := fmt.Sprintf("This worker cannot join the group '%s' of its group.id", m.o.Group)
	switch {
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		text = fmt.Sprintf("This worker may not join the group '%s' of its group.id. Allow its principal Read on this group", m.o.Group)
	case errors.Is(err, kerr.InconsistentGroupProtocol):
		text = fmt.Sprintf("The group '%s' of this worker's group.id is in use by something else, such as a consumer group, or by workers "+
			"without a common connect.protocol. Use a group.id of the cluster's own, and one connect.protocol for all its workers", m.o.Group)
	case errors.Is(err, kerr.InvalidSessionTimeout):
		text = fmt.Sprintf("The brokers do not accept session.timeout.ms=%d for the group '%s' of this worker's group.id. Set it to something "+
			"between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers", m.o.Session.Milliseconds(), m.o.Group)
	case errors.Is(err, kerr.InvalidGroupID):
		text = fmt.Sprintf("The brokers do not accept '%s' as a group. Set group.id to another name", m.o.Group)
	case errors.Is(err, kerr.GroupMaxSizeReached):
		text = fmt.Sprintf("The group '%s' of this worker's group.id has as many members as group.max.size of the brokers allows. "+
			"Stop other workers or raise it", m.o.Group)
	}
	return &FatalGroupError{Group: m.o.Group, Err: err, text: text}
}

// settled says whether an error is an answer that stands, as opposed to none, or one to wait or to ask elsewhere.
func settled(err error) bool {
	return final(err) || errors.Is(err, kerr.RebalanceInProgress) || errors.Is(err, kerr.UnknownMemberID) ||
		errors.Is(err, kerr.IllegalGeneration) || errors.Is(err, kerr.MemberIDRequired)
}

// answered says whether the coordinator itself was there.
func answered(err error) bool { return err == nil || settled(err) }

// verdict says what an answer that stands means for the caller, and forgets what the group does not know any more.
func (m *Member) verdict(what string, err error) error {
	switch {
	case errors.Is(err, kerr.MemberIDRequired):
		return err
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.FencedInstanceID):
		m.change(func(s *membership) { s.id, s.generation = "", noGeneration })
	case errors.Is(err, kerr.IllegalGeneration):
		m.change(func(s *membership) { s.generation = noGeneration })
	case errors.Is(err, kerr.RebalanceInProgress):
	default:
		return m.fatal(err)
	}
	return fmt.Errorf("%s group %s: %w: %w", what, m.o.Group, ErrRejoin, err)
}
