package group

import (
	"fmt"
	"strings"
)

// ProtocolType is the protocol type in JoinGroup requests.
const ProtocolType = "connect"

// Version is a version of the protocol: the number at the head of metadata and assignments.
type Version int16

// The versions. Eager stops everything at each join and divides it anew (KIP-26); Compatible moves only what has to move
// (KIP-415); Sessioned is Compatible with signed requests between workers (KIP-507).
const (
	Eager      Version = 0
	Compatible Version = 1
	Sessioned  Version = 2
)

// names are those of each version: the value of connect.protocol, and the name in JoinGroup.
var names = [...]struct{ mode, protocol string }{
	Eager:      {"eager", "default"},
	Compatible: {"compatible", "compatible"},
	Sessioned:  {"sessioned", "sessioned"},
}

func (v Version) known() bool { return v >= 0 && int(v) < len(names) }

// String is the value of connect.protocol for the version: eager, compatible or sessioned.
func (v Version) String() string {
	if !v.known() {
		return fmt.Sprintf("Version(%d)", int16(v))
	}
	return names[v].mode
}

// Protocol is the name of the version in JoinGroup: default, compatible or sessioned. It is empty for a version that does
// not exist.
func (v Version) Protocol() string {
	if !v.known() {
		return ""
	}
	return names[v].protocol
}

// Protocols is what a worker whose connect.protocol is v lists when it joins, the preferred version first: v and all below
// it, so that the broker finds one that all members have. The result is the caller's.
func (v Version) Protocols() []Version {
	var list []Version
	for ; v >= Eager; v-- {
		list = append(list, v)
	}
	return list
}

// ParseMode reads a value of connect.protocol, in capitals or not.
func ParseMode(s string) (Version, error) {
	for v, n := range names {
		if strings.EqualFold(s, n.mode) {
			return Version(v), nil
		}
	}
	return 0, fmt.Errorf("unknown connect.protocol %q: it is eager, compatible or sessioned", s)
}

// ByProtocol finds the version from the name that the broker chose in JoinGroup.
func ByProtocol(name string) (Version, bool) {
	for v, n := range names {
		if n.protocol == name {
			return Version(v), true
		}
	}
	return 0, false
}
