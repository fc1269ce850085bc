package compat

import (
	"errors"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func checkDescribe(c *groupCheck) {
	leader, follower := c.pair()
	got := c.describe()
	type member struct{ ID, Client, Metadata, Assignment string }
	type view struct {
		State, Type, Protocol string
		Members               []member
	}
	have := view{got.State, got.ProtocolType, got.Protocol, nil}
	for _, m := range got.Members { // ClientHost is left out: Connect shows it to nobody, and the embedded broker adds the port
		have.Members = append(have.Members, member{m.MemberID, m.ClientID, string(m.ProtocolMetadata), string(m.MemberAssignment)})
	}
	want := view{"Stable", connectType, "sessioned", nil}
	for _, m := range []*groupMember{leader, follower} {
		want.Members = append(want.Members, member{m.id, groupClientID, m.offers[0].Metadata, assignmentOf(m)})
	}
	slices.SortFunc(want.Members, func(a, b member) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff(want, have); diff != "" || got.ErrorCode != 0 {
		c.Errorf("error %d; description (-want +got):\n%s", got.ErrorCode, diff)
	}
	absent := c.beside().describe()
	if absent.State != "Dead" || !errors.Is(kerr.ErrorForCode(absent.ErrorCode), kerr.GroupIDNotFound) || len(absent.Members) > 0 {
		c.Errorf("a group that is not there is described as %+v", absent)
	}
}

func checkList(c *groupCheck) {
	m := c.alone()
	for _, tc := range []struct {
		states, types []string
		found         bool
	}{
		{nil, nil, true},
		{[]string{"Empty", "Stable"}, nil, true},
		{[]string{"Empty"}, nil, false},
		{nil, []string{"classic"}, true},
		{nil, []string{"consumer", "share"}, false},
		{[]string{"Stable"}, []string{"classic"}, true},
	} {
		got := c.list(tc.states, tc.types)
		if (len(got) == 1) != tc.found {
			c.Errorf("states %q and types %q list %+v, want the group: %v", tc.states, tc.types, got, tc.found)
		}
		if len(got) == 1 && (got[0].ProtocolType != connectType || got[0].GroupState != "Stable" || got[0].GroupType != "classic") {
			c.Errorf("listed as %+v", got[0])
		}
	}
	c.want("leave", m.leave(), nil)
	c.awaitState("Empty")
	if got := c.list([]string{"Empty"}, nil); len(got) != 1 || got[0].ProtocolType != connectType {
		c.Errorf("the empty group is listed as %+v", got)
	}
}

func checkOffsets(c *groupCheck) {
	m := c.alone()
	topic := c.topic()
	commit := func(id string, generation int32, offset int64) error {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.MemberID, req.Generation = c.group, id, generation
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Offset, p.Metadata = offset, new("said")
		at := kmsg.NewOffsetCommitRequestTopic()
		at.Topic, at.TopicID, at.Partitions = topic.Topic, topic.ID, append(at.Partitions, p)
		req.Topics = append(req.Topics, at)
		resp, err := req.RequestWith(c.limit(), c.admin)
		if err != nil {
			c.Fatal(err)
		}
		return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	c.want("commit", commit(m.id, m.generation, 42), nil)
	c.want("commit of another generation", commit(m.id, m.generation+1, 43), kerr.IllegalGeneration)
	c.want("commit of a stranger", commit("stranger", m.generation, 44), kerr.UnknownMemberID)
	c.want("commit from outside", commit("", -1, 45), kerr.UnknownMemberID)
	c.wantOffset(topic.Topic, topic.ID, 42)
	c.want("leave", m.leave(), nil)
	c.awaitState("Empty")
	c.want("commit from outside to an empty group", commit("", -1, 46), nil)
	c.wantOffset(topic.Topic, topic.ID, 46)
}

func (c *groupCheck) wantOffset(topic string, id [16]byte, want int64) {
	c.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = c.group
	at := kmsg.NewOffsetFetchRequestGroupTopic()
	at.Topic, at.TopicID, at.Partitions = topic, id, []int32{0}
	g.Topics = append(g.Topics, at)
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(c.limit(), c.admin)
	if err != nil {
		c.Fatal(err)
	}
	got := resp.Groups[0].Topics[0].Partitions[0]
	if got.ErrorCode != 0 || got.Offset != want || got.Metadata == nil || *got.Metadata != "said" {
		c.Errorf("committed is %+v, want offset %d", got, want)
	}
}

func checkDelete(c *groupCheck) {
	m := c.alone()
	c.want("deletion of a group with a member", c.remove(), kerr.NonEmptyGroup)
	m.beats(nil)
	c.want("leave", m.leave(), nil)
	c.awaitState("Empty")
	c.want("deletion", c.remove(), nil)
	c.awaitState("Dead")
	c.want("second deletion", c.remove(), kerr.GroupIDNotFound)
}
