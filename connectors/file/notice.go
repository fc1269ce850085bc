package file

import "time"

// noticeEvery is how often a lasting condition is logged.
const noticeEvery = time.Minute

// notice decides when to log a condition that may last: when it begins, and then once in a while.
type notice struct{ next time.Time }

// due tells whether to log now.
func (n *notice) due() bool {
	now := time.Now()
	if now.Before(n.next) {
		return false
	}
	n.next = now.Add(noticeEvery)
	return true
}

// over says that the condition has ended.
func (n *notice) over() { n.next = time.Time{} }
