package conntest

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// SinkCase describes a sink connector to [RunSink].
type SinkCase struct {
	Plugin connect.Plugin
	// Setup makes the environment of one scenario, with an empty destination of its own.
	Setup func(t TB) SinkEnv
	// Limit is how long one call may take, and how long the kit waits for records to be put; 10 s if 0.
	Limit time.Duration
	// Waive names scenarios that are skipped, with the reason.
	Waive map[string]string
}

// SinkEnv is a destination that the kit looks at, and the configuration with which the connector writes to it. Its
// functions are called from the goroutine of the test.
type SinkEnv struct {
	Props connect.Props
	// Record returns the record of a number; the kit sets topic and partition. Nil is a record whose value is the STRING
	// "record " and the number.
	Record func(n int) connect.Record
	// Delivered returns the numbers of the records in the destination, in its order, those of the same partition at
	// least. It is an error if something is there that is not, in every respect that matters, such a record.
	Delivered func() ([]int, error)
	// Break makes the destination refuse what is written for a reason that passes, and mends it. Nil if that cannot be
	// done.
	Break func(broken bool)
}

// RunSink runs the scenarios for sink connectors as subtests of t. It logs which optional interfaces the connector and its task have;
// scenarios for those that it has not are skipped.
func RunSink[T Test[T]](t T, c SinkCase) {
	t.Helper()
	s := suite{plugin: c.Plugin, limit: c.Limit, waive: c.Waive}
	for _, sc := range []struct {
		name string
		run  func(*sinkTest) error
	}{
		{"Plugin", (*sinkTest).plugin},
		{"StartStop", (*sinkTest).startStop},
		{"StopAfterFailedStart", (*sinkTest).stopAfterFailedStart},
		{"StopInTime", (*sinkTest).stopInTime},
		{"TaskConfigLimit", (*sinkTest).taskConfigLimit},
		{"PutNone", (*sinkTest).putNone},
		{"Delivery", (*sinkTest).delivery},
		{"FlushDurable", (*sinkTest).flushDurable},
		{"PutAfterRetriable", (*sinkTest).putAfterRetriable},
		{"PutSliceReused", (*sinkTest).putSliceReused},
		{"Rebalance", (*sinkTest).rebalance},
		{"LostPartitions", (*sinkTest).lostPartitions},
		{"Rewind", (*sinkTest).rewind},
		{"CrashBeforeCommit", (*sinkTest).crashBeforeCommit},
		{"AlterOffsets", (*sinkTest).alterOffsets},
	} {
		s.scenarios = append(s.scenarios, scenario{sc.name, func(t TB, call *caller) error {
			return sc.run(newSinkTest(c, c.Setup(t), call))
		}})
	}
	runSuite(t, s)
}

// Partitions that scenarios use.
var (
	part0 = connect.TopicPartition{Topic: "conntest", Partition: 0}
	part1 = connect.TopicPartition{Topic: "conntest", Partition: 1}
	part2 = connect.TopicPartition{Topic: "conntest", Partition: 2}
)

// keyTopics is what a sink configuration names its topics with.
const keyTopics = "topics"

// sinkTest is one scenario with its environment.
type sinkTest struct {
	SinkCase
	SinkEnv
	c      *caller
	topics *Topics
	places []connect.Original // of each record, by number
}

func newSinkTest(c SinkCase, env SinkEnv, call *caller) *sinkTest {
	props := connect.Props{keyTopics: part0.Topic}
	for k, v := range env.Props {
		props[k] = v
	}
	env.Props = props
	if env.Record == nil {
		env.Record = plainRecord
	}
	return &sinkTest{SinkCase: c, SinkEnv: env, c: call, topics: NewTopics()}
}

func plainRecord(n int) connect.Record {
	return connect.Record{
		Timestamp:   connect.NoTimestamp,
		ValueSchema: data.StringSchema,
		Value:       data.String(fmt.Sprintf("record %d", n)),
	}
}

func (t *sinkTest) plugin() error { return checkPlugin(t.c, t.Plugin, t.Props) }

// with runs f against a freshly started task and ends it as end says, if it is not stuck.
func (t *sinkTest) with(f, end func(s *Sink) error) error {
	s, err := startSink(t.c, t.Plugin, t.Props, Options{Topics: t.topics, Batch: 7})
	if err != nil {
		return err
	}
	err = f(s)
	if t.c.stuck != "" {
		return err
	}
	return errors.Join(err, end(s))
}

// produce appends the next n records to each of the partitions.
func (t *sinkTest) produce(n int, tps ...connect.TopicPartition) {
	for range n {
		for _, tp := range tps {
			t.topics.Append(tp, t.Record(len(t.places)))
			t.places = append(t.places, connect.Original{TopicPartition: tp, Offset: t.topics.end(tp) - 1})
		}
	}
}

// drainAndCommit has everything put and committed that the task agrees to.
func drainAndCommit(s *Sink) error {
	if err := s.Drain(); err != nil {
		return err
	}
	_, err := s.Commit()
	return err
}

// times says how often a committed record may be in the destination.
type times bool

const (
	once        times = true
	atLeastOnce times = false
)

// check compares the destination with what was committed.
func (t *sinkTest) check(allowed times) error {
	numbers, err := t.Delivered()
	if err != nil {
		return fmt.Errorf("the destination does not hold what was put: %w", err)
	}
	count := make(map[int]int)
	last := make(map[connect.TopicPartition]int64)
	for _, n := range numbers {
		if n < 0 || n >= len(t.places) {
			return fmt.Errorf("the destination holds record %d, there are %d", n, len(t.places))
		}
		place := t.places[n]
		if before, ok := last[place.TopicPartition]; ok && count[n] == 0 && place.Offset < before {
			return fmt.Errorf("record %d of partition %d came after one with a higher offset", n, place.Partition)
		}
		last[place.TopicPartition] = max(last[place.TopicPartition], place.Offset)
		count[n]++
	}
	return t.checkCounts(count, allowed)
}

func (t *sinkTest) checkCounts(count map[int]int, allowed times) error {
	committed := t.topics.Committed()
	if len(t.places) > 0 && len(committed) == 0 {
		return errors.New("nothing was committed")
	}
	var lost, repeated []int
	for n, place := range t.places {
		switch {
		case count[n] == 0 && place.Offset < committed[place.TopicPartition]:
			lost = append(lost, n)
		case count[n] > 1 && allowed == once:
			repeated = append(repeated, n)
		}
	}
	switch {
	case len(lost) > 0:
		return fmt.Errorf("the offsets of these records are committed, and the destination does not hold them: %s", ints(lost))
	case len(repeated) > 0:
		return fmt.Errorf("the destination holds these records more than once: %s", ints(repeated))
	default:
		return nil
	}
}
