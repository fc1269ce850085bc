package guarded

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const retentionKey = "retention.ms"

// answer calls fn before every request of that key is handled. A response that is not nil goes to the client instead of kfake's.
// The control function is dropped and added again each time: kfake remembers for each of them every connection that ever sent
// such a request.
func answer(c *kfake.Cluster, key kmsg.Key, fn func(kmsg.Request) kmsg.Response) {
	var control func(kmsg.Request) (kmsg.Response, error, bool)
	control = func(req kmsg.Request) (kmsg.Response, error, bool) { //nolint:unparam // kfake's signature
		resp := fn(req)
		c.DropControl()
		c.ControlKey(int16(key), control)
		return resp, nil, resp != nil
	}
	c.ControlKey(int16(key), control)
}

// observe is answer without an answer.
func observe(c *kfake.Cluster, key kmsg.Key, fn func(kmsg.Request)) {
	answer(c, key, func(req kmsg.Request) kmsg.Response { fn(req); return nil })
}

// unknownMember answers members of a group that is not there, as after the broker's folder was removed, with the error upon
// which they join anew. kfake says that there is no such group, and Java's client takes that for a passing trouble.
func (c *Cluster) unknownMember(req kmsg.Request) kmsg.Response {
	switch r := req.(type) {
	case *kmsg.HeartbeatRequest:
		if c.GroupInfo(r.Group) == nil {
			resp := kmsg.NewPtrHeartbeatResponse()
			resp.Version, resp.ErrorCode = r.Version, kerr.UnknownMemberID.Code
			return resp
		}
	case *kmsg.SyncGroupRequest:
		if c.GroupInfo(r.Group) == nil {
			resp := kmsg.NewPtrSyncGroupResponse()
			resp.Version, resp.ErrorCode = r.Version, kerr.UnknownMemberID.Code
			return resp
		}
	}
	return nil
}

// createDurably creates the topics that a metadata request is about to create. kfake would write such a topic down only when
// another one is created or the broker stops: after a kill all its acknowledged records would be gone.
func (c *Cluster) createDurably(req kmsg.Request) {
	r, ok := req.(*kmsg.MetadataRequest)
	if !ok || !r.AllowAutoTopicCreation {
		return
	}
	for _, t := range r.Topics {
		if t.Topic == nil || c.TopicInfo(*t.Topic) != nil {
			continue
		}
		if err := c.CreateTopic(*t.Topic, -1, nil); err != nil {
			c.log.log.Warn("the embedded broker cannot create a topic", "topic", *t.Topic, "err", err)
		}
	}
}

// warnOfRetention warns whoever limits a topic by time. kfake then drops everything in front of the newest expired batch, so
// that a source which stamps its records with old times empties the topic; a real broker would keep the newer records.
func (c *Cluster) warnOfRetention(req kmsg.Request) {
	for topic, ms := range retentions(req) {
		c.log.log.Warn("the embedded broker deletes every record in front of one that is older than retention.ms, "+
			"also in a compacted topic and also newer ones", "topic", topic, retentionKey, ms)
	}
}

// retentions lists the topics that the request limits by time.
func retentions(req kmsg.Request) map[string]string {
	found := map[string]string{}
	note := func(topic, key string, value *string) {
		if key != retentionKey || value == nil {
			return
		}
		if ms, err := strconv.ParseInt(*value, 10, 64); err == nil && ms >= 0 {
			found[topic] = *value
		}
	}
	switch r := req.(type) {
	case *kmsg.CreateTopicsRequest:
		for _, t := range r.Topics {
			for _, c := range t.Configs {
				note(t.Topic, c.Name, c.Value)
			}
		}
	case *kmsg.AlterConfigsRequest:
		for _, t := range r.Resources {
			for _, c := range t.Configs {
				note(t.ResourceName, c.Name, c.Value)
			}
		}
	case *kmsg.IncrementalAlterConfigsRequest:
		for _, t := range r.Resources {
			for _, c := range t.Configs {
				note(t.ResourceName, c.Name, c.Value)
			}
		}
	}
	return found
}
