package cluster

import (
	"time"

	"github.com/millrace-io/millrace/internal/group"
)

// sessionPause is the time before a key is written, or the config topic claimed, again after a failure.
const sessionPause = time.Second

// session is what only the leader keeps: the key for requests between workers, and the right to write privileged records.
type session struct {
	writingKey bool
	keyRetry   time.Time
	claimed    bool
	claiming   bool
	claimRetry time.Time
}

// isLeader is leads without regard to the claim, and in a settled group only.
func (c *Core) isLeader() bool {
	return c.phase == settled && c.assignment.Error == group.NoError && c.assignment.LeaderID == c.memberID
}

func (c *Core) keepSession() {
	if !c.isLeader() {
		return
	}
	if c.opts.Privileged && !c.claimed && !c.claiming && !c.now.Before(c.claimRetry) {
		c.claiming = true
		c.do(Claim{})
	}
	if c.leads() && c.version == group.Sessioned && !c.writingKey && !c.now.Before(c.keyRetry) && !c.now.Before(c.keyExpiry()) {
		c.writingKey = true
		c.do(WriteSessionKey{})
	}
}

// keyExpiry returns when another key is needed: the zero time if at once.
func (c *Core) keyExpiry() time.Time {
	key, ok := c.snapshot.SessionKey()
	switch {
	case !ok || key.Algorithm != c.opts.KeyAlgorithm || len(key.Key) != c.opts.KeyBytes:
		return time.Time{}
	case c.opts.KeyTTL <= 0:
		return c.now.Add(never)
	default:
		return key.Created.Add(c.opts.KeyTTL)
	}
}

// never is far enough away.
const never = 1 << 20 * time.Hour

func (c *Core) sessionDue() time.Time {
	if !c.isLeader() {
		return time.Time{}
	}
	if c.opts.Privileged && !c.claimed {
		if c.claiming {
			return time.Time{}
		}
		return c.claimRetry
	}
	if c.version != group.Sessioned || c.writingKey {
		return time.Time{}
	}
	if expiry := c.keyExpiry(); expiry.After(c.keyRetry) {
		return expiry
	}
	return c.keyRetry
}

func (e KeyWritten) apply(c *Core) {
	c.writingKey = false
	c.keyRetry = c.now.Add(sessionPause) // whatever its lifetime, no key is made more often
	if e.Err != nil {
		c.do(Note{Problem: true, Text: "the session key could not be written: " + e.Err.Error()})
	}
}

func (e Claimed) apply(c *Core) {
	c.claiming, c.claimed = false, e.Err == nil
	if e.Err != nil {
		c.claimRetry = c.now.Add(sessionPause)
		c.do(Note{Problem: true, Text: "the right to write to the config topic could not be claimed: " + e.Err.Error()})
	}
}

func (Unclaimed) apply(c *Core) { c.claimed = false }
