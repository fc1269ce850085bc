package group

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/internal/scripttest"
)

// TestScripts plays the files in testdata; each command is one of those of [script.command].
func TestScripts(t *testing.T) {
	t.Parallel()
	scripttest.Run(t, "*.txt", func(t *testing.T) func([]string) string {
		s := &script{}
		return func(commands []string) string {
			var said strings.Builder
			for _, c := range commands {
				text, err := s.command(strings.Fields(c))
				if err != nil {
					t.Fatalf("%s: %v", c, err)
				}
				said.WriteString(text)
			}
			return said.String()
		}
	})
}

// script is a group that is told what to do.
type script struct{ *sim }

// command is one of:
//
//	group sessioned max-delay=5m      a new group without members
//	config a=2 b=0                    connectors and how many tasks they have, 0 for inconsistent ones too
//	delete a                          deletes connectors
//	join w1 w2, leave w1              the first to join leads
//	protocol eager                    what the broker chooses from now on
//	wait 10s                          time passes
//	deaf w1                           the next assignment does not reach it
//	own w1 a a-0                      replaces what it says it has
//	round                             everybody joins, and does what the leader says
//	settle                            rounds until nobody was told to stop anything and no delay is pending
func (s *script) command(words []string) (said string, err error) {
	name, args := words[0], words[1:]
	switch name {
	case "group":
		return "", s.create(args)
	case "config":
		return "", s.config(args)
	case "delete":
		each(args, func(c string) { s.configure(c, -1) })
	case "join":
		each(args, s.join)
	case "leave":
		each(args, s.leave)
	case "protocol":
		s.version, err = ParseMode(args[0])
	case "wait":
		d, err := time.ParseDuration(args[0])
		s.now = s.now.Add(d)
		return "", err
	case "deaf":
		s.find(args[0]).deaf = true
	case "own":
		return "", s.own(args[0], args[1:])
	case "round":
		return s.say()
	case "settle":
		return s.sayAll()
	default:
		return "", fmt.Errorf("unknown command")
	}
	return "", err
}

func each(args []string, do func(string)) {
	for _, a := range args {
		do(a)
	}
}

func (s *script) create(args []string) error {
	v, err := ParseMode(args[0])
	if err != nil {
		return err
	}
	maxDelay, err := time.ParseDuration(strings.TrimPrefix(args[1], "max-delay="))
	s.sim = newSim(v, maxDelay)
	return err
}

func (s *script) config(args []string) error {
	for _, a := range args {
		connector, n, _ := strings.Cut(a, "=")
		tasks, err := strconv.Atoi(n)
		if err != nil {
			return err
		}
		s.configure(connector, tasks)
	}
	return nil
}

func (s *script) own(id string, names []string) error {
	own := &Assignment{Version: s.version}
	for _, name := range names {
		i := Item{Connector: name, Task: ConnectorItem}
		if connector, n, ok := strings.Cut(name, "-"); ok {
			task, err := strconv.Atoi(n)
			if err != nil {
				return err
			}
			i = Item{Connector: connector, Task: task}
		}
		own.Assigned = append(own.Assigned, i)
	}
	s.find(id).allocation = own
	return nil
}

func (s *script) say() (string, error) {
	before := make(map[string][]Item)
	for _, w := range s.workers {
		before[w.id] = w.items()
	}
	if _, err := s.round(); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "round %d: leader %s", s.generation, s.workers[0].id)
	if d := s.delay(); d != 0 {
		fmt.Fprintf(&b, ", delay %v", d)
	}
	b.WriteByte('\n')
	for _, w := range s.workers {
		a := s.last[w.id]
		fmt.Fprintf(&b, "  %s", w.id)
		if slices.Equal(before[w.id], w.items()) && len(a.Assigned)+len(a.Revoked) > 0 && a.Version != Eager {
			b.WriteString(", deaf,")
		}
		sayItems(&b, " stop", a.Revoked)
		if a.Version != Eager {
			sayItems(&b, " start", a.Assigned)
		}
		sayItems(&b, " has", w.items())
		b.WriteByte('\n')
	}
	for _, f := range s.faults {
		b.WriteString("  WRONG: " + f + "\n")
	}
	return b.String(), nil
}

func sayItems(b *strings.Builder, verb string, items []Item) {
	if len(items) == 0 {
		return
	}
	b.WriteString(verb)
	for _, i := range items {
		b.WriteString(" " + i.String())
	}
	b.WriteByte(';')
}

func (s *script) sayAll() (string, error) {
	const enough = 20
	var b strings.Builder
	for range enough {
		text, err := s.say()
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		revoked := slices.ContainsFunc(s.workers, func(w *simWorker) bool { return len(s.last[w.id].Revoked) > 0 })
		if d := s.delay(); d != 0 {
			s.now = s.now.Add(d)
		} else if !revoked {
			for _, w := range s.atRest() {
				b.WriteString("  WRONG: " + w + "\n")
			}
			return b.String(), nil
		}
	}
	return "", fmt.Errorf("not settled after %d rounds", enough)
}
