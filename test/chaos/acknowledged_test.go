package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

// wish is what a user wants of a connector.
type wish struct {
	batch int    // the value of batch.size, which tells configurations apart
	state string // RUNNING, PAUSED or STOPPED
}

// wishes are all connectors that there should be.
type wishes map[string]wish

// change is one request with what it makes of the wishes.
type change struct {
	method, path string
	body         any
	name         string
	result       *wish // nil: the connector is gone
}

func (c change) apply(w wishes) wishes {
	out := maps.Clone(w)
	delete(out, c.name)
	if c.result != nil {
		out[c.name] = *c.result
	}
	return out
}

// operator changes connectors through one worker after the other, each of which is killed.
type operator struct {
	*testing.T
	rng    *rand.Rand
	file   string
	acked  wishes
	doubt  *change // the request that the last worker has not answered
	serial int
	done   int
}

// TestAcknowledgedRequestsSurviveKills kills a distributed worker a hundred times, at any moment, while connectors are created, changed,
// paused, stopped and deleted one after the other. The next worker must have what the acknowledged requests came to, with or without the one
// that was not answered.
func TestAcknowledgedRequestsSurviveKills(t *testing.T) {
	t.Parallel()
	bed.Require(t)
	const kills = 100
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	o := &operator{T: t, rng: rand.New(rand.NewPCG(seed, 0)), file: filepath.Join(t.TempDir(), "empty.txt"), acked: wishes{}}
	if err := os.WriteFile(o.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broker, props := bed.SharedBroker(t), bed.DistributedProperties(bed.Name(t, "acked"))
	maps.Copy(props, map[string]string{"session.timeout.ms": "500", "heartbeat.interval.ms": "100"})
	for range kills {
		w := bed.StartMillraceWorker(t, broker, props)
		life := time.Duration(o.rng.IntN(1000)) * time.Millisecond
		if o.rng.IntN(5) > 0 { // else it may be killed while it starts
			w.AwaitReady()
			o.expect(w.Rest)
			life /= 2
		}
		kill := time.AfterFunc(life, w.Kill)
		o.work(w.Rest)
		kill.Stop()
		w.Kill()
	}
	w := bed.NewMillraceWorker(t, broker, props)
	o.expect(w.Rest)
	if o.done < kills {
		t.Errorf("only %d requests were answered", o.done)
	}
	t.Logf("%d requests were answered", o.done)
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
}

// work sends requests until the worker does not answer.
func (o *operator) work(r bed.Rest) {
	for o.doubt == nil {
		c := o.next()
		code, answer := r.Call(c.method, c.path, c.body)
		switch {
		case code == 0:
			o.doubt = &c
		case code >= http.StatusMultipleChoices:
			o.Fatalf("%s %s: %d %s", c.method, c.path, code, answer)
		default:
			o.acked = c.apply(o.acked)
			o.done++
		}
	}
}

// next makes up a request.
func (o *operator) next() change {
	const most = 8
	if n := len(o.acked); n == 0 || n < most && o.rng.IntN(3) == 0 {
		o.serial++
		return o.put("connector-"+strconv.Itoa(o.rng.IntN(2*most)), "RUNNING")
	}
	names := slices.Sorted(maps.Keys(o.acked))
	name := names[o.rng.IntN(len(names))]
	was := o.acked[name]
	switch o.rng.IntN(5) {
	case 0:
		return change{method: http.MethodDelete, path: bed.Path(name, ""), name: name}
	case 1:
		return o.put(name, was.state)
	case 2:
		return change{http.MethodPut, bed.Path(name, "/pause"), nil, name, &wish{was.batch, "PAUSED"}}
	case 3:
		return change{http.MethodPut, bed.Path(name, "/stop"), nil, name, &wish{was.batch, "STOPPED"}}
	default:
		return change{http.MethodPut, bed.Path(name, "/resume"), nil, name, &wish{was.batch, "RUNNING"}}
	}
}

// put creates or changes a connector.
func (o *operator) put(name, state string) change {
	if was, ok := o.acked[name]; ok {
		state = was.state
	}
	batch := 1 + o.rng.IntN(1_000_000)
	config := map[string]string{
		"connector.class": "FileStreamSource", "file": o.file, "topic": "unused", "batch.size": strconv.Itoa(batch),
	}
	return change{http.MethodPut, bed.Path(name, "/config"), config, name, &wish{batch, state}}
}

// expect waits until the worker has the acknowledged wishes, or those with the request in doubt. What it has is what counts from then
// on.
func (o *operator) expect(r bed.Rest) {
	o.Helper()
	candidates := []wishes{o.acked}
	if o.doubt != nil {
		candidates = append(candidates, o.doubt.apply(o.acked))
	}
	bed.Poll(o.T, patience, "the acknowledged state", func() (bool, string) {
		got := o.read(r)
		for _, c := range candidates {
			if maps.Equal(got, c) {
				o.acked, o.doubt = c, nil
				return true, ""
			}
		}
		return false, fmt.Sprintf("%v\nwant one of %v", got, candidates)
	})
}

// read returns what the worker has.
func (o *operator) read(r bed.Rest) wishes {
	var all map[string]struct {
		Status bed.ConnectorStatus `json:"status"`
		Info   struct {
			Config map[string]string `json:"config"`
		} `json:"info"`
	}
	answer := r.Must(http.MethodGet, "/connectors?expand=status&expand=info", nil)
	if err := json.Unmarshal([]byte(answer), &all); err != nil {
		o.Fatalf("%v: %s", err, answer)
	}
	out := wishes{}
	for name, c := range all {
		batch, err := strconv.Atoi(c.Info.Config["batch.size"])
		if err != nil {
			o.Fatal(err)
		}
		out[name] = wish{batch, arrived(c.Status)}
	}
	return out
}

// arrived returns the state that a connector and its tasks have in common.
func arrived(s bed.ConnectorStatus) string {
	state := s.Connector.State
	for _, t := range s.Tasks {
		if t.State != state {
			return "on its way"
		}
	}
	// One that was paused before it had told its tasks has none until it is resumed.
	if state == "RUNNING" && len(s.Tasks) == 0 {
		return "on its way"
	}
	return state
}
