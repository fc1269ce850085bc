package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// beater is the state of a member's heartbeats; it belongs to the goroutine of Run.
type beater struct {
	m     *Member
	round int       // that next is for
	next  time.Time // when the next heartbeat is due
	tries int       // without an answer
	lost  bool      // SignalLost was given
}

// Run sends the heartbeats until ctx ends, which is no error, or until the group refuses them for good, which is a [*FatalGroupError].
func (m *Member) Run(ctx context.Context) error {
	b := &beater{m: m}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		case <-timer.C:
		}
		s := m.now()
		if s.round != b.round {
			b.round, b.tries = s.round, 0
			b.next = time.Now().Add(m.o.Heartbeat)
		}
		b.watch(s) // before an answer counts: a process that was stopped for longer than its session has lost its work
		if s.generation != noGeneration && !time.Now().Before(b.next) {
			if err := b.beat(ctx, s); err != nil {
				return err
			}
			s = m.now()
		}
		b.watch(s)
		timer.Reset(b.pause(s))
	}
}

// beat sends one heartbeat and deals with the answer, unless a Join or Leave has come in between.
func (b *beater) beat(ctx context.Context, s membership) error {
	m := b.m
	sent := time.Now()
	err := m.heartbeat(ctx, s)
	if now := m.now(); now.round != s.round || ctx.Err() != nil {
		return nil
	}
	if !answered(err) {
		b.tries++
		b.next = time.Now().Add(min(m.backoff(b.tries), m.o.Heartbeat))
		m.log.Debug("a heartbeat got no answer", "group", m.o.Group, "error", err)
		return nil
	}
	b.tries = 0
	b.next = sent.Add(m.o.Heartbeat)
	m.change(func(s *membership) { s.contact = time.Now() })
	if err == nil {
		return nil
	}
	if fatal, ok := errors.AsType[*FatalGroupError](m.verdict("heartbeat to", err)); ok {
		return fatal
	}
	b.askToRejoin(s.round)
	return nil
}

// askToRejoin gives the signal once for each join.
func (b *beater) askToRejoin(round int) {
	first := false
	b.m.change(func(s *membership) {
		first = s.round == round && !s.signalled
		s.signalled = s.signalled || first
	})
	if first {
		b.m.o.Signal(SignalRejoin)
	}
}

// watch gives the signals about an absent group. While a JoinGroup request is on its way the group may take its time.
func (b *beater) watch(s membership) {
	silent := !s.contact.IsZero() && time.Since(s.contact) >= b.m.o.Session
	switch {
	case s.contact.IsZero():
		b.lost = false // the group was left
	case silent && !b.lost && !s.joining:
		b.lost = true
		b.m.o.Signal(SignalLost)
	case !silent && b.lost:
		b.lost = false
		b.m.o.Signal(SignalBack)
	}
}

// pause is how long there is nothing to do.
func (b *beater) pause(s membership) time.Duration {
	const long = time.Minute
	wait := long
	if s.generation != noGeneration {
		wait = min(wait, time.Until(b.next))
	}
	if !s.contact.IsZero() && !b.lost && !s.joining {
		wait = min(wait, time.Until(s.contact.Add(b.m.o.Session)))
	}
	return max(wait, 0)
}

// heartbeat asks the coordinator whether all is well. It takes no longer than until the next one is due, a second at least, or until the
// session ends.
func (m *Member) heartbeat(ctx context.Context, s membership) error {
	limit := max(m.o.Heartbeat, time.Second)
	if left := time.Until(s.contact.Add(m.o.Session)); left > 0 {
		limit = min(limit, left)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.Generation, req.MemberID = m.o.Group, s.generation, s.id
	resp, err := req.RequestWith(ctx, m.conn())
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}
