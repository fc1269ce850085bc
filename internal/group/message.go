package group

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// ConnectorItem is the [Item.Task] of a connector itself.
const ConnectorItem = -1

// Item is what is divided among workers: a connector, or one of its tasks.
type Item struct {
	Connector string
	Task      int // ConnectorItem for the connector itself
}

// String is the text of a task id, and for a connector its name.
func (i Item) String() string {
	if i.Task == ConnectorItem {
		return i.Connector
	}
	return i.Connector + "-" + strconv.Itoa(i.Task)
}

// Compare orders items by connector, then the connector itself before its tasks, then by task number.
func (i Item) Compare(o Item) int {
	if c := strings.Compare(i.Connector, o.Connector); c != 0 {
		return c
	}
	return cmp.Compare(i.Task, o.Task)
}

// Less says that i comes before o in the order of [Item.Compare].
func (i Item) Less(o Item) bool { return i.Compare(o) < 0 }

// Metadata is what a member tells the leader in JoinGroup.
type Metadata struct {
	Version    Version
	URL        string      // the advertised URL of its REST interface; Java workers send it with a slash at the end
	Offset     int64       // how far it has read the config topic: the last record's offset + 1, -1 before any
	Allocation *Assignment // what it owns, in Assigned; nil if nothing that it knows of, and always with Eager
}

// Values of [Assignment.Error].
const (
	NoError        int16 = 0
	ConfigMismatch int16 = 1 // the leader has read less of the config topic than another member; everybody joins again
)

// Assignment is what the leader tells a member in SyncGroup. As [Metadata.Allocation] it is what a member owns.
//
// With Eager, Assigned is all that the member shall run, and Revoked and Delay are not sent. Else the member stops what is
// in Revoked, starts what is in Assigned, and keeps what else it has.
type Assignment struct {
	Version   Version
	Error     int16
	LeaderID  string
	LeaderURL string
	Offset    int64 // the config offset from which work may start
	Assigned  []Item
	Revoked   []Item
	Delay     time.Duration // after which everybody joins again; whole milliseconds, 0 for no such time
}

// MaxOffset is the config offset of the member that has read furthest. The leader must have read as far before it assigns.
// It is -1 if there are no members.
func MaxOffset(members map[string]Metadata) int64 {
	offset := int64(-1)
	for _, m := range members {
		offset = max(offset, m.Offset)
	}
	return offset
}
