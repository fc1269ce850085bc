package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	idleBar  = 40  // MB
	wideBar  = 150 // MB
	mostWide = 3   // rounds; peaks scatter little
	// taskRests are the rests after which idle tasks are looked at: the first commit of their offsets, a minute after their start by
	// default, and a collection of the garbage of both are over then.
	taskRests     = 3
	sourceTaskBar = 120 // kB
	sinkTaskBar   = 300 // kB
)

// measureMemory reads the memory of workers that do nothing, and of workers that move larger records through many partitions.
func measureMemory(ctx context.Context, r *rig) (section, error) {
	s := section{
		title: "Resident memory",
		intro: fmt.Sprintf("Idle: a worker without connectors, %v after its start. Under load: peaks while %s lines of %s bytes go into a topic with "+
			"%d partitions, and out of one. Peaks with one partition are in the sections above.",
			r.idle, thousands(float64(r.wideLines())), thousands(wideBytes), widePartition),
	}
	sides, _, done := r.sides()
	defer done()
	// A Java worker that has done nothing yet.
	fresh := &javaWorker{bootstrap: r.bootstrap(), dir: r.path("java-memory")}
	defer fresh.close()
	sides[java] = fresh

	idle, err := r.idleMemory(ctx, fresh)
	if err != nil {
		return s, err
	}
	in, err := r.wideSource(ctx, sides)
	if err != nil {
		return s, err
	}
	out, err := r.wideSink(ctx, sides)
	if err != nil {
		return s, err
	}
	t := table{head: []string{"MB", "idle", "24 partitions, in", "24 partitions, out"}}
	for who := range sideCount {
		resting := "-"
		if who != bare {
			resting = whole(idle[who])
		}
		t.rows = append(t.rows, []string{sideNames[who], resting, spread(in.peak(who), whole), spread(out.peak(who), whole)})
	}
	s.tables = []table{t, verdicts(
		verdict{"idle, MB", idle[ours], atMost, idleBar, whole},
		verdict{"24 partitions, in, MB", median(in.peak(ours)), atMost, wideBar, whole},
		verdict{"24 partitions, out, MB", median(out.peak(ours)), atMost, wideBar, whole},
	)}
	return s, nil
}

// idleMemory starts both workers and lets them rest.
func (r *rig) idleMemory(ctx context.Context, theirs *javaWorker) (mb [sideCount]float64, err error) {
	m := r.millrace()
	defer m.close()
	var pids [sideCount]int
	if pids[java], err = theirs.ready(ctx, job{}); err != nil {
		return mb, err
	}
	if pids[ours], err = m.ready(ctx, job{}); err != nil {
		return mb, err
	}
	note("letting both workers rest for %v", r.idle)
	if err := wait(ctx, r.idle); err != nil {
		return mb, err
	}
	for _, who := range []int{ours, java} {
		bytes, err := memory(pids[who], residentNow)
		if err != nil {
			return mb, err
		}
		mb[who] = megabytes(bytes)
		note("idle, %s: %.0f MB", sideNames[who], mb[who])
	}
	return mb, m.end(ctx, job{})
}

func (r *rig) wideSource(ctx context.Context, sides [sideCount]side) (*comparison, error) {
	file, err := r.lines("wide.txt", r.wideLines(), wideBytes)
	if err != nil {
		return nil, err
	}
	note("into %d partitions", widePartition)
	return r.compare(ctx, sides, r.wideLines(), min(r.rounds, mostWide), r.sourceJobs(ctx, file, r.wideLines(), widePartition))
}

func (r *rig) wideSink(ctx context.Context, sides [sideCount]side) (*comparison, error) {
	const topic = "wide"
	file := r.path("wide.txt")
	if err := r.fill(ctx, topic, file, r.wideLines(), widePartition); err != nil {
		return nil, err
	}
	note("out of %d partitions", widePartition)
	c, err := r.compare(ctx, sides, r.wideLines(), min(r.rounds, mostWide), r.sinkJobs(topic, file, r.wideLines(), false))
	return c, errors.Join(err, r.deleteTopic(ctx, topic))
}

// measureIdleTasks reads what many tasks without work add to a worker's memory: sources that have sent their one line and keep their
// producers, and sinks that have written their one record and stay in their groups.
func measureIdleTasks(ctx context.Context, r *rig) (section, error) {
	s := section{
		title: "Idle tasks",
		intro: fmt.Sprintf("Memory of Millrace %v after so many connectors, of one task each, have moved one record and wait for more, less the "+
			"memory %v after the start, divided by their number.", taskRests*r.idle, r.idle),
	}
	sources, err := r.idleTasks(ctx, r.sources, r.idleSources)
	if err != nil {
		return s, fmt.Errorf("sources: %w", err)
	}
	sinks, err := r.idleTasks(ctx, r.sinks, r.idleSinks)
	if err != nil {
		return s, fmt.Errorf("sinks: %w", err)
	}
	name := func(n int, kind string) string { return strconv.Itoa(n) + " " + kind }
	row := func(what string, t taskMemory) []string {
		return []string{what, whole(megabytes(t.without)), whole(megabytes(t.with)), whole(t.each() / 1e3)}
	}
	s.tables = []table{
		{
			head: []string{"", "without, MB", "with, MB", "a task, kB"},
			rows: [][]string{row(name(r.sources, "sources"), sources), row(name(r.sinks, "sinks"), sinks)},
		},
		verdicts(
			verdict{"a source task, kB", sources.each() / 1e3, atMost, sourceTaskBar, whole},
			verdict{"a sink task, kB", sinks.each() / 1e3, atMost, sinkTaskBar, whole},
		),
	}
	return s, nil
}

// taskMemory is a worker's resident memory without and with so many tasks.
type taskMemory struct {
	tasks         int
	without, with int64
}

func (t taskMemory) each() float64 { return float64(t.with-t.without) / float64(t.tasks) }

// idleTasks starts a worker for n tasks, which create makes and waits for.
func (r *rig) idleTasks(ctx context.Context, n int, create func(context.Context, *millrace, int) error) (taskMemory, error) {
	t := taskMemory{tasks: n}
	m := r.millrace()
	defer m.close()
	pid, err := m.ready(ctx, job{})
	if err != nil {
		return t, err
	}
	note("letting the worker rest for %v", r.idle)
	if t.without, err = rested(ctx, pid, r.idle); err != nil {
		return t, err
	}
	if err := create(ctx, m, n); err != nil {
		return t, err
	}
	note("letting %d tasks rest for %v", n, taskRests*r.idle)
	if t.with, err = rested(ctx, pid, taskRests*r.idle); err != nil {
		return t, err
	}
	note("%.0f MB without, %.0f MB with %d tasks", megabytes(t.without), megabytes(t.with), n)
	return t, nil
}

// rested is the resident memory of a process after a while.
func rested(ctx context.Context, pid int, rest time.Duration) (int64, error) {
	if err := wait(ctx, rest); err != nil {
		return 0, err
	}
	return memory(pid, residentNow)
}

// idleSources creates connectors for files of one line each and waits until all lines are in the topic.
func (r *rig) idleSources(ctx context.Context, m *millrace, n int) error {
	const topic = "idle-sources"
	dir := r.path(topic)
	if err := errors.Join(os.MkdirAll(dir, 0o755), r.createTopic(ctx, topic, 1)); err != nil {
		return err
	}
	var j job
	for i := range n {
		j = job{Name: fmt.Sprintf("idle-source-%d", i), File: filepath.Join(dir, strconv.Itoa(i)), Topic: topic}
		if err := os.WriteFile(j.File, []byte("one line\n"), 0o644); err != nil {
			return err
		}
		if err := m.begin(ctx, j); err != nil {
			return err
		}
	}
	return arrive(ctx, int64(n), func(ctx context.Context) (int64, error) { return r.records(ctx, topic) },
		func(ctx context.Context) error { return m.check(ctx, j) })
}

// idleSinks creates connectors that read a topic with one record, and waits until each has written it.
func (r *rig) idleSinks(ctx context.Context, m *millrace, n int) error {
	const topic = "idle-sinks"
	dir, one := r.path(topic), r.path("one-line")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(one, []byte("one line\n"), 0o644), r.fill(ctx, topic, one, 1, 1)); err != nil {
		return err
	}
	var j job
	for i := range n {
		j = job{Sink: true, Name: fmt.Sprintf("idle-sink-%d", i), File: filepath.Join(dir, strconv.Itoa(i)), Topic: topic}
		if err := m.begin(ctx, j); err != nil {
			return err
		}
	}
	written := func(context.Context) (int64, error) {
		var done int64
		for i := range n {
			size, err := fileSize(filepath.Join(dir, strconv.Itoa(i)))
			if err != nil {
				return 0, err
			}
			if size > 0 {
				done++
			}
		}
		return done, nil
	}
	return arrive(ctx, int64(n), written, func(ctx context.Context) error { return m.check(ctx, j) })
}
