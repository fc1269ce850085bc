package kafka

import (
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// joining notes whether a client has asked to join a group, and whether it waits for the answer. A coordinator gives a new member its id
// in the first answer and from then on waits for it, for as long as its session, in every round. A client that closes before it has read that answer leaves nobody to tell the
// coordinator, and the others without partitions meanwhile.
type joining struct{ asked, waiting atomic.Bool }

var (
	_ kgo.HookBrokerWrite = (*joining)(nil)
	_ kgo.HookBrokerRead  = (*joining)(nil)
)

// OnBrokerWrite implements kgo.HookBrokerWrite.
func (j *joining) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err == nil && key == int16(kmsg.JoinGroup) {
		j.asked.Store(true)
		j.waiting.Store(true)
	}
}

// OnBrokerRead implements kgo.HookBrokerRead.
func (j *joining) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.JoinGroup) {
		j.waiting.Store(false)
	}
}

// settle waits until the client knows its id, if it has asked for one, but not for long: there may be no answer.
func (j *joining) settle(client *kgo.Client) {
	const (
		limit = 500 * time.Millisecond
		pause = 5 * time.Millisecond
	)
	for until := time.Now().Add(limit); j.asked.Load() && time.Now().Before(until); {
		if id, _ := client.GroupMetadata(); id != "" {
			return
		}
		<-time.After(pause)
	}
}
