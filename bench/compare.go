package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// comparison is one kind of job done by all sides in alternation.
type comparison struct {
	lines   int64
	samples [sideCount][]sample // by round
}

// rate is the number of records a second of each round.
func (c *comparison) rate(side int) []float64 {
	return c.each(side, func(s sample) float64 { return float64(c.lines) / s.took.Seconds() })
}

// cost is the CPU seconds a million records of each round.
func (c *comparison) cost(side int) []float64 {
	return c.each(side, func(s sample) float64 { return s.cpu.Seconds() / float64(c.lines) * 1e6 })
}

// peak is the peak of resident memory in MB: of each round's process, and of the Java worker since its start.
func (c *comparison) peak(side int) []float64 {
	return c.each(side, func(s sample) float64 { return megabytes(s.peak) })
}

func (c *comparison) each(side int, f func(sample) float64) []float64 {
	var out []float64
	for _, s := range c.samples[side] {
		out = append(out, f(s))
	}
	return out
}

// compare runs a job by all sides: a round that does not count, in which broker and Java worker get warm, and then the rounds, each in
// another order. next prepares what a run needs, and tidies up after it when its function is called.
func (r *rig) compare(ctx context.Context, sides [sideCount]side, lines int64, rounds int, next func(name string) (job, func() error, error)) (*comparison, error) {
	c := &comparison{lines: lines}
	for round := 0; round <= rounds; round++ {
		for i := range sideCount {
			who := (i + round) % sideCount
			s, err := r.once(ctx, sides[who], func() (job, func() error, error) {
				return next(fmt.Sprintf("%d-%d-%d", time.Now().UnixNano(), round, who))
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sideNames[who], err)
			}
			label := fmt.Sprintf("round %d of %d", round, rounds)
			if round == 0 {
				label = "warm-up"
			} else {
				c.samples[who] = append(c.samples[who], s)
			}
			note("%s, %s: %s records/s, %.2f CPU-s a million, %.0f MB", label, sideNames[who],
				thousands(float64(lines)/s.took.Seconds()), s.cpu.Seconds()/float64(lines)*1e6, megabytes(s.peak))
		}
	}
	return c, nil
}

func (r *rig) once(ctx context.Context, s side, next func() (job, func() error, error)) (sample, error) {
	j, tidy, err := next()
	if err != nil {
		return sample{}, err
	}
	m, err := r.run(ctx, s, j)
	return m, errors.Join(err, tidy())
}

// sourceJobs returns how to prepare jobs that move the lines of a file into a new topic each.
func (r *rig) sourceJobs(ctx context.Context, file string, lines int64, partitions int32) func(string) (job, func() error, error) {
	return func(name string) (job, func() error, error) {
		j := job{Name: "source-" + name, Bootstrap: r.bootstrap(), File: file, Topic: "lines-" + name, Lines: lines}
		tidy := func() error { return r.deleteTopic(ctx, j.Topic) }
		return j, tidy, r.createTopic(ctx, j.Topic, partitions)
	}
}

// sinkJobs returns how to prepare jobs that move the records of a topic into a new file each. With one partition the file has to be
// equal to the one that the topic was made from.
func (r *rig) sinkJobs(topic, origin string, lines int64, ordered bool) func(string) (job, func() error, error) {
	return func(name string) (job, func() error, error) {
		j := job{Sink: true, Name: "sink-" + name, Bootstrap: r.bootstrap(), File: r.path("out-" + name), Topic: topic, Lines: lines}
		size, err := fileSize(origin)
		j.Bytes = size
		tidy := func() error {
			var err error
			if ordered {
				err = sameContent(origin, j.File)
			}
			return errors.Join(err, os.Remove(j.File))
		}
		return j, tidy, err
	}
}

// Keys of the Java clients that decide about speed and memory.
var (
	producerKeys = []string{
		"acks", "batch.size", "buffer.memory", "compression.type", "delivery.timeout.ms", "enable.idempotence", "linger.ms",
		"max.block.ms", "max.in.flight.requests.per.connection", "max.request.size", "request.timeout.ms",
	}
	consumerKeys = []string{
		"enable.auto.commit", "fetch.max.bytes", "fetch.max.wait.ms", "fetch.min.bytes", "heartbeat.interval.ms", "isolation.level",
		"max.partition.fetch.bytes", "max.poll.records", "partition.assignment.strategy", "receive.buffer.bytes", "session.timeout.ms",
	}
)

// lines makes the file of lines once and returns its path.
func (r *rig) lines(name string, count int64, width int) (string, error) {
	path := r.path(name)
	if size, err := fileSize(path); err != nil || size > 0 {
		return path, err
	}
	note("writing %s lines of %d bytes", thousands(float64(count)), width)
	return path, writeLines(path, count, width)
}

// fill makes a topic with the lines of a file, by the bare loop.
func (r *rig) fill(ctx context.Context, topic, file string, lines int64, partitions int32) error {
	if err := r.createTopic(ctx, topic, partitions); err != nil {
		return err
	}
	b := &bareLoop{}
	defer b.close()
	_, err := r.run(ctx, b, job{Name: "fill-" + topic, Bootstrap: r.bootstrap(), File: file, Topic: topic, Lines: lines})
	return err
}

func measureSource(ctx context.Context, r *rig) (section, error) {
	file, err := r.lines("lines.txt", r.options.lines, lineBytes)
	if err != nil {
		return section{}, err
	}
	sides, b, done := r.sides()
	defer done()
	c, err := r.compare(ctx, sides, r.options.lines, r.rounds, r.sourceJobs(ctx, file, r.options.lines, 1))
	if err != nil {
		return section{}, err
	}
	theirs, err := r.javaOptions("ProducerConfig", "connector-producer-", producerKeys)
	return section{
		title: "File to topic",
		intro: fmt.Sprintf("FileStreamSource with StringConverter: %s lines of %d bytes into a new topic with one partition. "+
			"Counted at the topic's end offset.", thousands(float64(r.options.lines)), lineBytes),
		tables: append(c.tables(sourceBars), optionTables(b.options, theirs, "producer")...),
	}, err
}

func measureSink(ctx context.Context, r *rig) (section, error) {
	file, err := r.lines("lines.txt", r.options.lines, lineBytes)
	if err != nil {
		return section{}, err
	}
	const topic = "lines"
	note("filling a topic")
	if err := r.fill(ctx, topic, file, r.options.lines, 1); err != nil {
		return section{}, err
	}
	sides, b, done := r.sides()
	defer done()
	c, err := r.compare(ctx, sides, r.options.lines, r.rounds, r.sinkJobs(topic, file, r.options.lines, true))
	if err != nil {
		return section{}, err
	}
	theirs, err := r.javaOptions("ConsumerConfig", "connector-consumer-", consumerKeys)
	return section{
		title: "Topic to file",
		intro: fmt.Sprintf("FileStreamSink with StringConverter: %s records of %d bytes from a topic with one partition into a new file. "+
			"Counted at the size of the file, which is then compared with the lines that the topic was made from.",
			thousands(float64(r.options.lines)), lineBytes),
		tables: append(c.tables(sinkBars), optionTables(b.options, theirs, "consumer")...),
	}, errors.Join(err, r.deleteTopic(ctx, topic))
}

// bars are what one direction has to reach.
type bars struct{ cpuOverBare, rateOfBare, javaCPU, javaRate, peak float64 }

var (
	sourceBars = bars{cpuOverBare: 1.3, rateOfBare: 0.8, javaCPU: 7, javaRate: 4, peak: 100}
	sinkBars   = bars{cpuOverBare: 1.3, rateOfBare: 0.8, javaCPU: 5, javaRate: 3.5, peak: 100}
)

// tables are the results of each side, and what they come to.
func (c *comparison) tables(b bars) []table {
	t := table{head: []string{"", "records/s", "CPU-s a million", "peak memory, MB"}}
	for who := range sideCount {
		t.rows = append(t.rows, []string{
			sideNames[who], spread(c.rate(who), thousands), spread(c.cost(who), hundredths), spread(c.peak(who), whole),
		})
	}
	return []table{t, verdicts(
		verdict{"CPU a record, Millrace : bare loop", ratio(c.cost(ours), c.cost(bare)), atMost, b.cpuOverBare, hundredths},
		verdict{"rate, Millrace : bare loop", ratio(c.rate(ours), c.rate(bare)), atLeast, b.rateOfBare, hundredths},
		verdict{"CPU a record, Java worker : Millrace", ratio(c.cost(java), c.cost(ours)), atLeast, b.javaCPU, tenths},
		verdict{"rate, Millrace : Java worker", ratio(c.rate(ours), c.rate(java)), atLeast, b.javaRate, tenths},
		verdict{"peak memory of Millrace, MB", median(c.peak(ours)), atMost, b.peak, whole},
	)}
}

// optionTables show the clients that both sides used.
func optionTables(franz, java []fact, kind string) []table {
	return []table{
		factTable("franz-go "+kind+", of Millrace and of the bare loop", franz),
		factTable("Java worker's "+kind, java),
	}
}
