package compat

import "github.com/twmb/franz-go/pkg/kerr"

func checkIllegalGeneration(c *groupCheck) {
	m := c.alone()
	right := m.generation
	for _, wrong := range []int32{right - 1, right + 1} {
		m.generation = wrong
		m.beats(kerr.IllegalGeneration)
		m.sync().failed(kerr.IllegalGeneration)
	}
	m.generation = right
	m.beats(nil)
}

func checkUnknownMember(c *groupCheck) {
	m, stranger := c.alone(), c.member(sessioned("two"))
	stranger.id, stranger.generation, stranger.protocol = groupClientID+"-stranger", m.generation, m.protocol
	stranger.beats(kerr.UnknownMemberID)
	stranger.sync().failed(kerr.UnknownMemberID)
	stranger.refused(stranger.join(), kerr.UnknownMemberID)
	c.want("leave", stranger.leave(), kerr.UnknownMemberID)
	m.beats(nil)
}

func checkProtocolType(c *groupCheck) {
	m, consumer := c.alone(), c.member(sessioned("two"))
	consumer.kind = "consumer"
	consumer.refused(consumer.join(), kerr.InconsistentGroupProtocol)
	m.beats(nil)
}

func checkNoCommonProtocol(c *groupCheck) {
	m, other := c.alone(), c.member([]groupOffer{{"range", "x"}})
	other.refused(other.join(), kerr.InconsistentGroupProtocol)
	m.beats(nil)
}

func checkSyncProtocol(c *groupCheck) {
	m := c.admitted("one")
	m.joined(m.join())
	m.protocol = "default"
	m.sync().failed(kerr.InconsistentGroupProtocol)
	m.protocol, m.kind = "sessioned", "consumer"
	m.sync().failed(kerr.InconsistentGroupProtocol)
	m.kind = connectType
	m.sync().done()
}

// checkAbsentGroup is about a group that vanished under its members, as it does with the broker's folder.
func checkAbsentGroup(c *groupCheck) {
	m := c.member(sessioned("one"))
	m.id, m.generation, m.protocol = groupClientID+"-stranger", 1, "sessioned"
	m.beats(kerr.UnknownMemberID)
	m.sync().failed(kerr.UnknownMemberID)
	leave := kerr.UnknownMemberID
	if c.embedded {
		leave = kerr.GroupIDNotFound // whoever leaves does not ask whether it was there
	}
	c.want("leave", m.leave(), leave)
	m.refused(m.join(), kerr.UnknownMemberID)
	if got := c.list(nil, nil); len(got) > 0 {
		c.Errorf("a refused join made the group %+v", got)
	}
}
