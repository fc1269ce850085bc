package compat

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/test/bed"
)

func checkSessionBounds(c *groupCheck) {
	m := c.member(sessioned("one"))
	m.session = 50 * time.Millisecond // the test bed's brokers allow less than others
	m.refused(m.join(), kerr.InvalidSessionTimeout)
	m.session = time.Hour
	m.refused(m.join(), kerr.InvalidSessionTimeout)
	m.session = shortestSession
	m.admit()
}

// checkSessions watches two groups while the same seconds pass: in one a member falls silent, in the other a member waits for a slow one
// for longer than its session lasts. It cannot send heartbeats meanwhile.
func checkSessions(c *groupCheck) {
	waiting := newPatientJoin(c.beside())
	first, silent := c.alone(), c.admitted("two")
	silent.session = shortestSession
	c.round(first, silent)
	c.settle(first, silent)
	first.awaitRebalance()
	silent.beats(kerr.UnknownMemberID)
	got := first.joined(first.join())
	if diff := cmp.Diff(joined(first.id, 3, "sessioned", first.id, first), sight(got)); diff != "" {
		c.Errorf("the remaining member's join (-want +got):\n%s", diff)
	}
	waiting.end()
}

// patientJoin is a group of three: a member whose join is under way, one that has fallen silent, and one that is slow to join.
type patientJoin struct {
	c                     *groupCheck
	patient, silent, slow *groupMember
	join                  *groupAnswer[*kmsg.JoinGroupResponse]
}

func newPatientJoin(c *groupCheck) *patientJoin {
	c.Helper()
	p := &patientJoin{c: c, patient: c.admitted("one")}
	p.patient.session = shortestSession
	c.round(p.patient)
	c.settle(p.patient)
	p.silent = c.admitted("two")
	p.silent.session = shortestSession
	c.round(p.patient, p.silent)
	c.settle(p.patient, p.silent)
	p.slow = c.admitted("three")
	c.round(p.patient, p.silent, p.slow)
	c.settle(p.patient, p.silent, p.slow)
	p.join = p.patient.join()
	return p
}

// end waits until the silent member's session is over, and with it the time of the patient one's, and then lets the slow one come.
func (p *patientJoin) end() {
	p.c.Helper()
	p.slow.awaitRebalance()
	gone := []string{p.silent.id}
	if p.c.embedded {
		gone = append(gone, p.patient.id)
	}
	bed.Poll(p.c, patience, "the end of sessions", func() (bool, string) {
		there := p.c.memberIDs()
		return !slices.ContainsFunc(gone, func(id string) bool { return slices.Contains(there, id) }), fmt.Sprint(there)
	})
	got := p.slow.joined(p.slow.join())
	if p.c.embedded {
		p.endEmbedded(got)
		return
	}
	if diff := cmp.Diff(joined(p.slow.id, 4, "sessioned", p.patient.id), sight(got)); diff != "" {
		p.c.Errorf("the slow member's join (-want +got):\n%s", diff)
	}
	got = p.patient.joined(p.join)
	if diff := cmp.Diff(joined(p.patient.id, 4, "sessioned", p.patient.id, p.patient, p.slow), sight(got)); diff != "" {
		p.c.Errorf("the patient member's join (-want +got):\n%s", diff)
	}
}

// endEmbedded asserts what the embedded broker does instead: it forgets the patient member and never answers its join. A worker gives
// such a join up after rebalance.timeout.ms and five seconds. What it does then must work: join again on another connection, hear that
// it is unknown, and join as somebody new.
func (p *patientJoin) endEmbedded(got *kmsg.JoinGroupResponse) {
	p.c.Helper()
	if diff := cmp.Diff(joined(p.slow.id, 4, "sessioned", p.slow.id, p.slow), sight(got)); diff != "" {
		p.c.Errorf("the slow member's join (-want +got):\n%s", diff)
	}
	p.c.settle(p.slow)
	if p.join.answered() {
		p.c.Error("the patient member's join was answered: the embedded broker no longer needs a case of its own here")
	}
	p.patient.client = groupClient(p.c.T, p.c.bootstrap)
	p.patient.refused(p.patient.join(), kerr.UnknownMemberID)
	again := p.c.admitted("one again")
	p.c.round(p.slow, again)
	p.c.settle(p.slow, again)
}

func checkRebalanceTimeout(c *groupCheck) {
	first := c.admitted("one")
	first.rebalance = 3 * time.Second
	c.round(first)
	c.settle(first)
	second := c.admitted("two")
	second.rebalance = 3 * time.Second
	c.round(first, second)
	c.settle(first, second)
	got := first.joined(first.join())
	if diff := cmp.Diff(joined(first.id, 3, "sessioned", first.id, first), sight(got)); diff != "" {
		c.Errorf("the join of the one that came (-want +got):\n%s", diff)
	}
	second.beats(kerr.UnknownMemberID)
	c.settle(first)
}
