package cluster

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/internal/group"
	"github.com/millrace-io/millrace/internal/scripttest"
	"github.com/millrace-io/millrace/internal/store"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	scripttest.Run(t, "*.txt", func(t *testing.T) func([]string) string {
		p := newPlayer(t)
		return func(commands []string) string {
			var out strings.Builder
			for _, c := range commands {
				out.WriteString(p.command(c))
			}
			return out.String()
		}
	})
}

// player drives a core by the commands of a script and prints what it wants done.
//
//	core KEY=VALUE ...      a new core: mode, delay, backoff, ttl, privileged
//	write KEY VALUE         appends a record to the config topic; VALUE - is a tombstone
//	read                    tells the core what has been appended
//	join [leader] [ID=URL@OFFSET(ITEM,...)] ...   answers a Join: as a follower, or the leader of these members besides us
//	sync ITEM,... [-ITEM,...] [@OFFSET] [delay=D] [mismatch]   answers a Sync as a follower
//	synced                  answers a Sync with what the core assigned itself
//	round                   join and synced as the only member
//	and one for each other event
type player struct {
	t        *testing.T
	core     *Core
	now      time.Time
	log      *store.ConfigLog
	changes  []store.ConfigChange
	offset   int64
	gen      int32
	assigned map[string]group.Assignment // of the last Sync effect
	joined   group.Version               // wished by the last Join effect
	try      map[string]int              // of the last effect on a connector's tasks
}

const me = "m1"

func newPlayer(t *testing.T) *player {
	return &player{t: t, now: time.UnixMilli(1_800_000_000_000), log: store.NewConfigLog(), try: make(map[string]int)}
}

func (p *player) command(line string) string {
	words := strings.Fields(line)
	run, ok := map[string]func([]string) string{
		"core": p.newCore, "write": p.write, "read": p.read, "join": p.join, "sync": p.sync, "synced": p.synced, "round": p.round,
		"tick": p.tick, "rebalance": p.just(RebalanceNeeded{}), "lost": p.just(CoordinatorLost{}), "unclaimed": p.just(Unclaimed{}),
		"unjoined": func(w []string) string { return p.step(Unjoined{strings.Join(w, " ")}) },
		"halted":   func(w []string) string { return p.step(Halted{p.number(w[0])}) },
		"caughtup": func(w []string) string { return p.step(CaughtUp{failure(w)}) },
		"reached": func(w []string) string {
			return p.step(Reached{Connector: w[0], Target: store.TargetState(w[1]), Err: failure(w[2:])})
		},
		"reconfigure": func(w []string) string { return p.step(Reconfigure{w[0]}) },
		"tasks":       p.tasks,
		"published": func(w []string) string {
			return p.step(Published{Connector: w[0], Try: p.try[w[0]], Err: failure(w[1:])})
		},
		"keywritten": func(w []string) string { return p.step(KeyWritten{failure(w)}) },
		"claimed":    func(w []string) string { return p.step(Claimed{failure(w)}) },
		"restart":    func(w []string) string { return p.step(RestartItem{p.number(w[0]), item(w[1])}) },
		"view":       p.view,
	}[words[0]]
	if !ok {
		p.t.Fatalf("unknown command %q", line)
	}
	return run(words[1:])
}

func (p *player) just(e Event) func([]string) string {
	return func([]string) string { return p.step(e) }
}

func failure(words []string) error {
	if len(words) == 0 {
		return nil
	}
	return errors.New(strings.Join(words, " "))
}

func (p *player) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *player) duration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// item reads "name" or "name-3".
func item(s string) group.Item {
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		if n, err := strconv.Atoi(s[i+1:]); err == nil {
			return group.Item{Connector: s[:i], Task: n}
		}
	}
	return connectorItem(s)
}

func itemList(s string) []group.Item {
	var out []group.Item
	for part := range strings.SplitSeq(s, ",") {
		if part != "" {
			out = append(out, item(part))
		}
	}
	return out
}

func (p *player) newCore(words []string) string {
	o := CoreOptions{
		URL: "http://w1/", Mode: group.Sessioned, MaxDelay: 5 * time.Minute, UnsyncBackoff: 5 * time.Minute,
		KeyAlgorithm: "HmacSHA256", KeyBytes: 32,
	}
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		var err error
		switch key {
		case "mode":
			o.Mode, err = group.ParseMode(value)
		case "delay":
			o.MaxDelay = p.duration(value)
		case "ttl":
			o.KeyTTL = p.duration(value)
		case "privileged":
			o.Privileged = true
		default:
			err = fmt.Errorf("unknown option %s", key)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	p.core = NewCore(o)
	p.log.Loaded()
	return ""
}

func (p *player) write(words []string) string {
	key, value, _ := strings.Cut(strings.Join(words, " "), " ")
	var raw []byte
	if value != "-" {
		raw = []byte(value)
	}
	changes, err := p.log.Apply(p.offset, []byte(key), raw)
	if err != nil {
		p.t.Fatal(err)
	}
	p.offset++
	p.now = p.now.Add(roundPause) // so that rounds are not paced, but where a script has no writes
	p.changes = append(p.changes, changes...)
	return ""
}

func (p *player) read([]string) string {
	e := Configured{p.log.Snapshot(), p.changes}
	p.changes = nil
	return p.step(e)
}

func (p *player) step(e Event) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n", e)
	for _, f := range p.core.Step(p.now, e) {
		fmt.Fprintf(&out, "  %s\n", f)
		switch f := f.(type) {
		case Join:
			p.joined = f.Protocols[0].Version
		case Sync:
			p.assigned = f.Assignments
		case AskTaskConfigs:
			p.try[f.Connector] = f.Try
		case WriteTasks:
			p.try[f.Connector] = f.Try
		case ForwardTasks:
			p.try[f.Connector] = f.Try
		}
	}
	if next := p.core.Next(); !next.IsZero() && next.Sub(p.now) < never/2 {
		fmt.Fprintf(&out, "  next tick in %s\n", next.Sub(p.now))
	}
	return out.String()
}

// join answers the last Join. The words may name a version, "leader", and other members.
func (p *player) join(words []string) string {
	p.gen++
	e := Joined{Generation: p.gen, MemberID: me, LeaderID: "m2", Version: p.joined}
	if len(words) > 0 {
		if v, err := group.ParseMode(words[0]); err == nil {
			e.Version = v
			words = words[1:]
		}
	}
	if len(words) > 0 && words[0] == "leader" {
		e.LeaderID = me
		offset := p.core.joinedWith.Offset()
		e.Members = map[string]group.Metadata{me: {Version: e.Version, URL: "http://w1/", Offset: offset, Allocation: p.core.allocation(e.Version)}}
		for _, w := range words[1:] {
			id, m := p.member(w, e.Version)
			e.Members[id] = m
		}
	}
	return p.step(e)
}

// member reads ID@OFFSET(ITEM,...).
func (p *player) member(word string, v group.Version) (string, group.Metadata) {
	word, owned, owns := strings.Cut(strings.TrimSuffix(word, ")"), "(")
	id, offset, _ := strings.Cut(word, "@")
	m := group.Metadata{Version: v, URL: "http://" + id + "/", Offset: int64(p.number(offset))}
	if owns {
		m.Allocation = &group.Assignment{Version: v, Assigned: itemList(owned)}
	}
	return id, m
}

func (p *player) sync(words []string) string {
	a := group.Assignment{Version: p.core.version, LeaderID: "m2", LeaderURL: "http://w2/", Offset: p.core.snapshot.Offset()}
	for _, w := range words {
		switch {
		case w == "mismatch":
			a.Error = group.ConfigMismatch
		case w[0] == '@':
			a.Offset = int64(p.number(w[1:]))
		case w[0] == '-':
			a.Revoked = itemList(w[1:])
		case strings.HasPrefix(w, "delay="):
			a.Delay = p.duration(w[len("delay="):])
		default:
			a.Assigned = itemList(w)
		}
	}
	return p.step(Synced{a})
}

func (p *player) synced([]string) string { return p.step(Synced{p.assigned[me]}) }

func (p *player) round(words []string) string {
	return p.join(append(slices.Clone(words), "leader")) + p.synced(nil)
}

func (p *player) tick(words []string) string {
	p.now = p.now.Add(p.duration(words[0]))
	return p.step(Tick{})
}

// tasks answers with N task configurations whose content is a given text.
func (p *player) tasks(words []string) string {
	name := words[0]
	e := TaskConfigs{Connector: name, Try: p.try[name]}
	switch words[1] {
	case "error":
		e.Err = failure(words[2:])
	case "final":
		e.Err, e.Final = failure(words[2:]), true
	default:
		for range p.number(words[1]) {
			e.Tasks = append(e.Tasks, store.NewConfig(map[string]string{"k": strings.Join(words[2:], " ")}))
		}
	}
	return p.step(e)
}

func (p *player) view([]string) string {
	v := p.core.View()
	owners := ""
	for _, i := range slices.SortedFunc(maps.Keys(v.Owners), group.Item.Compare) {
		owners += fmt.Sprintf(" %s at %s", i, v.Owners[i])
	}
	return fmt.Sprintf("ready %t, settled %t, leader %t (%s), generation %d%s\n", v.Ready, v.Settled, v.Leader, v.LeaderURL, v.Generation, owners)
}
