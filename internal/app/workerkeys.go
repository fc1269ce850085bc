package app

import (
	"cmp"
	"maps"
	"slices"

	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/internal/plugin"
)

// Keys are the keys of workers, for their documentation.
type Keys struct {
	// Common, Distributed and Standalone have an effect, in all workers or in those of one kind.
	Common, Distributed, Standalone []config.KeyInfo
	// Clients belong to the worker's own Kafka clients, in all workers.
	Clients []config.KeyInfo
	// Inert are accepted and checked, and change nothing.
	Inert []KeyNote
	// Ignored are not even checked. A name with a dot at its end is a prefix.
	Ignored []KeyNote
	// Refused keep the worker from starting, but for values that change nothing.
	Refused []KeyNote
}

// KeyNote is a key that does not do here what it does in Kafka Connect.
type KeyNote struct {
	config.KeyInfo          // with no more than a name for ignored keys
	Accepted       []string // the values of a refused key that are not refused
	Reason         string   // a sentence without capital letter and full stop
	In             string   // the command for the only kind of worker that the note is about, empty for all
}

// Commands, which name the kinds of workers.
const (
	distributedWorker = "distributed"
	standaloneWorker  = "standalone"
)

// WorkerKeys describes all keys of workers.
func WorkerKeys() Keys {
	reg := plugin.Builtin()
	standalone, distributed := newStandaloneKeys(reg).def, newDistributedKeys(reg).def
	alone, shared := inertKeys(standalone), inertKeys(distributed)
	all := Keys{Clients: clientKeys()}
	for _, info := range distributed.Keys() {
		switch {
		case refused[info.Name].reason != "" || shared[info.Name] != "":
		case standalone.Has(info.Name) && alone[info.Name] == "":
			all.Common = append(all.Common, info)
		default:
			all.Distributed = append(all.Distributed, info)
		}
	}
	for _, info := range standalone.Keys() {
		if !distributed.Has(info.Name) {
			all.Standalone = append(all.Standalone, info)
		}
	}
	all.Inert = inertNotes(standalone, alone, shared)
	all.Ignored = append(ignoredNotes(ignored, ""), ignoredNotes(ignoredDistributed, distributedWorker)...)
	all.Refused = append(refusedNotes(distributed, refused, ""), refusedNotes(distributed, refusedDistributed, distributedWorker)...)
	return all
}

// inertNotes describes the inert keys of a standalone worker. Those of a distributed one are among them.
func inertNotes(def *config.Def, alone, shared map[string]string) []KeyNote {
	var notes []KeyNote
	for _, name := range slices.Sorted(maps.Keys(alone)) {
		info, _ := def.Lookup(name)
		n := KeyNote{KeyInfo: info, Reason: alone[name]}
		if shared[name] == "" {
			n.In = standaloneWorker
		}
		notes = append(notes, n)
	}
	return notes
}

func ignoredNotes(reasons map[string]string, in string) []KeyNote {
	var notes []KeyNote
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		notes = append(notes, KeyNote{KeyInfo: config.KeyInfo{Name: name}, Reason: reasons[name], In: in})
	}
	return notes
}

func refusedNotes(def *config.Def, refusals map[string]refusal, in string) []KeyNote {
	var notes []KeyNote
	for name, r := range refusals {
		info, _ := def.Lookup(name)
		notes = append(notes, KeyNote{KeyInfo: info, Accepted: r.accepted, Reason: r.reason, In: in})
	}
	slices.SortFunc(notes, func(a, b KeyNote) int { return cmp.Compare(a.Name, b.Name) })
	return notes
}
