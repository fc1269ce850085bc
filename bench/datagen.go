package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime"
	"strconv"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connectors/datagen"
	"github.com/millrace-io/millrace/internal/pipeline"
	"github.com/millrace-io/millrace/internal/plugin"
)

const (
	datagenRole = "Millrace Datagen"
	datagenPoll = 2048 // records that the worker asks for at a time
	// datagenRate is in records a second of one core, datagenBar how many times the CPU the Java worker needs.
	datagenRate = 1_000_000
	datagenBar  = 5
)

// datagenJob is what the child is told: how many records to make in all.
type datagenJob struct{ Records int64 }

// Keys and values by which both workers write JSON without schemas.
var plainJSON = map[string]string{
	"value.converter":                "org.apache.kafka.connect.json.JsonConverter",
	"value.converter.schemas.enable": "false",
}

// usersConfig is Datagen as fast as it can.
func usersConfig(topic string, records int64) map[string]string {
	return map[string]string{
		"connector.class": "io.confluent.kafka.connect.datagen.DatagenConnector", "tasks.max": "1",
		"quickstart": "users", "kafka.topic": topic, "max.interval": "0", "iterations": strconv.FormatInt(records, 10),
	}
}

// measureDatagen times the making of records and their way to JSON on one core, and then the whole way into a topic, next to the Java
// worker with lines of the same length.
func measureDatagen(ctx context.Context, r *rig) (section, error) {
	s := section{
		title: "Datagen",
		intro: fmt.Sprintf("The users quickstart with max.interval=0, keys by StringConverter, values by JsonConverter without schemas, three "+
			"headers a record. Alone: making and converting %s records, on one core. Into a topic: the whole worker, beside the Java worker with the same "+
			"converters, which reads lines of the same length from a file, as it has no Datagen.", thousands(float64(r.jsonRecords()))),
	}
	alone, err := r.datagenAlone(ctx)
	if err != nil {
		return s, err
	}
	c, err := r.datagenIntoTopic(ctx)
	if err != nil {
		return s, err
	}
	perCore := make([]float64, len(alone))
	for i, ns := range alone {
		perCore[i] = 1e9 / ns
	}
	whole := func(who int) []string {
		return []string{sideNames[who] + ", into a topic", spread(c.rate(who), thousands), spread(c.cost(who), hundredths)}
	}
	microseconds := make([]float64, len(alone))
	for i, ns := range alone {
		microseconds[i] = ns / 1e3
	}
	s.tables = []table{
		{head: []string{"", "records/s", "CPU-s a million"}, rows: [][]string{
			{"Millrace, alone on one core", spread(perCore, thousands), spread(microseconds, hundredths)}, whole(ours), whole(java),
		}},
		verdicts(
			verdict{"records/s of one core, alone", median(perCore), atLeast, datagenRate, thousands},
			verdict{"CPU a record, Java worker : Millrace", ratio(c.cost(java), c.cost(ours)), atLeast, datagenBar, tenths},
		),
	}
	return s, nil
}

// datagenAlone returns the CPU nanoseconds a record of each round.
func (r *rig) datagenAlone(ctx context.Context) (costs []float64, err error) {
	o := datagenJob{r.jsonRecords()}
	c, err := startSelf(ctx, datagenRole, o)
	if err != nil {
		return nil, err
	}
	defer c.kill()
	for round := range r.rounds + 1 {
		before, err := cpuTime(c.pid())
		if err != nil {
			return nil, err
		}
		c.tell(goWord)
		if _, err := c.read(doneWord); err != nil {
			return nil, err
		}
		after, err := cpuTime(c.pid())
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first one makes the memory
			costs = append(costs, float64((after-before).Nanoseconds())/float64(o.Records))
			note("Datagen alone, round %d of %d: %.0f ns", round, r.rounds, costs[round-1])
		}
	}
	return costs, c.end()
}

// datagenIntoTopic compares the workers, without a bare loop.
func (r *rig) datagenIntoTopic(ctx context.Context) (*comparison, error) {
	width, err := usersWidth()
	if err != nil {
		return nil, err
	}
	file, err := r.lines("users.txt", r.options.lines, width)
	if err != nil {
		return nil, err
	}
	sides, _, done := r.sides()
	defer done()
	c := &comparison{lines: r.options.lines}
	jobs := r.sourceJobs(ctx, file, c.lines, 1)
	for round := range r.rounds + 1 {
		for _, who := range []int{ours, java} {
			sample, err := r.once(ctx, sides[who], func() (job, func() error, error) {
				j, tidy, err := jobs(fmt.Sprintf("users-%d-%d", round, who))
				j.Config = j.config()
				if who == ours {
					j.Config = usersConfig(j.Topic, c.lines)
				}
				maps.Copy(j.Config, plainJSON)
				return j, tidy, err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sideNames[who], err)
			}
			if round > 0 {
				c.samples[who] = append(c.samples[who], sample)
			}
			note("Datagen into a topic, round %d of %d, %s: %.2f CPU-s a million", round, r.rounds, sideNames[who], sample.cpu.Seconds()/float64(c.lines)*1e6)
		}
	}
	return c, nil
}

// generator makes records and converts them, as the worker does on its task's goroutine.
type generator struct {
	task connect.SourceTask
	pipe *pipeline.Source
	out  *connect.Batch
	buf  []byte
}

func newGenerator(ctx context.Context) (*generator, error) {
	reg := plugin.Builtin()
	props := maps.Clone(plainJSON)
	props["key.converter"], props["header.converter"] = stringConverter, "org.apache.kafka.connect.storage.SimpleHeaderConverter"
	conv, err := pipeline.NewConverters(reg, props, props)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	tol, err := pipeline.NewTolerance(log, nil)
	if err != nil {
		return nil, err
	}
	g := &generator{task: datagen.Source.Source().NewTask(), pipe: pipeline.NewSource(conv, tol), out: connect.NewBatch(datagenPoll)}
	config := usersConfig("users", -1)
	config["task.id"] = "0"
	tc := connect.NewSourceTaskContext(connect.SourceTaskRuntime{
		Log: log, Props: func() connect.Props { return config },
		Offsets: func(_ context.Context, ps []*connect.SourcePartition) ([]data.Value, error) {
			return make([]data.Value, len(ps)), nil
		},
	})
	return g, g.task.Start(ctx, tc, config)
}

// batch makes and converts the records of one poll and returns the values one after the other.
func (g *generator) batch(ctx context.Context) (values int, err error) {
	g.out.Reset()
	if err := g.task.Poll(ctx, g.out); err != nil {
		return 0, err
	}
	g.buf = g.buf[:0]
	var enc pipeline.Encoded
	recs := g.out.Records()
	for i := range recs {
		if g.buf, _, err = g.pipe.Encode(ctx, g.buf, &recs[i], &enc); err != nil {
			return 0, err
		}
		values += len(enc.Value)
	}
	return values, nil
}

// usersWidth is the usual length of a user as JSON.
func usersWidth() (int, error) {
	g, err := newGenerator(context.Background())
	if err != nil {
		return 0, err
	}
	values, err := g.batch(context.Background())
	return values / g.out.Len(), err
}

// runDatagenChild is the child, which has one core.
func runDatagenChild(ctx context.Context, o datagenJob) error {
	runtime.GOMAXPROCS(1)
	g, err := newGenerator(ctx)
	if err != nil {
		return err
	}
	return withRoom(func() error {
		return obey(map[string]func(io.Writer) error{goWord: func(io.Writer) error {
			for n := int64(0); n < o.Records; n += int64(g.out.Len()) {
				if _, err := g.batch(ctx); err != nil {
					return err
				}
			}
			return nil
		}})
	})
}
